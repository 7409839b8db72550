"""Draws a patient's timeline as SVG: problems and drugs, findings, measurements."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from clinical_nlp.records import Concept
from clinical_nlp.review.markup import Html, escape
from clinical_nlp.review.patient import PatientReview
from clinical_nlp.review.timeline_tracks import WINDOW_DAYS, Series, Tracks, select_tracks
from clinical_nlp.risk.timeline import Origin, Presence
from clinical_nlp.spanish import day_es, measurement_es

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_INK, _SOFT, _LINE = "#1b2530", "#56616e", "#dcdad3"
#: Colour (that of the marks on notes) and Spanish name of each presence.
PRESENCES: Mapping[Presence, tuple[str, str]] = {
    Presence.PRESENT: ("#0d6e80", "presente"),
    Presence.ABSENT: ("#7b8591", "negado"),
    Presence.UNCERTAIN: ("#a87708", "dudoso"),
    Presence.PAST: ("#6d4fa3", "antecedente"),
}
_MARKERS = {Origin.NOTE: "o", Origin.STRUCTURED: "s"}
_DRUG, _PROBLEM = "#3f8a68", "#9c5d33"
_EPOCH = date(1970, 1, 1)
_WIDTH = 11.0  # inches
_LABEL_SHARE = 0.1  # of the window: the least width of a bar with a year inside
_TRACK, _SERIES, _EMPTY = 0.3, 1.05, 0.5  # inches of height
_STYLE: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["Arial", "Liberation Sans", "DejaVu Sans"],
    "font.size": 10,
    "svg.fonttype": "none",  # text stays text: it can be searched and read aloud
    "svg.hashsalt": "clinical-nlp",  # the same drawing gives the same bytes
    "axes.edgecolor": _LINE,
    "axes.titlelocation": "left",
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.labelcolor": _SOFT,
    "text.color": _INK,
    "xtick.color": _SOFT,
    "ytick.color": _INK,
}


def show_timeline(
    review: PatientReview, concepts: Mapping[str, Concept], window_days: int = WINDOW_DAYS
) -> Html:
    """Show a patient's timeline.

    Parameters
    ----------
    review
        The patient.
    concepts
        The lexicon's concepts by key, for their Spanish names.
    window_days
        Days before the index day to draw.
    """
    tracks = select_tracks(review.timeline, review.estimate, concepts, window_days)
    svg = draw(tracks)
    hidden = f" Quedan {tracks.hidden} conceptos sin dibujar." if tracks.hidden else ""
    return Html(
        f"<figure class='cnr-timeline'>{svg}<figcaption>Del {day_es(tracks.start)} al "
        f"{day_es(tracks.end)}. Círculo: dicho en una nota; cuadrado: dato codificado.{hidden}"
        "</figcaption></figure>"
    )


def draw(tracks: Tracks) -> str:
    """Return the drawing as an ``<svg>`` element, with a text alternative."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    heights = [
        max(_EMPTY, _TRACK * len(tracks.spans) + 0.2),
        max(_EMPTY, _TRACK * len(tracks.findings) + 0.2),
        *([_SERIES] * len(tracks.series)),
    ]
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(_WIDTH, sum(heights) + 1.5), layout="constrained")
        axes = figure.subplots(
            len(heights), 1, sharex=True, squeeze=False, height_ratios=heights
        ).flatten()
        _draw_spans(axes[0], tracks)
        _draw_findings(axes[1], tracks)
        for axis, series in zip(axes[2:], tracks.series, strict=True):
            _draw_series(axis, series)
        _finish(figure, list(axes), tracks)
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    svg = out.getvalue()  # a notebook needs the element without the XML prologue
    label = escape(describe(tracks))
    return re.sub(r"^.*?<svg ", f"<svg role='img' aria-label='{label}' ", svg, flags=re.DOTALL)


def describe(tracks: Tracks) -> str:
    """Return the text alternative of the drawing, in Spanish."""
    parts = [
        f"{track.name}: {len(track.marks)} menciones, la última del {day_es(track.marks[-1].day)}"
        for track in tracks.findings
    ]
    parts += [
        f"{s.name}: {len(s.points)} valores, el último {_last(s)} {s.unit}".rstrip()
        for s in tracks.series
    ]
    parts += [f"{span.name} desde {day_es(span.bars[0].start)}" for span in tracks.spans]
    return "Cronología. " + ("; ".join(parts) or "Sin datos en el periodo") + "."


def _draw_spans(axis: Axes, tracks: Tracks) -> None:
    _track_labels(axis, [span.name for span in tracks.spans])
    start, window = tracks.start, (tracks.end - tracks.start).days
    for place, span in enumerate(tracks.spans):
        colour = _DRUG if span.drug else _PROBLEM
        for bar in span.bars:
            begin = max(bar.start, start)
            # At least a week wide, to be visible.
            days = max((bar.end - begin).days, 7)
            alpha = 1 if bar.open else 0.6
            axis.barh(place, days, left=_num(begin), height=0.5, color=colour, alpha=alpha)
            if bar.start < start:
                inside = days >= _LABEL_SHARE * window
                axis.annotate(
                    f"desde {bar.start.year}",
                    (_num(begin) + (0 if inside else days), place),
                    xytext=(4, 0),
                    textcoords="offset points",
                    va="center",
                    fontsize=8,
                    color="white" if inside else colour,
                )
    axis.set_title("Problemas y tratamientos")


