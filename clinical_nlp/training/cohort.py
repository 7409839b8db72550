"""From timelines to examples: index days, outcome windows, who is left out and why.

For each patient, index days ("landmarks") a year apart; at each, the past gives the
features and the window ``(index + gap, index + gap + horizon]`` the outcome::

        history            gap        outcome window
    ───────────────────┃─────────┃──────────────────────┃
                     index    +30 days              +395 days

An index day is no example when heart failure was already diagnosed, when a note names it
without enough to call it diagnosed (a model must not learn from doctors who know), when it
is diagnosed inside the gap (then it was being diagnosed already), and when the patient was
too young or dead. Windows end before the data do, so nobody is censored; a death in the
window without the diagnosis counts as no outcome.

Reading notes is what takes time, and most patients never have the outcome: a share of those
is read, each standing for several (case-cohort sampling, weights by inverse probability:
Barlow et al., J Clin Epidemiol 1999;52:1165). Fit and measures are weighted back.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from clinical_nlp.records import PatientRecord
from clinical_nlp.risk.diagnosis import codes_heart_failure, diagnosed
from clinical_nlp.risk.entries import Timeline
from clinical_nlp.training.recipe import CohortRecipe, SplitRecipe


@dataclass(frozen=True, slots=True)
class Example:
    """One patient on one index day.

    Parameters
    ----------
    timeline
        As known on the index day (``timeline.as_of``).
    outcome
        Whether heart failure was first coded in the window.
    weight
        Patients of the population that this one stands for.
    """

    patient_id: str
    timeline: Timeline
    outcome: bool
    weight: float = 1.0


def examples(
    record: PatientRecord,
    timeline: Timeline,
    first_day: date,
    last_day: date,
    recipe: CohortRecipe,
    weight: float,
    left_out: Counter[str],
) -> Iterator[Example]:
    """Yield a patient's examples.

    Parameters
    ----------
    record
        The patient.
    timeline
        All that is known of the patient up to ``last_day``.
    first_day, last_day
        First and last day of the data, the same for every patient: the end of a patient's
        own record must not decide who is censored, since the sick are seen more.
    recipe
        Windows and limits.
    weight
        As :func:`sampling_weight` gives it.
    left_out
        Counts index days that are no example, by reason.
    """
    # The diagnosis is of the day it was made; it may have been entered later.
    coded = [e.day for e in timeline.coded_heart_failure if e.day is not None]
    event = min(coded, default=None)
    for index in _index_days(record.id, first_day, last_day, recipe):
        window_start = index + timedelta(days=recipe.gap_days)
        window_end = window_start + timedelta(days=recipe.horizon_days)
        past = timeline.until(index)
        reason = None
        if record.died is not None and record.died <= index:
            reason = "dead"
        elif past.age is None or past.age < recipe.min_age:
            reason = "age"
        elif not past.contact_days:
            reason = "no record yet"
        elif (stated := diagnosed(past)).confirmed:
            reason = "already diagnosed"
        elif stated.unconfirmed_mention is not None:
            reason = "heart failure mentioned, not confirmed"
        elif event is not None and event <= window_start:
            reason = "diagnosed in the gap"
        if reason is not None:
            left_out[reason] += 1
            continue
        outcome = event is not None and event <= window_end
        yield Example(record.id, past, outcome, weight)


def sampling_weight(record: PatientRecord, first_day: date, recipe: CohortRecipe) -> float:
    """Return how many patients this one stands for; 0 where their notes are not read.

    Decided by the codes and a hash of the id alone, before any note is read.
    """
    first_index = first_day + timedelta(days=recipe.history_days)
    coded = (e.start or e.recorded for e in record.events if codes_heart_failure(e))
    if any(day is not None and day > first_index for day in coded):
        return 1.0
    sampled = _fraction("control", record.id) < recipe.controls_share
    return 1 / recipe.controls_share if sampled else 0.0


def part_of(patient_id: str, recipe: SplitRecipe) -> str:
    """Put a patient in ``train``, ``calibration`` or ``test``, always the same one."""
    share = _fraction(recipe.salt, patient_id)
    if share < recipe.train:
        return "train"
    return "calibration" if share < recipe.train + recipe.calibration else "test"


def _index_days(
    patient_id: str, first_day: date, last_day: date, recipe: CohortRecipe
) -> Iterator[date]:
    """Index days of one patient, from a day of the year that depends on the id alone."""
    offset = int(_fraction("index day", patient_id) * recipe.step_days)
    index = first_day + timedelta(days=recipe.history_days + offset)
    last_index = last_day - timedelta(days=recipe.gap_days + recipe.horizon_days)
    while index <= last_index:
        yield index
        index += timedelta(days=recipe.step_days)


def _fraction(salt: str, patient_id: str) -> float:
    """A number in [0, 1) that depends on its arguments alone."""
    digest = hashlib.sha256(f"{salt}|{patient_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
