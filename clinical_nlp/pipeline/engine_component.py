"""What the components that run an engine have in common."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from spacy.tokens import Doc
from spacy.util import minibatch

if TYPE_CHECKING:
    from clinical_nlp.neural.engine import Engine


class EngineComponent(ABC):
    """A component that reads docs with an engine, many at a time.

    Notes
    -----
    The engine is loaded when the first doc comes, and anew in every process.
    """

    def __init__(self) -> None:
        self._engine: Engine | None = None
        self._process = os.getpid()

    @property
    def engine(self) -> Engine:
        """The model, loaded and ready to run."""
        if self._process != os.getpid():
            # A forked child has its parent's memory and not its threads: torch would wait
            # for them for ever.
            import torch

            torch.set_num_threads(1)
            self._process = os.getpid()
        if self._engine is None:
            self._engine = self._load()
        return self._engine

    def __call__(self, doc: Doc) -> Doc:
        """Read one doc."""
        self._read([doc])
        return doc

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 64) -> Iterator[Doc]:
        """Read many docs, ``batch_size`` of them at a time."""
        for docs in minibatch(stream, batch_size):  # type: ignore[no-untyped-call]
            self._read(docs)
            yield from docs

    def forget(self) -> None:
        """Forget what was read before."""
        if self._engine is not None:
            self._engine.forget()

    @abstractmethod
    def _load(self) -> Engine:
        """Load the engine."""

    @abstractmethod
    def _read(self, docs: Sequence[Doc]) -> None:
        """Read docs and leave on them what was read."""

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what another process builds for itself."""
        return self.__dict__ | {"_engine": None}
