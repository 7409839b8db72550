"""What is measured and tested at a contact."""

from __future__ import annotations

from random import Random

from clinical_nlp.simulation.physiology import Physiology
from clinical_nlp.simulation.visits import CONSULTATION_WEIGHT, Visit

#: Topics at which hardly anything is measured.
_TALK_ONLY = frozenset({"sick_leave", "prescriptions", "travel", "results", "vaccine"})


def draw_vitals(
    rng: Random, physiology: Physiology, day: int, kind: str, topic: str
) -> dict[str, float]:
    """Draw which vital signs are taken, with their values."""
    patient, care = physiology.patient, physiology.parameters.care
    talk_only = kind == "phone" or topic in _TALK_ONLY
    if talk_only and rng.random() > 0.06:
        return {}
    values, taken = physiology.vitals(rng, day), {}
    cardiac = topic in ("review", "hf_review", "complaint", "inr")
    respiratory = topic in ("bronchitis", "copd_flare", "cold")
    if rng.random() < (0.85 if cardiac else care["bp_recorded"] * 0.45):
        taken["sbp"], taken["dbp"] = values["sbp"], values["dbp"]
        if rng.random() < 0.55:
            taken["hr"] = values["hr"]
    if rng.random() < (0.55 if respiratory or kind in ("urgent", "home") else 0.3 * cardiac):
        taken["spo2"] = values["spo2"]
    if rng.random() < (0.42 if kind == "nurse" and cardiac else 0.16 * cardiac):
        taken["weight"] = values["weight"]
        height = patient.baselines["height"]
        if rng.random() < 0.4:
            taken["bmi"] = round(values["weight"] / (height / 100) ** 2, 1)
        if rng.random() < 0.2:
            taken["height"] = height
    if kind in ("urgent", "hospital") and rng.random() < 0.3:
        taken["rr"] = values["rr"]
    if respiratory and rng.random() < 0.5:
        taken["temp"] = round(min(39.2, max(35.9, rng.gauss(36.9, 0.6))), 1)
    if patient.has("diabetes", day) and cardiac and rng.random() < 0.25:
        taken["glucose"] = round(max(70, rng.gauss(152, 38)))
    return taken


def work_up(rng: Random, physiology: Physiology, visit: Visit) -> None:
    """Let a clinician suspect heart failure, in patients who have it and who do not."""
    patient, p, day = physiology.patient, physiology.parameters, visit.day
    weight = sum(
        CONSULTATION_WEIGHT.get(sign, 0.5)
        for sign in visit.signs
        if sign in p.signs["heart_failure"] and sign not in ("dizziness", "nocturia", "fatigue")
    )
    if rng.random() > p.care["suspicion_work_up"] * min(weight, 3.0) / 1.5:
        return
    visit.suspects = rng.random() < 0.55
    if rng.random() < p.care["nt_probnp_available"] * 0.5:
        visit.labs["nt_probnp"] = physiology.nt_probnp(rng, day)
    if rng.random() < 0.45:
        severity = patient.congestion(day)
        if patient.has("atrial_fibrillation", day):
            visit.tests.append("ecg_fibrillation")
        else:
            abnormal = rng.random() < 0.12 + 0.22 * severity
            visit.tests.append("ecg_abnormal" if abnormal else "ecg_normal")
        if rng.random() < 0.4:
            congested = rng.random() < 0.06 + 0.5 * severity
            normal = "film_bronchitic" if patient.has("copd", day) else "film_normal"
            visit.tests.append("film_congested" if congested else normal)


def random_subset(rng: Random, values: dict[str, float], share: float) -> dict[str, float]:
    """Keep each value with probability ``share``."""
    return {name: value for name, value in values.items() if rng.random() < share}
