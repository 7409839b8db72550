"""The coded side of the record: problems, measurements, prescriptions, contacts."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import lru_cache
from importlib.resources import files
from random import Random
from typing import Any

from clinical_nlp.records import CodedEvent, Coding, EventKind
from clinical_nlp.simulation.parameters import Parameters
from clinical_nlp.simulation.patient_course import Life
from clinical_nlp.simulation.physiology import Body
from clinical_nlp.simulation.rng import pick
from clinical_nlp.simulation.treatments import Prescription
from clinical_nlp.simulation.visits import REVIEWED, Visit, topics


@lru_cache(maxsize=1)
def codes() -> dict[str, Any]:
    """Return ``codes.toml``."""
    folder = files("clinical_nlp.simulation")
    return tomllib.loads(folder.joinpath("codes.toml").read_text("utf-8"))


def coding(system: str, code: str, display: str | None = None) -> Coding:
    """Return a coding whose system is named as in ``codes.toml``."""
    return Coding(codes()["systems"][system], code, display)


class Ledger:
    """Collects the coded events of one patient and numbers their resources."""

    def __init__(self, patient: str) -> None:
        self._patient = patient
        self._count: dict[str, int] = {}
        self.events: list[CodedEvent] = []

    def source(self, resource: str) -> str:
        """Return the reference of the next resource of a type."""
        number = self._count.get(resource, 0) + 1
        self._count[resource] = number
        return f"{resource}/{self._patient}-{_SHORT[resource]}{number}"

    def add(self, event: CodedEvent) -> None:
        """Enter an event."""
        self.events.append(event)


_SHORT = {
    "Condition": "c",
    "Observation": "o",
    "MedicationRequest": "m",
    "Procedure": "p",
    "FamilyMemberHistory": "f",
    "Encounter": "e",
    "DocumentReference": "d",
}


def problems(dice: Random, ledger: Ledger, life: Life, p: Parameters) -> None:
    """Enter the problem list: late, and not all of it."""
    style = dice.random()
    for condition in p.conditions:
        begun = life.ill.get(condition.name)
        roll, lag = dice.random(), dice.expovariate(1 / condition.lag)
        if begun is None or roll > condition.coded:
            continue
        recorded = begun + int(lag)
        _condition(
            dice,
            ledger,
            condition.name,
            style,
            begun if dice.random() < 0.5 else recorded,
            recorded,
        )
    course = life.course
    if course is not None and course.coded is not None:
        name = "heart_failure" if course.preserved else "reduced_ejection_fraction"
        first = course.diagnosis if dice.random() < 0.6 else course.coded
        _condition(dice, ledger, name, style, first, course.coded)


def _condition(
    dice: Random,
    ledger: Ledger,
    name: str,
    style: float,
    begun: int,
    recorded: int,
    uncertain: bool = False,
) -> None:
    entry = codes()["conditions"][name]
    display = entry["display"]
    codings = [coding("icd10", pick(dice, entry["icd10"]), display)]
    if style < 0.25:
        codings = [coding("icpc2", entry["icpc2"], display)]
    elif style < 0.40:
        codings.append(coding("icpc2", entry["icpc2"]))
    elif style < 0.52 and "snomed" in entry:
        codings.insert(0, coding("snomed", entry["snomed"], display))
    ledger.add(
        CodedEvent(
            kind=EventKind.CONDITION,
            source=ledger.source("Condition"),
            codings=tuple(codings),
            start=date.fromordinal(begun),
            recorded=date.fromordinal(recorded),
            uncertain=uncertain,
        )
    )


def prescriptions(ledger: Ledger, taken: Sequence[Prescription]) -> None:
    """Enter the prescriptions."""
    for rx in taken:
        start = date.fromordinal(rx.start)
        ledger.add(
            CodedEvent(
                kind=EventKind.MEDICATION,
                source=ledger.source("MedicationRequest"),
                codings=(coding("atc", rx.drug.atc, rx.drug.names[0]),),
                start=start,
                end=None if rx.stop is None else date.fromordinal(rx.stop),
                recorded=start,
            )
        )


def family(dice: Random, ledger: Ledger, life: Life) -> str | None:
    """Enter the family history, where it was asked; return its key for the notes."""
    kinds = codes()["family"]
    key = pick(dice, (None, None, None, *kinds))
    if key is None:
        return None
    if dice.random() > 0.5:
        return str(key)
    entry = kinds[key]
    ledger.add(
        CodedEvent(
            kind=EventKind.FAMILY_HISTORY,
            source=ledger.source("FamilyMemberHistory"),
            codings=(coding("snomed", entry["snomed"], entry["display"]),),
            recorded=date.fromordinal(life.joined),
            relation=pick(dice, entry["relations"]),
        )
    )
    return str(key)


def contact(dice: Random, ledger: Ledger, life: Life, p: Parameters, visit: Visit) -> None:
    """Enter what a visit leaves: the contact, its code, its measurements, its tests."""
    day = date.fromordinal(visit.day)
    table = codes()
    ledger.add(
        CodedEvent(
            kind=EventKind.ENCOUNTER,
            source=ledger.source("Encounter"),
            codings=(coding("act", table["encounters"][visit.kind]),),
            start=day,
            end=day,
        )
    )
    entry = topics().get(visit.topic)
    if entry is not None and "icd10" in entry and dice.random() < entry["coded"]:
        system = "icpc2" if dice.random() < 0.3 else "icd10"
        ledger.add(
            CodedEvent(
                kind=EventKind.CONDITION,
                source=ledger.source("Condition"),
                codings=(coding(system, entry[system]),),
                start=day,
                end=date.fromordinal(visit.day + 5 + int(dice.random() * 20)),
                recorded=day,
            )
        )
    if visit.suspects and dice.random() < 0.03:
        _condition(dice, ledger, "heart_failure", 0.9, visit.day, visit.day, uncertain=True)
    if visit.vitals and dice.random() < p.care["structured_vitals"]:
        measurements(ledger, visit.vitals, day)
    if visit.labs and dice.random() < 0.93:
        measurements(ledger, visit.labs, day)
    for test in visit.tests:
        _procedure(ledger, test.split("_")[0], day)
    if "lvef" in visit.labs:
        _procedure(ledger, "echo", day)
    if visit.topic == "review" and dice.random() < 0.12:
        smoking = table["smoking"]
        ledger.add(
            CodedEvent(
                kind=EventKind.OBSERVATION,
                source=ledger.source("Observation"),
                codings=(coding("loinc", smoking["loinc"], "Tabaco"),),
                start=day,
                recorded=day,
                value_codings=(coding("snomed", smoking[life.smoking]),),
            )
        )


def laboratory(dice: Random, ledger: Ledger, life: Life, p: Parameters, body: Body) -> None:
    """Enter the blood tests that no note speaks of: chronic patients, about once a year."""
    last = life.last
    for day in range(life.joined + int(dice.random() * 365), last, 365):
        chronic = any(life.has(name, day) for name in REVIEWED)
        if dice.random() < (p.care["labs_a_year"] if chronic else 0.18):
            at = min(last - 1, day + int(dice.random() * 120))
            values = body.labs(dice, at)
            kept = {name: v for name, v in values.items() if dice.random() < 0.7}
            measurements(ledger, kept, date.fromordinal(at))


def measurements(ledger: Ledger, values: Mapping[str, float], day: date) -> None:
    """Enter measurements; the two blood pressures share one resource."""
    table = codes()["observations"]
    pressure = ledger.source("Observation") if "sbp" in values else ""
    for name, value in values.items():
        entry = table[name]
        ledger.add(
            CodedEvent(
                kind=EventKind.OBSERVATION,
                source=pressure if name in ("sbp", "dbp") else ledger.source("Observation"),
                codings=(coding("loinc", entry["loinc"], entry["display"]),),
                start=day,
                recorded=day,
                value=float(value),
                unit=entry["unit"],
            )
        )


def _procedure(ledger: Ledger, name: str, day: date) -> None:
    entry = codes()["procedures"][name]
    ledger.add(
        CodedEvent(
            kind=EventKind.PROCEDURE,
            source=ledger.source("Procedure"),
            codings=(coding("snomed", entry["snomed"], entry["display"]),),
            start=day,
        )
    )


def as_of(events: Iterable[CodedEvent], cut: date) -> tuple[CodedEvent, ...]:
    """Return what the record holds on ``cut``: nothing entered later, no end still to come."""
    shown = []
    for event in events:
        known = event.recorded or event.start
        if known is not None and known > cut:
            continue
        shown.append(
            replace(event, end=None) if event.end is not None and event.end > cut else event
        )
    return tuple(sorted(shown, key=lambda e: (e.start or date.min, e.source)))
