"""Simulated patients: a record such as an export holds, and the truth behind it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from clinical_nlp.errors import UsageError
from clinical_nlp.records import Note, PatientRecord
from clinical_nlp.simulation.clock import written_at
from clinical_nlp.simulation.habits import Gaps
from clinical_nlp.simulation.identity import draw_identity
from clinical_nlp.simulation.parameters import Parameters, load_parameters
from clinical_nlp.simulation.patient_course import PatientCourse, simulate_course
from clinical_nlp.simulation.patients import (
    TRUTH_COLUMNS,
    SimulatedPatient,
    Truth,
    truth_row,
)
from clinical_nlp.simulation.physiology import Physiology
from clinical_nlp.simulation.rng import stream
from clinical_nlp.simulation.stages.parameters import StagesParameters
from clinical_nlp.simulation.stages.simulator import simulate_staged_patient
from clinical_nlp.simulation.structured import StructuredRecord, codes
from clinical_nlp.simulation.treatments import prescribe
from clinical_nlp.simulation.visit_planning import plan_visits
from clinical_nlp.simulation.writer import Writer

__all__ = [
    "TRUTH_COLUMNS",
    "AnyParameters",
    "SimulatedPatient",
    "Truth",
    "simulate_patient",
    "simulate_patients",
    "truth_row",
]

#: Parameters of either simulator; which one they are of decides who simulates.
AnyParameters = Parameters | StagesParameters


def simulate_patients(
    n: int, seed: int = 0, parameters: AnyParameters | None = None, first: int = 0
) -> Iterator[SimulatedPatient]:
    """Yield simulated patients ``first`` … ``first + n - 1``.

    Patient ``i`` depends on ``(seed, i)`` and the parameters alone: it is the same whatever
    ``n`` is and whichever process makes it, so that ranges can be simulated in parallel.

    Parameters
    ----------
    n
        How many.
    seed
        Of the whole cohort.
    parameters
        The shipped ones where ``None``; ``parameters.as_of(day)`` moves the cut. Those of
        :func:`~clinical_nlp.simulation.stages.parameters.load_stages_parameters` simulate
        by other mechanics.
    first
        Index of the first.

    Raises
    ------
    UsageError
        E112 where ``n`` or ``first`` is negative.
    """
    if n < 0 or first < 0:
        raise UsageError("E112", "patients cannot be fewer than none: give a number of 0 or more")
    p = load_parameters() if parameters is None else parameters
    return (simulate_patient(index, seed, p) for index in range(first, first + n))


def simulate_patient(index: int, seed: int, p: AnyParameters) -> SimulatedPatient:
    """Return one patient; see :func:`simulate_patients`."""
    if isinstance(p, StagesParameters):
        return simulate_staged_patient(index, seed, p)
    rng = stream("patient", seed, index)
    patient_id = f"s{seed}-{index:06d}"
    patient = simulate_course(rng, p)
    identity = draw_identity(rng, patient.female, patient.age(patient.joined))
    prescriptions = prescribe(rng, patient, p)
    physiology = Physiology(patient, p, prescriptions)
    visits = plan_visits(rng, physiology)
    gaps = Gaps(stream("gaps", seed, index), p.habits.missing)
    for visit in visits:
        visit.vitals, visit.labs = gaps.keep(visit.vitals), gaps.keep(visit.labs)
    structured = StructuredRecord(patient_id, patient, p, gaps)
    structured.add_problems(rng)
    structured.add_prescriptions(prescriptions)
    family = structured.add_family_history(rng)
    structured.add_laboratory(rng, physiology)
    writer = Writer(patient, identity, p, prescriptions, family, int(rng.random() * 1_000_000))
    cut = p.cut.toordinal()
    notes: list[Note] = []
    affirmed: dict[str, tuple[str, ...]] = {}
    for number, visit in enumerate(visits):
        structured.add_contact(rng, visit)
        leaves_text = rng.random() < p.care["note_written"] or visit.kind == "hospital"
        if not leaves_text or visit.day > cut:
            continue
        written = writer.write(stream("note", seed, index, number), visit)
        source = f"DocumentReference/{patient_id}-d{number + 1}"
        affirmed[source] = written.affirmed
        notes.append(
            Note(
                source=source,
                patient_id=patient_id,
                text=written.text,
                written=written_at(visit.day, visit.minute),
                language=written.language,
                kind=codes()["documents"][visit.kind],
            )
        )
    death = patient.death
    died = date.fromordinal(death) if death and death <= min(cut, patient.left) else None
    moved = died is None and patient.left < p.end.toordinal() and patient.left <= cut
    record = PatientRecord(
        id=patient_id,
        sex=patient.sex,
        birth_date=date.fromordinal(patient.birth),
        deceased=died is not None,
        died=died,
        notes=tuple(sorted(notes, key=lambda note: (note.written, note.key))),
        events=structured.as_of(date.fromordinal(min(cut, patient.last))),
        active=not (moved and patient.leaving_known),
    )
    return SimulatedPatient(record, identity, _truth(patient, p), affirmed)


def _truth(patient: PatientCourse, p: Parameters) -> Truth:
    end, failure = p.end.toordinal(), patient.heart_failure
    if failure is not None and patient.death is not None and failure.diagnosis > patient.death:
        failure = None  # died before the diagnosis

    def date_until_end(day: int | None) -> date | None:
        return date.fromordinal(day) if day is not None and day <= end else None

    return Truth(
        onset=date_until_end(failure.onset) if failure else None,
        diagnosed=date_until_end(failure.diagnosis) if failure else None,
        coded=date_until_end(failure.coded)
        if failure and (failure.coded or 0) < patient.last
        else None,
        preserved=failure.preserved if failure else None,
        acute=failure.acute if failure else None,
        died=date_until_end(patient.death),
        left=date.fromordinal(patient.left) if patient.left < end else None,
        conditions={name: date.fromordinal(day) for name, day in sorted(patient.onsets.items())},
        region=patient.region,
        rural=patient.rural,
        heart_failure=failure,
    )
