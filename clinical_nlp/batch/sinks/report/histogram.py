"""Layout of the risk histogram in SVG units; the template draws it.

matplotlib's SVG is four times as large, takes a second, and follows neither the page's dark
mode nor its fonts (``benchmarks/report_histogram.py``).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from clinical_nlp.risk.bands import Bands

#: View box of the drawing, in SVG units; it scales to the page's width.
WIDTH, HEIGHT = 760.0, 300.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 46.0, 12.0, 34.0, 44.0
_GAP = 1.5  # between bars
_GRID_LINES = 4


@dataclass(frozen=True, slots=True)
class Bar:
    """One bin: its rectangle, the index of its band (0 = lowest) and its label's numbers."""

    x: float
    y: float
    width: float
    height: float
    band: int
    lower: float
    upper: float
    patients: int


@dataclass(frozen=True, slots=True)
class Tick:
    """A tick of an axis: its position and value."""

    at: float
    value: float


@dataclass(frozen=True, slots=True)
class Histogram:
    """The drawing, all in SVG units."""

    bars: tuple[Bar, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    threshold: float
    names: tuple[tuple[float, str], ...]
    base: float = HEIGHT - _BOTTOM
    left: float = _LEFT
    right: float = WIDTH - _RIGHT
    top: float = _TOP
    width: float = WIDTH
    height: float = HEIGHT


def draw(
    edges: Sequence[float], patients: Sequence[int], bands: Bands, threshold: float
) -> Histogram:
    """Lay out the histogram of estimated risks on a logarithmic axis.

    Parameters
    ----------
    edges
        Bin edges, rising from 0 to 1, with every bound of the bands among them.
    patients
        Patients in each of the ``len(edges) - 1`` bins.
    bands
        The published bands.
    threshold
        Work-list threshold (probability).
    """
    # The first bin starts at 0: it gets as much room as the second.
    lowest = edges[1] ** 2 / edges[2]
    decades = -math.log10(lowest)

    def across(p: float) -> float:
        share = math.log10(max(p, lowest) / lowest) / decades
        return _LEFT + share * (WIDTH - _LEFT - _RIGHT)

    top = _round_up(max(patients, default=0))
    room = HEIGHT - _TOP - _BOTTOM
    uppers = [band.upper for band in bands]
    bars = []
    for lower, upper, number in zip(edges, edges[1:], patients, strict=False):
        height = room * number / top
        bars.append(
            Bar(
                x=round(across(lower) + _GAP / 2, 2),
                y=round(HEIGHT - _BOTTOM - height, 2),
                width=round(across(upper) - across(lower) - _GAP, 2),
                height=round(height, 2),
                band=next(i for i, bound in enumerate(uppers) if upper <= bound * (1 + 1e-9)),
                lower=lower,
                upper=upper,
                patients=number,
            )
        )
    middles = [
        (round((across(band.lower) + across(band.upper)) / 2, 2), band.name_es) for band in bands
    ]
    return Histogram(
        bars=tuple(bars),
        x_ticks=tuple(
            Tick(round(across(p), 2), p)
            for p in (0.001, *(band.upper for band in bands), 0.3)
            if p > lowest
        ),
        y_ticks=tuple(
            Tick(round(HEIGHT - _BOTTOM - room * i / _GRID_LINES, 2), top * i / _GRID_LINES)
            for i in range(_GRID_LINES + 1)
        ),
        threshold=round(across(threshold), 2),
        names=tuple(middles),
    )


def _round_up(number: int) -> int:
    """Return the smallest round number at or above that four grid lines divide evenly."""
    scale = 1
    while True:
        for step in (4, 6, 8, 10, 12, 16, 20, 24, 32):
            bound = step * scale
            if number <= bound and bound % _GRID_LINES == 0:
                return bound
        scale *= 10
