"""What the calibration needs of each simulated patient."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from clinical_nlp.records import EventKind, PatientRecord, Sex
from clinical_nlp.simulation.simulator import SimulatedPatient

YEAR = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Person:
    """What the tables need of one patient, without texts.

    ``departed``: day of death or of moving away; a diagnosis made after moving is not counted.
    """

    sex: Sex
    birth: date
    joined: date
    diagnosed: date | None
    departed: date | None
    conditions: dict[str, date]
    problems: tuple[tuple[date, str], ...]
    signs: tuple[tuple[date, tuple[str, ...]], ...]
    tests: tuple[tuple[date, str, float], ...]
    diuretic: date | None
    languages: tuple[str, ...]
    words: int

    def age(self, day: date) -> float:
        """Return the age in years."""
        return (day - self.birth).days / 365.25

    def present(self, day: date) -> bool:
        """Whether alive and not moved away on ``day``."""
        return self.departed is None or self.departed > day

    def at_risk(self, day: date) -> bool:
        """Whether present and without a diagnosis of heart failure on ``day``."""
        return self.present(day) and (self.diagnosed is None or self.diagnosed > day)


def summarise(patient: SimulatedPatient, start: date) -> Person:
    """Keep what the tables need of a simulated patient."""
    record, truth = patient.record, patient.truth
    problems, tests, diuretic = _coded(record)
    assert record.birth_date is not None  # noqa: S101 - the simulator always gives one
    days = [n.written.date() for n in record.notes if n.written is not None]
    departed = min((day for day in (truth.died, truth.left) if day is not None), default=None)
    seen = truth.diagnosed is not None and (departed is None or truth.diagnosed <= departed)
    return Person(
        sex=record.sex,
        birth=record.birth_date,
        joined=min([*days, start + YEAR]),
        diagnosed=truth.diagnosed if seen else None,
        departed=departed,
        conditions=dict(truth.conditions),
        problems=problems,
        signs=tuple(
            (n.written.date(), patient.affirmed[n.key])
            for n in record.notes
            if n.written is not None
        ),
        tests=tests,
        diuretic=diuretic,
        languages=tuple(n.language or "" for n in record.notes),
        words=sum(len(n.text.split()) for n in record.notes),
    )


def _coded(
    record: PatientRecord,
) -> tuple[tuple[tuple[date, str], ...], tuple[tuple[date, str, float], ...], date | None]:
    problems: list[tuple[date, str]] = []
    tests: list[tuple[date, str, float]] = []
    diuretic: date | None = None
    for event in record.events:
        code = event.codings[0].code
        if event.kind is EventKind.CONDITION and event.recorded is not None:
            problems.append((event.recorded, code))
        elif event.kind is EventKind.OBSERVATION and event.start and event.value is not None:
            tests.append((event.start, code, event.value))
        elif event.kind is EventKind.MEDICATION and code.startswith("C03CA") and event.start:
            diuretic = min(diuretic or event.start, event.start)
    return tuple(problems), tuple(tests), diuretic
