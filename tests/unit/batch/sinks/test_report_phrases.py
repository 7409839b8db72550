from __future__ import annotations

from clinical_nlp.batch.sinks.report.page import _phrases
from clinical_nlp.batch.statistics import PATIENT_COUNTS
from clinical_nlp.records import FLAGS, EstimateStatus
from fhir_adapters.reading.defects import Defect, Outcome


def test_phrases_have_remedy_for_every_quarantine_code():
    survived = {d.code for d in Defect if d.outcome is not Outcome.FATAL}
    assert survived <= set(_phrases()["code"])


def test_phrases_name_every_flag_and_status():
    phrases = _phrases()
    assert set(phrases["flag"]) == {"affirmed", *FLAGS}
    assert set(phrases["status"]) == {s.value for s in EstimateStatus} <= set(PATIENT_COUNTS)
