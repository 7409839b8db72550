"""A simulated patient: the record, the identity, and the truth behind them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from clinical_nlp.records import PatientRecord
from clinical_nlp.simulation.identity import Identity


class HiddenCourse(Protocol):
    """Heart failure as it truly goes."""

    def severity(self, day: int) -> float:
        """Return congestion on an ordinal day, 0 to 1."""


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
    heart_failure: HiddenCourse | None

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
