"""Who is given an estimate: one rule for the patients scored and for the examples of a cohort.

A model is right for people like those that it was fitted and tested on. So the rule that
makes a patient an example on an index day is the rule by which the nightly job scores: age,
a contact within the look-back, alive, and no sign that heart failure is known already.
"""

from __future__ import annotations

from dataclasses import dataclass

from clinical_nlp.records import EstimateStatus, PatientRecord
from clinical_nlp.risk.diagnosis import Diagnosis, find_diagnosis
from clinical_nlp.risk.prevalence import PrevalenceSign, SignKind, prevalence_signs
from clinical_nlp.risk.record_state import MAX_PLAUSIBLE_AGE, abstention_of
from clinical_nlp.risk.suspicion import Suspicion, find_suspicion, is_denied_since
from clinical_nlp.risk.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Population:
    """Whom a model is for.

    Parameters
    ----------
    min_age, max_age
        Youngest and oldest age on the index day, in completed years.
    lookback_days
        A patient without any contact in these days before the index day has no features.
    """

    min_age: int
    lookback_days: int
    max_age: int = MAX_PLAUSIBLE_AGE


@dataclass(frozen=True, slots=True)
class Eligibility:
    """What a patient is given on an index day, and why.

    Parameters
    ----------
    status
        ``SCORED``: an estimate, and in training an example.
    diagnosis
        What codes and notes say of heart failure.
    suspicion
        What notes suspect in writing.
    signs
        Signs that heart failure is known though nothing names it, and no later note denies it.
    abstention
        Why there is no estimate: a key of ``[abstention]`` in ``reasons.toml``.
    """

    status: EstimateStatus
    diagnosis: Diagnosis
    suspicion: Suspicion | None = None
    signs: tuple[PrevalenceSign, ...] = ()
    abstention: str | None = None


def eligibility(record: PatientRecord, timeline: Timeline, population: Population) -> Eligibility:
    """Decide what a patient is given on ``timeline.as_of``.

    Parameters
    ----------
    record
        Gives a death and the words beside codes; what is later than the index day is not
        looked at.
    timeline
        Of the same patient, as known on the index day.
    population
        Whom the model is for.
    """
    diagnosis = find_diagnosis(timeline)
    if diagnosis.confirmed:
        return Eligibility(EstimateStatus.DIAGNOSED, diagnosis)
    suspicion = find_suspicion(timeline, diagnosis)
    signs = tuple(
        sign
        for sign in prevalence_signs(record, timeline)
        if sign.kind is SignKind.NAMED or not is_denied_since(timeline, sign.day)
    )
    ages = population.min_age, population.max_age
    abstention = abstention_of(record, timeline, *ages, population.lookback_days)
    status = EstimateStatus.SCORED
    if abstention is not None:
        status = EstimateStatus.ABSTAINED
    elif suspicion is not None or signs:
        status = EstimateStatus.SUSPECTED
    return Eligibility(status, diagnosis, suspicion, signs, abstention)
