"""When heart failure was first known, and whether a first code means new disease.

A first code is not the beginning of the disease. It may come months after treatment began, a
note may mention it as past history, and in the first year of a new patient's record old
diseases are entered as if new: in UK practices recorded incidence is raised for up to a year
after registration (Lewis et al., Pharmacoepidemiol Drug Saf 2005;14:443). Counted as
outcomes, such patients let a model predict what was known: its AUROC rises and its use falls.

So the day of the outcome is the first on which the record shows the disease, by code, note
or sign (``clinical_nlp/risk/prevalence.toml``). Index days near a disease that is recorded as
history are no examples, and neither are those in the first ``washout_days`` of a patient's own
record, with or without the outcome: to leave out the outcomes alone would make new patients
look healthy.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

from clinical_nlp.records import EventKind, PatientRecord
from clinical_nlp.risk.diagnosis import diagnosis_concepts, find_diagnosis
from clinical_nlp.risk.prevalence import prevalence_signs
from clinical_nlp.risk.timeline import Presence, Timeline
from clinical_nlp.training.risk.recipe import CohortRecipe

#: Concept of a note that records heart failure as past history.
_HISTORY = "history_of_heart_failure"

#: Kinds of event that show that somebody saw the patient. A problem list or a family history
#: may be older than the record.
_CONTACTS = (EventKind.ENCOUNTER, EventKind.OBSERVATION, EventKind.MEDICATION, EventKind.PROCEDURE)


@dataclass(frozen=True, slots=True)
class Onset:
    """The first day on which heart failure was known.

    Parameters
    ----------
    day
        ``None`` for a patient without the outcome.
    prevalent
        Whether its first mention is of an old disease.
    began
        Day on which the patient's own record began; ``None`` where nobody has seen them.
    """

    day: date | None
    prevalent: bool = False
    began: date | None = None


def find_onset(record: PatientRecord, timeline: Timeline, recipe: CohortRecipe) -> Onset:
    """Return when heart failure was first known, by the recipe's definition of the outcome.

    Parameters
    ----------
    record
        The patient.
    timeline
        All that is known of the patient up to the last day of the data.

    Notes
    -----
    A sign or a note alone, never followed by a code, is no outcome unless the recipe takes
    notes: index days after it are no examples all the same.
    """
    outcome, began = _outcome_day(timeline, recipe), _record_began(record, timeline)
    if outcome is None:
        return Onset(None, began=began)
    before = timeline.until(outcome)
    uncoded = replace(before, coded_heart_failure=())
    days = [outcome]
    noted = find_diagnosis(uncoded)
    if noted.confirmed and noted.since is not None:
        days.append(noted.since)
    days.extend(s.day for s in prevalence_signs(record, uncoded) if s.day is not None)
    day = min(days)
    return Onset(day, _told_as_history(uncoded, day), began)


def unknown_outcome(onset: Onset, index: date, recipe: CohortRecipe) -> str | None:
    """Return why an index day cannot show whether the disease is new; ``None`` where it can.

    Where a disease is recorded as history, nobody knows when it began: perhaps in this window,
    perhaps before it. An index day whose window closed ``washout_days`` before the first word
    of it is not concerned.
    """
    if onset.began is None or index < onset.began + timedelta(days=recipe.washout_days):
        return "record too short"
    if onset.day is None:
        return None
    reach = recipe.gap_days + recipe.horizon_days + recipe.washout_days
    if onset.prevalent and onset.day <= index + timedelta(days=reach):
        return "recorded as history before its first code"
    if onset.day <= index + timedelta(days=recipe.gap_days):
        return "diagnosed in the gap"
    return None


def _outcome_day(timeline: Timeline, recipe: CohortRecipe) -> date | None:
    # A coded diagnosis is of the day it was made; it may have been entered later.
    days = [e.day for e in timeline.coded_heart_failure if e.day is not None]
    if recipe.outcome == "codes or notes":
        diagnosis = find_diagnosis(timeline)
        if diagnosis.confirmed:
            days.extend(e.day for e in diagnosis.noted if e.day is not None)
    return min(days, default=None)


def _told_as_history(timeline: Timeline, day: date) -> bool:
    """Whether the first word of heart failure in notes, by its first day, is of the past."""
    concepts = diagnosis_concepts()
    recorded = sorted(
        (e.day, e.presence is Presence.PAST or e.concept == _HISTORY)
        for e in timeline.entries
        if e.concept in concepts
        and e.kind is None
        and not e.abbreviated
        and e.day is not None
        and e.presence in (Presence.PRESENT, Presence.PAST)
    )
    return bool(recorded) and recorded[0][0] <= day and recorded[0][1]


def _record_began(record: PatientRecord, timeline: Timeline) -> date | None:
    """Day of the first note, measurement, prescription, procedure or encounter."""
    days = list(timeline.note_days[:1])
    for event in record.events:
        known = [day for day in (event.start, event.recorded) if day is not None]
        if event.kind in _CONTACTS and known:
            days.append(max(known))
    return min(days, default=None)
