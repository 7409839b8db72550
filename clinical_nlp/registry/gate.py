"""The promotion gate: what a model must show before patients are scored with it.

Every check is reported, passed or not, with its numbers. A check that cannot be made (too few
shared patients, no card) fails. Margins: ``gate.toml``.
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
from clinical_nlp.registry.predictions import HeldOutPredictions, PairedPredictions
from clinical_nlp.training.risk.calibration import calibration_intercept_slope
from clinical_nlp.training.risk.measures import Measure, with_intervals

Rows = npt.NDArray[np.int_]


@dataclass(frozen=True, slots=True)
class Check:
    """One check of the gate: its name, whether it passed, and the numbers."""

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
        source = path or resources.files("clinical_nlp.registry").joinpath("gate.toml")
        text = source.read_text("utf-8")
        tables = tomllib.loads(text)
        for table, names in _KEYS.items():
            for name in names:
                tables[table][name]  # KeyError where a margin is missing
        digest = hashlib.sha256(text.encode()).hexdigest()
        return Limits(**{table: tables[table] for table in _KEYS}, digest=digest)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            "E433",
            f"the gate's margins cannot be read ({type(error).__name__}): copy "
            "clinical_nlp/registry/gate.toml and change its values only",
        ) from None


def run_checks(
    challenger: HeldOutPredictions | None,
    card: str,
    pairs: PairedPredictions | None,
    limits: Limits,
) -> list[Check]:
    """Run every check.

    Parameters
    ----------
    challenger
        ``None`` where the model was registered without predictions.
    card
        Text of its model card; empty where it was registered without one.
    pairs
        Its predictions and the champion's; ``None`` where there is no champion yet.
    """
    checks = []
    if challenger is None:
        checks.append(Check("predictions", False, "registered without predictions.json"))
    else:
        checks += absolute_checks(challenger, limits)
        if pairs is not None:
            checks += comparative_checks(pairs, limits)
    return [*checks, *card_checks(card, limits)]


def absolute_checks(model: HeldOutPredictions, limits: Limits) -> list[Check]:
    """Check the challenger by itself: number of outcomes, discrimination, calibration."""
    required, outcomes = int(limits.pairs["min_outcomes"]), model.outcomes()
    if outcomes < required or outcomes == len(model):
        return [Check("test outcomes", False, f"{outcomes}, of at least {required}")]

    def measure(rows: Rows) -> Mapping[str, float]:
        y, p, w = model.outcome[rows], model.probability[rows], model.weight[rows]
        if not 0 < y.sum() < len(y):
            return {"auroc": math.nan, "intercept": math.nan, "slope": math.nan}
        intercept, slope = calibration_intercept_slope(y, p, w)
        return {"auroc": auroc(y, p, w), "intercept": intercept, "slope": slope}

    measures = with_intervals(measure, model.patient, *limits.resampling())
    low, high = limits.discrimination["min_auroc"], limits.discrimination["max_auroc"]
    return [
        Check("test outcomes", True, f"{outcomes}, of at least {required}"),
        Check(
            "discrimination is plausible",
            low <= measures["auroc"].value <= high,
            f"AUROC {measures['auroc']}, of {low} to {high}",
        ),
        *(
            Check(
                f"calibration {name}",
                _overlaps(measures[name], limits.calibration[name]),
                f"{measures[name]}, limits {_span(limits.calibration[name])}",
            )
            for name in ("slope", "intercept")
        ),
    ]


def comparative_checks(pairs: PairedPredictions, limits: Limits) -> list[Check]:
    """Compare the challenger with the champion on the same patients."""
    rows, required = pairs.rows, int(limits.pairs["min_outcomes"])
    enough = rows.outcomes() >= required and rows.outcomes() < len(rows)
    shared = pairs.shared >= float(limits.pairs["min_shared"])
    detail = (
        f"{len(rows)} test rows ({100 * pairs.shared:.0f}%) and {rows.outcomes()} outcomes shared "
        f"with the champion, of at least {100 * limits.pairs['min_shared']:.0f}% and {required}"
    )
    checks = [Check("same test patients", enough and shared, detail)]
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


def _by_group(pairs: PairedPredictions, limits: Limits) -> Iterator[Check]:
    rows, required = pairs.rows, int(limits.subgroups["min_outcomes"])
    margin = float(limits.subgroups["auroc_margin"])
    for group in limits.subgroups["groups"]:
        for level in np.unique(rows.groups.get(group, np.array([], dtype=np.str_))).tolist():
            members = np.flatnonzero(rows.groups[group] == level)
            outcomes = int(rows.outcome[members].sum())
            name = f"{group}: {level}"
            if min(outcomes, len(members) - outcomes) < required:
                yield Check(name, True, f"not judged: {outcomes} outcomes in {len(members)} rows")
                continue
            difference = _difference(pairs, members, limits)
            ratios = _observed_expected(pairs, members, limits)
            span = limits.subgroups["observed_expected"]
            calibrated = _overlaps(ratios["challenger"], span) or not _overlaps(
                ratios["champion"], span
            )
            yield Check(
                name,
                difference.value >= -margin and calibrated,
                f"AUROC {_signed(difference)}, margin {margin}; observed over expected "
                f"{ratios['challenger']}, limits {_span(span)}",
            )


def card_checks(card: str, limits: Limits) -> list[Check]:
    """Check that the model card has every required section, with text in each."""
    sections: list[tuple[int, str, bool]] = []
    for line in card.splitlines():
        heading = re.match(r"(#+)\s+(.*)", line)
        if heading is not None:
            sections.append((len(heading[1]), heading[2], False))
        elif line.strip() and sections:
            # Text of a subsection is also text of the sections around it.
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
    problems = "; ".join(
        [f"no section '{pattern}', or nothing under it" for pattern in absent]
        + [f"unfinished: {mark}" for mark in left]
    )
    return [
        Check("model card complete", not absent and not left, problems or "every section is there")
    ]


def _difference(pairs: PairedPredictions, members: Rows, limits: Limits) -> Measure:
    """AUROC of the challenger minus the champion's, with its paired 95% interval."""
    rows = pairs.rows

    def measure(drawn: Rows) -> Mapping[str, float]:
        sample = members[drawn]
        y, w = rows.outcome[sample], rows.weight[sample]
        if not 0 < y.sum() < len(y):
            return {"difference": math.nan}
        return {
            "difference": auroc(y, rows.probability[sample], w)
            - auroc(y, pairs.champion[sample], w)
        }

    return with_intervals(measure, rows.patient[members], *limits.resampling())["difference"]


