"""What is found, measured and tested in a person on a day."""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random

from clinical_nlp.simulation.stages.episodes import Episode, sign_tables
from clinical_nlp.simulation.stages.life import Life
from clinical_nlp.simulation.stages.person import Person

#: Median NT-proBNP in ng/L at 60 by stage; that of stage B about twice, of C about five times
#: that of the healthy, as BNP does in Olmsted County ([source.stages] of stages.toml).
_NT_PROBNP = {"healthy": 48.0, "structural": 105.0, "quiet": 380.0, "congested": 950.0}
_ADVANCED = 2.6


class Bedside:
    """Draws what a visit finds.

    Parameters
    ----------
    episodes
        In order of start.
    treated_share
        Share of the congestion that comes all the same once heart failure is treated.
    """

    def __init__(
        self, life: Life, person: Person, episodes: Sequence[Episode], treated_share: float
    ) -> None:
        self._life, self._person, self._episodes = life, person, episodes
        self._treated_share = treated_share
        #: Day of the diagnosis, once it is made.
        self.diagnosed: int | None = None

    def active(self, day: int) -> list[Episode]:
        """Return the spells of a day; treatment keeps some congestion away."""
        return [
            episode
            for episode in self._episodes
            if episode.start <= day < episode.end and not self.prevented(episode)
        ]

    def prevented(self, episode: Episode) -> bool:
        """Whether treatment has kept an episode of congestion away."""
        return (
            episode.cause == "congestion"
            and self.diagnosed is not None
            and episode.start > self.diagnosed
            and episode.mark > self._treated_share
        )

    def congested(self, day: int) -> bool:
        """Whether the person is congested."""
        return any(episode.cause == "congestion" for episode in self.active(day))

    def congested_spells(self) -> tuple[tuple[int, int], ...]:
        """Return first and last day of every episode of congestion that came."""
        return tuple(
            (episode.start, episode.end)
            for episode in self._episodes
            if episode.cause == "congestion" and not self.prevented(episode)
        )

    def signs(self, rng: Random, day: int) -> dict[str, str]:
        """Draw the signs of a day, each with its cause."""
        stays, found = sign_tables()["stays"], {}
        for episode in self.active(day):
            for sign in sorted(episode.signs):
                if sign not in found and rng.random() < stays:
                    found[sign] = episode.cause
        return found

    def vitals(self, rng: Random, day: int) -> dict[str, float]:
        """Draw blood pressure (mmHg), pulse, saturation (%), weight (kg) and height (cm)."""
        person, congested = self._person, self.congested(day)
        sbp = max(86.0, rng.gauss(person.sbp - 4 * congested, 13))
        fall = 1.6 * congested + 2.4 * self._life.has("copd", day)
        return {
            "sbp": round(sbp),
            "dbp": round(min(max(42.0, rng.gauss(76 + 0.3 * (sbp - 130), 7)), sbp - 25)),
            "hr": round(max(42.0, rng.gauss(person.hr + 8 * congested, 9))),
            "spo2": round(min(100.0, rng.gauss(97.0 - fall, 1.2))),
            "weight": round(person.weight * (1 + 0.03 * congested) + rng.gauss(0, 1.0), 1),
            "height": float(person.height),
        }

    def blood(self, rng: Random, day: int) -> dict[str, float]:
        """Draw a routine blood test: mg/dL, mL/min, g/dL."""
        life = self._life
        kidney = life.has("chronic_kidney_disease", day)
        egfr = rng.gauss(46, 8) if kidney else rng.gauss(96 - 0.8 * max(0.0, life.age(day) - 45), 9)
        egfr = min(max(egfr, 12.0), 57.0 if kidney else 115.0)
        scale, anemic = (0.71 if life.female else 0.92), life.has("anemia", day)
        usual = 13.5 if life.female else 14.8
        return {
            "creatinine": round(scale * (94 / egfr) ** 0.85, 2),
            "egfr": round(egfr),
            "hemoglobin": round(rng.gauss(10.8 if anemic else usual, 0.8), 1),
            "glucose": round(max(65.0, rng.gauss(148 if life.has("diabetes", day) else 97, 18))),
            "ldl": round(max(35.0, rng.gauss(112, 30))),
        }

    def nt_probnp(self, rng: Random, day: int) -> float:
        """Draw NT-proBNP in ng/L."""
        life = self._life
        stage = "healthy"
        if life.has("symptomatic", day):
            stage = "congested" if self.congested(day) else "quiet"
        elif life.has("structural", day):
            stage = "structural"
        level = math.log(_NT_PROBNP[stage]) + 0.030 * (life.age(day) - 60) + rng.gauss(0, 0.6)
        level += math.log(_ADVANCED) * life.has("advanced", day)
        level += 0.8 * life.has("atrial_fibrillation", day)
        level += 0.5 * life.has("chronic_kidney_disease", day) - 0.35 * life.has("obesity", day)
        return float(round(min(35_000.0, max(5.0, math.exp(level)))))

    def lvef(self, rng: Random, day: int) -> float:
        """Draw the ejection fraction in per cent."""
        ill = self._life.has("symptomatic", day)
        low = ill and self._life.reduced
        return float(round(max(15.0, rng.gauss(36, 7)) if low else min(72.0, rng.gauss(60, 5))))
