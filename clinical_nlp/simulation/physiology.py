"""What a patient shows on a day: strength of the causes, signs, vital signs, blood tests."""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random

from clinical_nlp.simulation.parameters import YEAR, Parameters
from clinical_nlp.simulation.patient_course import PatientCourse
from clinical_nlp.simulation.treatments import Prescription

#: 2021-01-01, from which the filtration rate falls.
_EGFR_FROM = 737791


class Physiology:
    """Draws what a patient shows on a day.

    Parameters
    ----------
    patient, parameters
        Whose course, and the numbers of the simulation.
    prescriptions
        Only amlodipine matters: it makes legs swell.
    """

    def __init__(
        self, patient: PatientCourse, parameters: Parameters, prescriptions: Sequence[Prescription]
    ) -> None:
        self.patient, self.parameters = patient, parameters
        self._amlodipine = [rx for rx in prescriptions if rx.drug.key == "amlodipine"]
        self.causes = [
            cause
            for cause in parameters.signs
            if cause in patient.onsets or cause in ("heart_failure", "age")
        ] + (["amlodipine"] if self._amlodipine else [])

    def strength(self, cause: str, day: int) -> float:
        """Return how strongly ``cause`` acts on ``day``, 0 where it does not."""
        patient = self.patient
        if cause == "heart_failure":
            level = patient.congestion(day)
        elif cause == "age":
            level = min(max((patient.age(day) - 50) / 35, 0.0), 1.4)
        elif cause == "amlodipine":
            level = 1.0 if any(rx.active_on(day) for rx in self._amlodipine) else 0.0
        else:
            level = 1.0 if patient.has(cause, day) else 0.0
        if level == 0.0:
            return 0.0
        period, phase = patient.waves[cause]
        return level * math.exp(
            self.parameters.wave_swing * math.sin(2 * math.pi * day / period + phase)
        )

    def signs(self, rng: Random, day: int, acute: str | None = None) -> dict[str, str]:
        """Draw the signs of a day, each with the cause that contributes most to it."""
        noise = math.exp(rng.gauss(0.0, self.parameters.wave_day_sd))
        rates: dict[str, float] = {}
        lead: dict[str, tuple[float, str]] = {}
        causes = self.causes if acute is None else [*self.causes, acute]
        for cause in causes:
            level = noise if cause == acute else noise * self.strength(cause, day)
            if level <= 0.0:
                continue
            for sign, rate in self.parameters.signs[cause].items():
                part = rate * level
                rates[sign] = rates.get(sign, 0.0) + part
                if sign not in lead or part > lead[sign][0]:
                    lead[sign] = (part, cause)
        return {
            sign: lead[sign][1]
            for sign, rate in rates.items()
            if rng.random() < 1.0 - math.exp(-rate)
        }

    def vitals(self, rng: Random, day: int) -> dict[str, float]:
        """Draw a full set of vital signs: mmHg, beats or breaths a minute, %, kg."""
        patient, baselines = self.patient, self.patient.baselines
        strain = patient.congestion(day)
        lungs = 1.0 if patient.has("copd", day) else 0.0
        sbp = max(88.0, rng.gauss(baselines["sbp"], 12))
        dbp = rng.gauss(baselines["dbp"] + 0.35 * (sbp - baselines["sbp"]), 6)
        return {
            "sbp": round(sbp),
            "dbp": round(min(max(44.0, dbp), sbp - 28)),
            "hr": round(max(44.0, rng.gauss(baselines["hr"] + 9 * strain, 8))),
            "spo2": round(min(100.0, rng.gauss(97.2 - 1.8 * strain - 2.6 * lungs, 1.1))),
            "rr": round(rng.gauss(15 + 4 * strain, 2)),
            "weight": round(baselines["weight"] * (1 + 0.028 * strain) + rng.gauss(0, 1.1), 1),
        }

    def labs(self, rng: Random, day: int) -> dict[str, float]:
        """Draw a routine blood test."""
        patient, baselines = self.patient, self.patient.baselines
        # The filtration rate falls by 1 mL/min a year.
        egfr = baselines["egfr"] - 1.0 * max(0, (day - _EGFR_FROM) / YEAR)
        egfr = min(max(rng.gauss(egfr, 5), 9), 120)
        diabetic, treated = patient.has("diabetes", day), patient.has("dyslipidemia", day)
        # Serum creatinine back from the filtration rate, about CKD-EPI at this age.
        creatinine = (0.72 if patient.female else 0.93) * (95 / egfr) ** 0.83
        return {
            "creatinine": round(creatinine, 2),
            "egfr": round(egfr),
            "potassium": round(rng.gauss(4.4, 0.35), 1),
            "sodium": round(rng.gauss(140.5, 2.2)),
            "hemoglobin": round(rng.gauss(baselines["hb"], 0.6), 1),
            "hba1c": round(
                max(5.0, rng.gauss(7.1 if diabetic else 5.6, 0.8 if diabetic else 0.25)), 1
            ),
            "ldl": round(max(40.0, rng.gauss(105 if treated else 122, 28))),
            "cholesterol": round(max(100.0, rng.gauss(192, 32))),
        }

    def nt_probnp(self, rng: Random, day: int) -> float:
        """Draw NT-proBNP (pg/mL): rises with age, fibrillation, kidneys and congestion."""
        patient = self.patient
        level = math.log(62) + 0.032 * (patient.age(day) - 55) + rng.gauss(0, 0.55)
        level += 0.85 * patient.has("atrial_fibrillation", day)
        level += 0.5 * patient.has("chronic_kidney_disease", day)
        level += 0.35 * patient.has("valve_disease", day) - 0.3 * patient.has("obesity", day)
        if patient.heart_failure is not None:
            level += 1.75 * min(1.0, patient.heart_failure.severity(day) + 0.15)
        return float(round(math.exp(level)))
