"""Reads notes into findings, in this process or in several, always in order.

Notes go to the workers as plain texts and come back as plain findings: spaCy's own
``n_process`` would send whole ``Doc`` objects between processes, which costs more than
reading most notes does.
"""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from types import TracebackType
from typing import Self

from spacy.language import Language

import clinical_nlp
from clinical_nlp.pipeline.document import get_findings
from clinical_nlp.records import Finding

#: What a note gave: its findings, or the name of the exception type that stopped it.
#: Never the exception's message, which may quote the note.
NoteOutcome = tuple[Finding, ...] | str

_worker_nlp: Language | None = None


def read_texts(nlp: Language, texts: Sequence[str]) -> list[NoteOutcome]:
    """Run the pipeline over texts; a text that breaks it does not break its neighbours.

    Returns
    -------
    list
        As long as ``texts``: findings, or the exception type's name.
    """
    outcomes: list[NoteOutcome] = []
    for text in texts:
        try:
            outcomes.append(get_findings(nlp(text)))
        except Exception as error:  # noqa: BLE001 - the note goes to quarantine
            outcomes.append(type(error).__name__)
    return outcomes


def _start_worker() -> None:
    global _worker_nlp
    _worker_nlp = clinical_nlp.load()


def _work(texts: Sequence[str]) -> list[NoteOutcome]:
    if _worker_nlp is None:
        _start_worker()
    assert _worker_nlp is not None  # noqa: S101 - for the type checker
    return read_texts(_worker_nlp, texts)


class NoteReader:
    """Maps batches of texts to outcomes with a bounded number in flight.

    Parameters
    ----------
    nlp
        Pipeline used in this process.
    processes
        1 reads here; more starts that many workers.
    """

    def __init__(self, nlp: Language, processes: int = 1) -> None:
        self._nlp = nlp
        self._processes = processes
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        if self._processes > 1:
            # "spawn": workers must not inherit open databases, locks or BLAS threads.
            self._pool = ProcessPoolExecutor(
                self._processes,
                mp_context=multiprocessing.get_context("spawn"),
                initializer=_start_worker,
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def read(self, batches: Iterable[Sequence[str]]) -> Iterator[list[NoteOutcome]]:
        """Yield the outcomes of each batch, in the order of the batches."""
        if self._pool is None:
            for texts in batches:
                yield read_texts(self._nlp, texts)
            return
        waiting: deque[Future[list[NoteOutcome]]] = deque()
        for texts in batches:
            waiting.append(self._pool.submit(_work, texts))
            # Two batches a worker keep it busy; more would only hold memory.
            if len(waiting) >= 2 * self._processes:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
