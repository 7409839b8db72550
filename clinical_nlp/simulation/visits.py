"""Contacts with the health service: when, with whom, about what, and what the body showed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from random import Random
from typing import Any

from clinical_nlp.simulation.grammar import read_notes_file
from clinical_nlp.simulation.parameters import YEAR, Parameters
from clinical_nlp.simulation.patient_course import Life
from clinical_nlp.simulation.physiology import Body
from clinical_nlp.simulation.rng import pick, poisson
from clinical_nlp.simulation.treatments import Prescription

#: Signs that bring a patient in, and how strongly; the others are found, not brought.
TROUBLING: Mapping[str, float] = {
    "exertional_dyspnea": 1.0,
    "oedema": 0.9,
    "orthopnea": 1.5,
    "nocturnal_dyspnea": 1.5,
    "rest_dyspnea": 2.0,
    "palpitations": 0.9,
    "chest_pain": 1.2,
    "fatigue": 0.4,
    "dizziness": 0.5,
    "cough": 0.5,
    "night_cough": 0.6,
    "heavy_legs": 0.6,
    "weight_gain": 0.4,
    "bloating": 0.3,
    "wheeze": 0.5,
}
#: Long-term conditions that a review follows.
REVIEWED = (
    "hypertension",
    "diabetes",
    "dyslipidemia",
    "atrial_fibrillation",
    "ischemic_heart_disease",
    "chronic_kidney_disease",
    "copd",
)
#: Visits at which hardly anything is measured.
_TALK_ONLY = frozenset({"sick_leave", "prescriptions", "travel", "results", "vaccine"})


#: Topics whose own work includes asking about the heart.
CARDIAC = frozenset({"complaint", "review", "hf_review", "hf_diagnosis"})


@dataclass(slots=True)
class Visit:
    """One contact.

    Parameters
    ----------
    day, minute
        Ordinal day, and minutes after midnight.
    kind
        ``gp``, ``nurse``, ``phone``, ``home``, ``urgent`` or ``hospital``.
    topic
        A key of ``[topic]`` in the notes' grammar.
    signs
        What is there that day, with the cause that weighs most.
    vitals, labs
        What was measured, by name, in the units of the record.
    tests
        Rules of ``[test]`` whose result came with the visit.
    asks
        The clinician asks after cardiac signs whatever the visit is about.
    suspects
        Heart failure is thought of, though not named.
    """

    day: int
    minute: int
    kind: str
    topic: str
    signs: dict[str, str] = field(default_factory=dict)
    vitals: dict[str, float] = field(default_factory=dict)
    labs: dict[str, float] = field(default_factory=dict)
    tests: list[str] = field(default_factory=list)
    asks: bool = False
    suspects: bool = False


@lru_cache(maxsize=1)
def topics() -> dict[str, dict[str, Any]]:
    """Return the everyday topics of ``topics_index.toml``."""
    return read_notes_file("topics_index.toml")


def plan_visits(
    dice: Random, life: Life, p: Parameters, prescriptions: Sequence[Prescription]
) -> list[Visit]:
    """Draw every contact of a life, in order, as far as the end of the simulation."""
    body = Body(life, p, prescriptions)
    visits: list[Visit] = []
    last = life.last
    for month in range(life.joined, last, 30):
        for _ in range(poisson(dice, _contacts(life, p, body, month) * 30 / YEAR)):
            day = _weekday(month + int(dice.random() * 30))
            if day < last:
                visits.append(_visit(dice, life, p, body, day))
    course = life.course
    if course is not None and life.joined <= course.diagnosis < last:
        visits.append(_diagnosis(dice, life, p, body, course.diagnosis))
    visits.sort(key=lambda v: (v.day, v.minute))
    return visits


def _contacts(life: Life, p: Parameters, body: Body, day: int) -> float:
    """Return contacts a year: age, long-term conditions, troubling signs, the person."""
    care, age = p.care, life.age(day)
    yearly = care["visits_at_40"] + (care["visits_at_85"] - care["visits_at_40"]) * (age - 40) / 45
    yearly += care["chronic_visits"] * sum(1 for c in REVIEWED if life.has(c, day))
    trouble = 0.0
    for cause, weight in (("heart_failure", 0.8), ("copd", 0.35), ("anxiety", 0.25)):
        trouble += weight * min(1.5, body.strength(cause, day)) if cause in body.causes else 0.0
    return (yearly + care["symptom_visits"] * trouble) * life.seeking


def _weekday(day: int) -> int:
    """Move a weekend to the Monday after: the health centre is shut."""
    return day + (0, 0, 0, 0, 0, 2, 1)[date.fromordinal(day).weekday()]


def _visit(dice: Random, life: Life, p: Parameters, body: Body, day: int) -> Visit:
    care = p.care
    signs = body.signs(dice, day)
    named = life.diagnosed(day)
    pull = sum(TROUBLING.get(sign, 0.0) for sign in signs) * 2.2
    reviewed = [c for c in REVIEWED if life.has(c, day)]
    options = [("everyday", 6.0), ("complaint", pull * (0.6 if named else 1.0))]
    options.append(("review", 1.2 + 1.1 * len(reviewed) if reviewed else 0.8))
    options.append(("admission", 0.05 + 0.0025 * max(0.0, life.age(day) - 50)))
    if named:
        options.append(("hf_review", 7.0))
    what = _draw(dice, options)
    if what == "everyday":
        what = _everyday(dice, life, day)
    entry = topics().get(what, {})
    kind = _kind(dice, life, day, what, entry)
    if what in ("bronchitis", "copd_flare"):
        signs = body.signs(dice, day, acute="bronchitis")
    asks = dice.random() < (
        care["ask_in_review"]
        if what in ("review", "complaint", "hf_review", "bronchitis", "copd_flare")
        else care["ask_when_quiet"]
    )
    visit = Visit(
        day=day,
        minute=_minute(dice, kind),
        kind=kind,
        topic=what,
        signs=signs,
        vitals=_measured(dice, life, p, body, day, kind, what),
        asks=asks,
    )
    routine = what == "review" and dice.random() < 0.35
    if entry.get("labs") or routine or (what == "hf_review" and dice.random() < 0.4):
        visit.labs = _some(dice, body.labs(dice, day), 0.6)
    if what == "complaint" and not named:
        _work_up(dice, life, p, body, visit)
    return visit


def _work_up(dice: Random, life: Life, p: Parameters, body: Body, visit: Visit) -> None:
    """Let a clinician think of heart failure, in patients who have it and who have not."""
    weight = sum(
        TROUBLING.get(s, 0.5)
        for s in visit.signs
        if s in p.signs["heart_failure"] and s not in ("dizziness", "nocturia", "fatigue")
    )
    if dice.random() > p.care["suspicion_work_up"] * min(weight, 3.0) / 1.5:
        return
    visit.suspects = dice.random() < 0.55
    day = visit.day
    if dice.random() < p.care["nt_probnp_available"] * 0.5:
        visit.labs["nt_probnp"] = body.nt_probnp(dice, day)
    if dice.random() < 0.45:
        severity = life.course.severity(day) if life.course is not None else 0.0
        if life.has("atrial_fibrillation", day):
            visit.tests.append("ecg_fibrillation")
        else:
            visit.tests.append(
                "ecg_abnormal" if dice.random() < 0.12 + 0.22 * severity else "ecg_normal"
            )
        if dice.random() < 0.4:
            congested = dice.random() < 0.06 + 0.5 * severity
            quiet = "film_bronchitic" if life.has("copd", day) else "film_normal"
            visit.tests.append("film_congested" if congested else quiet)


def _diagnosis(dice: Random, life: Life, p: Parameters, body: Body, day: int) -> Visit:
    assert life.course is not None  # noqa: S101 - the caller has looked
    kind = "hospital" if life.course.acute else "gp"
    signs = body.signs(dice, day)
    for sign in ("exertional_dyspnea", "oedema"):
        if dice.random() < 0.8:
            signs.setdefault(sign, "heart_failure")
    visit = Visit(
        day=day,
        minute=_minute(dice, kind),
        kind=kind,
        topic="hf_diagnosis",
        signs=signs,
        vitals=body.vitals(dice, day),
        labs=_some(dice, body.labs(dice, day), 0.8),
        asks=True,
    )
    if dice.random() < 0.7:
        visit.labs["nt_probnp"] = body.nt_probnp(dice, day)
    visit.labs["lvef"] = round(
        min(70.0, dice.gauss(58, 5)) if life.course.preserved else max(18.0, dice.gauss(34, 7))
    )
    visit.tests.append("film_congested" if dice.random() < 0.6 else "film_normal")
    return visit


def _measured(
    dice: Random, life: Life, p: Parameters, body: Body, day: int, kind: str, what: str
) -> dict[str, float]:
    talk_only = kind == "phone" or what in _TALK_ONLY
    if talk_only and dice.random() > 0.06:
        return {}
    full, kept = body.vitals(dice, day), {}
    cardiac = what in ("review", "hf_review", "complaint", "inr")
    respiratory = what in ("bronchitis", "copd_flare", "cold")
    if dice.random() < (0.85 if cardiac else p.care["bp_recorded"] * 0.45):
        kept["sbp"], kept["dbp"] = full["sbp"], full["dbp"]
        if dice.random() < 0.55:
            kept["hr"] = full["hr"]
    if dice.random() < (0.55 if respiratory or kind in ("urgent", "home") else 0.3 * cardiac):
        kept["spo2"] = full["spo2"]
    if dice.random() < (0.42 if kind == "nurse" and cardiac else 0.16 * cardiac):
        kept["weight"] = full["weight"]
        if dice.random() < 0.4:
            kept["bmi"] = round(full["weight"] / (life.body["height"] / 100) ** 2, 1)
        if dice.random() < 0.2:
            kept["height"] = life.body["height"]
    if kind in ("urgent", "hospital") and dice.random() < 0.3:
        kept["rr"] = full["rr"]
    if respiratory and dice.random() < 0.5:
        kept["temp"] = round(min(39.2, max(35.9, dice.gauss(36.9, 0.6))), 1)
    if life.has("diabetes", day) and cardiac and dice.random() < 0.25:
        kept["glucose"] = round(max(70, dice.gauss(152, 38)))
    return kept


def _everyday(dice: Random, life: Life, day: int) -> str:
    month, age = date.fromordinal(day).month, life.age(day)
    options: list[tuple[str, float]] = []
    for name, entry in topics().items():
        needs = entry.get("needs")
        if needs is not None and not life.has(needs, day):
            continue
        weight = float(entry["weight"])
        weight *= 2.0 if month in entry.get("season", ()) else entry.get("out", 1.0)
        weight *= 1 + entry.get("older", 0.0) * max(0.0, age - 60) / 25
        if entry.get("younger"):
            weight *= 1.0 if age < 65 else 0.0
        options.append((name, weight))
    return _draw(dice, options)


def _kind(dice: Random, life: Life, day: int, what: str, entry: Mapping[str, Any]) -> str:
    age = life.age(day)
    if what == "admission":
        return "hospital"
    if dice.random() < max(0.0, (age - 80) * 0.035):
        return "home"
    if entry:
        return str(pick(dice, entry["kinds"]))
    if what == "review":
        return pick(dice, ("nurse", "nurse", "gp", "phone"))
    if what == "hf_review":
        return pick(dice, ("nurse", "gp", "gp", "phone"))
    return pick(dice, ("gp", "gp", "gp", "gp", "phone", "phone", "urgent", "nurse"))


def _minute(dice: Random, kind: str) -> int:
    if kind in ("urgent", "hospital"):
        return int(dice.random() * 1440)
    return 8 * 60 + int(dice.random() * 12 * 60)


def _some(dice: Random, values: dict[str, float], share: float) -> dict[str, float]:
    return {name: value for name, value in values.items() if dice.random() < share}


def _draw(dice: Random, options: Sequence[tuple[str, float]]) -> str:
    mark = dice.random() * sum(weight for _, weight in options)
    for name, weight in options:
        mark -= weight
        if mark < 0:
            return name
    return options[-1][0]
