"""The coded side of a record of the second simulator."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from functools import lru_cache
from random import Random
from typing import Any

from clinical_nlp.artifacts import read_toml
from clinical_nlp.records import CodedEvent, Coding, EventKind
from clinical_nlp.simulation.rng import pick, poisson
from clinical_nlp.simulation.stages.bedside import Bedside
from clinical_nlp.simulation.stages.care import Care, Contact
from clinical_nlp.simulation.stages.life import STAGES, Life
from clinical_nlp.simulation.stages.parameters import PACKAGE, StagesParameters
from clinical_nlp.simulation.stages.person import Person
from clinical_nlp.simulation.stages.treatments import Medication
from clinical_nlp.simulation.visits import REVIEWED

_RESOURCES = {
    EventKind.CONDITION: "Condition",
    EventKind.OBSERVATION: "Observation",
    EventKind.MEDICATION: "MedicationRequest",
    EventKind.PROCEDURE: "Procedure",
    EventKind.ENCOUNTER: "Encounter",
}
#: What problem lists hold less well: it comes and goes.
EPISODIC = frozenset({"anemia", "depression", "anxiety", "reflux", "cancer", "obesity"})
_NO_CONDITIONS = frozenset({*STAGES, "smoker", "amlodipine", "gabapentin"})


@lru_cache(maxsize=1)
def codes() -> dict[str, Any]:
    """Return ``codes.toml``."""
    return read_toml(PACKAGE, "codes.toml")


class CodedRecord:
    """Draws the coded events of one person and numbers their resources."""

    def __init__(self, patient_id: str, life: Life, person: Person, p: StagesParameters) -> None:
        self._id, self._life, self._person, self._p = patient_id, life, person, p
        self._count = 0
        self._events: list[CodedEvent] = []

    def add_problems(self, rng: Random, care: Care) -> None:
        """Enter the problem list: late, not all of it, in the system of the centre."""
        coding = self._p.coding
        for name, spells in sorted(self._life.spells.items()):
            if name in _NO_CONDITIONS:
                continue
            known = coding["episodic_known" if name in EPISODIC else "known"]
            for start, end in spells:
                late = int(rng.expovariate(1 / coding["delay"]))
                closed = end is not None and rng.random() < 0.5
                if rng.random() < known:
                    self._add_problem(rng, name, start + late, end if closed else None)
        if care.coded is not None:
            name = "reduced_heart_failure" if self._life.reduced else "heart_failure"
            self._add_problem(rng, name, care.coded, None)

    def add_medications(self, medications: Iterable[Medication]) -> None:
        """Enter the prescriptions."""
        for drug in medications:
            start = date.fromordinal(drug.start)
            end = None if drug.end is None else date.fromordinal(drug.end)
            code = self._coding("atc", drug.atc, drug.name)
            self._add(EventKind.MEDICATION, code, start=start, end=end, recorded=start)

    def add_contact(self, rng: Random, contact: Contact) -> None:
        """Enter what a contact leaves: itself, its measurements and its tests."""
        day = date.fromordinal(contact.day)
        kind = codes()["encounters"][contact.kind]
        self._add(EventKind.ENCOUNTER, self._coding("act", kind), start=day, end=day)
        if contact.vitals and rng.random() < self._p.care["structured"]:
            self._add_values(contact.vitals, contact.day)
        if contact.labs and rng.random() < 0.9:
            self._add_values(contact.labs, contact.day)
        for test in contact.tests:
            row = codes()["procedures"][test.split("_")[0]]
            code = self._coding("snomed", row["snomed"], row["display"])
            self._add(EventKind.PROCEDURE, code, start=day)

    def add_blood_tests(self, rng: Random, bedside: Bedside, days: tuple[int, int]) -> None:
        """Enter the yearly blood tests that no note mentions."""
        for day in range(*days, 365):
            chronic = any(self._life.has(name, day) for name in REVIEWED)
            mean = self._p.care["labs_yearly"] * (1.4 if chronic else 0.5)
            for _ in range(poisson(rng, mean)):
                drawn = min(day + int(rng.random() * 365), days[1] - 1)
                values = bedside.blood(rng, drawn)
                kept = {name: value for name, value in values.items() if rng.random() < 0.8}
                self._add_values(kept, drawn)

    def as_of(self, first: date, cut: date) -> tuple[CodedEvent, ...]:
        """Return what the record holds on ``cut``: nothing entered later, no later end."""
        shown = []
        for event in self._events:
            known = event.recorded or event.start
            # Contacts and measurements before the first day are in no electronic record.
            old = event.kind not in (EventKind.CONDITION, EventKind.MEDICATION)
            if known is None or known > cut or (old and known < first):
                continue
            ends_later = event.end is not None and event.end > cut
            shown.append(replace(event, end=None) if ends_later else event)
        return tuple(sorted(shown, key=lambda event: (event.start or date.min, event.source)))

    def _add_problem(self, rng: Random, name: str, recorded: int, end: int | None) -> None:
        row, system = codes()["conditions"][name], self._person.system
        codings = [self._coding(system, row[system], row["display"])]
        if rng.random() < 0.12:
            other = pick(rng, ("cie10es", "snomed"))
            if other != system:
                codings.append(self._coding(other, row[other], row["display"]))
        day = date.fromordinal(recorded)
        self._add(
            EventKind.CONDITION,
            *codings,
            start=day,
            end=None if end is None or end <= recorded else date.fromordinal(end),
            recorded=day,
        )

    def _add_values(self, values: Mapping[str, float], day: int) -> None:
        table, when = codes()["observations"], date.fromordinal(day)
        panel = self._source(EventKind.OBSERVATION) if "sbp" in values else None
        for name, value in values.items():
            row = table[name]
            self._add(
                EventKind.OBSERVATION,
                self._coding("loinc", row["loinc"], row["display"]),
                source=panel if name in ("sbp", "dbp") else None,
                start=when,
                recorded=when,
                value=round(float(value) * row["factor"], row["decimals"]),
                unit=row["unit"],
            )

    def _source(self, kind: EventKind) -> str:
        self._count += 1
        return f"{_RESOURCES[kind]}/{self._id}-{self._count}"

    def _add(
        self, kind: EventKind, *codings: Coding, source: str | None = None, **fields: object
    ) -> None:
        source = source or self._source(kind)
        self._events.append(CodedEvent(kind, source, codings, **fields))  # type: ignore[arg-type]

    @staticmethod
    def _coding(system: str, code: str, display: str | None = None) -> Coding:
        return Coding(codes()["systems"][system], code, display)
