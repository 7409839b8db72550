"""Whole exports, as they should be."""

import os
import random
import tracemalloc
from datetime import date
from pathlib import Path

import pytest

from clinical_nlp.errors import InputError
from clinical_nlp.records import DayCounts, Sex
from fhir_adapters.reading import BulkExport


def test_export_files_of_any_name_and_compression_are_read(export, make):
    export.write("a.ndjson.gz", make.note("n", date="2024-01-02"), make.coded("Condition", "c"))
    export.write("b.ndjson", make.patient(gender="female", birthDate="1950-02-03"))
    export.write("c.NDJSON", make.coded("Procedure", "p"), make.patient("other"))
    export.write("d.ndjson", make.coded("Observation", "o", about="other", valueInteger=1))
    export.write("notes.txt", "not read")
    export.write(".e.ndjson", "a hidden file of some other system")
    read = export.read()
    assert read.problems == []
    assert read.summary.lines == 6
    good = read.records["good"]
    assert (good.sex, good.birth_date) == (Sex.FEMALE, date(1950, 2, 3))
    assert [note.source for note in good.notes] == ["DocumentReference/n"]
    assert [event.source for event in good.events] == ["Condition/c", "Procedure/p"]
    assert [event.value for event in read.records["other"].events] == [1.0]


def test_export_single_file_is_read(export, make):
    file = export.write("all.ndjson.gz", make.patient(), make.note("n"))
    assert make.read(file).notes() == ["Tos seca."]


def test_export_gzip_is_detected_by_content(export, make):
    file = export.write("all.ndjson.gz", make.patient(), make.note("n"))
    file.rename(file.with_suffix(""))
    assert export.read().notes() == ["Tos seca."]


def test_export_digest_depends_on_content_alone(tmp_path, make):
    lines = [make.patient(f"p{k}") for k in range(5)]
    lines += [make.note(f"n{k}", f"Nota {k}", about=f"p{k % 5}") for k in range(20)]
    lines += [make.coded("Condition", f"c{k}", about=f"p{k % 5}") for k in range(20)]
    readings = []
    for seed, names in enumerate((["a.ndjson"], ["z.ndjson.gz", "a.ndjson", "b.ndjson.gz"])):
        random.Random(seed).shuffle(lines)
        export = make.Export(tmp_path / str(seed))
        for k, name in enumerate(names):
            export.write(name, *lines[k :: len(names)])
        readings.append(export.read())
    assert readings[0].records == readings[1].records
    assert readings[0].summary == readings[1].summary
    assert len(readings[0].summary.digest) == 64
    changed = make.Export(tmp_path / "changed")
    changed.write("a.ndjson", *lines, make.patient("one-more"))
    assert changed.read().summary.digest != readings[0].summary.digest


def test_summary_counts_unused_types(export, make):
    export.write("a.ndjson", make.patient(), make.coded("AllergyIntolerance", "a"), make.note("n"))
    export.write("b.ndjson", {"resourceType": "OperationOutcome"})
    counts = export.read().summary.types
    assert (counts["AllergyIntolerance"].seen, counts["AllergyIntolerance"].skipped) == (1, 1)
    assert counts["OperationOutcome"].skipped == 1


def test_record_notes_and_events_are_sorted(export, make):
    export.write(
        "a.ndjson",
        make.patient(),
        make.note("b", date="2024-01-02T10:00:00+01:00"),
        make.note("a", date="2024-01-02"),
        make.note("c"),
        make.note("d", date="2023-12-31T23:30:00Z"),
        make.coded("Condition", "z", onsetDateTime="2020"),
        make.coded("Condition", "y"),
        make.coded("Condition", "x", onsetDateTime="2020-01-01"),
    )
    good = export.read().records["good"]
    assert [note.source[-1] for note in good.notes] == ["c", "d", "a", "b"]
    assert [event.source[-1] for event in good.events] == ["y", "x", "z"]


