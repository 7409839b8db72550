"""Bad input of every kind is quarantined or refused clearly, and the rest is read."""

import base64
import copy
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


def assert_only(read, code: str, *, resource: str | None) -> None:
    """One problem of this code, and the good note is there."""
    (problem,) = read.problems
    assert (problem.code, problem.resource, problem.file) == (code, resource, "b.ndjson")
    assert problem.line == 2
    assert "Nota buena" in read.notes()


def write_with(export, make, line) -> None:
    export.write("a.ndjson", make.patient())
    export.write("b.ndjson", make.note("good", "Nota buena"), line)


@pytest.mark.parametrize("keep", [0.3, 0.6, 0.99])
def test_scan_truncated_gzip_keeps_lines_before(export, make, keep):
    texts = [base64.b85encode(bytes(range(k, k + 100))) for k in range(100)]
    lines = [make.note(f"n{k}", text) for k, text in enumerate(texts)]
    file = export.write("b.ndjson.gz", *lines)
    file.write_bytes(file.read_bytes()[: int(file.stat().st_size * keep)])
    export.write("a.ndjson", make.patient())
    read = export.read()
    assert read.codes == ["E203"]
    (problem,) = read.problems
    notes = read.notes()
    assert notes
    assert (len(notes) > 80) == (keep > 0.9)
    assert (problem.file, problem.line) == ("b.ndjson.gz", len(notes) + 1)
    assert read.summary.types["?"].quarantined == 1


def test_scan_damaged_gzip_is_quarantined(export, make):
    export.write("a.ndjson", make.patient(), make.note("n"))
    file = export.write("b.ndjson.gz", *(make.note(f"n{k}", "x" * k) for k in range(500)))
    data = bytearray(file.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 40] = bytes(40)
    file.write_bytes(data)
    read = export.read()
    assert read.codes == ["E203"]
    assert "Tos seca." in read.notes()


def test_scan_plain_file_named_gz_is_read(export, make):
    export.write("a.ndjson", make.patient())
    (export.folder / "b.ndjson.gz").write_bytes(b"\x1f\x8bno es gzip")
    assert export.read().codes == ["E203"]


def test_scan_empty_files_are_accepted(export, make):
    export.write("a.ndjson", make.patient())
    export.write("b.ndjson")
    export.write("c.ndjson.gz")
    (export.folder / "d.ndjson.gz").write_bytes(b"")
    assert export.read().problems == []


BROKEN_LINES = {
    "broken JSON": (b'{"resourceType":"Patient","id":"CANARIO-7F3A",', "E206"),
    "cut off": (b'{"resourceType":"Pat', "E206"),
    "NUL bytes": (b"\0" * 50, "E206"),
    "Latin-1": ('{"resourceType":"Patient","id":"x","n":"Peña"}'.encode("latin-1"), "E205"),
    "no object": (b'"CANARIO-7F3A"', "E209"),
    "deep": (b'{"resourceType":' * 50_000, "E207"),
    "no type": (b'{"id":"CANARIO-7F3A"}', "E210"),
    "wrong type": (b'{"resourceType":"CANARIO-7F3A","id":"1"}', "E210"),
    "Bundle": (b'{"resourceType":"Bundle","id":"1","entry":{"CANARIO-7F3A":1}}', "E216"),
    "no id": (b'{"resourceType":"Patient"}', "E212"),
    "bad id": (b'{"resourceType":"Patient","id":"CANARIO 7F3A CANARIO-7F3A"}', "E212"),
}


@pytest.mark.parametrize("name", BROKEN_LINES)
def test_scan_lines_without_resource_are_quarantined(export, make, name):
    line, code = BROKEN_LINES[name]
    write_with(export, make, line)
    assert_only(export.read(), code, resource=None)


def test_scan_huge_line_is_quarantined(export, make):
    write_with(export, make, make.note("huge", "x" * 1_000_000))
    assert_only(export.read(max_line_bytes=100_000), "E208", resource=None)


SUBJECTS: dict[str, tuple[Any, str]] = {
    "missing": (None, "E213"),
    "of another": ({"reference": "Patient/CANARIO-7F3A"}, "E215"),
    "identifier only": ({"identifier": {"value": "CANARIO-7F3A"}}, "E214"),
    "contained": ({"reference": "#CANARIO-7F3A"}, "E214"),
    "search": ({"reference": "Patient?name=CANARIO-7F3A"}, "E214"),
    "wrong shape": ("Patient/CANARIO-7F3A", "E216"),
}


