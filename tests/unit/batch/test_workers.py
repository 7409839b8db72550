"""A killed process costs the note at fault, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import mortal_workers
import pytest

from clinical_nlp.batch.workers import WorkerPool
from clinical_nlp.errors import PipelineError


@pytest.fixture
def pool() -> Iterator[WorkerPool[str]]:
    made: WorkerPool[str] = WorkerPool(
        2, mortal_workers.start, (), mortal_workers.work, mortal_workers.lost
    )
    yield made
    made.close()


def test_batches_come_back_in_order(pool: WorkerPool[str]) -> None:
    batches = [[f"n{k}" for k in range(size)] for size in (3, 0, 1, 5, 2, 4)]
    assert list(pool.map(batches)) == [[t.upper() for t in batch] for batch in batches]
    assert pool.ended == []


@pytest.mark.parametrize(("text", "how"), [("mata", "signal 9"), ("sale", "exit code 7")])
def test_note_that_kills_its_process_is_lost_alone(
    pool: WorkerPool[str], text: str, how: str
) -> None:
    batches = [["a", "b"], ["c", text, "d", "e"], ["f"], ["g"], ["h"], ["i"]]
    read = list(pool.map(batches))
    assert [t for batch in read for t in batch] == [
        *("A", "B", "C", f"lost: {how}", "D", "E", "F", "G", "H", "I")
    ]
    assert set(pool.ended) == {how}


def test_process_killed_once_loses_no_note(pool: WorkerPool[str], tmp_path: Path) -> None:
    """As where another program took the memory for a while."""
    once = f"mata:{tmp_path / 'killed'}"
    read = list(pool.map([["a"], [once, "b"], ["c"]]))
    assert [t for batch in read for t in batch] == ["A", once.upper(), "B", "C"]
    assert pool.ended == ["signal 9"]


def test_processes_killed_again_and_again_end_the_run(pool: WorkerPool[str]) -> None:
    with pytest.raises(PipelineError, match=r"E305 .*signal 9.*memory"):
        list(pool.map([["mata"] * 6, ["a"]]))


def test_process_killed_at_its_start_ends_the_run() -> None:
    pool: WorkerPool[str] = WorkerPool(
        2, mortal_workers.start_killed, (), mortal_workers.work, mortal_workers.lost
    )
    with pytest.raises(PipelineError, match=r"E306 .*signal 9.*--processes 1"):
        list(pool.map([["a"], ["b"]]))
    pool.close()
