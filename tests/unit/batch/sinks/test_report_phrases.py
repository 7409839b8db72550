from __future__ import annotations

from clinical_nlp.artifacts import read_toml
from clinical_nlp.batch.statistics import PATIENT_COUNTS
from clinical_nlp.records import FLAGS, EstimateStatus
from clinical_nlp.risk.states import load_states
from fhir_adapters.reading.defects import Defect, Outcome

PHRASES = read_toml("clinical_nlp.batch.sinks.report", "phrases.toml")


def test_phrases_have_remedy_for_every_quarantine_code():
    survived = {d.code for d in Defect if d.outcome is not Outcome.FATAL}
    assert survived <= set(PHRASES["code"])


def test_phrases_name_every_flag_and_status():
    assert set(PHRASES["flag"]) == {"affirmed", *FLAGS}
    statuses = {s.value for s in EstimateStatus}
    assert set(PHRASES["status"]) == statuses <= set(PATIENT_COUNTS)
    assert set(PHRASES["apart"]) == statuses - {"scored"}
    assert {state.status.value for state in load_states()} == statuses