def _draw_findings(axis: Axes, tracks: Tracks) -> None:
    _track_labels(axis, [track.name for track in tracks.findings])
    for place, track in enumerate(tracks.findings):
        axis.axhline(place, color=_LINE, linewidth=0.8, zorder=0)
        for mark in track.marks:
            colour, _ = PRESENCES[mark.presence]
            hollow = mark.presence in (Presence.ABSENT, Presence.UNCERTAIN)
            axis.plot(
                _num(mark.day),
                place,
                _MARKERS[mark.origin],
                markersize=8,
                markeredgecolor=colour,
                markeredgewidth=1.8,
                markerfacecolor="white" if hollow else colour,
            )
            if mark.presence is Presence.UNCERTAIN:
                axis.text(
                    _num(mark.day), place, "?", ha="center", va="center", fontsize=6.5, color=colour
                )
    axis.set_title("Hallazgos")


def _draw_series(axis: Axes, series: Series) -> None:
    from matplotlib.ticker import MaxNLocator

    days = [_num(point.day) for point in series.points]
    values = [point.value for point in series.points]
    colour = PRESENCES[Presence.PRESENT][0]
    believed = [i for i, point in enumerate(series.points) if not point.doubtful]
    doubtful = [i for i, point in enumerate(series.points) if point.doubtful]
    by_origin = {o: [i for i in believed if series.points[i].origin is o] for o in _MARKERS}
    axis.plot(
        [days[i] for i in believed],
        [values[i] for i in believed],
        color=colour,
        linewidth=1.4,
        alpha=0.7,
    )
    for chosen, marker, ink in (
        *((by_origin[origin], marker, colour) for origin, marker in _MARKERS.items()),
        (doubtful, "x", PRESENCES[Presence.UNCERTAIN][0]),
    ):
        axis.plot([days[i] for i in chosen], [values[i] for i in chosen], marker, color=ink)
    last = (believed or doubtful)[-1]
    axis.annotate(
        _last(series),
        (days[last], values[last]),
        xytext=(7, 0),
        textcoords="offset points",
        va="center",
        fontweight="bold",
        annotation_clip=False,
        # The line of the index day may run behind the number.
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8},
    )
    axis.margins(y=0.3)
    if len(set(values)) == 1 and values[0] > 0:
        # A single value has no range: scaled from zero, it looks neither high nor low.
        axis.set_ylim(0, 2 * values[0])
    axis.yaxis.set_major_locator(MaxNLocator(nbins=3, min_n_ticks=2))
    axis.yaxis.set_major_formatter(lambda value, _: measurement_es(value))
    unit = f" ({series.unit})" if series.unit else ""
    axis.set_title(f"{series.name}{unit}")
    axis.grid(axis="y", color=_LINE, linewidth=0.8)


def _last(series: Series) -> str:
    """The last value that is believed; a doubtful one only where all are."""
    point = next((p for p in reversed(series.points) if not p.doubtful), series.points[-1])
    value = measurement_es(point.value, point.comparator)
    return f"{value} (dudoso)" if point.doubtful else value


def _track_labels(axis: Axes, names: list[str]) -> None:
    axis.set_yticks(range(len(names)), names)
    axis.set_ylim(len(names) - 0.4 if names else 1, -0.6)
    axis.tick_params(axis="y", length=0)
    if not names:
        axis.text(0.01, 0.5, "Nada en el periodo", transform=axis.transAxes, color=_SOFT)


def _finish(figure: Figure, axes: list[Axes], tracks: Tracks) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
    from matplotlib.lines import Line2D

    for axis in axes:
        for side in ("top", "right", "left"):
            axis.spines[side].set_visible(False)
        axis.tick_params(axis="x", length=3 if axis is axes[-1] else 0)
        for day in tracks.note_days:
            axis.axvline(_num(day), color=_LINE, linewidth=0.7, zorder=0)
        axis.axvline(_num(tracks.end), color=_INK, linewidth=1.2, linestyle=(0, (4, 3)))
    # Space on the right for the last values.
    axes[-1].set_xlim(_num(tracks.start), _num(tracks.end) + (tracks.end - tracks.start).days // 18)
    locator = AutoDateLocator(maxticks=10)  # type: ignore[no-untyped-call]  # matplotlib's gap
    axes[-1].xaxis.set_major_locator(locator)
    axes[-1].xaxis.set_major_formatter(
        ConciseDateFormatter(  # type: ignore[no-untyped-call]  # matplotlib's gap
            locator, formats=["%Y", "%m/%Y", "%d/%m", "%H:%M", "%H:%M", "%S"]
        )
    )
    handles = [
        Line2D(
            [],
            [],
            marker="o",
            linestyle="",
            markersize=7,
            markeredgecolor=colour,
            markerfacecolor="white" if p in (Presence.ABSENT, Presence.UNCERTAIN) else colour,
            label=name,
        )
        for p, (colour, name) in PRESENCES.items()
    ]
    handles += [
        Line2D([], [], color=_PROBLEM, linewidth=6, label="problema"),
        Line2D([], [], color=_DRUG, linewidth=6, label="tratamiento"),
        Line2D([], [], color=_LINE, linewidth=1, label="día con nota"),
    ]
    figure.legend(handles=handles, loc="outside upper left", ncols=len(handles), frameon=False)


def _num(day: date) -> int:
    """Days since 1970-01-01, matplotlib's date number."""
    return (day - _EPOCH).days
