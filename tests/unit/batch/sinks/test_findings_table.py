from __future__ import annotations

import stat
from dataclasses import replace

import pyarrow.parquet as pq
import pytest

from clinical_nlp.batch.sinks import FindingsTable
from clinical_nlp.batch.sinks import parquet as parquet_module
from clinical_nlp.batch.sinks.findings_table import stable_id, term_exists, term_modifiers
from clinical_nlp.errors import OutputError
from clinical_nlp.records import Finding


def write(path, context, concepts, results):
    sink = FindingsTable(path, context, concepts)
    for result in results:
        sink.write(result)
    return sink.close()


def test_findings_table_has_one_row_per_finding_in_order(tmp_path, context, concepts, make_result):
    path = tmp_path / "findings.parquet"
    counts = write(path, context, concepts, [make_result("a", 0.2), make_result("b")])
    table = pq.read_table(path)
    assert counts == {"findings.parquet": 8} and table.num_rows == 8
    assert table["patient_id"].to_pylist() == ["a"] * 4 + ["b"] * 4
    first = table.to_pylist()[0]
    assert first["lexical_variant"] == "disnea" and first["offset"] == "8"
    assert (first["vocabulary_id"], first["concept_code"]) == ("SNOMED", "267036007")
    assert first["term_exists"] == "Y" and first["term_modifiers"] is None
    assert first["nlp_date"] == context.as_of
    assert len(set(table["note_nlp_id"].to_pylist())) == 8


def test_findings_table_keeps_flags_values_and_codes(tmp_path, context, concepts, make_result):
    path = tmp_path / "findings.parquet"
    write(path, context, concepts, [make_result("a", 0.2)])
    _, edema, mother, lvef = pq.read_table(path).to_pylist()
    assert edema["negated"] and edema["term_exists"] == "N"
    assert (edema["vocabulary_id"], edema["concept_code"]) == ("ICD10", "R60.9")
    assert mother["term_modifiers"] == "family=true,relation=MTH"
    assert (lvef["value"], lvef["comparator"], lvef["unit"]) == (60.0, ">", "%")
    assert lvef["vocabulary_id"] == "LOINC"
    assert lvef["term_modifiers"] == "value=>60,unit=%"


def test_findings_table_is_reproducible_and_private(tmp_path, context, concepts, make_result):
    for name in ("one", "two"):
        write(tmp_path / name, context, concepts, [make_result("a", 0.2)])
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert stat.S_IMODE((tmp_path / "one").stat().st_mode) == 0o600


def test_parquet_table_writes_row_groups_of_so_many_patients(
    tmp_path, context, concepts, make_result, monkeypatch
):
    monkeypatch.setattr(parquet_module, "PATIENTS_PER_GROUP", 3)
    path = tmp_path / "findings.parquet"
    write(path, context, concepts, [make_result(str(i), 0.2) for i in range(4)])
    metadata = pq.ParquetFile(path).metadata
    groups = [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]
    assert groups == [12, 4]  # of three patients and of one


def test_findings_table_without_findings_is_empty(tmp_path, context, concepts):
    write(tmp_path / "f", context, concepts, [])
    table = pq.read_table(tmp_path / "f")
    assert table.num_rows == 0 and "note_nlp_id" in table.column_names


def test_findings_table_accepts_lone_surrogates_and_unknown_concepts(
    tmp_path, context, concepts, make_result
):
    odd = Finding(0, 2, "d\ud800", "not_in_lexicon")
    write(tmp_path / "f", context, concepts, [make_result("a", 0.2, findings=(odd,))])
    (row,) = pq.read_table(tmp_path / "f").to_pylist()
    assert row["lexical_variant"] == "d?" and row["concept_name"] == "not_in_lexicon"


def test_findings_table_in_unwritable_folder_raises_e511(tmp_path, context, concepts):
    with pytest.raises(OutputError, match=r"E511.*run again"):
        FindingsTable(tmp_path / "absent" / "f.parquet", context, concepts)


@pytest.mark.parametrize("flag", ["negated", "uncertain", "family", "hypothetical"])
def test_term_exists_is_false_unless_affirmed_or_historical(flag):
    finding = Finding(0, 1, "x", "dyspnea")
    assert term_exists(finding) and not term_exists(replace(finding, **{flag: True}))
    assert term_exists(replace(finding, historical=True))


def test_term_modifiers_and_stable_id_are_as_documented():
    assert term_modifiers(Finding(0, 1, "x", "c", negated=True, historical=True)) == (
        "negated=true,historical=true"
    )
    # Parts must not run into each other.
    assert stable_id("ab", "c") != stable_id("a", "bc")
    assert 0 <= stable_id("x") < 2**63
