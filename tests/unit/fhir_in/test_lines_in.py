import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_adapters.reading.defects import Defect, Unusable
from fhir_adapters.reading.digest import MultisetDigest
from fhir_adapters.reading.files import ExportFile
from fhir_adapters.reading.lines import read_lines
from fhir_adapters.reading.parsing import R4_TYPES, identity, parse
from fhir_adapters.reading.resolution import split_replacements


@pytest.mark.parametrize(
    ("line", "defect"),
    [
        (b'{"resourceType":"Patient"', Defect.NOT_JSON),
        (b"\0\0\0\0", Defect.NOT_JSON),
        (b'{"resourceType":"Patient","x":NaN}', Defect.NOT_JSON),
        (b'{"resourceType":"Patient","x":' + b"9" * 5000 + b"}", Defect.NOT_JSON),
        ('{"resourceType":"Patient","x":"ñ"}'.encode("latin-1"), Defect.NOT_UTF8),
        (b'{"a":' * 100_000, Defect.TOO_DEEP),
        (b"[" * 100_000 + b"]" * 100_000, Defect.TOO_DEEP),
        (b'["Patient"]', Defect.NOT_OBJECT),
        (b"7", Defect.NOT_OBJECT),
        (b"{}", Defect.NO_TYPE),
        (b'{"resourceType":7}', Defect.NO_TYPE),
        (b'{"resourceType":"Patiente"}', Defect.NO_TYPE),
    ],
)
def test_parse_line_without_resource_names_defect(line, defect):
    with pytest.raises(Unusable) as error:
        parse(line)
    assert error.value.defect is defect


def test_r4_types_are_all_known():
    assert len(R4_TYPES) == 146  # the value set's 148 without Resource and DomainResource


@pytest.mark.parametrize("value", [None, 7, "", "Ana María", "a_b", "a" * 65, ["a"], "a\n"])
def test_identity_invalid_id_raises_bad_id(value):
    with pytest.raises(Unusable) as error:
        identity({"id": value})
    assert error.value.defect is Defect.BAD_ID


@given(st.text(st.characters(exclude_categories=())))
def test_parse_replaces_lone_surrogates_one_for_one(text):
    line = json.dumps({"resourceType": "Basic", "a": [{"b": text}]}).encode()
    read = parse(line)["a"][0]["b"]
    read.encode("utf-8")
    # JSON itself joins a high and a low half that stand side by side.
    joined = text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    assert len(read) == len(joined)
    assert all(a == b or b == "\ufffd" for a, b in zip(joined, read, strict=True))


def on_disk(path: Path) -> ExportFile:
    return ExportFile(path.name, path, path.stat().st_size)


def test_read_lines_skips_byte_order_mark_and_blank_lines(tmp_path):
    file = tmp_path / "a.ndjson"
    file.write_bytes(b'\xef\xbb\xbf{"a":1}\r\n\r\n  \n{"b":2}')
    lines = list(read_lines(on_disk(file), 1000, lambda n: None))
    assert [(line.number, line.content) for line in lines] == [(1, b'{"a":1}'), (4, b'{"b":2}')]


def test_read_lines_too_long_line_is_skipped(tmp_path):
    file = tmp_path / "a.ndjson"
    file.write_bytes(b"1\n" + b"2" * 100 + b"\n3\n")
    lines = list(read_lines(on_disk(file), 10, lambda n: None))
    assert [line.content for line in lines] == [b"1", None, b"3"]
    assert lines[1].defect is Defect.LINE_TOO_LONG


def test_read_lines_line_at_limit_is_read(tmp_path):
    file = tmp_path / "a.ndjson"
    file.write_bytes(b"2" * 9 + b"\n3\n")
    assert [line.content for line in read_lines(on_disk(file), 10, lambda n: None)] == [
        b"2" * 9,
        b"3",
    ]


def test_read_lines_progress_counts_bytes_on_disk(tmp_path):
    file = tmp_path / "a.ndjson.gz"
    file.write_bytes(gzip.compress(b"12345\n" * 10_000))
    read: list[int] = []
    assert len(list(read_lines(on_disk(file), 1000, read.append))) == 10_000
    assert sum(read) == file.stat().st_size


@given(st.lists(st.binary(min_size=32, max_size=32)), st.randoms())
def test_multiset_digest_ignores_order_and_counts_duplicates(lines, random):
    def digest(of):
        made = MultisetDigest()
        for line in of:
            made.add(line)
        return made.hexdigest()

    shuffled = list(lines)
    random.shuffle(shuffled)
    assert digest(lines) == digest(shuffled)
    for line in lines[:1]:
        assert digest([*lines, line]) != digest(lines)
        assert digest([*lines, line, line]) != digest(lines)


def test_split_replacements_separates_circles():
    assert split_replacements([(3, 2), (2, 1)]) == ([1, 2], [])
    assert split_replacements([(1, 2), (2, 1)]) == ([], [1, 2])
    assert split_replacements([(1, 1)]) == ([], [1])
    # One replaces a member of a circle, another member replaces one outside of it.
    assert split_replacements([(9, 1), (1, 2), (2, 1), (2, 3)]) == ([1, 3], [2])


@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8))))
def test_split_replacements_never_replaces_every_document(edges):
    replaced, circular = split_replacements(edges)
    nodes = {n for edge in edges for n in edge}
    assert set(replaced) <= {old for _, old in edges}
    assert not set(replaced) & set(circular)
    if nodes:
        assert nodes - set(replaced)
