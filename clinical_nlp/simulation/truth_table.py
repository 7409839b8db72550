"""The truth behind simulated patients as a table, which the batch never reads."""

from __future__ import annotations

from datetime import date

from clinical_nlp.simulation.simulator import SimulatedPatient

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
