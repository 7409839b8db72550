"""Reads notes into findings and mentions, in this process or in several, always in order.

Notes go to the workers as plain texts and come back as plain values: spaCy's own
``n_process`` would send whole ``Doc`` objects between processes, which costs more than
reading most notes does.
"""

from __future__ import annotations

import gc
import multiprocessing
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from spacy.language import Language
from spacy.tokens import Doc

import clinical_nlp
from clinical_nlp.pipeline.document import get_findings, get_mentions
from clinical_nlp.records import Finding, Mention

#: Notes that the mention model is given at once: their sentences are sorted by length
#: together. What the rules do to a note does not depend on it.
_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class NoteReading:
    """What a note gave."""

    findings: tuple[Finding, ...]
    mentions: tuple[Mention, ...] = ()


#: What a note gave, or the name of the exception type that stopped it. Never the exception's
#: message, which may quote the note.
NoteOutcome = NoteReading | str


@dataclass(frozen=True, slots=True)
class PipelineChoice:
    """Which pipeline reads the notes, so that every process builds the same.

    Parameters
    ----------
    mentions
        As for :func:`clinical_nlp.load`.
    """

    mentions: bool = False

    def load(self) -> Language:
        """Build it for this process, which reads with one thread where torch reads at all.

        Sums of another number of threads are rounded otherwise: the results would hang on
        how many processes share the work. Cores are used by processes.
        """
        if self.mentions:
            import torch

            torch.set_num_threads(1)
        nlp = clinical_nlp.load(mentions=self.mentions)
        # What has been loaded stays: no collection of garbage need walk through it again.
        gc.freeze()
        return nlp

    def finding_the_same(self, nlp: Language) -> Language:
        """Return the plainest pipeline that finds what ``nlp``, which was chosen so, finds.

        Its fingerprint is what a risk model knows the notes' reader by, and what the ids of
        FHIR resources are made from: mentions make no findings and must not change it.
        """
        return clinical_nlp.load() if self.mentions else nlp


_RULES = PipelineChoice()
_worker_nlp: Language | None = None


def read_texts(nlp: Language, texts: Sequence[str]) -> list[NoteOutcome]:
    """Run the pipeline over texts; a text that breaks it does not break its neighbours.

    Returns
    -------
    list
        As long as ``texts``: what each gave, or the exception type's name. It depends on
        these texts alone, not on any that were read before.
    """
    for _, component in nlp.pipeline:
        # A remembered result was computed in another batch, and its last digits may differ.
        if hasattr(component, "forget"):
            component.forget()
    outcomes: list[NoteOutcome] = []
    try:
        outcomes.extend(map(_reading, nlp.pipe(texts, batch_size=_AT_ONCE)))
    except Exception:  # noqa: BLE001 - which note it was is found by reading the rest alone
        outcomes.extend(_read_alone(nlp, text) for text in texts[len(outcomes) :])
    return outcomes


def _read_alone(nlp: Language, text: str) -> NoteOutcome:
    try:
        return _reading(nlp(text))
    except Exception as error:  # noqa: BLE001 - the note goes to quarantine
        return type(error).__name__


def _reading(doc: Doc) -> NoteReading:
    return NoteReading(get_findings(doc), get_mentions(doc))


def _start_worker(choice: PipelineChoice) -> None:
    global _worker_nlp
    _worker_nlp = choice.load()


def _work(texts: Sequence[str]) -> list[NoteOutcome]:
    assert _worker_nlp is not None  # noqa: S101 - the pool starts its workers with one
    return read_texts(_worker_nlp, texts)


class NoteReader:
    """Maps batches of texts to outcomes with a bounded number in flight.

    Parameters
    ----------
    nlp
        Pipeline used in this process.
    processes
        1 reads here; more starts that many workers.
    choice
        What the workers build; ``nlp`` must be the same.
    """

    def __init__(self, nlp: Language, processes: int = 1, choice: PipelineChoice = _RULES) -> None:
        self._nlp = nlp
        self._choice = choice
        self._processes = processes
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        if self._processes > 1:
            # "spawn": workers must not inherit open databases, locks or BLAS threads.
            self._pool = ProcessPoolExecutor(
                self._processes,
                mp_context=multiprocessing.get_context("spawn"),
                initializer=_start_worker,
                initargs=(self._choice,),
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
