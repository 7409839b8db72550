"""How long the record follows a patient, and how patients lost to follow-up are weighted.

A patient who moves away leaves a record that looks like good health: no diagnosis, since
nobody there could have made it. Two things show the loss: the register says that the patient
is no longer active (``Patient.active``), or nothing has been recorded for long before the
data end. The second is weak. Healthy people come seldom, and a diagnosis is itself a contact,
so silence is likelier without the outcome than with it; ending their follow-up drops the
healthy and raises the risk. So silence counts only where the recipe says so.

An index day whose window is not followed to its end is kept as no outcome (``"followed"``),
left out (``"excluded"``), or left out while comparable patients who were followed weigh more
(``"weighted"``): inverse probability of censoring weights, IPCW (Robins & Finkelstein,
Biometrics 2000;56:779), within strata of age and of contacts, on which leaving depends.
``studies/loss_to_follow_up.py`` measures what each choice does to the risk where the truth is
known.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from clinical_nlp.records import PatientRecord
from clinical_nlp.risk.timeline import Timeline
from clinical_nlp.training.risk.recipe import CohortRecipe

if TYPE_CHECKING:
    from clinical_nlp.training.risk.cohort import Example

#: Strata of the censoring: lower bounds of age in years, and of days with a contact in the
#: two years before the index day.
AGES = (50, 60, 70, 80)
CONTACTS = (3, 10)
_TWO_YEARS = timedelta(days=730)


def followed_until(
    record: PatientRecord, timeline: Timeline, last_day: date, recipe: CohortRecipe
) -> date:
    """Day up to which the record would show a diagnosis.

    Parameters
    ----------
    timeline
        All that is known of the patient up to ``last_day``.
    last_day
        Last day of the data.

    Returns
    -------
    date
        ``last_day``; for a patient lost to follow-up the last contact. A death on record is
        not a loss: the outcome of the patient is known. A death without its day is one.
    """
    if record.died is not None or not timeline.contact_days:
        return last_day
    last_contact = timeline.contact_days[-1]
    if record.deceased:
        return last_contact
    silent_days = (last_day - last_contact).days
    silent = recipe.lost_after_days is not None and silent_days > recipe.lost_after_days
    return last_contact if silent or not record.active else last_day


def stratum(example: Example) -> Hashable:
    """Stratum of similar chance of being lost: age and contacts, in bands."""
    timeline = example.timeline
    contacts = sum(day > timeline.as_of - _TWO_YEARS for day in timeline.contact_days)
    return bisect_right(AGES, timeline.age or 0), bisect_right(CONTACTS, contacts)


def apply_ipcw(
    examples: Sequence[Example],
    is_censored: Callable[[Example], bool],
    stratum: Callable[[Example], Hashable] = lambda example: None,
) -> list[Example]:
    """Drop censored examples and give the others inverse-probability-of-censoring weights.

    Parameters
    ----------
    examples
        With the days they were followed.
    is_censored
        Whether an example was censored on its last day.
    stratum
        Within it censoring is taken as independent of the outcome; one for all by default.

    Returns
    -------
    list of Example
        The uncensored, each weight divided by the stratum's Kaplan-Meier probability of not
        being censored before the example's last day: the weights add up to the stratum's own
        as long as anyone in it is followed.
    """
    strata: defaultdict[Hashable, list[Example]] = defaultdict(list)
    for example in examples:
        strata[stratum(example)].append(example)
    uncensored = {key: _uncensored_probability(e, is_censored) for key, e in strata.items()}
    return [
        replace(e, weight=e.weight / max(uncensored[stratum(e)][e.followed], 1e-6))
        for e in examples
        if not is_censored(e)
    ]


def _uncensored_probability(
    examples: Sequence[Example], is_censored: Callable[[Example], bool]
) -> dict[int, float]:
    """Kaplan-Meier probability of being uncensored just before each day follow-up ends on.

    Own code rather than lifelines, which does not admit our version of pandas; compared in
    ``studies/private_statistics.py``.
    """
    ending: defaultdict[int, float] = defaultdict(float)
    censored: defaultdict[int, float] = defaultdict(float)
    for example in examples:
        ending[example.followed] += example.weight
        if is_censored(example):
            censored[example.followed] += example.weight
    survival, at_risk = 1.0, sum(example.weight for example in examples)
    probability: dict[int, float] = {}
    for day in sorted(ending):
        probability[day] = survival
        # Those followed to the end of a day were not at risk of being censored on it.
        at_risk -= ending[day] - censored[day]
        if at_risk > 0:
            survival *= max(0.0, 1 - censored[day] / at_risk)
        at_risk -= censored[day]
    return probability
