from __future__ import annotations

import stat
from datetime import date

import pyarrow.parquet as pq

from clinical_nlp.batch.sinks import AuditTable, EstimatesTable
from clinical_nlp.batch.sinks.estimates_table import estimate_from_row
from clinical_nlp.records import EstimateStatus


def test_estimates_table_has_one_row_per_patient_with_evidence(tmp_path, context, make_result):
    path = tmp_path / "estimates.parquet"
    sink = EstimatesTable(path, context)
    sink.write(make_result("a", 0.2, interval=(0.15, 0.3)))
    sink.write(make_result("b"))
    sink.write(make_result("c", status=EstimateStatus.ABSTAINED, abstention="Sin edad."))
    assert sink.close() == {"estimates.parquet": 3}
    scored, diagnosed, abstained = pq.read_table(path).to_pylist()
    assert (scored["probability"], scored["band"], scored["age"]) == (0.2, "markedly_raised", 78)
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


def test_estimate_from_row_returns_what_was_written(tmp_path, context, make_result, make_suspected):
    said = {"advice": ("Valorar NT-proBNP.",), "usual": 0.012, "frequency": "20 de cada 100."}
    results = [
        make_result("a", 0.2, interval=(0.15, 0.3), **said),
        make_suspected("b"),
        make_result("c"),
        make_result("d", status=EstimateStatus.ABSTAINED, abstention="Sin edad."),
    ]
    sink = EstimatesTable(tmp_path / "e.parquet", context)
    for result in results:
        sink.write(result)
    sink.close()
    rows = pq.read_table(tmp_path / "e.parquet").to_pylist()
    assert [estimate_from_row(row) for row in rows] == [r.estimate for r in results]
    assert rows[1]["status"] == "suspected" and rows[1]["on_worklist"]
    assert rows[1]["probability"] is rows[1]["usual"] is None


def test_estimate_from_row_of_earlier_version_has_no_advice(tmp_path, context, make_result):
    sink = EstimatesTable(tmp_path / "e.parquet", context)
    sink.write(make_result("a", 0.2, advice=("Valorar NT-proBNP.",), usual=0.01, frequency="x"))
    sink.close()
    (row,) = (
        pq.read_table(tmp_path / "e.parquet").drop(["advice", "usual", "frequency"]).to_pylist()
    )
    earlier = estimate_from_row(row)
    assert (earlier.advice, earlier.usual, earlier.frequency) == ((), None, None)
    assert earlier.probability == 0.2


def test_audit_record_holds_what_the_clinician_was_told(tmp_path, context, make_result):
    sink = AuditTable(tmp_path / "a.parquet", context)
    sink.write(make_result("a", 0.2, advice=("Valorar NT-proBNP.",), usual=0.01, frequency="x"))
    sink.close()
    (row,) = pq.read_table(tmp_path / "a.parquet").to_pylist()
    assert (row["advice"], row["usual"], row["frequency"]) == (["Valorar NT-proBNP."], 0.01, "x")
