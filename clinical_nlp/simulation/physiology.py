"""What a body shows on a day: strengths of the causes, signs, measurements."""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random

from clinical_nlp.simulation.parameters import YEAR, Parameters
from clinical_nlp.simulation.patient_course import Life
from clinical_nlp.simulation.treatments import Prescription


class Body:
    """What a life shows on a day: strengths of the causes, signs, measurements."""

    def __init__(
        self, life: Life, parameters: Parameters, prescriptions: Sequence[Prescription]
    ) -> None:
        self._life, self._p = life, parameters
        self._amlodipine = [rx for rx in prescriptions if rx.drug.key == "amlodipine"]
        self.causes = [
            cause
            for cause in parameters.signs
            if cause in life.ill or cause in ("heart_failure", "age")
        ] + (["amlodipine"] if self._amlodipine else [])

    def strength(self, cause: str, day: int) -> float:
        """Return how strongly ``cause`` acts on ``day``, its wave included."""
        life = self._life
        if cause == "heart_failure":
            level = life.course.severity(day) if life.course is not None else 0.0
        elif cause == "age":
            level = min(max((life.age(day) - 50) / 35, 0.0), 1.4)
        elif cause == "amlodipine":
            level = 1.0 if any(rx.on(day) for rx in self._amlodipine) else 0.0
        else:
            level = 1.0 if life.has(cause, day) else 0.0
        if level == 0.0:
            return 0.0
        period, phase = life.waves[cause]
        return level * math.exp(self._p.wave_swing * math.sin(2 * math.pi * day / period + phase))

    def signs(self, dice: Random, day: int, acute: str | None = None) -> dict[str, str]:
        """Draw the signs of a day, each with the cause that weighs most in it."""
        luck = math.exp(dice.gauss(0.0, self._p.wave_day_sd))
        rates: dict[str, float] = {}
        lead: dict[str, tuple[float, str]] = {}
        causes = self.causes if acute is None else [*self.causes, acute]
        for cause in causes:
            level = luck if cause == acute else luck * self.strength(cause, day)
            if level <= 0.0:
                continue
            for sign, rate in self._p.signs[cause].items():
                part = rate * level
                rates[sign] = rates.get(sign, 0.0) + part
                if sign not in lead or part > lead[sign][0]:
                    lead[sign] = (part, cause)
        return {
            sign: lead[sign][1]
            for sign, rate in rates.items()
            if dice.random() < 1.0 - math.exp(-rate)
        }

    def vitals(self, dice: Random, day: int) -> dict[str, float]:
        """Draw what a full set of measurements would say."""
        life, body = self._life, self._life.body
        strain = life.course.severity(day) if life.course is not None else 0.0
        lungs = 1.0 if life.has("copd", day) else 0.0
        sbp = max(88.0, dice.gauss(body["sbp"], 12))
        dbp = dice.gauss(body["dbp"] + 0.35 * (sbp - body["sbp"]), 6)
        return {
            "sbp": round(sbp),
            "dbp": round(min(max(44.0, dbp), sbp - 28)),
            "hr": round(max(44.0, dice.gauss(body["hr"] + 9 * strain, 8))),
            "spo2": round(min(100.0, dice.gauss(97.2 - 1.8 * strain - 2.6 * lungs, 1.1))),
            "rr": round(dice.gauss(15 + 4 * strain, 2)),
            "weight": round(body["weight"] * (1 + 0.028 * strain) + dice.gauss(0, 1.1), 1),
        }

    def labs(self, dice: Random, day: int) -> dict[str, float]:
        """Draw a routine blood test."""
        life, body = self._life, self._life.body
        egfr = min(max(dice.gauss(body["egfr"] - 1.0 * max(0, (day - 737791) / YEAR), 5), 9), 120)
        diabetic = life.has("diabetes", day)
        # Serum creatinine back from the filtration rate, about CKD-EPI at this age.
        creatinine = (0.72 if life.female else 0.93) * (95 / egfr) ** 0.83
        return {
            "creatinine": round(creatinine, 2),
            "egfr": round(egfr),
            "potassium": round(dice.gauss(4.4, 0.35), 1),
            "sodium": round(dice.gauss(140.5, 2.2)),
            "hemoglobin": round(dice.gauss(body["hb"], 0.6), 1),
            "hba1c": round(
                max(5.0, dice.gauss(7.1 if diabetic else 5.6, 0.8 if diabetic else 0.25)), 1
            ),
            "ldl": round(max(40.0, dice.gauss(105 if life.has("dyslipidemia", day) else 122, 28))),
            "cholesterol": round(max(100.0, dice.gauss(192, 32))),
        }

    def nt_probnp(self, dice: Random, day: int) -> float:
        """Draw NT-proBNP (pg/mL): rises with age, fibrillation, kidneys and congestion."""
        life = self._life
        level = math.log(62) + 0.032 * (life.age(day) - 55) + dice.gauss(0, 0.55)
        level += 0.85 * life.has("atrial_fibrillation", day)
        level += 0.5 * life.has("chronic_kidney_disease", day)
        level += 0.35 * life.has("valve_disease", day) - 0.3 * life.has("obesity", day)
        if life.course is not None:
            level += 1.75 * min(1.0, life.course.severity(day) + 0.15)
        return float(round(math.exp(level)))
