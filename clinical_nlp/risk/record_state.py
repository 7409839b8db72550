"""The state of a patient on an index day, before any model.

Who is scored and who is an example of the training are decided here, by the same rule.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from clinical_nlp.records import PatientRecord
from clinical_nlp.risk.diagnosis import find_diagnosis
from clinical_nlp.risk.suspicion import find_suspicion
from clinical_nlp.risk.timeline import Timeline

#: Years; a higher age is taken as an error in the birth date (the oldest person lived 122).
MAX_PLAUSIBLE_AGE = 115


class RecordState(StrEnum):
    """What the record says of heart failure on the index day."""

    KNOWN = "known"
    SUSPECTED = "suspected"  # in writing, not settled
    AT_RISK = "at_risk"  # neither: a model may estimate


def record_state(timeline: Timeline) -> RecordState:
    """Return the state of a patient, as known on the timeline's index day.

    Examples
    --------
    >>> record_state(Timeline("p", date(2024, 6, 30), Sex.FEMALE))    # doctest: +SKIP
    <RecordState.AT_RISK: 'at_risk'>
    """
    diagnosis = find_diagnosis(timeline)
    if diagnosis.confirmed:
        return RecordState.KNOWN
    if find_suspicion(timeline, diagnosis) is not None:
        return RecordState.SUSPECTED
    return RecordState.AT_RISK


def abstention_of(
    record: PatientRecord, timeline: Timeline, min_age: int, max_age: int, lookback_days: int
) -> str | None:
    """Say why no estimate is possible for a patient; ``None`` where one is.

    Parameters
    ----------
    min_age, max_age
        Years, of the population that the model was trained on.
    lookback_days
        Days before the index day in which something must be on record.

    Returns
    -------
    str or None
        Key of a sentence in ``reasons.toml``, ``[abstention]``.
    """
    dead = record.deceased if record.died is None else record.died <= timeline.as_of
    if dead:
        return "deceased"
    if timeline.age is None or timeline.age > MAX_PLAUSIBLE_AGE:
        return "age_unknown"
    if timeline.age < min_age:
        return "too_young"
    if timeline.age > max_age:
        return "too_old"
    start = timeline.as_of - timedelta(days=lookback_days)
    return None if any(day > start for day in timeline.contact_days) else "no_data"
