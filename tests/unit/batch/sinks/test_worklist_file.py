from __future__ import annotations

import csv
import stat
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from clinical_nlp.batch.sinks import Worklist
from clinical_nlp.batch.sinks.worklist import safe_cell
from clinical_nlp.records import EstimateStatus, Reason, is_on_worklist, worklist_order


def write(path, context, results):
    sink = Worklist(path, context)
    for result in results:
        sink.write(result)
    counts = sink.close()
    with path.open(encoding="utf-8-sig", newline="") as file:
        return counts, list(csv.DictReader(file))


def test_worklist_is_sorted_by_risk_then_id(tmp_path, context, make_result):
    results = [make_result(*r) for r in (("c", 0.05), ("b", 0.5), ("a", 0.05), ("d", 0.031))]
    counts, rows = write(tmp_path / "w.csv", context, results)
    assert [r["patient_id"] for r in rows] == ["b", "a", "c", "d"]
    assert [r["rank"] for r in rows] == ["1", "2", "3", "4"]
    assert counts == {"worklist.csv": 4}


def test_worklist_lists_written_suspicions_before_any_probability(
    tmp_path, context, make_result, make_suspected
):
    days = {"old": date(2025, 1, 1), "new": date(2026, 3, 1), "none": None, "a": date(2026, 3, 1)}
    results = [make_result("certain", 0.99), *(make_suspected(*item) for item in days.items())]
    _, rows = write(tmp_path / "w.csv", context, results)
    assert [r["patient_id"] for r in rows] == ["a", "new", "old", "none", "certain"]
    assert [r["state"] for r in rows] == 4 * ["sospecha escrita"] + ["riesgo estimado"]
    assert sorted(results, key=lambda r: worklist_order(r.estimate)) == [
        next(r for r in results if r.estimate.patient_id == row["patient_id"]) for row in rows
    ]


def test_worklist_suspicion_has_reasons_and_no_number(tmp_path, context, make_suspected):
    _, (row,) = write(tmp_path / "w.csv", context, [make_suspected("a")])
    numbers = ("risk_percent", "low_percent", "high_percent", "band", "frequency", "horizon_days")
    assert [row[name] for name in numbers] == [""] * 6
    assert row["reasons"] == (
        "Sospecha escrita en 1 nota (01/03/2026); Ecocardiograma solicitado, sin resultado"
    )
    assert row["advice"] == "Comprobar si el ecocardiograma se ha hecho"
    assert not any("%" in cell for cell in row.values())


def test_worklist_holds_only_patients_at_or_above_threshold(tmp_path, context, make_result):
    results = [
        make_result("diagnosed"),
        make_result("below", 0.0299),
        make_result("at", 0.03),
        make_result("abstained", status=EstimateStatus.ABSTAINED, abstention="Menor de 30 años."),
    ]
    _, rows = write(tmp_path / "w.csv", context, results)
    assert [r["patient_id"] for r in rows] == ["at"]
    assert [is_on_worklist(r.estimate, 0.03) for r in results] == [False, False, True, False]


def test_worklist_row_has_documented_cells(tmp_path, context, make_result):
    said = {"advice": ("Valorar NT-proBNP.",), "frequency": "12 de cada 100 personas como esta."}
    results = [make_result("a", 0.1234, interval=(0.0871, 0.16), **said), make_result("b", 0.1)]
    _, (row, other) = write(tmp_path / "w.csv", context, results)
    assert (other["low_percent"], other["high_percent"]) == ("", "")
    assert row == {
        "rank": "1",
        "state": "riesgo estimado",
        "patient_id": "a",
        "age": "78",
        "sex": "mujer",
        "risk_percent": "12.3",
        "low_percent": "8.7",
        "high_percent": "16.0",
        "band": "alto",
        "frequency": "12 de cada 100 personas como esta",
        # Reasons that lower the risk do not answer why the patient is here.
        "reasons": "Disnea en 1 nota (la última, 01/03/2026); 78 años",
        "advice": "Valorar NT-proBNP",
        "missing": "No consta NT-proBNP",
        "date": "2026-03-31",
        "horizon_days": "365",
    }


def test_worklist_cell_escapes_line_breaks_quotes_and_formulas(tmp_path, context, make_result):
    reasons = (Reason('=HYPERLINK("http://x";"y")\nsegunda línea', 1.0),)
    results = [make_result("-id", 0.2, reasons=reasons), make_result("b", 0.1)]
    _, rows = write(tmp_path / "w.csv", context, results)
    assert rows[0]["patient_id"] == "'-id"
    assert rows[0]["reasons"] == '\'=HYPERLINK("http://x";"y") segunda línea'
    assert len(rows) == 2


def test_worklist_is_private_reproducible_and_leaves_no_other_file(tmp_path, context, make_result):
    write(tmp_path / "w1.csv", context, [make_result("a", 0.2)])
    write(tmp_path / "w2.csv", context, [make_result("a", 0.2)])
    assert (tmp_path / "w1.csv").read_bytes() == (tmp_path / "w2.csv").read_bytes()
    assert (tmp_path / "w1.csv").read_bytes().startswith(b"\xef\xbb\xbfrank,")
    assert stat.S_IMODE((tmp_path / "w1.csv").stat().st_mode) == 0o600
    assert sorted(p.name for p in tmp_path.iterdir()) == ["w1.csv", "w2.csv"]


@settings(max_examples=50)
@given(st.text(max_size=20))
def test_safe_cell_never_begins_a_formula(text):
    assert not safe_cell(text).startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
