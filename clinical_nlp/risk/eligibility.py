"""Who is given an estimate: one rule for the patients scored and for the examples of a cohort.

A model is right for people like those that it was fitted and tested on. So the rule that
makes a patient an example on an index day is the rule by which the nightly job scores: age,
a contact within the look-back, alive, and no sign that heart failure is known already.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from clinical_nlp.records import EstimateStatus, PatientRecord
from clinical_nlp.risk.diagnosis import Diagnosis, find_diagnosis
from clinical_nlp.risk.prevalence import PrevalenceSign, prevalence_signs
from clinical_nlp.risk.timeline import Timeline

#: Years; a higher age is taken as an error in the birth date (the oldest person lived 122).
MAX_PLAUSIBLE_AGE = 115


class Abstention(StrEnum):
    """Why no estimate is given; keys of ``[abstention]`` in ``reasons.toml``."""

    DECEASED = "deceased"
    AGE_UNKNOWN = "age_unknown"
    TOO_YOUNG = "too_young"
    TOO_OLD = "too_old"
    NO_DATA = "no_data"


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


def abstention_of(
    record: PatientRecord, timeline: Timeline, population: Population
) -> Abstention | None:
    """Return why a patient is given no estimate on ``timeline.as_of``; ``None`` for none.

    Parameters
    ----------
    record
        Tells a death; one later than the index day is not known on it.
    timeline
        As known on the index day.
    population
        Whom the model is for.
    """
    if record.deceased if record.died is None else record.died <= timeline.as_of:
        return Abstention.DECEASED
    age = timeline.age
    if age is None or age > MAX_PLAUSIBLE_AGE:
        return Abstention.AGE_UNKNOWN
    if age < population.min_age:
        return Abstention.TOO_YOUNG
    if age > population.max_age:
        return Abstention.TOO_OLD
    start = timeline.as_of - timedelta(days=population.lookback_days)
    if not any(day > start for day in timeline.contact_days):
        return Abstention.NO_DATA
    return None


@dataclass(frozen=True, slots=True)
class Eligibility:
    """What a patient is given on an index day, and why.

    Parameters
    ----------
    status
        ``SCORED``: an estimate, and in training an example.
    abstention
        Why none, where the status is ``ABSTAINED``.
    diagnosis
        What codes and notes say of heart failure.
    signs
        Signs that heart failure is known though nothing names it.
    """

    status: EstimateStatus
    abstention: Abstention | None
    diagnosis: Diagnosis
    signs: tuple[PrevalenceSign, ...]


def eligibility(record: PatientRecord, timeline: Timeline, population: Population) -> Eligibility:
    """Decide what a patient is given on ``timeline.as_of``.

    Known and suspected heart failure come first: they hold for patients of any age. The rest
    is :func:`abstention_of`.
    """
    diagnosis = find_diagnosis(timeline)
    if diagnosis.confirmed:
        return Eligibility(EstimateStatus.DIAGNOSED, None, diagnosis, ())
    signs = prevalence_signs(record, timeline)
    abstention = abstention_of(record, timeline, population)
    status = EstimateStatus.SCORED
    if abstention is not None:
        status = EstimateStatus.ABSTAINED
    elif signs or diagnosis.unconfirmed_mention is not None:
        status = EstimateStatus.SUSPECTED
    return Eligibility(status, abstention, diagnosis, signs)
