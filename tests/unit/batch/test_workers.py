"""A killed process costs the note at fault, and nothing else."""

from __future__ import annotations

import subprocess
import sys
import time
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


PARENT = """
import multiprocessing, sys, time
sys.path[:0] = {path!r}
import mortal_workers
from clinical_nlp.batch.workers import WorkerPool
if __name__ == "__main__":
    pool = WorkerPool(2, mortal_workers.start, (), mortal_workers.work, mortal_workers.lost)
    list(pool.map([["a"], ["b"], ["c"]]))
    print(*(child.pid for child in multiprocessing.active_children()), flush=True)
    time.sleep(300)
"""


def test_workers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT.format(path=[path for path in sys.path if path]))
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        workers = [int(pid) for pid in parent.stdout.readline().split()]
        parent.kill()
    assert len(workers) == 2
    limit = time.monotonic() + 30
    while any(is_alive(worker) for worker in workers) and time.monotonic() < limit:
        time.sleep(0.1)
    assert not any(is_alive(worker) for worker in workers)


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"  # nobody has asked how it ended
