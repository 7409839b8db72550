"""How long the record follows a patient, and what becomes of those it loses.

A patient who moves away leaves a record that looks like good health: no diagnosis, since
nobody there could have made it. Two things tell it: the register says that the patient is
active no more (``Patient.active``), or nothing has been recorded for long before the data
end. The second is weak. Healthy people come seldom, and a diagnosis is itself a contact, so
that silence is likelier without the outcome than with it; ending their follow-up drops the
healthy and raises the risk. So silence counts only where the recipe says so.

An index day whose window is not seen to its end is kept as no outcome (``"followed"``), left
out (``"excluded"``), or left out and made up for by the like who were seen (``"weighted"``):
inverse probability of censoring (Robins & Finkelstein, Biometrics 2000;56:779), within
strata of age and of contacts, on which leaving depends. ``simulation/leaving.py`` measures
what each choice does to the risk where the truth is known.
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
        not a loss: it says what became of the patient.
    """
    if record.died is not None or not timeline.contact_days:
        return last_day
    seen = timeline.contact_days[-1]
    silent = (last_day - seen).days
    too_long = recipe.lost_after_days is not None and silent > recipe.lost_after_days
    return seen if too_long or not record.active else last_day


def stratum(example: Example) -> Hashable:
    """Patients alike in how likely they are to be lost: age and contacts, in bands."""
    line = example.timeline
    contacts = sum(day > line.as_of - _TWO_YEARS for day in line.contact_days)
    return bisect_right(AGES, line.age or 0), bisect_right(CONTACTS, contacts)


def weigh_up(
    found: Sequence[Example],
    gone: Callable[[Example], bool],
    alike: Callable[[Example], Hashable] = lambda example: None,
) -> list[Example]:
    """Drop who was censored, and weigh up those who could have been, in their place.

    Parameters
    ----------
    found
        Examples with the days they were followed.
    gone
        Whether an example was censored on its last day.
    alike
        Stratum within which censoring is independent of the outcome; all one where not given.

    Returns
    -------
    list of Example
        Of each stratum, weights over the Kaplan-Meier chance of not being censored before
        the example's last day: they add up to the stratum's own weight while it has anyone
        left.
    """
    strata: defaultdict[Hashable, list[Example]] = defaultdict(list)
    for example in found:
        strata[alike(example)].append(example)
    chance = {key: _uncensored(some, gone) for key, some in strata.items()}
    return [
        replace(e, weight=e.weight / max(chance[alike(e)][e.followed], 1e-6))
        for e in found
        if not gone(e)
    ]


def _uncensored(found: Sequence[Example], gone: Callable[[Example], bool]) -> dict[int, float]:
    """Chance of being uncensored just before each day on which someone's follow-up ends."""
    left, at_risk = 1.0, sum(example.weight for example in found)
    chance: dict[int, float] = {}
    censored: defaultdict[int, float] = defaultdict(float)
    leaving: defaultdict[int, float] = defaultdict(float)
    for example in found:
        leaving[example.followed] += example.weight
        if gone(example):
            censored[example.followed] += example.weight
    for day in sorted(leaving):
        chance[day] = left
        # Who was seen to the end of a day was not at risk of being lost on it.
        at_risk -= leaving[day] - censored[day]
        if at_risk > 0:
            left *= max(0.0, 1 - censored[day] / at_risk)
        at_risk -= censored[day]
    return chance
