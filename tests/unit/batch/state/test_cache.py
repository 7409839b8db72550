"""What is kept from night to night, and when it no longer counts."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical_nlp.batch.extraction import NoteFailure, NoteOutcome, NoteReading
from clinical_nlp.batch.state.cache import Cache
from clinical_nlp.batch.state.reader import CachedReader
from clinical_nlp.batch.state.results import KeptResults
from clinical_nlp.errors import OutputError
from clinical_nlp.records import Finding, ModelReference, Note, PatientRecord, RunContext

CONTEXT = RunContext(date(2024, 12, 31), "1", "p", ModelReference("m", "1", "u", "d"), 0.03)


class Reader:
    """Finds the first word; fails on 'rompe'. Remembers what it was given."""

    def __init__(self) -> None:
        self.given: list[str] = []

    def read(self, batches: Iterable[Sequence[str]]) -> Iterator[list[NoteOutcome]]:
        for texts in batches:
            self.given.extend(texts)
            yield [self._read(text) for text in texts]

    def _read(self, text: str) -> NoteOutcome:
        if text == "rompe":
            return NoteFailure("E301", "ValueError")
        word = text.split()[0] if text.split() else ""
        found = Finding(0, len(word), word, "cough", value=1.5, probability=0.9)
        return NoteReading((found,) if word else ())


def read(cache: Cache, batches: list[list[str]], reading: str = "r") -> tuple[object, Reader]:
    inner = Reader()
    cached = CachedReader(inner, cache, reading)  # type: ignore[arg-type]
    return list(cached.read(batches)), inner


def test_notes_are_read_once_and_failures_again(tmp_path: Path) -> None:
    batches = [["tos seca", "rompe", "tos seca"], [], ["edemas", "tos seca"]]
    with Cache(tmp_path / "s") as cache:
        first, inner = read(cache, batches)
        assert inner.given == ["tos seca", "rompe", "edemas"]
        again, inner = read(cache, batches)
        assert inner.given == ["rompe"] and again == first
        _, inner = read(cache, batches, reading="another")
        assert inner.given == ["tos seca", "rompe", "edemas"]


@given(
    st.lists(st.lists(st.text(st.characters(codec=None), max_size=6), max_size=4), max_size=4),
    st.integers(0, 3),
)
def test_cached_outcomes_are_those_of_the_reader(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[str]], known: int
) -> None:
    plain = list(Reader().read(batches))
    with Cache(tmp_path_factory.mktemp("s")) as cache:
        read(cache, batches[:known])
        assert read(cache, batches)[0] == plain


def patient(text: str = "tos", name: str = "a") -> PatientRecord:
    return PatientRecord(name, notes=(Note(f"DocumentReference/{name}", name, text),))


def kept(cache: Cache, context: RunContext = CONTEXT, code: str = "c") -> KeptResults:
    results = KeptResults(cache, code)
    results.begin(context, ["Table"])
    return results


def test_results_stand_until_anything_behind_them_changes(tmp_path: Path) -> None:
    with Cache(tmp_path) as cache:
        results = kept(cache)
        assert results.get(patient()) is None
        results.put(patient(), [b"one", b"", b"\x00two\n"])
        results.commit()
        assert kept(cache).get(patient()) == (b"one", b"", b"\x00two\n")
        assert kept(cache).get(patient("tos y disnea")) is None
        assert kept(cache, code="d").get(patient()) is None
        for change in (
            {"as_of": date(2025, 1, 1)},
            {"worklist_threshold": 0.04},
            {"pipeline": "q"},
            {"model": ModelReference("m", "2", "u", "e")},
        ):
            assert kept(cache, replace(CONTEXT, **change)).get(patient()) is None


def test_patients_and_notes_that_are_gone_are_forgotten(tmp_path: Path) -> None:
    with Cache(tmp_path) as cache:
        read(cache, [["tos", "edemas"]])
        results = kept(cache)
        for name, text in (("a", "tos"), ("b", "edemas")):
            results.get(patient(text, name))
            results.put(patient(text, name), [b"x"])
        results.finish()
    with Cache(tmp_path) as cache:
        results = kept(cache)
        results.get(patient("tos", "a"))
        results.finish()
        assert read(cache, [["tos", "edemas"]])[1].given == ["edemas"]
    with sqlite3.connect(tmp_path / "cache.sqlite") as database:
        assert database.execute("SELECT id FROM patient").fetchall() == [("a",)]


def test_state_is_private_and_of_one_run(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    with Cache(folder):
        assert folder.stat().st_mode & 0o777 == 0o700
        assert {p.stat().st_mode & 0o777 for p in folder.iterdir()} == {0o600}
        with pytest.raises(OutputError, match="E552"), Cache(folder):
            pass


@pytest.mark.parametrize("content", [b"no database at all" * 100, None])
def test_what_is_no_cache_says_what_to_delete(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "cache.sqlite"
    if content is None:
        with sqlite3.connect(path) as database:
            database.execute("CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT) STRICT")
            database.execute("INSERT INTO about VALUES ('format', '0')")
    else:
        path.write_bytes(content)
    with pytest.raises(OutputError, match=r"E553.*delete"), Cache(tmp_path):
        pass
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="E551"), Cache(tmp_path / "file"):
        pass
