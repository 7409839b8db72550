"""The real exports beside the checkout: nothing is lost."""

import gzip
from datetime import date

from fhir_adapters.reading import BulkExport


def lines_of(folder):
    total = 0
    for file in folder.iterdir():
        with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as stream:
            total += sum(1 for _ in stream)
    return total


def test_case_reports_export_is_read(shared, make):
    folder = shared / "data" / "case-reports-export"
    with BulkExport(folder, today=make.today) as export:
        summary = export.scan(lambda read: None)
        assert summary.lines == lines_of(folder) == 2516
        assert (summary.patients, summary.notes) == (1258, 1258)
        assert all(counts.used == counts.seen for counts in summary.types.values())
        assert list(export.problems()) == []
        texts = [record.notes[0].text for record in export.records()]
    assert all(len(text) > 100 for text in texts)
    assert not any("\ufffd" in text or "Ã" in text for text in texts)


def test_synthea_export_is_read(shared, make):
    folder = shared / "data" / "synthea-export"
    with BulkExport(folder, today=make.today) as export:
        summary = export.scan(lambda read: None)
        assert summary.lines == lines_of(folder)
        assert {kind: counts.seen for kind, counts in summary.types.items()} == {
            "Condition": 4546,
            "Encounter": 18098,
            "MedicationRequest": 4712,
            "Observation": 88674,
            "Patient": 615,
        }
        assert all(counts.adds_up() for counts in summary.types.values())
        assert list(export.problems()) == []
        assert summary.latest == date(2021, 3, 31)
        failing = sum(
            any(coding.code == "88805009" for event in record.events for coding in event.codings)
            for record in export.records()
        )
    assert failing == 49


def test_gold_export_is_read(shared, make):
    read = make.read(shared / "data" / "gold" / "export", today=date(2025, 1, 1))
    assert (read.summary.patients, read.summary.notes, read.problems) == (95, 95, [])
