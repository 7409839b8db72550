"""What a trained network says of notes that it was not trained on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt
from transformers import PreTrainedTokenizerFast

from clinical_nlp.errors import ModelError
from clinical_nlp.neural.engine import Engine
from clinical_nlp.neural.reader.decode import decode
from clinical_nlp.neural.reader.files import ENGINE_CONFIG
from clinical_nlp.neural.reader.inference import InferenceReader
from clinical_nlp.neural.reader.network import ReaderNetwork
from clinical_nlp.pipeline.reader.features import Vocabulary, Words, of_tokens, word_features
from clinical_nlp.training.reader.corpus import ReadNote

Floats = npt.NDArray[np.float32]

#: Name of the identity beside the rows; theirs have a "/".
_IDENTITY = "identity"


@dataclass(frozen=True)
class Reading:
    """A note, its words, and what the network says of each: float32 [words, 8]."""

    note: ReadNote
    words: Words
    rows: Floats


def read(
    network: ReaderNetwork,
    tokenizer: PreTrainedTokenizerFast,
    notes: Sequence[ReadNote],
    vocabulary: Vocabulary,
) -> list[Reading]:
    """Read notes as the pipeline does."""
    engine = Engine(InferenceReader(network), tokenizer, ENGINE_CONFIG, decode=decode)
    words = [Words(note.doc) for note in notes]
    features = [
        of_tokens(note.doc, of_note, word_features(note.doc, of_note, note.findings, vocabulary))
        for note, of_note in zip(notes, words, strict=True)
    ]
    rows = engine.run([note.doc for note in notes], features)
    return [
        Reading(note, of_note, row[of_note.tokens])
        for note, of_note, row in zip(notes, words, rows, strict=True)
    ]


def save_rows(readings: Sequence[Reading], path: Path, identity: Mapping[str, Any]) -> None:
    """Save the rows of readings, by note and hand, and which run made them; no text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = {f"{r.note.hand}/{r.note.id}": r.rows for r in readings}
    unfinished = path.with_name(f"{path.stem}.unfinished.npz")
    np.savez_compressed(unfinished, **{_IDENTITY: np.array(_json(identity))}, **rows)
    unfinished.replace(path)


def load_rows(path: Path, notes: Sequence[ReadNote], identity: Mapping[str, Any]) -> list[Reading]:
    """Load what :func:`save_rows` saved, for the same notes.

    Raises
    ------
    ModelError
        E464: they are of another run, or damaged.
    """
    try:
        with np.load(path) as saved:
            if str(saved[_IDENTITY]) == _json(identity):
                return [Reading(n, Words(n.doc), saved[f"{n.hand}/{n.id}"]) for n in notes]
    except (OSError, ValueError, KeyError, BadZipFile):
        pass  # said below
    raise ModelError(
        "E464",
        f"the readings in '{path}' are of another recipe or of other notes, or damaged: remove "
        "the folder to start again, or give the recipe that they were made with",
    )


def _json(identity: Mapping[str, Any]) -> str:
    return json.dumps(identity, sort_keys=True)
