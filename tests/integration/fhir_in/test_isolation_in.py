"""An error that nobody foresaw, at any stage of reading, costs one resource and is said."""

from __future__ import annotations

import base64
import sqlite3
from typing import Any

import pytest

from clinical_nlp.errors import InputError
from fhir_adapters.reading import attachments, intake, resolution
from fhir_adapters.reading import export as export_module
from fhir_adapters.reading.resources import document
from fhir_adapters.reading.text.reading import Format

FAULT = "CANARIO-7F3A"


def failing(inner: Any, when: Any, error: Exception) -> Any:
    """A function that fails where ``when`` holds of its first argument."""

    def outer(first: Any, *rest: Any) -> Any:
        if when(first):
            raise error
        return inner(first, *rest)

    return outer


def exported(export, make) -> None:
    export.write("a.ndjson", make.patient(), make.note("n", "Nota buena."))
    by_binary = make.attached("b", [{"contentType": "text/plain", "url": "Binary/x"}])
    export.write(
        "b.ndjson",
        make.note("bad", "Nota mala."),
        make.coded("Condition", "bad"),
        make.coded("Condition", "c"),
        by_binary,
        make.binary("x", b"Nota mala en Binary."),
    )


STAGES = {
    "parse": (intake, "load", lambda line: b'"bad"' in line and b"Document" in line),
    "identity": (
        intake,
        "identity",
        lambda r: r["resourceType"] == "Condition" and r["id"] == "bad",
    ),
    "attachment": (
        document,
        "read_attachment",
        lambda attachment: attachment.get("data") == base64.b64encode(b"Nota mala.").decode(),
    ),
    "decode": (attachments, "read_bytes", lambda data: data == b"Nota mala."),
    "spool": (intake, "choose", lambda parts: parts[0].text == "Nota mala."),
    "binary": (resolution, "read_binary", lambda part: True),
    "resolve": (resolution, "choose", lambda parts: True),
}


@pytest.mark.parametrize("error", [KeyError(FAULT), UnicodeEncodeError("utf-8", FAULT, 0, 1, "x")])
@pytest.mark.parametrize("stage", STAGES)
def test_error_at_any_stage_quarantines_one_resource(export, make, monkeypatch, stage, error):
    exported(export, make)
    module, name, when = STAGES[stage]
    monkeypatch.setattr(module, name, failing(getattr(module, name), when, error))
    read = export.read()
    (problem,) = read.problems
    assert problem.code == "E299"
    assert type(error).__name__ in problem.reason
    assert problem.file == "b.ndjson"
    expected = {"notes": 3, "events": 2}
    expected["events" if stage == "identity" else "notes"] -= 1
    good = read.records["good"]
    assert {"notes": len(good.notes), "events": len(good.events)} == expected
    assert "Nota buena." in read.notes()


@pytest.mark.parametrize("codec", ["EVENTS", "RECORD"])
def test_error_while_yielding_records_is_said_afterwards(export, make, monkeypatch, codec):
    export.write("a.ndjson", make.patient(), make.patient("other"))
    export.write("b.ndjson", make.coded("Condition", "c"), make.coded("Condition", "d"))
    inner = getattr(export_module, codec)

    class Failing:
        def loads(self, text: str) -> Any:
            if '"Condition/c"' in text or '"good"' in text:
                raise KeyError(FAULT)
            return inner.loads(text)

    monkeypatch.setattr(export_module, codec, Failing())
    with export_module.BulkExport(export.folder, today=make.today) as source:
        source.scan(lambda read: None)
        assert list(source.problems()) == []
        records = {record.id: record for record in source.records()}
        (problem,) = source.problems()
        assert list(source.problems()) == []
    assert problem.code == "E299"
    if codec == "RECORD":
        assert (set(records), problem.resource) == ({"other"}, "Patient/good")
    else:
        assert [e.source for e in records["good"].events] == ["Condition/d"]
        assert problem.resource == "Condition/c"


def test_error_of_the_disk_ends_the_scan(export, make, monkeypatch):
    exported(export, make)
    full = sqlite3.OperationalError("database or disk is full")
    monkeypatch.setattr(intake, "choose", failing(intake.choose, lambda parts: True, full))
    with pytest.raises(InputError, match="E222"):
        export.read()


def test_lone_surrogates_that_markup_leaves_are_replaced(export, make, monkeypatch):
    exported(export, make)
    decoded = ("Nota \ud83d mala", Format.PLAIN, None)
    monkeypatch.setattr(attachments, "read_bytes", lambda *_: decoded)
    assert set(export.read().notes()) == {"Nota \ufffd mala"}
