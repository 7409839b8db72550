"""The coded side of the record: problems, measurements, prescriptions, contacts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import lru_cache
from random import Random
from typing import Any

from clinical_nlp.artifacts import read_toml
from clinical_nlp.records import CodedEvent, Coding, EventKind
from clinical_nlp.simulation.habits import Gaps
from clinical_nlp.simulation.parameters import Parameters
from clinical_nlp.simulation.patient_course import PatientCourse
from clinical_nlp.simulation.physiology import Physiology
from clinical_nlp.simulation.rng import pick
from clinical_nlp.simulation.treatments import Prescription
from clinical_nlp.simulation.visits import REVIEWED, Visit, topics

#: Where ``codes.toml`` has the codes of a system: one system may go by two addresses.
_ENTRY = {"ciap2": "icpc2", "cie10es": "icd10"} | {
    name: name for name in ("icd10", "icpc2", "icd9", "snomed")
}
#: Resource type of each kind of event, and the letter that its ids carry.
_RESOURCES = {
    EventKind.CONDITION: ("Condition", "c"),
    EventKind.OBSERVATION: ("Observation", "o"),
    EventKind.MEDICATION: ("MedicationRequest", "m"),
    EventKind.PROCEDURE: ("Procedure", "p"),
    EventKind.FAMILY_HISTORY: ("FamilyMemberHistory", "f"),
    EventKind.ENCOUNTER: ("Encounter", "e"),
}


@lru_cache(maxsize=1)
def codes() -> dict[str, Any]:
    """Return ``codes.toml``."""
    return read_toml("clinical_nlp.simulation", "codes.toml")


class StructuredRecord:
    """Draws the coded events of one patient and numbers their resources.

    Parameters
    ----------
    patient_id
        Goes into every resource's id.
    patient, p
        Whose course, and the numbers of the simulation.
    gaps
        Leaves out what the service seldom measures.
    """

    def __init__(self, patient_id: str, patient: PatientCourse, p: Parameters, gaps: Gaps) -> None:
        self._id, self._patient, self._p, self._gaps = patient_id, patient, p, gaps
        self._counts = dict.fromkeys(EventKind, 0)
        self._events: list[CodedEvent] = []

    def add_problems(self, rng: Random) -> None:
        """Enter the problem list: late, and not all of it."""
        vocabulary = rng.random()
        for condition in self._p.conditions:
            onset = self._patient.onsets.get(condition.name)
            roll, lag = rng.random(), rng.expovariate(1 / condition.lag)
            if onset is None or roll > condition.coded:
                continue
            recorded = onset + int(lag)
            start = onset if rng.random() < 0.5 else recorded
            self._add_condition(rng, condition.name, vocabulary, start, recorded)
        failure = self._patient.heart_failure
        if failure is not None and failure.coded is not None:
            name = "heart_failure" if failure.preserved else "reduced_ejection_fraction"
            start = failure.diagnosis if rng.random() < 0.6 else failure.coded
            self._add_condition(rng, name, vocabulary, start, failure.coded)

    def add_prescriptions(self, prescriptions: Sequence[Prescription]) -> None:
        """Enter the prescriptions."""
        for rx in prescriptions:
            start = date.fromordinal(rx.start)
            self._add(
                EventKind.MEDICATION,
                _coding("atc", rx.drug.atc, rx.drug.names[0]),
                start=start,
                end=None if rx.stop is None else date.fromordinal(rx.stop),
                recorded=start,
            )

    def add_family_history(self, rng: Random) -> str | None:
        """Enter the family history, where it was asked; return its key for the notes."""
        kinds = codes()["family"]
        key = pick(rng, (None, None, None, *kinds))
        if key is None:
            return None
        if rng.random() > 0.5:
            return str(key)
        entry = kinds[key]
        self._add(
            EventKind.FAMILY_HISTORY,
            _coding("snomed", entry["snomed"], entry["display"]),
            recorded=date.fromordinal(self._patient.joined),
            relation=pick(rng, entry["relations"]),
        )
        return str(key)

    def add_laboratory(self, rng: Random, physiology: Physiology) -> None:
        """Enter the blood tests that no note mentions: in chronic patients about one a year."""
        patient, last = self._patient, self._patient.last
        for day in range(patient.joined + int(rng.random() * 365), last, 365):
            chronic = any(patient.has(name, day) for name in REVIEWED)
            if rng.random() < (self._p.care["labs_a_year"] if chronic else 0.18):
                drawn = min(last - 1, day + int(rng.random() * 120))
                values = physiology.labs(rng, drawn)
                kept = {name: v for name, v in values.items() if rng.random() < 0.7}
                self._add_measurements(self._gaps.keep(kept), date.fromordinal(drawn))

    def add_contact(self, rng: Random, visit: Visit) -> None:
        """Enter what a visit leaves: the contact, its code, its measurements, its tests."""
        day, table = date.fromordinal(visit.day), codes()
        contact = _coding("act", table["encounters"][visit.kind])
        self._add(EventKind.ENCOUNTER, contact, start=day, end=day)
        entry = topics().get(visit.topic)
        if entry is not None and "icd10" in entry and rng.random() < entry["coded"]:
            system = "icpc2" if rng.random() < self._p.care["everyday_icpc2"] else "icd10"
            end = date.fromordinal(visit.day + 5 + int(rng.random() * 20))
            code = _coding(system, entry[system])
            self._add(EventKind.CONDITION, code, start=day, end=end, recorded=day)
        if visit.suspects and rng.random() < 0.03:
            self._add_condition(rng, "heart_failure", 0.9, visit.day, visit.day, uncertain=True)
        if visit.vitals and rng.random() < self._p.care["structured_vitals"]:
            self._add_measurements(visit.vitals, day)
        if visit.labs and rng.random() < 0.93:
            self._add_measurements(visit.labs, day)
        for test in [*visit.tests, *(["echo"] if "lvef" in visit.labs else [])]:
            procedure = table["procedures"][test.split("_")[0]]
            code = _coding("snomed", procedure["snomed"], procedure["display"])
            self._add(EventKind.PROCEDURE, code, start=day)
        if visit.topic == "review" and rng.random() < 0.12:
            smoking = table["smoking"]
            status = (_coding("snomed", smoking[self._patient.smoking]),)
            code = _coding("loinc", smoking["loinc"], "Tabaco")
            self._add(EventKind.OBSERVATION, code, start=day, recorded=day, value_codings=status)

    def as_of(self, cut: date) -> tuple[CodedEvent, ...]:
        """Return what the record holds on ``cut``: nothing entered later, no later end."""
        shown = []
        for event in self._events:
            known = event.recorded or event.start
            if known is None or known <= cut:
                ends_later = event.end is not None and event.end > cut
                shown.append(replace(event, end=None) if ends_later else event)
        return tuple(sorted(shown, key=lambda e: (e.start or date.min, e.source)))

    def _source(self, kind: EventKind) -> str:
        self._counts[kind] += 1
        resource, letter = _RESOURCES[kind]
        return f"{resource}/{self._id}-{letter}{self._counts[kind]}"

    def _add(
        self, kind: EventKind, *codings: Coding, source: str | None = None, **fields: object
    ) -> None:
        source = source or self._source(kind)
        self._events.append(CodedEvent(kind, source, codings, **fields))  # type: ignore[arg-type]

    def _add_condition(
        self,
        rng: Random,
        name: str,
        vocabulary: float,
        start: int,
        recorded: int,
        uncertain: bool = False,
    ) -> None:
        """Enter a condition; ``vocabulary`` (0 to 1) decides which code systems are used."""
        entry = codes()["conditions"][name]
        display = entry["display"]
        icd10 = pick(rng, entry["icd10"])
        known = [name for name in self._p.habits.systems(vocabulary) if _ENTRY[name] in entry]
        codings = [
            _coding(
                system,
                icd10 if _ENTRY[system] == "icd10" else entry[_ENTRY[system]],
                display if number == 0 or system == "icd10" else None,
            )
            for number, system in enumerate(known or ["icd10"])
        ]
        self._add(
            EventKind.CONDITION,
            *codings,
            start=date.fromordinal(start),
            recorded=date.fromordinal(recorded),
            uncertain=uncertain,
        )

    def _add_measurements(self, values: Mapping[str, float], day: date) -> None:
        """Enter measurements; the two blood pressures share one resource."""
        table = codes()["observations"]
        pressure = self._source(EventKind.OBSERVATION) if "sbp" in values else None
        for name, value in values.items():
            entry = table[name]
            self._add(
                EventKind.OBSERVATION,
                _coding("loinc", entry["loinc"], entry["display"]),
                source=pressure if name in ("sbp", "dbp") else None,
                start=day,
                recorded=day,
                value=float(value),
                unit=entry["unit"],
            )


def _coding(system: str, code: str, display: str | None = None) -> Coding:
    """Return a coding whose system is named as in ``codes.toml``."""
    return Coding(codes()["systems"][system], code, display)
