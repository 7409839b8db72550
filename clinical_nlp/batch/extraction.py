"""Reads notes into findings and mentions, in this process or in several, in order.

Notes go to the workers as plain texts and come back as plain values: spaCy's own
``n_process`` would send whole ``Doc`` objects between processes, which costs more than
reading most notes does.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from spacy.language import Language
from spacy.tokens import Doc

import clinical_nlp
from clinical_nlp.batch.workers import WorkerPool
from clinical_nlp.errors import ModelError, describe
from clinical_nlp.pipeline.document import get_findings, get_mentions
from clinical_nlp.records import Finding, Mention

#: Batch size of the mention model, in notes: it sorts a batch's sentences by length. The
#: rules give the same findings for any size.
_BATCH_SIZE = 64


@dataclass(frozen=True, slots=True)
class NoteReading:
    """What the pipeline found in a note."""

    findings: tuple[Finding, ...]
    mentions: tuple[Mention, ...] = ()


@dataclass(frozen=True, slots=True)
class NoteFailure:
    """Why a note could not be read: E301 or E304, and what happened, without any text."""

    code: str
    what: str


#: What was found in a note, or why it could not be read.
NoteOutcome = NoteReading | NoteFailure


def load_pipeline(mentions: bool, reader: bool = True) -> Language:
    """Build the pipeline of this process, with or without the mention model and the reader.

    torch gets one thread: with another number, sums are rounded differently and the results
    would depend on the number of processes. Processes use the cores.
    """
    if mentions or reader:
        import torch

        torch.set_num_threads(1)
    nlp = clinical_nlp.load(mentions=mentions, reader=reader)
    gc.freeze()  # the pipeline stays: later garbage collections need not visit it
    return nlp


_worker_nlp: Language | None = None


def read_texts(nlp: Language, texts: Sequence[str]) -> list[NoteOutcome]:
    """Run the pipeline over texts; a text on which it fails does not affect the others.

    Returns
    -------
    list
        One outcome a text. It depends on these texts alone, not on any read before.

    Raises
    ------
    ModelError
        A model of the pipeline cannot be loaded.
    """
    for _, component in nlp.pipeline:
        # A cached result was computed in another batch, and its last digits may differ.
        if hasattr(component, "clear_cache"):
            component.clear_cache()
    outcomes: list[NoteOutcome] = []
    try:
        outcomes.extend(map(_reading, nlp.pipe(texts, batch_size=_BATCH_SIZE)))
    except ModelError:  # no note is at fault
        raise
    except Exception:  # noqa: BLE001 - the rest is read note by note to find which it was
        outcomes.extend(_read_alone(nlp, text) for text in texts[len(outcomes) :])
    return outcomes


def _read_alone(nlp: Language, text: str) -> NoteOutcome:
    try:
        return _reading(nlp(text))
    except ModelError:
        raise
    except Exception as error:  # noqa: BLE001 - the note goes to quarantine
        return NoteFailure("E301", describe(error))


def _reading(doc: Doc) -> NoteReading:
    return NoteReading(get_findings(doc), get_mentions(doc))


def _start_worker(mentions: bool, reader: bool) -> None:
    global _worker_nlp
    _worker_nlp = load_pipeline(mentions, reader)


def _work(texts: Sequence[str]) -> list[NoteOutcome]:
    assert _worker_nlp is not None  # noqa: S101 - the pool starts its workers with one
    return read_texts(_worker_nlp, texts)


def _killed(how: str) -> NoteOutcome:
    return NoteFailure("E304", how)


class NoteReader:
    """Maps batches of texts to outcomes, with a bounded number of batches in flight.

    Parameters
    ----------
    nlp
        Pipeline used in this process.
    processes
        1 reads here; more starts that many workers. One that is killed costs the note at
        fault, and halves the number of processes from there on.
    mentions, learned
        Whether the workers load the mention model and the learned reader, as ``nlp`` does.
    """

    def __init__(
        self, nlp: Language, processes: int = 1, mentions: bool = False, learned: bool = True
    ) -> None:
        self._nlp = nlp
        self._pool: WorkerPool[NoteOutcome] | None = None
        if processes > 1:
            self._pool = WorkerPool(processes, _start_worker, (mentions, learned), _work, _killed)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        if self._pool is not None:
            self._pool.close()

    def read(self, batches: Iterable[Sequence[str]]) -> Iterator[list[NoteOutcome]]:
        """Yield the outcomes of each batch, in the order of the batches."""
        if self._pool is None:
            for texts in batches:
                yield read_texts(self._nlp, texts)
        else:
            yield from self._pool.map(batches)

    @property
    def ended_workers(self) -> list[str]:
        """How each worker process that did not end by itself ended (``"signal 9"``)."""
        return [] if self._pool is None else self._pool.ended
