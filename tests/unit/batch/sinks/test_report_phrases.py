from __future__ import annotations

from clinical_nlp.artifacts import read_toml
from clinical_nlp.batch.statistics import PATIENT_COUNTS
from clinical_nlp.records import FLAGS, EstimateStatus
from fhir_adapters.reading.defects import Defect, Outcome

PHRASES = read_toml("clinical_nlp.batch.sinks.report", "phrases.toml")


def test_phrases_have_remedy_for_every_quarantine_code():
    survived = {d.code for d in Defect if d.outcome is not Outcome.FATAL}
    assert survived <= set(PHRASES["code"])


def test_phrases_name_every_flag_and_status():
    assert set(PHRASES["flag"]) == {"affirmed", *FLAGS}
    assert set(PHRASES["status"]) == {s.value for s in EstimateStatus} <= set(PATIENT_COUNTS)
