"""A life as a continuous-time Markov process: conditions and stages come, and some go.

From one event to the next all hazards compete (Gillespie's direct method, J Phys Chem
1977;81:2340-2361), held constant over a year of age at the most. What a person already has
raises the hazards of what comes: an infarction makes structural disease likelier, and that
heart failure.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

from clinical_nlp.simulation.parameters import YEAR
from clinical_nlp.simulation.rng import pick_weighted
from clinical_nlp.simulation.stages.parameters import StagesParameters

#: Hazards that a person's susceptibility multiplies.
_SUSCEPTIBLE = frozenset({"structural", "symptomatic"})
#: Stages of the disease, in order; they are no conditions of a problem list.
STAGES = ("structural", "symptomatic", "advanced")
Spell = tuple[int, int | None]


@dataclass(frozen=True, slots=True)
class Life:
    """What befell a person, as ordinal days.

    Parameters
    ----------
    spells
        By condition or stage: first day and last day (``None``: still there), in order.
    death
        Day of death, ``None`` after the end of the simulation.
    reduced
        Whether the ejection fraction is, or would be, reduced.
    pattern
        How congestion shows: ``left``, ``right``, ``both`` or ``low_output``.
    """

    female: bool
    birth: int
    smoked: bool
    spells: dict[str, list[Spell]]
    death: int | None
    reduced: bool
    pattern: str

    def age(self, day: int) -> float:
        """Return the age in years on ``day``."""
        return (day - self.birth) / YEAR

    def has(self, name: str, day: int) -> bool:
        """Whether a condition or stage is there on ``day``."""
        return any(
            start <= day and (end is None or day < end) for start, end in self.spells.get(name, ())
        )

    def began(self, name: str) -> int | None:
        """Return the first day of a condition or stage."""
        spells = self.spells.get(name)
        return spells[0][0] if spells else None


def draw_life(rng: Random, p: StagesParameters) -> Life:
    """Draw a person who is alive on the first day."""
    start = p.start.toordinal()
    age = _draw_age(rng, p)
    female = rng.random() < p.population["women_at_40"] + p.population["women_per_year"] * (
        age - 40
    )
    birth = start - int(age * YEAR)
    while True:
        course = _Course(rng, p, birth, female)
        course.run()
        if course.death is None or course.death > start:
            return course.life()


def _draw_age(rng: Random, p: StagesParameters) -> float:
    population = p.population
    weight, weights = 0.0, []
    for age in range(population["youngest"], population["oldest"] + 1):
        weights.append((age, math.exp(weight)))
        weight += next(slope for knot, slope in reversed(population["slopes"]) if age >= knot)
    return pick_weighted(rng, weights) + rng.random()


class _Course:
    """Plays one life through from youth to the end of the simulation."""

    def __init__(self, rng: Random, p: StagesParameters, birth: int, female: bool) -> None:
        self._rng, self._p, self._birth, self._female = rng, p, birth, female
        population, shape = p.population, p.disease["susceptibility_shape"]
        susceptibility = rng.gammavariate(shape, 1 / shape)
        self._susceptibility = dict.fromkeys(_SUSCEPTIBLE, susceptibility)
        self._sudden = min(1.0, p.disease["sudden"] * susceptibility)
        self._smoked = rng.random() < population["smoker"]["women" if female else "men"]
        self._states: set[str] = set()
        self._spells: dict[str, list[Spell]] = {}
        self.death: int | None = None
        youth = birth + int(population["history_from"] * YEAR)
        self._day = float(youth)
        if self._smoked:
            self._enter("smoker", youth)
        if rng.random() < population["obese_at_start"]:
            self._enter("obesity", youth)
        if rng.random() < population["asthma"]:
            self._enter("asthma", youth)

    def run(self) -> None:
        """Draw events until death or the end."""
        rng, table, end = self._rng, self._p.hazards, self._p.end.toordinal()
        while self._day < end and self.death is None:
            factors = table.factors(self._states, self._susceptibility)
            endings = table.endings(self._states)
            happened = False
            while not happened and self._day < end:
                age = (self._day - self._birth) / YEAR
                rates = [
                    rate * factor + ending
                    for rate, factor, ending in zip(
                        table.at(int(age), self._female), factors, endings, strict=True
                    )
                ]
                wait = rng.expovariate(sum(rates)) * YEAR
                # Hazards are constant until the next birthday.
                left = (int(age) + 1 - age) * YEAR
                happened = wait < left
                self._day += wait if happened else left + 1e-6
            if happened and self._day < end:
                self._happen(pick_weighted(rng, list(zip(table.names, rates, strict=True))))

    def life(self) -> Life:
        """Return what was drawn."""
        rng, disease = self._rng, self._p.disease
        cause = "ischemic" if "ischemic_heart_disease" in self._spells else "other"
        return Life(
            female=self._female,
            birth=self._birth,
            smoked=self._smoked,
            spells=self._spells,
            death=self.death,
            reduced=rng.random() < disease["reduced"][cause] * (0.7 if self._female else 1.1),
            pattern=pick_weighted(rng, list(disease["patterns"].items())),
        )

    def _happen(self, name: str) -> None:
        day = int(self._day)
        if name == "death":
            self.death = day
        elif name in self._states:
            self._states.discard(name)
            self._spells[name][-1] = (self._spells[name][-1][0], day)
        else:
            self._enter(name, day)
            if name == "ischemic_heart_disease" and self._rng.random() < self._sudden:
                for stage in ("structural", "symptomatic"):
                    if stage not in self._states:
                        self._enter(stage, day)

    def _enter(self, name: str, day: int) -> None:
        self._states.add(name)
        self._spells.setdefault(name, []).append((day, None))
