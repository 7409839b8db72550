"""The files of a mention model, and their digest; importing this loads no torch."""

from __future__ import annotations

from pathlib import Path

from clinical_nlp.artifacts import digest_of, file_digest
from clinical_nlp.errors import ModelError

CONFIG = "config.json"
WEIGHTS = "tagger.safetensors"
TOKENIZER = ("tokenizer.json", "tokenizer_config.json")

#: Pieces that are read at once; longer sentences are read in overlapping windows.
WINDOW = 384

#: Pieces that are handed to the tagger at once; its encoder takes them in smaller lots.
BATCH = 4096


def model_digest(folder: Path) -> str:
    """Hex SHA-256 over the files of a mention model.

    Raises
    ------
    ModelError
        E461: a file is missing.
    """
    try:
        return digest_of({n: file_digest(folder / n) for n in (CONFIG, WEIGHTS, *TOKENIZER)})
    except OSError as error:
        raise damaged(folder) from error


def damaged(folder: Path) -> ModelError:
    """E461, to be raised."""
    return ModelError(
        "E461",
        f"the mention model in '{folder.name}' is missing a file, or one is truncated or damaged: "
        "install the package again, or train it with 'clinical-nlp train mentions'",
    )