@pytest.mark.parametrize("type_", ["DocumentReference", "Observation", "Encounter"])
@pytest.mark.parametrize("name", SUBJECTS)
def test_scan_unusable_subjects_are_quarantined(export, make, name, type_):
    subject, code = SUBJECTS[name]
    line = make.note("bad") if type_ == "DocumentReference" else make.coded(type_, "bad")
    write_with(export, make, line | {"subject": subject})
    assert_only(export.read(), code, resource=f"{type_}/bad")


def test_scan_resource_of_quarantined_patient_is_quarantined(export, make):
    export.write("a.ndjson", make.note("n"), make.patient("Ana María"))
    assert export.read().codes == ["E215", "E212"]


ATTACHMENTS: dict[str, tuple[dict[str, str], str]] = {
    "unknown charset": (
        {
            "contentType": "text/plain; charset=CANARIO-7F3A",
            "data": base64.b64encode("ñ".encode("cp1252")).decode(),
        },
        "E236",
    ),
    "PDF": ({"contentType": "application/pdf; name=CANARIO-7F3A", "data": "AAAA"}, "E232"),
    "not base64": ({"contentType": "text/plain", "data": "¡CANARIO-7F3A!"}, "E233"),
    "binary": ({"contentType": "text/plain", "data": "AAECAAECAAECAAEC"}, "E235"),
    "points at itself": ({"url": "DocumentReference/bad"}, "E231"),
    "elsewhere": ({"url": "https://CANARIO-7F3A.example/nota.txt"}, "E231"),
    "missing Binary": ({"url": "Binary/nope"}, "E204"),
    "nothing": ({"title": "CANARIO-7F3A"}, "E230"),
}


@pytest.mark.parametrize("name", ATTACHMENTS)
def test_scan_unreadable_attachments_are_quarantined(export, make, name):
    attachment, code = ATTACHMENTS[name]
    write_with(export, make, make.attached("bad", [attachment]))
    assert_only(export.read(), code, resource="DocumentReference/bad")


def test_scan_unknown_charset_of_valid_utf_8_is_kept(export, make):
    data = base64.b64encode("Disnea, ñ".encode()).decode()
    attachment = {"contentType": "text/plain; charset=klingon", "data": data}
    write_with(export, make, make.attached("n", [attachment]))
    read = export.read()
    assert_only(read, "E237", resource="DocumentReference/n")
    assert "Disnea, ñ" in read.notes()


def test_scan_note_over_limit_is_quarantined(export, make):
    write_with(export, make, make.note("bad", "CANARIO-7F3A " * 1_600_000))
    read = export.read()
    assert_only(read, "E234", resource="DocumentReference/bad")
    assert "10 MB" in read.problems[0].reason


def test_scan_binary_over_limit_is_quarantined(export, make):
    export.write("a.ndjson", make.binary("b", bytes(20_000_000)), make.patient())
    line = make.attached("bad", [{"contentType": "text/plain", "url": "Binary/b"}])
    export.write("b.ndjson", make.note("good", "Nota buena"), line)
    assert_only(export.read(), "E234", resource="DocumentReference/bad")


def test_scan_cyclic_references_end(export, make):
    loop = {"contentType": "text/plain", "url": "Binary/loop"}
    export.write(
        "b.ndjson",
        make.note("good", "Nota buena"),
        make.attached("bad", [loop]),
        make.patient(link=[{"other": {"reference": "Patient/good"}, "type": "seealso"}]),
        {"resourceType": "Binary", "id": "loop", "url": "Binary/loop"},
    )
    assert_only(export.read(), "E230", resource="DocumentReference/bad")


def test_scan_duplicate_ids_are_counted(export, make):
    export.write("a.ndjson", make.patient(), make.patient(gender="male"), make.note("n"))
    export.write("b.ndjson", make.note("n"), make.note("n", "otra"))
    read = export.read()
    assert (read.notes(), read.problems) == (["Tos seca."], [])
    assert read.summary.types["DocumentReference"].duplicate == 2


@pytest.mark.parametrize("text", ["👍🏽", "🫀🫁🩺", "👨‍👩‍👧‍👦 🇪🇸"])
def test_scan_note_of_only_emoji_is_read(export, make, text):
    export.write("a.ndjson", make.patient(), make.note("n", text))
    read = export.read()
    assert (read.notes(), read.problems) == ([text], [])


def test_scan_note_of_white_space_is_left_out(export, make):
    export.write("a.ndjson", make.patient(), make.note("n", " \r\n\t "), make.note("m", ""))
    read = export.read()
    assert read.problems == []
    assert read.summary.types["DocumentReference"].left_out == 2


