"""Notes in Binaries, in several versions, and in documents that replace one another."""

import base64

import pytest


def by_url(make, id_, url, **fields):
    return make.attached(id_, [{"contentType": "text/plain", "url": url}], **fields)


@pytest.mark.parametrize("binary_first", [True, False])
@pytest.mark.parametrize(
    "url",
    [
        "Binary/b",
        "/Binary/b",
        "https://ehr.example/r4/Binary/b",
        "Binary/b/_history/1",
        "urn:uuid:b",
    ],
)
def test_note_in_binary_is_read(export, make, url, binary_first):
    lines = [make.binary("b", "Disnea, ñ".encode()), by_url(make, "n", url)]
    export.write("a.ndjson", make.patient(), *(lines if binary_first else lines[::-1]))
    read = export.read()
    assert read.notes() == ["Disnea, ñ"]
    assert read.summary.types["Binary"].used == 1


def test_unreferenced_binary_is_left_out(export, make):
    export.write(
        "a.ndjson",
        make.patient(),
        make.binary("pdf", b"%PDF-1.7", "application/pdf"),
        make.binary("alone", b"Tos"),
        make.binary("of-replaced", b"Tos"),
        by_url(make, "n", "Binary/pdf"),
        by_url(make, "old", "Binary/of-replaced"),
        make.note("new", relatesTo=replaces("old")),
    )
    read = export.read()
    assert read.codes == ["E232"]
    assert (read.summary.types["Binary"].left_out, read.summary.types["Binary"].used) == (3, 0)


def test_binary_content_type_prefers_more_specific(export, make):
    latin = "Ñu de 5 €".encode("iso8859-15")
    export.write(
        "a.ndjson",
        make.patient(),
        make.binary("b1", latin, "text/plain; charset=ISO-8859-15"),
        make.binary("b2", latin, "application/octet-stream"),
        make.attached("n1", [{"contentType": "text/plain", "url": "Binary/b1"}]),
        make.attached(
            "n2", [{"contentType": "text/plain; charset=ISO-8859-15", "url": "Binary/b2"}]
        ),
        make.attached("n3", [{"url": "Binary/b1", "language": "gl"}]),
    )
    read = export.read()
    assert read.notes() == ["Ñu de 5 €"] * 3
    assert read.records["good"].notes[2].language == "gl"


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ([], "E204"),
        ([{"resourceType": "Binary", "id": "b", "contentType": "text/plain"}], "E230"),
        ([{"resourceType": "Binary", "id": "b", "data": "%%%"}], "E233"),
    ],
)
def test_binary_without_text_is_quarantined(export, make, lines, code):
    export.write("a.ndjson", make.patient(), by_url(make, "n", "Binary/b"), make.note("m"), *lines)
    read = export.read()
    assert (read.codes, read.notes()) == ([code], ["Tos seca."])
    assert read.problems[0].resource == "DocumentReference/n"


def test_binary_of_white_space_is_left_out(export, make):
    export.write(
        "a.ndjson", make.patient(), make.binary("b", b" \n"), by_url(make, "n", "Binary/b")
    )
    read = export.read()
    assert read.problems == []
    assert read.summary.types["DocumentReference"].left_out == 1


def test_document_with_pdf_and_text_gives_text(export, make):
    pdf = {"contentType": "application/pdf", "url": "Binary/pdf"}
    html = {"contentType": "text/html", "url": "Binary/html"}
    export.write(
        "a.ndjson",
        make.patient(),
        make.attached("n", [pdf, html]),
        make.binary("pdf", b"%PDF-1.7", "application/pdf"),
        make.binary("html", b"<p>Tos</p>", "text/html"),
    )
    read = export.read()
    assert (read.notes(), read.problems) == (["Tos"], [])
    assert read.records["good"].notes[0].key == "DocumentReference/n"


def test_document_with_several_texts_gives_several_notes(export, make):
    parts = [{"data": base64.b64encode(text).decode()} for text in (b"Uno", b"Dos", b"Uno")]
    export.write("a.ndjson", make.patient(), make.attached("n", parts))
    read = export.read()
    assert read.notes() == ["Uno", "Dos"]
    assert [note.key for note in read.records["good"].notes] == [
        "DocumentReference/n",
        "DocumentReference/n#1",
    ]


def test_document_with_one_unreadable_text_reports_it(export, make):
    parts = [
        {"contentType": "text/plain", "data": "VG9z"},
        {"contentType": "text/plain", "url": "Binary/missing"},
    ]
    export.write("a.ndjson", make.patient(), make.attached("n", parts))
    read = export.read()
    assert (read.notes(), read.codes) == (["Tos"], ["E240"])
    assert "E204" in read.problems[0].reason


