from __future__ import annotations

import stat
from datetime import date

import pyarrow.parquet as pq

from clinical_nlp.batch.sinks import EstimatesTable
from clinical_nlp.records import EstimateStatus


def test_estimates_table_has_one_row_per_patient_with_evidence(tmp_path, context, make_result):
    path = tmp_path / "estimates.parquet"
    sink = EstimatesTable(path, context)
    sink.write(make_result("a", 0.2, interval=(0.15, 0.3)))
    sink.write(make_result("b"))
    sink.write(make_result("c", status=EstimateStatus.ABSTAINED, abstention="Sin edad."))
    assert sink.close() == {"estimates.parquet": 3}
    scored, diagnosed, abstained = pq.read_table(path).to_pylist()
    assert (scored["probability"], scored["band"], scored["age"]) == (0.2, "very_high", 78)
    assert scored["on_worklist"] and not diagnosed["on_worklist"]
    assert scored["reasons"][0]["evidence"] == [
        {
            "source": "DocumentReference/a",
            "concept": "dyspnea",
            "day": date(2026, 3, 1),
            "start": 8,
            "end": 14,
        }
    ]
    assert (scored["low"], scored["high"], scored["interval_level"]) == (0.15, 0.3, 0.95)
    assert "entre 15 % y 30 %" in scored["uncertainty"]
    assert abstained["low"] is None and abstained["uncertainty"] is None
    assert scored["missing"] == ["No consta NT-proBNP."]
    assert diagnosed["status"] == "diagnosed" and diagnosed["probability"] is None
    assert abstained["abstention"] == "Sin edad."
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
