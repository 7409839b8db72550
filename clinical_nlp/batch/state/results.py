"""Keeps what a run makes of a patient, and gives it again where nothing has changed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from clinical_nlp.batch.state.cache import Cache, input_key
from clinical_nlp.records import PatientRecord, RunContext
from clinical_nlp.records.codec import record_to_json


class KeptResults:
    """Rendered results by patient; satisfies the batch's ``ResultCache``.

    Parameters
    ----------
    cache
        Where they are kept.
    code
        Digest of the code and data that make results: a change of either makes all anew.
    """

    keeps = True

    def __init__(self, cache: Cache, code: str) -> None:
        self._cache = cache
        self._code = code
        self._run = ""
        self._pending: list[tuple[str, str, Sequence[str], Sequence[bytes]]] = []
        self._asked: dict[str, str] = {}
        self.reused = 0

    def begin(self, context: RunContext, outputs: Sequence[str]) -> None:
        """Begin a run: its day, model, threshold and outputs are part of every input."""
        run = json.dumps(asdict(context), default=str, sort_keys=True)
        self._run = input_key(run, self._code, *outputs)

    def get(self, record: PatientRecord) -> tuple[bytes, ...] | None:
        """Return what is kept of a patient; ``None`` where anything that it hangs on changed."""
        given = input_key(self._run, record_to_json(record))
        parts = self._cache.rendered(record.id, given)
        if parts is None:
            self._asked[record.id] = given
        else:
            self.reused += 1
        return parts

    def put(self, record: PatientRecord, parts: Sequence[bytes]) -> None:
        """Keep a patient's results with the next :meth:`commit`."""
        notes = [note.sha256 for note in record.notes]
        self._pending.append((record.id, self._asked.pop(record.id), notes, parts))

    def commit(self) -> None:
        """Bring what was put to the disk."""
        if self._pending:
            self._cache.keep_rendered(self._pending)
        self._pending.clear()  # not what was asked for: later groups are being read already

    def finish(self) -> None:
        """Forget patients and notes that this run, which has ended well, did not have."""
        self.commit()
        self._cache.forget_others()
