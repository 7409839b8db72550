"""The promotion gate: what a model must show before patients are scored with it.

Every check is told, passed or not, with its numbers; a check that cannot be made (too few
shared patients, no card) fails rather than passes. Margins: ``gate.toml``.
"""

from __future__ import annotations

import hashlib
import math
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from clinical_nlp.errors import ModelError
from clinical_nlp.registry.evidence import Evidence, Pairs
from clinical_nlp.training.risk.measures import Measure, calibration_line, with_intervals

Rows = npt.NDArray[np.int_]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing the gate looked at: a name, whether it is as it should be, and the numbers."""

    name: str
    passed: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Limits:
    """The gate's margins, and the digest of the file they come from."""

    pairs: Mapping[str, Any]
    discrimination: Mapping[str, Any]
    calibration: Mapping[str, Any]
    subgroups: Mapping[str, Any]
    card: Mapping[str, Any]
    digest: str

    def resampling(self) -> tuple[int, int]:
        """Resamples and seed."""
        return int(self.pairs["resamples"]), int(self.pairs["seed"])


#: Tables and keys that a file of margins must have.
_KEYS = {
    "pairs": ("min_outcomes", "min_shared", "resamples", "seed"),
    "discrimination": ("auroc_margin", "min_auroc", "max_auroc"),
    "calibration": ("slope", "intercept"),
    "subgroups": ("groups", "min_outcomes", "auroc_margin", "observed_expected"),
    "card": ("headings", "unfinished"),
}


def read_limits(path: Path | None = None) -> Limits:
    """Read margins from a file, or the package's own.

    Raises
    ------
    ModelError
        E433: the file cannot be read, or lacks a margin.
    """
    try:
        if path is None:
            source = resources.files("clinical_nlp.registry").joinpath("gate.toml")
            text = source.read_text("utf-8")
        else:
            text = path.read_text("utf-8")
        told = tomllib.loads(text)
        for table, names in _KEYS.items():
            for name in names:
                told[table][name]
        digest = hashlib.sha256(text.encode()).hexdigest()
        return Limits(**{table: told[table] for table in _KEYS}, digest=digest)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            "E433",
            f"the gate's margins cannot be read ({type(error).__name__}): copy "
            "clinical_nlp/registry/gate.toml and change its values only",
        ) from None


def judge(
    challenger: Evidence | None, card: str, pairs: Pairs | None, limits: Limits
) -> list[Check]:
    """Make every check.

    Parameters
    ----------
    challenger
        ``None`` where the model was registered without predictions.
    card
        Its text; empty where it was registered without one.
    pairs
        With the champion; ``None`` where there is none yet.
    """
    checks = []
    if challenger is None:
        checks.append(Check("predictions", False, "registered without predictions.json"))
    else:
        checks += alone(challenger, limits)
        if pairs is not None:
            checks += against(pairs, limits)
    return [*checks, *card_checks(card, limits)]


def alone(model: Evidence, limits: Limits) -> list[Check]:
    """What the challenger shows by itself: plausible discrimination, calibration."""
    wanted, found = int(limits.pairs["min_outcomes"]), model.outcomes()
    if found < wanted or found == len(model):
        return [Check("test outcomes", False, f"{found}, of at least {wanted}")]

    def measure(rows: Rows) -> Mapping[str, float]:
        y, p, w = model.outcome[rows], model.probability[rows], model.weight[rows]
        if not 0 < y.sum() < len(y):
            return {"auroc": math.nan, "intercept": math.nan, "slope": math.nan}
        intercept, slope = calibration_line(y, p, w)
        return {"auroc": auroc(y, p, w), "intercept": intercept, "slope": slope}

    measures = with_intervals(measure, model.patient, *limits.resampling())
    low, high = limits.discrimination["min_auroc"], limits.discrimination["max_auroc"]
    found_auroc = measures["auroc"]
    return [
        Check("test outcomes", True, f"{found}, of at least {wanted}"),
        Check(
            "discrimination is plausible",
            low <= found_auroc.value <= high,
            f"AUROC {found_auroc}, of {low} to {high}",
        ),
        *(
            Check(
                f"calibration {name}",
                _touches(measures[name], limits.calibration[name]),
                f"{measures[name]}, limits {_span(limits.calibration[name])}",
            )
            for name in ("slope", "intercept")
        ),
    ]


def against(pairs: Pairs, limits: Limits) -> list[Check]:
    """What the challenger shows beside the champion, on the same patients."""
    rows, wanted = pairs.rows, int(limits.pairs["min_outcomes"])
    enough = rows.outcomes() >= wanted and rows.outcomes() < len(rows)
    shared = pairs.shared >= float(limits.pairs["min_shared"])
    told = (
        f"{len(rows)} test rows ({100 * pairs.shared:.0f}%) and {rows.outcomes()} outcomes shared "
        f"with the champion, of at least {100 * limits.pairs['min_shared']:.0f}% and {wanted}"
    )
    checks = [Check("same test patients", enough and shared, told)]
    if not enough:
        return checks
    difference = _difference(pairs, np.arange(len(rows)), limits)
    margin = float(limits.discrimination["auroc_margin"])
    checks.append(
        Check(
            "discrimination not worse",
            difference.low >= -margin,
            f"AUROC {_signed(difference)} against the champion, margin {margin}",
        )
    )
    return [*checks, *_by_group(pairs, limits)]


