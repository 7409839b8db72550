"""When a patient meets the health service, with whom, and about what."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from random import Random
from typing import Any

from clinical_nlp.simulation.parameters import YEAR
from clinical_nlp.simulation.patient_course import HeartFailureCourse, PatientCourse
from clinical_nlp.simulation.physiology import Physiology
from clinical_nlp.simulation.rng import pick, pick_weighted, poisson
from clinical_nlp.simulation.visits import CONSULTATION_WEIGHT, REVIEWED, Visit, topics
from clinical_nlp.simulation.workup import draw_vitals, random_subset, work_up

#: Topics at which cardiac signs are asked about as often as in a review.
_ASKING_TOPICS = frozenset({"review", "complaint", "hf_review", "bronchitis", "copd_flare"})
#: Who answers a contact, by its topic; repeated ones are likelier.
_KINDS = {"review": ("nurse", "nurse", "gp", "phone"), "hf_review": ("nurse", "gp", "gp", "phone")}
_USUAL_KINDS = ("gp", "gp", "gp", "gp", "phone", "phone", "urgent", "nurse")


def plan_visits(rng: Random, physiology: Physiology) -> list[Visit]:
    """Draw every contact of a patient, in order, up to the end of the simulation."""
    patient = physiology.patient
    visits: list[Visit] = []
    for month in range(patient.joined, patient.last, 30):
        for _ in range(poisson(rng, _contact_rate(physiology, month) * 30 / YEAR)):
            day = _skip_weekend(month + int(rng.random() * 30))
            if day < patient.last:
                visits.append(_visit(rng, physiology, day))
    failure = patient.heart_failure
    if failure is not None and patient.joined <= failure.diagnosis < patient.last:
        visits.append(_diagnostic_visit(rng, physiology, failure))
    visits.sort(key=lambda visit: (visit.day, visit.minute))
    return visits


def _contact_rate(physiology: Physiology, day: int) -> float:
    """Return contacts a year: by age, long-term conditions, symptoms and care seeking."""
    patient, care = physiology.patient, physiology.parameters.care
    age = patient.age(day)
    yearly = care["visits_at_40"] + (care["visits_at_85"] - care["visits_at_40"]) * (age - 40) / 45
    yearly += care["chronic_visits"] * sum(1 for c in REVIEWED if patient.has(c, day))
    symptoms = 0.0
    for cause, weight in (("heart_failure", 0.8), ("copd", 0.35), ("anxiety", 0.25)):
        if cause in physiology.causes:
            symptoms += weight * min(1.5, physiology.strength(cause, day))
    return (yearly + care["symptom_visits"] * symptoms) * patient.care_seeking


def _skip_weekend(day: int) -> int:
    """Move a weekend to the Monday after: the health centre is closed."""
    return day + (0, 0, 0, 0, 0, 2, 1)[date.fromordinal(day).weekday()]


def _visit(rng: Random, physiology: Physiology, day: int) -> Visit:
    """Draw one contact; the order of the draws is part of the result."""
    patient, care = physiology.patient, physiology.parameters.care
    signs = physiology.signs(rng, day)
    diagnosed = patient.diagnosed(day)
    topic = _draw_topic(rng, patient, day, signs)
    entry = topics().get(topic, {})
    kind = _draw_kind(rng, patient.age(day), topic, entry)
    if topic in ("bronchitis", "copd_flare"):
        signs = physiology.signs(rng, day, acute="bronchitis")
    asks = rng.random() < care["ask_in_review" if topic in _ASKING_TOPICS else "ask_when_quiet"]
    visit = Visit(
        day=day,
        minute=_draw_minute(rng, kind),
        kind=kind,
        topic=topic,
        signs=signs,
        vitals=draw_vitals(rng, physiology, day, kind, topic),
        asks=asks,
    )
    routine = topic == "review" and rng.random() < 0.35
    if entry.get("labs") or routine or (topic == "hf_review" and rng.random() < 0.4):
        visit.labs = random_subset(rng, physiology.labs(rng, day), 0.6)
    if topic == "complaint" and not diagnosed:
        work_up(rng, physiology, visit)
    return visit


def _diagnostic_visit(rng: Random, physiology: Physiology, failure: HeartFailureCourse) -> Visit:
    day, kind = failure.diagnosis, "hospital" if failure.acute else "gp"
    signs = physiology.signs(rng, day)
    for sign in ("exertional_dyspnea", "oedema"):
        if rng.random() < 0.8:
            signs.setdefault(sign, "heart_failure")
    visit = Visit(
        day=day,
        minute=_draw_minute(rng, kind),
        kind=kind,
        topic="hf_diagnosis",
        signs=signs,
        vitals=physiology.vitals(rng, day),
        labs=random_subset(rng, physiology.labs(rng, day), 0.8),
        asks=True,
    )
    if rng.random() < 0.7:
        visit.labs["nt_probnp"] = physiology.nt_probnp(rng, day)
    visit.labs["lvef"] = round(
        min(70.0, rng.gauss(58, 5)) if failure.preserved else max(18.0, rng.gauss(34, 7))
    )
    visit.tests.append("film_congested" if rng.random() < 0.6 else "film_normal")
    return visit


def _draw_topic(rng: Random, patient: PatientCourse, day: int, signs: Mapping[str, str]) -> str:
    diagnosed = patient.diagnosed(day)
    complaint = sum(CONSULTATION_WEIGHT.get(sign, 0.0) for sign in signs) * 2.2
    reviewed = sum(patient.has(condition, day) for condition in REVIEWED)
    options = [
        ("everyday", 6.0),
        ("complaint", complaint * (0.6 if diagnosed else 1.0)),
        ("review", 1.2 + 1.1 * reviewed if reviewed else 0.8),
        ("admission", 0.05 + 0.0025 * max(0.0, patient.age(day) - 50)),
        *([("hf_review", 7.0)] if diagnosed else []),
    ]
    topic = pick_weighted(rng, options)
    return _draw_everyday_topic(rng, patient, day) if topic == "everyday" else topic


def _draw_everyday_topic(rng: Random, patient: PatientCourse, day: int) -> str:
    month, age = date.fromordinal(day).month, patient.age(day)
    options: list[tuple[str, float]] = []
    for name, entry in topics().items():
        needs = entry.get("needs")
        if needs is not None and not patient.has(needs, day):
            continue
        weight = float(entry["weight"])
        weight *= 2.0 if month in entry.get("season", ()) else entry.get("out", 1.0)
        weight *= 1 + entry.get("older", 0.0) * max(0.0, age - 60) / 25
        if entry.get("younger"):
            weight *= 1.0 if age < 65 else 0.0
        options.append((name, weight))
    return pick_weighted(rng, options)


def _draw_kind(rng: Random, age: float, topic: str, entry: Mapping[str, Any]) -> str:
    if topic == "admission":
        return "hospital"
    if rng.random() < max(0.0, (age - 80) * 0.035):
        return "home"
    if entry:
        return str(pick(rng, entry["kinds"]))
    return pick(rng, _KINDS.get(topic, _USUAL_KINDS))


def _draw_minute(rng: Random, kind: str) -> int:
    """Draw minutes after midnight: any for emergencies, else from 8 to 20 h."""
    if kind in ("urgent", "hospital"):
        return int(rng.random() * 1440)
    return 8 * 60 + int(rng.random() * 12 * 60)
