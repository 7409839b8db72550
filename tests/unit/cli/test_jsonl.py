"""JSON lines: gzip, half surrogates, broken rows and broken files."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from clinical_nlp.cli.jsonl import open_lines, read_rows, write_row
from clinical_nlp.errors import InputError, OutputError


def test_read_rows_of_gzip_equals_plain(tmp_path: Path) -> None:
    line = '{"id": "ñ", "text": "año"}\n'
    (tmp_path / "a.jsonl").write_text(line, encoding="utf-8")
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(line.encode()))
    rows = [list(read_rows(str(tmp_path / name))) for name in ("a.jsonl", "a.jsonl.gz")]
    assert rows[0] == rows[1] == [(1, {"id": "ñ", "text": "año"})]


def test_read_rows_yields_none_for_lines_that_are_no_object(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"id": 1}\n\n{"id":\n[1]\n')
    assert list(read_rows(str(tmp_path / "a.jsonl"))) == [(1, {"id": 1}), (3, None), (4, None)]


def test_rows_with_lone_surrogate_round_trip(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "a\\ud83d b"}\n')
    path = str(tmp_path / "b.jsonl")
    with open_lines(path, "w") as lines:
        for _, row in read_rows(str(tmp_path / "a.jsonl")):
            assert row is not None
            write_row(lines, row)
    assert list(read_rows(path)) == [(1, {"text": "a\ud83d b"})]


@pytest.mark.parametrize("content", [gzip.compress(b'{"id": 1}\n' * 999)[:-20], b"no gzip"])
def test_read_rows_of_truncated_gzip_raises_e261(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.jsonl.gz").write_bytes(content)
    with pytest.raises(InputError, match="E261"):
        list(read_rows(str(tmp_path / "a.jsonl.gz")))


def test_read_rows_of_latin_1_raises_e261_without_quoting(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes('{"text": "SECRETO año"}\n'.encode("latin-1"))
    with pytest.raises(InputError, match="E261") as caught:
        list(read_rows(str(tmp_path / "a.jsonl")))
    assert "SECRETO" not in str(caught.value)


def test_open_lines_of_missing_path_raises_coded_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="E261"):
        list(read_rows(str(tmp_path / "none.jsonl")))
    with (
        pytest.raises(OutputError, match="E504"),
        open_lines(str(tmp_path / "none" / "a.jsonl"), "w"),
    ):
        pass