def test_summary_latest_day_is_clinical_and_past(export, make):
    export.write(
        "a.ndjson",
        make.patient(birthDate="2024-05-30"),
        make.note("n", date="2024-03-01"),
        make.coded("Condition", "c", onsetDateTime="2024-02-01", abatementDateTime="2024-04-02"),
        make.coded("Encounter", "e", period={"start": "2024-02-01", "end": "2030-01-01"}),
        make.coded("Observation", "o", status="cancelled", effectiveDateTime="2024-05-01"),
        make.coded("Observation", "x", about="nobody", effectiveDateTime="2024-05-02"),
        make.coded("Observation", "f", effectiveDateTime="2027-05-02"),
    )
    summary = export.read().summary
    assert summary.latest == date(2024, 3, 1)
    assert summary.days == {
        date(2024, 2, 1): DayCounts(patients=1, resources=2),
        date(2024, 3, 1): DayCounts(patients=1, resources=1),
    }


@pytest.mark.parametrize(
    "system",
    [
        "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
        "urn:oid:2.16.840.1.113883.5.1063",
    ],
)
def test_ai_asserted_resources_are_left_out(export, make, system):
    meta = {"security": [{"system": system, "code": "AIAST"}]}
    export.write(
        "a.ndjson",
        make.patient(),
        make.coded("Observation", "o", status="preliminary", meta=meta),
        make.coded("Observation", "h", status="preliminary"),
        make.note("n", meta=meta),
    )
    read = export.read()
    assert [event.source for event in read.records["good"].events] == ["Observation/h"]
    assert read.notes() == []
    assert read.summary.types["Observation"].left_out == 1


def test_model_card_is_left_out(export, make):
    guide = "http://hl7.org/fhir/uv/aitransparency/CodeSystem/AIinputsCS"
    card = make.note("card", type={"coding": [{"system": guide, "code": "AIModelCard"}]})
    export.write("a.ndjson", make.patient(), make.note("n"), card)
    read = export.read()
    assert len(read.notes()) == 1
    assert read.summary.types["DocumentReference"].left_out == 1
    assert read.problems == []


def test_references_of_all_forms_are_followed(export, make):
    forms = ["Patient/p", "https://ehr.example/r4/Patient/p/_history/3", "urn:uuid:p"]
    lines = [make.coded("Condition", f"c{k}") for k in range(len(forms))]
    for line, form in zip(lines, forms, strict=True):
        line["subject"] = {"reference": form}
    export.write("a.ndjson", make.patient("p"), *lines)
    assert len(export.read().records["p"].events) == 3


def test_spool_is_private_and_removed(export, make, tmp_path):
    export.write("a.ndjson", make.patient(), make.note("n"))
    spool = tmp_path / "spool"
    spool.mkdir()

    class Interrupted(Exception):
        pass

    with pytest.raises(Interrupted), BulkExport(export.folder, spool) as source:
        source.scan(lambda read: None)
        assert list(spool.iterdir()) == []  # not even while it is in use
        fds = Path("/proc/self/fd")
        if fds.is_dir():
            own = [fd for fd in fds.iterdir() if str(spool) in os.path.realpath(fd)]
            assert [fd.stat().st_mode & 0o777 for fd in own] == [0o600]
        raise Interrupted
    assert list(spool.iterdir()) == []


def test_spool_is_removed_on_close_where_unlink_is_refused(export, make, tmp_path, monkeypatch):
    export.write("a.ndjson", make.patient(), make.note("n"))
    unlink = Path.unlink
    refusals = iter([True])

    def refuse_once(self: Path, missing_ok: bool = False) -> None:
        if next(refusals, False):
            raise PermissionError
        unlink(self, missing_ok)

    monkeypatch.setattr(Path, "unlink", refuse_once)
    spool = tmp_path / "spool"
    spool.mkdir()
    with BulkExport(export.folder, spool) as source:
        source.scan(lambda read: None)
        (file,) = spool.iterdir()
        assert file.stat().st_mode & 0o777 == 0o600
    assert list(spool.iterdir()) == []