def _observed_expected(
    pairs: PairedPredictions, members: Rows, limits: Limits
) -> dict[str, Measure]:
    rows = pairs.rows

    def measure(drawn: Rows) -> Mapping[str, float]:
        sample = members[drawn]
        observed = float(rows.outcome[sample] @ rows.weight[sample])
        return {
            name: observed / max(float(p[sample] @ rows.weight[sample]), 1e-12)
            for name, p in (("challenger", rows.probability), ("champion", pairs.champion))
        }

    return with_intervals(measure, rows.patient[members], *limits.resampling())


def auroc(
    outcome: Rows, probability: npt.NDArray[np.float64], weight: npt.NDArray[np.float64]
) -> float:
    """Weighted area under the ROC curve; ties count half.

    scikit-learn's ``roc_auc_score`` gives the same, but spends most of its time on checking
    its arguments; the bootstrap over groups calls this thousands of times.
    """
    order = np.argsort(probability)
    p, y, w = probability[order], outcome[order], weight[order]
    cases, others = w * y, w * (1 - y)
    starts = np.append(0, np.flatnonzero(np.diff(p)) + 1)
    cases, others = np.add.reduceat(cases, starts), np.add.reduceat(others, starts)
    below = np.cumsum(others) - others / 2
    return float(cases @ below / (cases.sum() * others.sum()))


def _overlaps(measure: Measure, span: list[float]) -> bool:
    """Whether the interval overlaps the limits."""
    return measure.low <= span[1] and measure.high >= span[0]


def _span(span: list[float]) -> str:
    return f"{span[0]} to {span[1]}"


def _signed(measure: Measure) -> str:
    return f"{measure.value:+.3f} ({measure.low:+.3f} to {measure.high:+.3f})"
