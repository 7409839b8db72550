"""Puts the state of a nightly batch together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from clinical_nlp.artifacts import package_digest
from clinical_nlp.batch.extraction import NoteReader
from clinical_nlp.batch.models import BatchModels
from clinical_nlp.batch.ports import NoCache, ResultCache, TextReader
from clinical_nlp.batch.state.cache import Cache, input_key
from clinical_nlp.batch.state.reader import CachedReader
from clinical_nlp.batch.state.results import KeptResults

#: Packages whose code makes results; those that read notes stand first.
_OURS = ("clinical_nlp", "fhir_adapters")
_THEIRS = ("spacy", "medspacy", "torch", "scikit-learn", "numpy", "pyarrow", "fhir.resources")


@dataclass(frozen=True, slots=True)
class NightlyState:
    """A reader and a memory of results; both without effect where no state is kept.

    Parameters
    ----------
    reader
        Reads what it does not remember.
    results
        Results by patient.
    """

    reader: TextReader
    results: ResultCache

    def finish(self) -> None:
        """Forget what the run, which has ended well, did not have."""
        if isinstance(self.results, KeptResults):
            self.results.finish()

    def counts(self) -> dict[str, int] | None:
        """Return how much was made anew, for ``run.json``; ``None`` without a state."""
        if not isinstance(self.reader, CachedReader) or not isinstance(self.results, KeptResults):
            return None
        return {"notes_read": self.reader.read_notes, "patients_reused": self.results.reused}


@contextmanager
def open_state(
    folder: Path | None, reader: NoteReader, models: BatchModels
) -> Iterator[NightlyState]:
    """Open the state in a folder; without a folder nothing is kept.

    Raises
    ------
    clinical_nlp.errors.OutputError
        E551 to E553: the folder cannot be used.
    """
    if folder is None:
        yield NightlyState(reader, NoCache())
        return
    versions = [f"{name} {version(name)}" for name in _THEIRS]
    code = input_key(*map(package_digest, _OURS), *versions)
    reading = input_key(models.pipeline, models.reader_digest or "", code)
    with Cache(folder) as cache:
        cache.forget_readings_but(reading)
        yield NightlyState(CachedReader(reader, cache, reading), KeptResults(cache, code))