@pytest.mark.parametrize(
    ("day", "code"),
    [
        ("CANARIO-7F3A", "E217"),
        ("2024-02-30", "E217"),
        ("0001-01-01", "E217"),
        ("2030-01-01", "E218"),
    ],
)
@pytest.mark.parametrize(
    ("type_", "field"),
    [
        ("DocumentReference", "date"),
        ("Observation", "effectiveDateTime"),
        ("Condition", "onsetDateTime"),
        ("Procedure", "performedDateTime"),
    ],
)
def test_scan_invalid_dates_are_quarantined(export, make, type_, field, day, code):
    line = make.note("bad") if type_ == "DocumentReference" else make.coded(type_, "bad")
    write_with(export, make, line | {field: day})
    read = export.read()
    assert_only(read, code, resource=f"{type_}/bad")
    assert field in read.problems[0].reason


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"birthDate": "CANARIO-7F3A"}, "E219"),
        ({"birthDate": "2090-01-01"}, "E219"),
        ({"deceasedDateTime": "CANARIO-7F3A"}, "E220"),
    ],
)
def test_scan_patient_with_bad_date_is_kept(export, make, fields, code):
    write_with(export, make, make.patient("odd", **fields))
    read = export.read()
    assert_only(read, code, resource="Patient/odd")
    assert read.records["odd"].birth_date is None
    assert read.summary.types["Patient"].used == 2


def test_scan_lone_surrogates_and_nul_are_read(export, make):
    section = {"title": "a\ud800b", "text": {"div": "<div>c\udfffd\0e</div>"}}
    code = {"coding": [{"system": "s", "code": "1", "display": "\ud83d"}]}
    export.write(
        "a.ndjson",
        make.patient(),
        make.coded("Composition", "c", section=[section]),
        make.coded("Condition", "d", code=code),
        make.coded("DiagnosticReport", "r", conclusion="\ud83d\ude00 bien"),
    )
    read = export.read()
    assert read.notes() == ["a\ufffdb\nc\ufffdd e", "😀 bien"]
    assert all(note.sha256 for note in read.records["good"].notes)
    assert read.records["good"].events[0].codings[0].display == "\ufffd"


def templates(make) -> list[dict[str, Any]]:
    concept = {"coding": [{"system": "http://snomed.info/sct", "code": "1"}]}
    day = {"effectivePeriod": {"start": "2024-01-01"}, "meta": {"lastUpdated": "2024-01-01"}}
    return [
        make.patient("p", birthDate="1950", gender="male", deceasedBoolean=True),
        make.note("n", date="2024", type=concept, relatesTo=[{"code": "replaces"}]),
        make.attached("u", [{"url": "Binary/b", "contentType": "text/html", "language": "es"}]),
        make.binary("b", b"<p>Tos"),
        make.coded("Observation", "o", valueQuantity={"value": 1, "unit": "x"}, **day),
        make.coded("Observation", "k", component=[{"code": concept, "valueString": "1"}]),
        make.coded("Condition", "c", clinicalStatus=concept, onsetDateTime="2020"),
        make.coded("Encounter", "e", type=[concept], period={"start": "2024", "end": "2024"}),
        make.coded("MedicationRequest", "m", medicationReference={"reference": "Medication/d"}),
        make.coded("Medication", "d"),
        make.coded("FamilyMemberHistory", "f", condition=[{"code": concept}], relationship=concept),
        make.coded("Composition", "s", section=[{"title": "t", "text": {"div": "<div>x</div>"}}]),
        make.coded("DiagnosticReport", "r", presentedForm=[{"data": "VG9z"}]),
    ]


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=()), max_size=5)
    | st.sampled_from(["2024-01-01", "Patient/good", "#x", "VG9z", "AAAA=", "text/html;charset=x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


def paths(node: Any, prefix: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Places of all values within a resource, but for its type."""
    items = list(
        node.items()
        if isinstance(node, dict)
        else enumerate(node)
        if isinstance(node, list)
        else ()
    )
    found = [(*prefix, key) for key, _ in items if key != "resourceType"]
    return found + [path for key, value in items for path in paths(value, (*prefix, key))]


@given(data=st.data())
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_scan_any_resource_content_never_stops_reader(tmp_path_factory, make, data):
    export = make.Export(tmp_path_factory.mktemp("fuzz") / "export")
    lines = [make.patient(), make.note("good", "Nota buena")]
    for template in templates(make):
        resource = copy.deepcopy(template)
        *way, last = data.draw(st.sampled_from(paths(resource)))
        node: Any = resource
        for step in way:
            node = node[step]
        node[last] = data.draw(JSON_VALUES)
        lines.append(resource)
    export.write("a.ndjson", *(json.dumps(line) for line in lines))
    read = export.read()  # checks that every line is accounted for
    assert read.summary.lines == len(lines)
    for record in read.records.values():
        for note in record.notes:
            note.text.encode("utf-8")
        for event in record.events:
            repr(event).encode("utf-8")
