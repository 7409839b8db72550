"""A pool of worker processes that survives the death of one of them.

The system ends a process when memory runs out (on Linux by SIGKILL), and the pool with it. A run
of a night must not be lost over one note: the batches that were under way are read again
alone, in ever smaller pieces, until the note that ends its process is found and left out.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.process import BaseProcess
from typing import Any, Generic, TypeAlias, TypeVar

from clinical_nlp.errors import PipelineError

#: Single notes, one after another, whose process may be ended before memory is blamed.
MOST_LOST_IN_A_ROW = 3

#: Seconds between two looks of a worker at whether its parent lives.
_WATCH_SECONDS = 0.5

_Outcome = TypeVar("_Outcome")
_Task: TypeAlias = tuple[Sequence[str], Future[list[_Outcome]]]


class WorkerPool(Generic[_Outcome]):
    """Maps batches of texts to outcomes in processes, in order.

    Parameters
    ----------
    processes
        How many.
    start, arguments
        Called in each new process.
    work
        Returns one outcome for each text of a batch.
    lost
        Makes the outcome of a text that ends its process, from how that ended
        (``"signal 9"``).

    Attributes
    ----------
    ended
        How each worker that did not end by itself ended, in order.
    """

    def __init__(
        self,
        processes: int,
        start: Callable[..., None],
        arguments: tuple[Any, ...],
        work: Callable[[Sequence[str]], list[_Outcome]],
        lost: Callable[[str], _Outcome],
    ) -> None:
        self._processes = processes
        self._start, self._arguments = start, arguments
        self._work, self._lost = work, lost
        self._pool: ProcessPoolExecutor | None = None
        self._workers: list[BaseProcess] = []
        self._lost_in_a_row = 0
        self.ended: list[str] = []

    def close(self) -> None:
        """End the workers."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None

    def map(self, batches: Iterable[Sequence[str]]) -> Iterator[list[_Outcome]]:
        """Yield the outcomes of each batch, in the order of the batches.

        Raises
        ------
        PipelineError
            E305: worker after worker is ended, whatever it reads; E306: none can start.
        """
        waiting: deque[_Task[_Outcome]] = deque()
        for texts in batches:
            waiting.append((texts, self._submit(texts)))
            # Two batches a worker keep it busy; more would only hold memory.
            if len(waiting) >= 2 * self._processes:
                yield self._result(waiting)
        while waiting:
            yield self._result(waiting)

    def _result(self, waiting: deque[_Task[_Outcome]]) -> list[_Outcome]:
        """Return the outcomes of the oldest batch; where its worker died, read it again."""
        texts, future = waiting.popleft()
        try:
            return future.result()
        except BrokenProcessPool:
            self._bury()
        # Nobody knows which batch was at fault, and memory may be short: all that were under
        # way are read one by one, and then on with fewer processes.
        processes, self._processes = self._processes, 1
        outcomes = self._read_alone(texts)
        others = [(other, _done(self._read_alone(other))) for other, _ in waiting]
        waiting.clear()
        waiting.extend(others)
        self.close()
        self._processes = max(1, processes // 2)
        return outcomes

    def _read_alone(self, texts: Sequence[str]) -> list[_Outcome]:
        """Read texts in one process; halve them until the one that ends it stands alone."""
        if not texts:
            return []
        try:
            outcomes = self._submit(texts, check=True).result()
        except BrokenProcessPool:
            how = self._bury()
        else:
            self._lost_in_a_row = 0
            return outcomes
        if len(texts) > 1:
            middle = len(texts) // 2
            return [*self._read_alone(texts[:middle]), *self._read_alone(texts[middle:])]
        self._lost_in_a_row += 1
        if self._lost_in_a_row > MOST_LOST_IN_A_ROW:
            raise PipelineError(
                "E305",
                f"processes that read notes are ended again and again ({how}), most likely for"
                " lack of memory: give the machine more (about 1 GB a process), or run with"
                " fewer --processes.",
            )
        return [self._lost(how)]

    def _submit(self, texts: Sequence[str], *, check: bool = False) -> Future[list[_Outcome]]:
        try:
            if self._pool is None:
                self._pool = self._open()
                if check:
                    self._begin(self._pool)
            future = self._pool.submit(self._work, texts)
        except BrokenProcessPool as error:
            future = Future()
            future.set_exception(error)
        if len(self._workers) < self._processes:
            self._workers = multiprocessing.active_children()
        return future

    def _open(self) -> ProcessPoolExecutor:
        # "spawn": workers must not inherit open databases, locks or BLAS threads.
        return ProcessPoolExecutor(
            self._processes,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_begin_process,
            initargs=(os.getpid(), self._start, self._arguments),
        )

    def _begin(self, pool: ProcessPoolExecutor) -> None:
        """Wait until a worker has started: where none can, no note is at fault."""
        began = pool.submit(_nothing)
        self._workers = multiprocessing.active_children()
        try:
            began.result()
        except BrokenProcessPool:
            how = self._bury()
            raise PipelineError(
                "E306",
                f"a process that reads notes ended while it loaded the pipeline ({how}): give"
                " the machine more memory (about 1 GB a process), or run with --processes 1,"
                " which shows what is wrong.",
            ) from None

    def _bury(self) -> str:
        """Close a broken pool; return how the worker that broke it ended."""
        self.close()
        codes = [code for worker in self._workers if (code := worker.exitcode)]
        self._workers = []
        # The pool itself ends the other workers, by SIGTERM.
        code = next((code for code in codes if code != -signal.SIGTERM), None)
        how = "in an unknown way" if code is None else f"exit code {code}"
        if code is not None and code < 0:
            how = f"signal {-code}"
        self.ended.append(how)
        return how


def _begin_process(parent: int, start: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    """Begin a worker that ends with its parent, however that ends: it holds patient text."""
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    start(*arguments)


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_WATCH_SECONDS)
    os._exit(1)


def _nothing() -> None:
    pass


def _done(outcomes: list[_Outcome]) -> Future[list[_Outcome]]:
    future: Future[list[_Outcome]] = Future()
    future.set_result(outcomes)
    return future
