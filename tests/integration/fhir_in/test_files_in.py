"""Files of every guise: read where it is plain how, said where they are not."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from clinical_nlp.errors import InputError
from clinical_nlp.records import FileCounts


def zstd(data: bytes) -> bytes:
    return bytes(pa.compress(data, "zstd", asbytes=True))


def ndjson(resources: Iterable[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(r).encode() + b"\n" for r in resources)


def bundle(resources: Iterable[dict[str, Any]], kind: str = "collection") -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": kind, "entry": [{"resource": r} for r in resources]}


def pretty(value: Any) -> bytes:
    return json.dumps(value, indent=2, ensure_ascii=False).encode()


#: Name of a file, and how it holds resources.
GUISES = {
    "Condition.jsonl": ndjson,
    "Condition.NDJSON": ndjson,
    "Condition.ndjson.1": ndjson,
    "Condition.000.ndjson": ndjson,
    "Condition.ndjson.gz.2": lambda r: gzip.compress(ndjson(r)),
    "Condition.ndjson.1.gz": lambda r: gzip.compress(ndjson(r)),
    "Condition.jsonl.gz": lambda r: gzip.compress(ndjson(r)),
    "Condition.ndjson.zst": lambda r: zstd(ndjson(r)),
    "Condition.ndjson.bz2": lambda r: bz2.compress(ndjson(r)),
    "Condition.ndjson.xz": lambda r: lzma.compress(ndjson(r)),
    "Condition-lines.json": ndjson,
    "Condition.json": lambda r: pretty(bundle(r)),
    "Condition-one-line.json": lambda r: json.dumps(bundle(r, "searchset")).encode(),
    "Condition-list.json": lambda r: pretty(list(r)),
    "Condition-bom.json": lambda r: b"\xef\xbb\xbf" + pretty(bundle(r)),
    "Condition.json.gz": lambda r: gzip.compress(pretty(bundle(r))),
    "Condition-pretty.ndjson": lambda r: pretty(bundle(r)),
    "Condition-bundle.ndjson": lambda r: json.dumps(bundle(r, "batch")).encode(),
    "Condition-list.ndjson": lambda r: json.dumps(list(r)).encode(),
}


@pytest.mark.parametrize("name", GUISES)
def test_file_of_any_guise_is_read(export, make, name):
    export.write("Patient.ndjson", make.patient())
    found = [make.coded("Condition", f"c{k}") for k in range(3)]
    (export.folder / name).write_bytes(GUISES[name](found))
    read = export.read()
    assert read.problems == []
    assert [e.source for e in read.records["good"].events] == [f"Condition/c{k}" for k in range(3)]
    assert read.summary.files == FileCounts(read=2)


@pytest.mark.parametrize("layout", [json.dumps, lambda r: json.dumps(r, indent=1)])
def test_single_resource_as_json_is_read(export, make, layout):
    export.write("Patient.json", layout(make.patient()))
    export.write("Condition.json", layout(make.coded("Condition", "c")))
    assert len(export.read().records["good"].events) == 1


def test_document_that_breaks_off_keeps_whole_lines(export, make):
    """A file of lines whose first is cut is no document, and its other lines are read."""
    export.write("a.ndjson", "{", make.patient(), make.note("n"))
    export.write("b.json", '{"resourceType":', make.note("m", "Otra."))
    read = export.read()
    assert read.codes == ["E206", "E206"]
    assert sorted(read.notes()) == ["Otra.", "Tos seca."]


@pytest.mark.parametrize("pack", [gzip.compress, zstd, bz2.compress, lzma.compress])
def test_compressed_file_that_breaks_off_is_said(export, make, pack):
    export.write("a.ndjson", make.patient())
    data = pack(ndjson(make.note(f"n{k}", f"Nota {k} {k * 7919}") for k in range(300)))
    (export.folder / "b.ndjson.x").with_suffix("").write_bytes(data[: len(data) // 2])
    read = export.read()
    assert read.codes == ["E203"]
    assert read.summary.types["?"].quarantined == 1


def archive(path: Path, **members: bytes) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members.items():
            packed.writestr(name, content)


def test_zip_is_read_member_by_member(export, make):
    archive(
        export.folder / "export.zip",
        **{
            "night/Patient.ndjson": ndjson([make.patient(), make.patient("gone")]),
            "night/Condition.json": pretty(bundle([make.coded("Condition", "c")])),
            "night/notes.ndjson.gz": gzip.compress(ndjson([make.note("n", "En un ZIP.")])),
            "night/deleted/Patient.ndjson": ndjson([deletion("Patient/gone")]),
            "__MACOSX/._Patient.ndjson": b"x",
            "night/leeme.txt": b"x",
        },
    )
    read = export.read()
    assert read.problems == []
    assert set(read.records) == {"good"}
    assert (read.notes(), len(read.records["good"].events)) == (["En un ZIP."], 1)
    assert read.summary.files == FileCounts(read=4, other=1)
    assert make.read(export.folder / "export.zip").notes() == ["En un ZIP."]


def test_defect_in_zip_names_member_and_line(export, make):
    archive(export.folder / "e.zip", **{"a/P.ndjson": ndjson([make.patient()]) + b"\n{broken\n"})
    (problem,) = export.read().problems
    assert (problem.file, problem.line, problem.code) == ("e.zip/a/P.ndjson", 3, "E206")


def test_damaged_zip_is_said(export, make):
    export.write("Patient.ndjson", make.patient())
    (export.folder / "e.zip").write_bytes(b"PK\x03\x04" + bytes(90))
    read = export.read()
    assert [(p.code, p.file, p.line) for p in read.problems] == [("E286", "e.zip", None)]


UNREAD = {
    "Condition.xml": "E284",
    "Condition.parquet": "E284",
    "Condition.ndjson.part": "E284",
    "Condition.ndjson.crdownload": "E284",
    "export.tar.gz": "E284",
    "export.7z": "E284",
    "night/Condition.ndjson": "E285",
    "night/more/Condition.jsonl": "E285",
    "README.md": None,
    "SHA256SUMS": None,
    "docs/leeme.pdf": None,
    "error/OperationOutcome.ndjson": None,
}


@pytest.mark.parametrize(("name", "code"), UNREAD.items())
def test_file_that_is_not_read_is_said(export, make, name, code):
    export.write("Patient.ndjson", make.patient())
    path = export.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    read = export.read()
    said = name if "/" not in name else f"{name.split('/')[0]}/"
    assert [(p.code, p.file) for p in read.problems] == ([(code, said)] if code else [])
    assert read.summary.files == FileCounts(1, unread=bool(code), other=not code)


def test_folder_without_anything_to_read_stops(export):
    (export.folder / "Condition.xml").write_bytes(b"<Condition/>")
    with pytest.raises(InputError, match="E201"):
        export.read()


def test_log_and_manifest_of_export_clients_are_no_fault(export, make):
    export.write("Patient.ndjson", make.patient())
    event = {"exportId": "e", "timestamp": "2024-05-01T00:00:00Z", "eventId": "kickoff"}
    export.write("log.ndjson", event, event | {"eventId": "export_complete"}, {"other": 1})
    export.write("0.ndjson", event)
    export.write("manifest.json", '{"transactionTime": "2024-05-01", "output": [], "deleted": []}')
    read = export.read()
    assert read.problems == []
    assert (read.summary.types["log"].skipped, read.summary.types["manifest"].skipped) == (4, 1)


def deletion(*urls: str, method: str = "DELETE", **fields: Any) -> dict[str, Any]:
    entries = [{"request": {"method": method, "url": url}} | fields for url in urls]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


@pytest.mark.parametrize(
    "name", ["0-first.ndjson", "z-last.ndjson", "deleted/Any.ndjson", "d.json"]
)
@pytest.mark.parametrize(
    "form", ["{}", "/{}", "https://ehr.example/fhir/{}", "{}/_history/2", "urn:uuid:id"]
)
def test_deletion_removes_what_it_names(export, make, name, form):
    export.write(
        "m.ndjson", make.patient(), make.note("keep", "Queda."), make.note("n", "Borrada.")
    )
    export.write("o.ndjson", make.coded("Condition", "c"), make.coded("Condition", "keep-c"))
    (export.folder / "deleted").mkdir()
    urls = ("DocumentReference/n", "Condition/c")
    if form.startswith("urn"):
        bundles = deletion("urn:uuid:n", "urn:uuid:c")
    else:
        bundles = deletion(*(form.format(url) for url in urls))
    export.write(name, bundles)
    read = export.read()
    assert read.problems == []
    assert read.notes() == ["Queda."]
    assert [e.source for e in read.records["good"].events] == ["Condition/keep-c"]
    assert read.summary.types["DocumentReference"].left_out == 1


def test_deletion_of_patient_takes_all_that_is_theirs(export, make):
    export.write("a.ndjson", make.patient(), make.patient("gone"), make.note("g"))
    export.write(
        "b.ndjson", make.note("n", about="gone"), make.coded("Condition", "c", about="gone")
    )
    export.write("c.ndjson", deletion("Patient/gone"))
    read = export.read()
    assert read.problems == []
    assert set(read.records) == {"good"}
    assert read.summary.types["Condition"].left_out == 1


def test_plain_resource_in_folder_of_deletions_is_removed(export, make):
    export.write("a.ndjson", make.patient(), make.note("n"))
    (export.folder / "deleted").mkdir()
    export.write("deleted/DocumentReference.ndjson", make.note("n"))
    read = export.read()
    assert (read.problems, read.notes()) == ([], [])


def test_resource_created_again_after_its_deletion_stays(export, make):
    meta = {"lastUpdated": "2024-05-02T10:00:00Z"}
    export.write("a.ndjson", make.patient(), make.note("n", meta=meta), make.note("m", meta=meta))
    earlier = {"response": {"lastModified": "2024-05-01T10:00:00Z"}}
    later = {"response": {"lastModified": "2024-05-03T10:00:00Z"}}
    export.write("b.ndjson", deletion("DocumentReference/n", **earlier))
    export.write("c.ndjson", deletion("DocumentReference/m", **later))
    assert [note.source for note in export.read().records["good"].notes] == ["DocumentReference/n"]


def test_history_bundle_gives_its_latest_version(export, make):
    def version(number: int, text: str) -> dict[str, Any]:
        meta = {"versionId": str(number), "lastUpdated": f"2024-05-0{number}T00:00:00Z"}
        return {
            "resource": make.note("n", text, meta=meta),
            "request": {"method": "PUT", "url": "x"},
        }

    history = {"resourceType": "Bundle", "type": "history"}
    export.write("a.ndjson", make.patient())
    export.write("h.json", history | {"entry": [version(2, "Nueva."), version(1, "Vieja.")]})
    assert export.read().notes() == ["Nueva."]


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        ({"request": {"method": "DELETE", "url": "Patient?identifier=CANARIO-7F3A"}}, "E287"),
        ({"request": {"method": "DELETE"}}, "E287"),
        ({"request": {"method": "PATCH", "url": "Patient/good"}, "resource": {"a": 1}}, "E211"),
        ({"fullUrl": "urn:uuid:x"}, "E211"),
        ({"request": {"method": "GET", "url": "Patient/good"}}, None),
        ({"request": "CANARIO-7F3A"}, "E216"),
        ({"resource": {"resourceType": "CANARIO-7F3A"}}, "E210"),
    ],
)
def test_entry_that_cannot_be_used_is_said(export, make, entry, code):
    bad = {"resourceType": "Bundle", "entry": [entry, {"resource": make.note("n")}]}
    export.write("a.ndjson", make.patient(), bad)
    read = export.read()
    assert read.codes == ([code] if code else [])
    assert read.notes() == ["Tos seca."]


def test_transaction_entry_takes_its_id_from_its_name(export, make):
    condition = make.coded("Condition", "x", about="p")
    del condition["id"]
    condition["subject"] = {"reference": "urn:uuid:p"}
    person = make.patient("p")
    del person["id"]
    entries = [
        {"fullUrl": "urn:uuid:c", "resource": condition, "request": {"method": "POST", "url": "x"}},
        {"fullUrl": "urn:uuid:p", "resource": person, "request": {"method": "POST", "url": "x"}},
    ]
    export.write("t.json", {"resourceType": "Bundle", "type": "transaction", "entry": entries})
    assert [e.source for e in export.read().records["p"].events] == ["Condition/c"]


@pytest.mark.parametrize(
    "url",
    [
        "./attachments/nota%201.txt",
        "attachments/nota 1.txt",
        "../attachments/nota%201.txt",
        "https://ehr.example/export/attachments/nota%201.txt",
        "attachments/nota%201.txt?_format=text",
    ],
)
@pytest.mark.parametrize("zipped", [False, True])
def test_attachment_file_beside_the_export_is_read(export, make, url, zipped):
    note = make.attached("n", [{"contentType": "text/plain", "url": url}])
    if zipped:
        members = {"x/attachments/nota 1.txt": b"Junto a la exportaci\xf3n."}
        archive(
            export.folder / "e.zip", **{"x/a.ndjson": ndjson([make.patient(), note])}, **members
        )
    else:
        export.write("a.ndjson", make.patient(), note)
        (export.folder / "attachments").mkdir()
        (export.folder / "attachments" / "nota 1.txt").write_bytes(b"Junto a la exportaci\xf3n.")
    read = export.read()
    assert (read.problems, read.notes()) == ([], ["Junto a la exportación."])


@pytest.mark.parametrize(
    "url",
    [
        "attachments/../secret.txt",
        "attachments/%2e%2e/secret.txt",
        "attachments//secret.txt",
        "attachments/link.txt",
        "attachments/none.txt",
        "attachments/%00",
    ],
)
def test_attachment_outside_its_folder_is_not_read(export, make, url, tmp_path):
    (export.folder / "secret.txt").write_bytes(b"Secreto")
    (export.folder / "attachments").mkdir()
    (export.folder / "attachments" / "link.txt").symlink_to(export.folder / "secret.txt")
    attachment = {"contentType": "text/plain", "url": url}
    export.write("a.ndjson", make.patient(), make.attached("n", [attachment]))
    read = export.read()
    assert (read.codes, read.notes()) == (["E231"], [])


@pytest.mark.parametrize(
    "url", ["Binary/b?_format=text/plain", "https://x.example/Binary/b?_format=json&_pretty=true"]
)
def test_binary_url_with_format_is_followed(export, make, url):
    export.write("a.ndjson", make.patient(), make.binary("b", b"Por Binary."))
    export.write("b.ndjson", make.attached("n", [{"contentType": "text/plain", "url": url}]))
    assert export.read().notes() == ["Por Binary."]