def test_reports_and_compositions_give_notes(export, make):
    report = make.coded("DiagnosticReport", "r", conclusion="FEVI 35%", issued="2024-01-02")
    section = {"title": "Juicio", "text": {"div": "<div>ICC</div>"}}
    composition = make.coded("Composition", "c", section=[section], date="2024-01-03")
    export.write("a.ndjson", make.patient(), composition, report, make.coded("Composition", "e"))
    read = export.read()
    assert read.notes() == ["FEVI 35%", "Juicio\nICC"]
    assert read.summary.types["Composition"].left_out == 1


def replaces(*ids: str, type_: str = "DocumentReference") -> list:
    return [{"code": "replaces", "target": {"reference": f"{type_}/{id_}"}} for id_ in ids]


def test_replaced_document_is_left_out(export, make):
    export.write(
        "a.ndjson",
        make.note("c", "C", relatesTo=replaces("b")),
        make.patient(),
        make.note("a", "A"),
        make.note("b", "B", relatesTo=replaces("a")),
    )
    read = export.read()
    assert (read.notes(), read.problems) == (["C"], [])
    assert read.summary.types["DocumentReference"].left_out == 2


def test_document_replaced_by_superseded_one_stays_replaced(export, make):
    export.write(
        "a.ndjson",
        make.patient(),
        make.note("a", "A"),
        make.note("b", "B", status="superseded", relatesTo=replaces("a")),
        make.note("c", "C", relatesTo=replaces("b")),
    )
    assert export.read().notes() == ["C"]


@pytest.mark.parametrize(
    "newer",
    [
        {"status": "entered-in-error"},
        {"content": [{"attachment": {"contentType": "application/pdf", "data": "AAAA"}}]},
    ],
)
def test_document_stays_where_its_replacement_is_unusable(export, make, newer):
    line = make.note("b", "B", relatesTo=replaces("a")) | newer
    export.write("a.ndjson", make.patient(), make.note("a", "A"), line)
    assert export.read().notes() == ["A"]


def test_document_of_other_patient_replaces_nothing(export, make):
    line = make.note("b", "B", about="other", relatesTo=replaces("a"))
    export.write("a.ndjson", make.patient(), make.patient("other"), make.note("a", "A"), line)
    assert export.read().notes() == ["A"]


def test_documents_replaced_in_circle_are_kept_and_reported(export, make):
    export.write(
        "a.ndjson",
        make.patient(),
        make.note("a", "A", relatesTo=replaces("b")),
        make.note("b", "B", relatesTo=replaces("a")),
        make.note("self", "S", relatesTo=replaces("self")),
    )
    read = export.read()
    assert sorted(read.notes()) == ["A", "B", "S"]
    assert read.codes == ["E241"] * 3


def test_versions_last_updated_is_used(export, make):
    old = {"lastUpdated": "2024-01-01T00:00:00Z"}
    new = {"lastUpdated": "2024-01-01T00:30:00+00:00"}
    newest = {"lastUpdated": "2024-01-01T00:15:00-01:00"}
    export.write(
        "a.ndjson",
        make.patient(),
        make.note("n", "vieja", meta=old),
        make.note("n", "última", meta=newest),
        make.note("n", "nueva", meta=new),
        make.note("n", "sin fecha"),
    )
    read = export.read()
    assert (read.notes(), read.problems) == (["última"], [])
    assert read.summary.types["DocumentReference"].duplicate == 3


def test_versions_equal_first_is_used(export, make):
    export.write("b.ndjson", make.note("n", "segunda"), make.patient())
    export.write("a.ndjson", make.note("n", "primera"), make.patient())
    read = export.read()
    assert read.notes() == ["primera"]
    assert read.summary.types["Patient"].duplicate == 1


def test_versions_later_withdrawal_is_used(export, make):
    later = {"lastUpdated": "2024-02-01T00:00:00Z"}
    export.write(
        "a.ndjson",
        make.patient(),
        make.note("n", meta={"lastUpdated": "2024-01-01T00:00:00Z"}),
        make.note("n", status="entered-in-error", meta=later),
    )
    assert export.read().notes() == []


def test_medication_reference_is_followed_in_any_order(export, make):
    def order(id_, of):
        reference = {"reference": f"Medication/{of}"}
        return make.coded("MedicationRequest", id_, medicationReference=reference)

    export.write(
        "a.ndjson",
        make.patient(),
        order("r1", "m"),
        make.coded("Medication", "m", "C03CA01"),
        make.coded("Medication", "unused"),
        make.coded("Medication", "nameless", code={"text": make.canary}),
        order("r2", "missing"),
        order("r3", "nameless"),
    )
    read = export.read()
    (event,) = read.records["good"].events
    assert [coding.code for coding in event.codings] == ["C03CA01"]
    assert read.codes == ["E221", "E221"]
    counts = read.summary.types["Medication"]
    assert (counts.used, counts.left_out) == (1, 2)
