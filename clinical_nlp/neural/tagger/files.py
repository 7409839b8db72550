"""File names, digest and engine settings of a mention model; importing this loads no torch."""

from __future__ import annotations

from pathlib import Path

from clinical_nlp.artifacts import digest_of, file_digest
from clinical_nlp.errors import ModelError
from clinical_nlp.neural.engine import EngineConfig
from clinical_nlp.neural.tagger.word_features import FEATURES

CONFIG = "config.json"
WEIGHTS = "tagger.safetensors"
MODEL_FILES = (CONFIG, WEIGHTS, "tokenizer.json", "tokenizer_config.json")

#: Pieces that are read at once; longer sentences are read in overlapping windows.
WINDOW = 384

#: Batches are large, as the tagger itself splits them for its encoder.
ENGINE_CONFIG = EngineConfig(window=WINDOW, features=FEATURES, batch_pieces=4096)


def model_digest(folder: Path) -> str:
    """Hex SHA-256 over the files of a mention model.

    Raises
    ------
    ModelError
        E461: a file is missing.
    """
    try:
        return digest_of({name: file_digest(folder / name) for name in MODEL_FILES})
    except OSError as error:
        raise damaged(folder) from error


def damaged(folder: Path) -> ModelError:
    """Return the error E461."""
    return ModelError(
        "E461",
        f"the mention model in '{folder.name}' is missing a file, or one is truncated or damaged: "
        "install the package again, or train it with 'clinical-nlp train mentions'",
    )
