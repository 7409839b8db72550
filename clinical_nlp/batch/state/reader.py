"""Reads only notes whose findings are not kept."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator, Sequence

from pydantic import ValidationError

from clinical_nlp.batch.extraction import NoteOutcome, NoteReader, NoteReading
from clinical_nlp.batch.state.cache import Cache
from clinical_nlp.records import Finding
from clinical_nlp.records.codec import Codec

_FINDINGS = Codec(tuple[Finding, ...])


class CachedReader:
    """A :class:`~clinical_nlp.batch.extraction.NoteReader` with a memory; no mentions.

    What is read is kept group by group, so a night that is cut off goes on where it was.

    Parameters
    ----------
    reader
        Reads what is not kept.
    cache
        Keeps findings.
    reading
        What reads: pipeline, learned reader, code. Findings of another reading do not count.
    """

    def __init__(self, reader: NoteReader, cache: Cache, reading: str) -> None:
        self._reader = reader
        self._cache = cache
        self._reading = reading
        self.read_notes = 0

    def read(self, batches: Iterable[Sequence[str]]) -> Iterator[list[NoteOutcome]]:
        """Yield the outcomes of each batch, in the order of the batches."""
        waiting: deque[tuple[list[str], dict[str, NoteOutcome]]] = deque()

        def unknown() -> Iterator[list[str]]:
            for texts in batches:
                digests = [_digest(text) for text in texts]
                known = self._known(digests)
                new = {d: t for d, t in zip(digests, texts, strict=True) if d not in known}
                waiting.append((digests, known))
                self.read_notes += len(new)
                yield list(new.values())

        for outcomes in self._reader.read(unknown()):
            digests, known = waiting.popleft()
            new = [d for d in dict.fromkeys(digests) if d not in known]
            read = dict(zip(new, outcomes, strict=True))
            self._cache.keep_findings(
                {
                    digest: _FINDINGS.dumps(outcome.findings)
                    for digest, outcome in read.items()
                    if isinstance(outcome, NoteReading)
                },
                self._reading,
            )
            yield [known.get(digest) or read[digest] for digest in digests]

    @property
    def ended_workers(self) -> list[str]:
        """How each worker process that did not end by itself ended (``"signal 9"``)."""
        return self._reader.ended_workers

    def _known(self, digests: Sequence[str]) -> dict[str, NoteOutcome]:
        found = self._cache.findings(list(dict.fromkeys(digests)), self._reading)
        known: dict[str, NoteOutcome] = {}
        for digest, text in found.items():
            try:
                known[digest] = NoteReading(_FINDINGS.loads(text))
            except (ValueError, ValidationError):
                continue  # of another version: it is read again
        return known


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
