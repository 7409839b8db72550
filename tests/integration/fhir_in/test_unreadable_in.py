"""Readable text beside an attachment that is not read, and notes that look broken."""

from __future__ import annotations

import base64


def pdf() -> dict[str, str]:
    data = base64.b64encode(b"%PDF-1.7").decode()
    return {"contentType": "application/pdf", "data": data}


def test_conclusion_beside_unreadable_form_is_read(export, make):
    export.write(
        "a.ndjson",
        make.patient(),
        make.coded("DiagnosticReport", "1", presentedForm=[pdf()], conclusion="FEVI 35%"),
        make.coded(
            "DiagnosticReport", "2", presentedForm=[{"url": "Binary/b"}], conclusion="IC leve"
        ),
        make.coded(
            "DiagnosticReport", "3", presentedForm=[{"url": "Binary/c"}], conclusion="Corto"
        ),
        make.binary("b", b"%PDF-1.7", "application/pdf"),
        make.binary("c", b"Informe completo"),
    )
    read = export.read()
    assert sorted(read.notes()) == ["FEVI 35%", "IC leve", "Informe completo"]
    assert read.codes == ["E240", "E240"]


def test_second_attachment_beside_unreadable_is_read(export, make):
    rtf = {"contentType": "text/rtf", "data": base64.b64encode(b"{\\rtf1 Tos}").decode()}
    export.write("a.ndjson", make.patient(), make.attached("n", [pdf(), rtf]))
    assert export.read().notes() == ["Tos"]


def test_note_that_looks_broken_is_read_and_said(export, make):
    export.write("a.ndjson", make.patient(), make.note("n", "diagn\ufffdstico"))
    read = export.read()
    assert (read.notes(), read.codes) == (["diagn\ufffdstico"], ["E242"])
    assert read.summary.types["DocumentReference"].used == 1


def test_rtf_emoji_reaches_the_record_as_one_character(export, make):
    note = rb"{\rtf1 Bien \u-10179?\u-8704? \u-10179? fin}"
    export.write("a.ndjson", make.patient(), make.note("n", note))
    read = export.read()
    assert (read.notes(), read.codes) == (["Bien 😀 \ufffd fin"], ["E242"])
