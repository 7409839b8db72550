"""Patients of the second simulator: a record such as an export holds, and the truth behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from clinical_nlp.records import Note, PatientRecord, Sex
from clinical_nlp.simulation.clock import written_at
from clinical_nlp.simulation.identity import draw_identity
from clinical_nlp.simulation.patients import SimulatedPatient, Truth
from clinical_nlp.simulation.rng import stream
from clinical_nlp.simulation.stages.bedside import Bedside
from clinical_nlp.simulation.stages.care import Care, CareProcess
from clinical_nlp.simulation.stages.episodes import draw_episodes
from clinical_nlp.simulation.stages.life import STAGES, Life, draw_life
from clinical_nlp.simulation.stages.parameters import StagesParameters
from clinical_nlp.simulation.stages.person import Person, draw_person
from clinical_nlp.simulation.stages.record import CodedRecord, codes
from clinical_nlp.simulation.stages.treatments import Medication, medicate
from clinical_nlp.simulation.stages.writer import NoteWriter

#: Days before the record's first day from which the care of the already ill is played.
_PRELUDE = 3650
#: Congestion of somebody with heart failure who has none at the moment.
_QUIET = 0.35


@dataclass(frozen=True, slots=True)
class StagedCourse:
    """Congestion of one person by day: 0 before stage C, 1 in an episode."""

    onset: int
    advanced: int | None
    congested: tuple[tuple[int, int], ...]

    def severity(self, day: int) -> float:
        """Return congestion on ``day``, 0 to 1."""
        if day < self.onset:
            return 0.0
        if any(start <= day < end for start, end in self.congested):
            return 1.0
        return 2 * _QUIET if self.advanced is not None and day >= self.advanced else _QUIET


def simulate_staged_patient(index: int, seed: int, p: StagesParameters) -> SimulatedPatient:
    """Return patient ``index``: it depends on the seed, the index and the parameters alone."""
    rng = stream("staged", seed, index)
    patient_id = f"t{seed}-{index:06d}"
    life = draw_life(rng, p)
    person = draw_person(rng, life, p)
    medications = medicate(rng, life.spells)
    life = replace(life, spells={**life.spells, **_drug_spells(medications)})
    start, onset = p.start.toordinal(), life.began("symptomatic")
    ill_before = onset is not None and onset < start
    first = max(onset - 30, start - _PRELUDE) if ill_before and onset is not None else start
    last = min(person.left, life.death or person.left)
    episodes = draw_episodes(rng, life, p, first)
    bedside = Bedside(life, person, episodes, p.disease["congested_yearly"]["treated"])
    care = CareProcess(rng, (life, person), bedside, p, (first, last)).run(episodes)
    medications += medicate(rng, _care_spells(care, life), care=True)
    coded = CodedRecord(patient_id, life, person, p)
    coded.add_problems(rng, care)
    coded.add_medications(drug for drug in medications if drug.start < last)
    for contact in care.contacts:
        coded.add_contact(rng, contact)
    coded.add_blood_tests(rng, bedside, (start, last))
    identity = draw_identity(rng, life.female, life.age(start))
    cut = p.cut.toordinal()
    writer = NoteWriter((life, person, identity), medications, p)
    notes: list[Note] = []
    affirmed: dict[str, tuple[str, ...]] = {}
    for number, contact in enumerate(care.contacts):
        words = stream("staged note", seed, index, number)
        if words.random() >= p.care["written"] or not start <= contact.day <= cut:
            continue
        written = writer.write(words, contact, care)
        source = f"DocumentReference/{patient_id}-n{number + 1}"
        affirmed[source] = written.affirmed
        notes.append(
            Note(
                source=source,
                patient_id=patient_id,
                text=written.text,
                written=written_at(contact.day, contact.minute),
                language=written.language,
                kind=codes()["documents"][contact.kind],
            )
        )
    died = life.death is not None and life.death <= min(cut, person.left)
    moved = not died and person.left < p.end.toordinal() and person.left <= cut
    record = PatientRecord(
        id=patient_id,
        sex=Sex.FEMALE if life.female else Sex.MALE,
        birth_date=date.fromordinal(life.birth),
        deceased=died,
        died=date.fromordinal(life.death) if died and life.death else None,
        notes=tuple(sorted(notes, key=lambda note: (note.written, note.key))),
        events=coded.as_of(p.start, date.fromordinal(min(cut, last))),
        active=not (moved and person.leaving_known),
    )
    course = _course(life, bedside)
    return SimulatedPatient(record, identity, _truth(life, person, care, course, p), affirmed)


def _drug_spells(medications: list[Medication]) -> Mapping[str, list[tuple[int, int | None]]]:
    """Return the spells of drugs that make something show."""
    return {
        drug.key: [(drug.start, drug.end)]
        for drug in medications
        if drug.key in ("amlodipine", "gabapentin")
    }


def _care_spells(care: Care, life: Life) -> dict[str, list[tuple[int, int | None]]]:
    spells: dict[str, list[tuple[int, int | None]]] = {
        "suspected": [(day, None) for day in care.suspected]
    }
    if care.diagnosed is not None:
        spells["diagnosed"] = [(care.diagnosed, None)]
        if life.reduced:
            spells["diagnosed_reduced"] = [(care.diagnosed, None)]
    return spells


def _course(life: Life, bedside: Bedside) -> StagedCourse | None:
    onset = life.began("symptomatic")
    if onset is None:
        return None
    return StagedCourse(onset, life.began("advanced"), bedside.congested_spells())


def _truth(
    life: Life, person: Person, care: Care, course: StagedCourse | None, p: StagesParameters
) -> Truth:
    """Return the truth; stage C that nobody has named has an onset and no diagnosis."""
    end = p.end.toordinal()

    def until_end(day: int | None) -> date | None:
        return date.fromordinal(day) if day is not None and day <= end else None

    diagnosed = care.diagnosed is not None
    last = min(person.left, life.death or end)
    return Truth(
        onset=until_end(course.onset if course else None),
        diagnosed=until_end(care.diagnosed),
        coded=until_end(care.coded if care.coded is not None and care.coded <= last else None),
        preserved=not life.reduced if diagnosed else None,
        acute=care.acute if diagnosed else None,
        died=until_end(life.death),
        left=date.fromordinal(person.left) if person.left < end else None,
        conditions={
            name: date.fromordinal(spells[0][0])
            for name, spells in sorted(life.spells.items())
            if name not in (*STAGES, "smoker", "amlodipine", "gabapentin")
        },
        region="catalan" if person.language == "ca" else "castilian",
        rural=person.remote,
        heart_failure=course,
    )
