"""Simulated patients: a record such as an export holds, and the truth behind it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone

from clinical_nlp.errors import UsageError
from clinical_nlp.records import Note, PatientRecord
from clinical_nlp.simulation.habits import Gaps
from clinical_nlp.simulation.identity import Identity, draw_identity
from clinical_nlp.simulation.parameters import Parameters, load_parameters
from clinical_nlp.simulation.patient_course import (
    HeartFailureCourse,
    PatientCourse,
    simulate_course,
)
from clinical_nlp.simulation.physiology import Physiology
from clinical_nlp.simulation.rng import stream
from clinical_nlp.simulation.structured import StructuredRecord, codes
from clinical_nlp.simulation.treatments import prescribe
from clinical_nlp.simulation.visit_planning import plan_visits
from clinical_nlp.simulation.writer import Writer

_SPAIN = timezone(timedelta(hours=1))

#: Days after the cut in which a diagnosis counts as the outcome.
_HORIZON_DAYS = 365

#: Columns, documented in docs/explanation/simulation.md.
TRUTH_COLUMNS = (
    "patient_id",
    "sex",
    "birth_date",
    "region",
    "rural",
    "hf_onset",
    "hf_diagnosed",
    "hf_coded",
    "hf_preserved",
    "hf_acute",
    "died",
    "hf_known_at_cut",
    "hf_within_12_months",
    "severity_at_cut",
)


@dataclass(frozen=True, slots=True)
class Truth:
    """The truth behind a record: what it does not hold, or not yet.

    Parameters
    ----------
    onset
        Day of the first sign of heart failure; ``None`` where it never comes.
    diagnosed
        Day of its diagnosis, at most the end of the simulation.
    coded
        Day on which a Condition records it; ``None`` where none does.
    preserved, acute
        Ejection fraction preserved; first diagnosed in hospital.
    died
        Day of death, at most the end of the simulation.
    left
        Day of moving away, on which the record ends; ``None`` for a patient who stays.
    conditions
        Day each long-term condition truly began.
    region, rural
        Where the patient lives.
    """

    onset: date | None
    diagnosed: date | None
    coded: date | None
    preserved: bool | None
    acute: bool | None
    died: date | None
    left: date | None
    conditions: dict[str, date]
    region: str
    rural: bool
    heart_failure: HeartFailureCourse | None

    def severity(self, day: date) -> float:
        """Return congestion on ``day``, 0..1."""
        failure = self.heart_failure
        return 0.0 if failure is None else failure.severity(day.toordinal())


@dataclass(frozen=True, slots=True)
class SimulatedPatient:
    """A record as of the cut, its invented identity, and the truth.

    ``affirmed`` gives, by the key of each note, the signs (keys of ``notes/signs.toml``) that
    its text states are present.
    """

    record: PatientRecord
    identity: Identity
    truth: Truth
    affirmed: Mapping[str, tuple[str, ...]]


def simulate_patients(
    n: int, seed: int = 0, parameters: Parameters | None = None, first: int = 0
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
        The shipped ones where ``None``; ``parameters.as_of(day)`` moves the cut.
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


def simulate_patient(index: int, seed: int, p: Parameters) -> SimulatedPatient:
    """Return one patient; see :func:`simulate_patients`."""
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
        midnight = datetime.combine(date.fromordinal(visit.day), datetime.min.time(), _SPAIN)
        source = f"DocumentReference/{patient_id}-d{number + 1}"
        affirmed[source] = written.affirmed
        notes.append(
            Note(
                source=source,
                patient_id=patient_id,
                text=written.text,
                written=midnight + timedelta(minutes=visit.minute),
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


def truth_row(patient: SimulatedPatient, cut: date) -> list[object]:
    """Return a patient's values of :data:`TRUTH_COLUMNS` for an export that ends on ``cut``."""
    record, truth = patient.record, patient.truth
    diagnosed = truth.diagnosed
    return [
        record.id,
        str(record.sex),
        record.birth_date,
        truth.region,
        int(truth.rural),
        truth.onset,
        diagnosed,
        truth.coded,
        "" if truth.preserved is None else int(truth.preserved),
        "" if truth.acute is None else int(truth.acute),
        truth.died,
        int(diagnosed is not None and diagnosed <= cut),
        int(diagnosed is not None and 0 < (diagnosed - cut).days <= _HORIZON_DAYS),
        f"{truth.severity(cut):.3f}",
    ]
