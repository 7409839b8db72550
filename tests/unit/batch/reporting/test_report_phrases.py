from __future__ import annotations

from clinical_nlp.batch.sinks.report.page import _phrases
from clinical_nlp.batch.statistics import PATIENT_COUNTS
from clinical_nlp.records import FLAGS, EstimateStatus
from fhir_adapters.reading.defects import Defect, Outcome


def test_every_defect_that_a_run_survives_has_a_spanish_remedy():
    survived = {d.code for d in Defect if d.outcome is not Outcome.FATAL}
    assert survived <= set(_phrases()["code"])


def test_every_flag_and_status_has_a_name():
    phrases = _phrases()
    assert set(phrases["flag"]) == {"affirmed", *FLAGS}
    assert set(phrases["status"]) == {s.value for s in EstimateStatus} <= set(PATIENT_COUNTS)
