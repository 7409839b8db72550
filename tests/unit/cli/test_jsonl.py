"""JSON lines: gzip, half surrogates, broken rows and broken files."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from clinical_nlp.cli.jsonl import open_lines, read_rows, write_row
from clinical_nlp.errors import InputError, OutputError


def test_gzip_and_plain_give_the_same_rows(tmp_path: Path) -> None:
    line = '{"id": "ñ", "text": "año"}\n'
    (tmp_path / "a.jsonl").write_text(line, encoding="utf-8")
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(line.encode()))
    rows = [list(read_rows(str(tmp_path / name))) for name in ("a.jsonl", "a.jsonl.gz")]
    assert rows[0] == rows[1] == [(1, {"id": "ñ", "text": "año"})]


def test_rows_that_are_no_objects_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"id": 1}\n\n{"id":\n[1]\n')
    assert list(read_rows(str(tmp_path / "a.jsonl"))) == [(1, {"id": 1}), (3, None), (4, None)]


def test_half_a_surrogate_pair_goes_through_unchanged(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "a\\ud83d b"}\n')
    path = str(tmp_path / "b.jsonl")
    with open_lines(path, "w") as lines:
        for _, row in read_rows(str(tmp_path / "a.jsonl")):
            assert row is not None
            write_row(lines, row)
    assert list(read_rows(path)) == [(1, {"text": "a\ud83d b"})]


@pytest.mark.parametrize("content", [gzip.compress(b'{"id": 1}\n' * 999)[:-20], b"no gzip"])
def test_a_file_that_breaks_off_is_an_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.jsonl.gz").write_bytes(content)
    with pytest.raises(InputError, match="E261"):
        list(read_rows(str(tmp_path / "a.jsonl.gz")))


def test_latin_1_is_an_error_that_quotes_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes('{"text": "SECRETO año"}\n'.encode("latin-1"))
    with pytest.raises(InputError, match="E261") as caught:
        list(read_rows(str(tmp_path / "a.jsonl")))
    assert "SECRETO" not in str(caught.value)


def test_missing_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="E261"):
        list(read_rows(str(tmp_path / "none.jsonl")))
    with (
        pytest.raises(OutputError, match="E504"),
        open_lines(str(tmp_path / "none" / "a.jsonl"), "w"),
    ):
        pass
