"""Published figures beside what a simulated cohort measures (``targets.toml``)."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Target:
    """One published figure.

    Parameters
    ----------
    key
        Name of the measured number.
    low, high
        Range that a simulation may lie in.
    """

    key: str
    what: str
    reported: str
    low: float
    high: float
    source: str
    unit: str = "%"

    def met(self, value: float) -> bool:
        """Whether a measured value lies in the range."""
        return self.low <= value <= self.high


@cache
def load_targets() -> tuple[Target, ...]:
    """Return the targets shipped with the package."""
    text = files("studies.simulator_calibration").joinpath("targets.toml").read_text("utf-8")
    return tuple(Target(**row) for row in tomllib.loads(text)["target"])


def missed(targets: Sequence[Target], measured: Mapping[str, float]) -> list[Target]:
    """Targets that were not measured, or not met."""
    return [t for t in targets if not t.met(measured.get(t.key, math.nan))]


def targets_markdown(targets: Sequence[Target], measured: Mapping[str, float]) -> str:
    """Return one row per target: reported, accepted range, simulated, whether it is met."""
    lines = [
        "| what | reported | accepted | simulated | | source |",
        "| --- | --- | --- | ---: | --- | --- |",
    ]
    for target in targets:
        value = measured.get(target.key, math.nan)
        digits = 3 if target.unit == "AUROC" else 1
        cells = (
            f"{target.what} ({target.unit})",
            target.reported,
            f"{target.low:g} to {target.high:g}",
            f"{value:.{digits}f}",
            "met" if target.met(value) else "**missed**",
            target.source,
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"