def _by_group(pairs: Pairs, limits: Limits) -> Iterator[Check]:
    rows, wanted = pairs.rows, int(limits.subgroups["min_outcomes"])
    margin = float(limits.subgroups["auroc_margin"])
    for group in limits.subgroups["groups"]:
        for level in np.unique(rows.groups.get(group, np.array([], dtype=np.str_))).tolist():
            members = np.flatnonzero(rows.groups[group] == level)
            outcomes = int(rows.outcome[members].sum())
            name = f"{group}: {level}"
            if min(outcomes, len(members) - outcomes) < wanted:
                yield Check(name, True, f"not judged: {outcomes} outcomes in {len(members)} rows")
                continue
            difference = _difference(pairs, members, limits)
            ratios = _observed_expected(pairs, members, limits)
            span = limits.subgroups["observed_expected"]
            calibrated = _touches(ratios["challenger"], span) or not _touches(
                ratios["champion"], span
            )
            yield Check(
                name,
                difference.value >= -margin and calibrated,
                f"AUROC {_signed(difference)}, margin {margin}; observed over expected "
                f"{ratios['challenger']}, limits {_span(span)}",
            )


def card_checks(card: str, limits: Limits) -> list[Check]:
    """Whether the model card has every heading, with words under each."""
    sections: list[tuple[int, str, bool]] = []
    for line in card.splitlines():
        heading = re.match(r"(#+)\s+(.*)", line)
        if heading is not None:
            sections.append((len(heading[1]), heading[2], False))
        elif line.strip() and sections:
            # Words under a subsection are words under what it belongs to.
            level = sections[-1][0] + 1
            for place in range(len(sections) - 1, -1, -1):
                depth, title, _ = sections[place]
                if depth < level:
                    sections[place] = (depth, title, True)
                    level = depth
    absent = [
        pattern
        for pattern in limits.card["headings"]
        if not any(full and re.search(pattern, title, re.I) for _, title, full in sections)
    ]
    left = [mark for mark in limits.card["unfinished"] if re.search(mark, card, re.I)]
    said = "; ".join(
        [f"no section '{pattern}', or nothing under it" for pattern in absent]
        + [f"unfinished: {mark}" for mark in left]
    )
    return [Check("model card complete", not absent and not left, said or "every section is there")]


def _difference(pairs: Pairs, members: Rows, limits: Limits) -> Measure:
    """AUROC of the challenger less the champion's, with its paired 95% interval."""
    rows = pairs.rows

    def measure(drawn: Rows) -> Mapping[str, float]:
        some = members[drawn]
        y, w = rows.outcome[some], rows.weight[some]
        if not 0 < y.sum() < len(y):
            return {"difference": math.nan}
        return {
            "difference": auroc(y, rows.probability[some], w) - auroc(y, pairs.champion[some], w)
        }

    return with_intervals(measure, rows.patient[members], *limits.resampling())["difference"]


def _observed_expected(pairs: Pairs, members: Rows, limits: Limits) -> dict[str, Measure]:
    rows = pairs.rows

    def measure(drawn: Rows) -> Mapping[str, float]:
        some = members[drawn]
        observed = float(rows.outcome[some] @ rows.weight[some])
        return {
            name: observed / max(float(p[some] @ rows.weight[some]), 1e-12)
            for name, p in (("challenger", rows.probability), ("champion", pairs.champion))
        }

    return with_intervals(measure, rows.patient[members], *limits.resampling())


def auroc(
    outcome: Rows, probability: npt.NDArray[np.float64], weight: npt.NDArray[np.float64]
) -> float:
    """Weighted area under the ROC curve; ties count half.

    scikit-learn's ``roc_auc_score`` gives the same; looking its arguments over takes most of
    its time, and a bootstrap over groups asks thousands of times.
    """
    order = np.argsort(probability)
    p, cases, others = (
        probability[order],
        (weight * outcome)[order],
        (weight * (1 - outcome))[order],
    )
    starts = np.append(0, np.flatnonzero(np.diff(p)) + 1)
    cases, others = np.add.reduceat(cases, starts), np.add.reduceat(others, starts)
    below = np.cumsum(others) - others / 2
    return float(cases @ below / (cases.sum() * others.sum()))


def _touches(measure: Measure, span: list[float]) -> bool:
    """Whether the interval reaches into the limits."""
    return measure.low <= span[1] and measure.high >= span[0]


def _span(span: list[float]) -> str:
    return f"{span[0]} to {span[1]}"


def _signed(measure: Measure) -> str:
    return f"{measure.value:+.3f} ({measure.low:+.3f} to {measure.high:+.3f})"
