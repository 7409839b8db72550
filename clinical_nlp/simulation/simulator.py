"""Simulated patients: a record such as an export holds, and the truth behind it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone

from clinical_nlp.errors import UsageError
from clinical_nlp.records import Note, PatientRecord
from clinical_nlp.simulation import structured
from clinical_nlp.simulation.identity import Identity, invent
from clinical_nlp.simulation.parameters import Parameters, load_parameters
from clinical_nlp.simulation.patient_course import Course, Life, live
from clinical_nlp.simulation.physiology import Body
from clinical_nlp.simulation.rng import stream
from clinical_nlp.simulation.treatments import prescribe
from clinical_nlp.simulation.visits import plan_visits
from clinical_nlp.simulation.writer import Writer

_SPAIN = timezone(timedelta(hours=1))


@dataclass(frozen=True, slots=True)
class Truth:
    """What the record does not say, or not yet.

    Parameters
    ----------
    onset
        Day of the first sign of heart failure; ``None`` where it never comes.
    diagnosed
        Day on which it is named, at most the end of the simulation.
    coded
        Day on which a Condition says so; ``None`` where none does.
    preserved, acute
        Ejection fraction preserved; first named in hospital.
    died
        Day of death, at most the end of the simulation.
    left
        Day of moving away; ``None`` who stayed. The record ends there.
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
    course: Course | None

    def severity(self, day: date) -> float:
        """Return congestion on ``day``, 0..1."""
        return 0.0 if self.course is None else self.course.severity(day.toordinal())


@dataclass(frozen=True, slots=True)
class SimulatedPatient:
    """A record as of the cut, its invented identity, and the truth.

    ``affirmed`` tells, by the key of each note, the signs (keys of ``notes/signs.toml``)
    that its text says are there.
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
    dice = stream("patient", seed, index)
    life = live(dice, p)
    identity = invent(dice, life.female, life.age(life.joined))
    taken = prescribe(dice, life)
    visits = plan_visits(dice, life, p, taken)
    patient = f"s{seed}-{index:06d}"
    ledger = structured.Ledger(patient)
    structured.problems(dice, ledger, life, p)
    structured.prescriptions(ledger, taken)
    family = structured.family(dice, ledger, life)
    structured.laboratory(dice, ledger, life, p, Body(life, p, taken))
    writer = Writer(life, identity, p, taken, family, int(dice.random() * 1_000_000))
    cut = p.cut.toordinal()
    notes: list[Note] = []
    affirmed: dict[str, tuple[str, ...]] = {}
    for number, visit in enumerate(visits):
        structured.contact(dice, ledger, life, p, visit)
        leaves_text = dice.random() < p.care["note_written"] or visit.kind == "hospital"
        if not leaves_text or visit.day > cut:
            continue
        written = writer.write(stream("note", seed, index, number), visit)
        at = datetime.combine(date.fromordinal(visit.day), datetime.min.time(), _SPAIN)
        source = f"DocumentReference/{patient}-d{number + 1}"
        affirmed[source] = written.affirmed
        notes.append(
            Note(
                source=source,
                patient_id=patient,
                text=written.text,
                written=at + timedelta(minutes=visit.minute),
                language=written.language,
                kind=structured.codes()["documents"][visit.kind],
            )
        )
    died = life.death if life.death is not None and life.death <= min(cut, life.left) else None
    shown = date.fromordinal(min(cut, life.last))
    moved = died is None and life.left < p.end.toordinal() and life.left <= cut
    record = PatientRecord(
        id=patient,
        sex=life.sex,
        birth_date=date.fromordinal(life.birth),
        deceased=died is not None,
        died=None if died is None else date.fromordinal(died),
        notes=tuple(sorted(notes, key=lambda note: (note.written, note.key))),
        events=structured.as_of(ledger.events, shown),
        active=not (moved and life.leaving_known),
    )
    return SimulatedPatient(record, identity, _truth(life, p), affirmed)


def _truth(life: Life, p: Parameters) -> Truth:
    end = p.end.toordinal()
    course = life.course
    if course is not None and (life.death is not None and course.diagnosis > life.death):
        course = None  # died before anyone could name it

    def known(day: int | None) -> date | None:
        return date.fromordinal(day) if day is not None and day <= end else None

    return Truth(
        onset=known(course.onset) if course else None,
        diagnosed=known(course.diagnosis) if course else None,
        coded=known(course.coded) if course and (course.coded or 0) < life.last else None,
        preserved=course.preserved if course else None,
        acute=course.acute if course else None,
        died=known(life.death),
        left=date.fromordinal(life.left) if life.left < end else None,
        conditions={name: date.fromordinal(day) for name, day in sorted(life.ill.items())},
        region=life.region,
        rural=life.rural,
        course=course,
    )
