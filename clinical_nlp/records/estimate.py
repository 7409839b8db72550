"""A risk estimate with its reasons and their evidence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class EstimateStatus(StrEnum):
    """Outcome of the risk stage for a patient."""

    SCORED = "scored"
    DIAGNOSED = "diagnosed"  # heart failure is already in the record: reported, not scored
    SUSPECTED = "suspected"  # a note suspects it and no test has settled it: reported, not scored
    ABSTAINED = "abstained"  # outside the model's support; ``abstention`` says why


@dataclass(frozen=True, slots=True)
class Evidence:
    """Evidence of a reason: a span of a note, or a structured resource.

    ``source`` is the note's key or the resource's reference; ``start`` and ``end`` are
    code points of the note's text, ``None`` for a structured resource.
    """

    source: str
    concept: str
    day: date | None = None
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """One clinical sentence in Spanish that explains the estimate.

    Parameters
    ----------
    text
        The sentence: concept names, counts, dates and values, no note text.
    contribution
        Log-odds it adds (positive) to those of the reference person, or takes away.
    evidence
        The spans and resources behind it, newest first.
    """

    text: str
    contribution: float
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelReference:
    """The exact model that made an estimate."""

    name: str
    version: str
    uri: str
    digest: str


@dataclass(frozen=True, slots=True)
class RiskEstimate:
    """Risk of a heart-failure diagnosis within ``horizon_days`` of ``index_date``.

    Parameters
    ----------
    probability
        0..1; ``None`` unless ``status`` is ``SCORED``.
    interval
        Lower and upper bound around ``probability``; ``None`` where the model gives none.
    interval_level
        Level of the interval, 0..1; ``None`` without one.
    uncertainty
        Spanish sentence for a clinician: the interval and what it means, or why there is
        none. ``None`` unless scored.
    band
        Key of a published band (see ``clinical_nlp/risk/bands.toml``); ``None`` unless scored.
    reasons
        Strongest first. For a diagnosed patient: where the diagnosis is recorded; for a
        suspected one: who suspects it, since when, and which tests were asked for or done.
    missing
        Spanish sentences naming what would lower the uncertainty.
    abstention
        Spanish sentence: why no estimate is given.
    advice
        Spanish sentences: what a clinician might consider next, given what the record holds.
    usual
        Probability of the outcome among people of the same age and sex, 0..1; ``None`` where
        the model does not hold it, or unless scored.
    frequency
        Spanish sentence: the probability as a natural frequency, beside the usual one at this
        age and sex. ``None`` unless scored.
    features
        The classifier's inputs, in the order of the model's features; NaN where missing.
        Empty unless scored.
    """

    patient_id: str
    status: EstimateStatus
    index_date: date
    horizon_days: int
    model: ModelReference
    probability: float | None = None
    band: str | None = None
    reasons: tuple[Reason, ...] = ()
    missing: tuple[str, ...] = ()
    abstention: str | None = None
    interval: tuple[float, float] | None = None
    interval_level: float | None = None
    uncertainty: str | None = None
    features: tuple[float, ...] = ()
    advice: tuple[str, ...] = ()
    usual: float | None = None
    frequency: str | None = None


def is_on_worklist(estimate: RiskEstimate, threshold: float) -> bool:
    """Whether a clinician should be asked to look at the patient.

    A written suspicion that no test has settled is a reason by itself, whatever the threshold;
    a known heart failure and an abstention are none.

    Parameters
    ----------
    threshold
        Probability (0..1) from which a scored patient enters the list.
    """
    if estimate.status is EstimateStatus.SUSPECTED:
        return True
    return (
        estimate.status is EstimateStatus.SCORED
        and estimate.probability is not None
        and estimate.probability >= threshold
    )


def worklist_order(estimate: RiskEstimate) -> tuple[int, float, str]:
    """Sort key of the work list: written suspicions, then the highest probability, then the rest.

    Suspicions are in order of their newest evidence, the latest first; those without a dated
    one come last. Ties are in order of patient id.
    """
    if estimate.status is EstimateStatus.SUSPECTED:
        days = [e.day.toordinal() for r in estimate.reasons for e in r.evidence if e.day]
        return (0, -float(max(days, default=0)), estimate.patient_id)
    if estimate.probability is not None:
        return (1, -estimate.probability, estimate.patient_id)
    return (2, 0.0, estimate.patient_id)
