"""From timelines to examples: index days, outcome windows, who is left out and why.

For each patient, index days ("landmarks") a year apart; at each, the past gives the
features and the window ``(index + gap, index + gap + horizon]`` the outcome::

        history            gap        outcome window
    ───────────────────┃─────────┃──────────────────────┃
                     index    +30 days              +395 days

An index day is an example where the model would score the patient on that day: the rule is
the same one (``clinical_nlp/risk/eligibility.py``). So known or suspected heart failure, age,
death, and a look-back without contacts leave it out. Left out as well are index days of which
the outcome is not known: heart failure diagnosed inside the gap (then it was being diagnosed
already), disease that was there before its first code (``washout.py``), and patients lost to
follow-up before the day. Windows end before the data do, so the end of the data censors
nobody. A death in the window without the diagnosis is no outcome, or is censored, as the
recipe says; so is a patient lost to follow-up (``follow_up.py``).

Reading notes takes most of the time, and most patients never have the outcome: a share of
those is read, each standing for several (case-cohort sampling with inverse probability
weights: Barlow et al., J Clin Epidemiol 1999;52:1165). Fit and measures are weighted back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from clinical_nlp.evaluation.splits import hash_fraction
from clinical_nlp.records import EstimateStatus, PatientRecord
from clinical_nlp.risk.diagnosis import codes_heart_failure
from clinical_nlp.risk.eligibility import Population, eligibility
from clinical_nlp.risk.feature_table import load_features
from clinical_nlp.risk.timeline import Timeline
from clinical_nlp.training.risk.follow_up import apply_ipcw, followed_until, stratum
from clinical_nlp.training.risk.recipe import CohortRecipe
from clinical_nlp.training.risk.washout import Onset, find_onset, unknown_outcome

#: What the report calls the reasons of the model for giving no estimate.
_LEFT_OUT = {
    "deceased": "dead",
    "age_unknown": "age",
    "too_young": "age",
    "too_old": "age",
    "no_data": "nothing recorded in the look-back",
    EstimateStatus.DIAGNOSED: "already diagnosed",
    EstimateStatus.SUSPECTED: "heart failure suspected",
}


@dataclass(frozen=True, slots=True)
class Example:
    """One patient on one index day.

    Parameters
    ----------
    timeline
        As known on the index day (``timeline.as_of``).
    outcome
        Whether heart failure was first diagnosed in the window.
    weight
        Patients of the population that this one stands for.
    followed
        Days from the index day to the diagnosis, a death, or the end of the window.
    died
        Whether a death ended the window, without the diagnosis.
    lost
        Whether the patient was lost to follow-up in the window, without either.
    language
        Most frequent declared language of the notes up to the index day; "" where none.
    """

    patient_id: str
    timeline: Timeline
    outcome: bool
    weight: float = 1.0
    followed: int = 0
    died: bool = False
    lost: bool = False
    language: str = ""


def landmark_examples(
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
        First and last day of the data, the same for every patient.
    recipe
        Windows and limits.
    weight
        As :func:`sampling_weight` gives it.
    left_out
        Counts index days that are no example, by reason.
    """
    onset = find_onset(record, timeline, recipe)
    event = onset.day
    followed_to = followed_until(record, timeline, last_day, recipe)
    languages = [(n.written.date(), n.language or "") for n in record.notes if n.written]
    for index in _index_days(record.id, first_day, last_day, recipe):
        window_start = index + timedelta(days=recipe.gap_days)
        window_end = window_start + timedelta(days=recipe.horizon_days)
        past = timeline.until(index)
        reason = _exclusion(record, past, onset, followed_to, index, recipe)
        if reason is not None:
            left_out[reason] += 1
            continue
        outcome = event is not None and event <= window_end
        ends = [window_end, *(day for day in (event, record.died) if day is not None)]
        died = not outcome and record.died is not None and record.died <= window_end
        lost = not outcome and not died and followed_to < window_end
        declared = Counter(language for day, language in languages if day <= index)
        yield Example(
            record.id,
            past,
            outcome,
            weight,
            (min([*ends, followed_to] if lost else ends) - index).days,
            died,
            lost,
            max(sorted(declared), key=lambda name: declared[name], default=""),
        )


def population(recipe: CohortRecipe) -> Population:
    """Return whom a model of this recipe is for."""
    return Population(recipe.min_age, load_features().lookback_days)


def _exclusion(
    record: PatientRecord,
    past: Timeline,
    onset: Onset,
    followed_to: date,
    index: date,
    recipe: CohortRecipe,
) -> str | None:
    """Why an index day is no example; ``None`` where it is one."""
    if record.died is None and record.deceased:
        record = replace(record, deceased=False)  # some day after the last contact
    found = eligibility(record, past, population(recipe))
    if found.abstention is not None or found.status is not EstimateStatus.SCORED:
        return _LEFT_OUT[found.abstention or found.status]
    if followed_to < index:
        return "lost before the index day"
    return unknown_outcome(onset, index, recipe)


def censor(
    examples: Sequence[Example], recipe: CohortRecipe, left_out: Counter[str]
) -> list[Example]:
    """Drop censored examples, as the recipe says, and weight the others for them.

    Deaths are censored as if independent of the outcome, which heart failure is not: the
    estimate is then the risk if nobody died of other causes.
    """
    kept = list(examples)
    if recipe.lost != "followed":
        followed = [example for example in kept if not example.lost]
        left_out["lost to follow-up"] += len(kept) - len(followed)
        weighted = recipe.lost == "weighted"
        kept = apply_ipcw(kept, lambda e: e.lost, stratum) if weighted else followed
    if recipe.deaths == "censored":
        left_out["died in the window"] += sum(example.died for example in kept)
        kept = apply_ipcw(kept, lambda e: e.died)
    return kept


def sampling_weight(record: PatientRecord, first_day: date, recipe: CohortRecipe) -> float:
    """Return how many patients this one stands for; 0 where their notes are not read.

    Decided by the codes and a hash of the id alone, before any note is read.
    """
    first_index = first_day + timedelta(days=recipe.history_days)
    coded = (e.start or e.recorded for e in record.events if codes_heart_failure(e))
    if any(day is not None and day > first_index for day in coded):
        return 1.0
    sampled = hash_fraction(f"control|{record.id}") < recipe.controls_share
    return 1 / recipe.controls_share if sampled else 0.0


def _index_days(
    patient_id: str, first_day: date, last_day: date, recipe: CohortRecipe
) -> Iterator[date]:
    """Index days of one patient, from a day of the year that depends on the id alone."""
    offset = int(hash_fraction(f"index day|{patient_id}") * recipe.step_days)
    index = first_day + timedelta(days=recipe.history_days + offset)
    last_index = last_day - timedelta(days=recipe.gap_days + recipe.horizon_days)
    while index <= last_index:
        yield index
        index += timedelta(days=recipe.step_days)