def test_full_disk_raises_e222(export, make):
    export.write("a.ndjson", make.patient(), *(make.note(f"n{k}", "x" * 5000) for k in range(99)))
    with BulkExport(export.folder) as source:
        source._spool.db.execute("PRAGMA max_page_count = 20")
        with pytest.raises(InputError, match=r"E222.*free space") as error:
            source.scan(lambda read: None)
    assert error.value.__cause__ is None


def test_memory_is_bounded_in_export_size(export, make):
    def peak(notes: int) -> int:
        export.write(
            "a.ndjson",
            *(make.patient(f"p{k}") for k in range(notes // 4)),
            *(make.note(f"n{k}", f"{k} " + "x" * 2000, about=f"p{k // 4}") for k in range(notes)),
        )
        with BulkExport(export.folder) as source:
            tracemalloc.start()
            source.scan(lambda read: None)
            assert sum(len(record.notes) for record in source.records()) == notes
            _, most = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        return most

    few, many = peak(1_000), peak(4_000)  # 2 MB and 8 MB of text
    assert many < few + 1_000_000


@pytest.mark.parametrize("make_it", [False, True])
def test_missing_or_empty_export_raises(tmp_path, make_it):
    folder = tmp_path / "none"
    if make_it:
        folder.mkdir()
        (folder / "sub.ndjson").mkdir()
    source = BulkExport(folder)
    with pytest.raises(InputError, match="E201" if make_it else "E200") as error, source:
        pass
    assert error.value.exit_code == 4


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_unreadable_file_raises_e202(export, make):
    export.write("a.ndjson", make.patient()).chmod(0)
    with BulkExport(export.folder) as source, pytest.raises(InputError, match="E202"):
        source.scan(lambda read: None)


def test_vanished_file_raises_e202(export, make):
    file = export.write("a.ndjson", make.patient())
    with BulkExport(export.folder) as source:
        file.unlink()
        with pytest.raises(InputError, match=r"E202 'a\.ndjson' cannot be read"):
            source.scan(lambda read: None)


def test_bulk_export_outside_context_raises(export, make):
    export.write("a.ndjson", make.patient())
    with pytest.raises(RuntimeError, match="with BulkExport"):
        BulkExport(export.folder).scan(lambda read: None)


SUBSETTED = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "SUBSETTED",
}


@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")])
@pytest.mark.parametrize("dated", [True, False])
def test_part_of_a_resource_never_replaces_it(export, make, names, dated):
    """Not even where it is newer, or read first."""
    whole, part = names
    later = {"lastUpdated": "2024-05-02T00:00:00Z"} if dated else {}
    refuted = {"coding": [{"code": "refuted"}]}
    export.write("0.ndjson", make.patient())
    export.write(f"{whole}.ndjson", make.coded("Condition", "c", verificationStatus=refuted))
    export.write(f"{part}.ndjson", make.coded("Condition", "c", meta={"tag": [SUBSETTED]} | later))
    read = export.read()
    assert read.problems == []
    assert [event.negated for event in read.records["good"].events] == [True]


def test_part_of_a_resource_without_the_whole_is_read_and_said(export, make):
    export.write("a.ndjson", make.patient(), make.note("n", meta={"tag": [SUBSETTED]}))
    read = export.read()
    assert [(p.code, p.resource) for p in read.problems] == [("E291", "DocumentReference/n")]
    assert read.notes() == ["Tos seca."]


def test_unreadable_resource_of_another_version_is_told_apart(export, make):
    export.write(
        "a.ndjson",
        make.patient(),
        make.coded("MedicationStatement", "m", medication=[{"concept": 1}]),
        make.coded("MedicationStatement", "n", medicationCodeableConcept=[]),
        make.coded("MedicationOrder", "o"),
        make.coded("DeviceUsage", "d"),
    )
    read = export.read()
    assert [(p.line, p.code) for p in read.problems] == [(2, "E292"), (3, "E216"), (4, "E292")]
    assert "R5" in read.problems[0].reason
    assert read.summary.types["DeviceUsage"].skipped == 1
