"""Attachments saved beside the export, and urls as servers write them."""

from __future__ import annotations

import base64

import pytest

from fhir_adapters.reading.attachment_files import file_name


def by_url(make, url: str, id_: str = "n", media: str = "text/plain"):
    return make.attached(id_, [{"contentType": media, "url": url}])


@pytest.mark.parametrize(
    "url",
    [
        "./attachments/1700-a b.txt",
        "attachments/1700-a%20b.txt",
        "../attachments/1700-a b.txt",
        "file:///data/export/attachments/1700-a%20b.txt",
        "attachments\\1700-a b.txt",
    ],
)
@pytest.mark.parametrize("beside", [False, True])
def test_file_in_attachments_folder_is_read(export, make, url, beside):
    folder = (export.folder.parent if beside else export.folder) / "attachments"
    folder.mkdir()
    (folder / "1700-a b.txt").write_text("Disnea, ñ", "utf-8")
    export.write("a.ndjson", make.patient(), by_url(make, url))
    assert export.read().notes() == ["Disnea, ñ"]


@pytest.mark.parametrize("name", ["b-1", "b-1.html", "b-1.txt"])
def test_file_named_by_id_stands_in_for_binary(export, make, name):
    (export.folder / "attachments").mkdir()
    (export.folder / "attachments" / name).write_text("<p>Disnea<p>Tos", "utf-8")
    url = "https://ehr.example/fhir/Binary/b-1?_format=json"
    export.write("a.ndjson", make.patient(), by_url(make, url, media="text/html"))
    assert export.read().notes() == ["Disnea\n\nTos"]


@pytest.mark.parametrize(
    "url",
    [
        "Binary/b?_format=application/fhir%2Bjson",
        "https://ehr.example/r4/Binary/b?_format=json#x",
        "https://ehr.example/r4/Binary/b/_history/2?x=1",
        "https://ehr.example/Binary/b/",
    ],
)
def test_binary_is_found_by_url_with_query(export, make, url):
    export.write("a.ndjson", make.patient(), make.binary("b", b"Tos"), by_url(make, url))
    assert export.read().notes() == ["Tos"]


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("./attachments/none.txt", "E204"),
        ("./attachments/../secret.txt", "E231"),
        ("./attachments/link.txt", "E204"),
        ("https://ehr.example/attachments/1", "E231"),
        ("./attachments/large.txt", "E234"),
        ("./attachments/scan.pdf", "E232"),
    ],
)
def test_file_that_cannot_be_read_is_said(export, make, url, code):
    folder = export.folder / "attachments"
    folder.mkdir()
    (export.folder / "secret.txt").write_text(make.canary)
    (folder / "link.txt").symlink_to(export.folder / "secret.txt")
    (folder / "large.txt").write_text("x" * 2000)
    (folder / "scan.pdf").write_bytes(b"%PDF-1.7")
    export.write("a.ndjson", make.patient(), by_url(make, url))
    read = export.read(max_note_bytes=1000)
    assert (read.codes, read.notes()) == ([code], [])


def test_file_is_part_of_the_exports_digest(export, make):
    (export.folder / "attachments").mkdir()
    path = export.folder / "attachments" / "a.txt"
    export.write("a.ndjson", make.patient(), by_url(make, "./attachments/a.txt"))
    digests = set()
    for text in ("Tos", "Disnea"):
        path.write_text(text)
        digests.add(export.read().summary.digest)
    assert len(digests) == 2


def test_name_of_a_file_is_no_way_out_of_the_folder():
    assert file_name("attachments/%2e%2e/%2e%2e/etc/passwd") is None
    assert file_name("attachments/a\0b") is None
    assert file_name("attachments/") is None


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
