"""Place, files and engine settings of a mention model; importing this loads no torch."""

from __future__ import annotations

from pathlib import Path

from clinical_nlp.errors import ModelError
from clinical_nlp.neural.engine import EngineConfig
from clinical_nlp.neural.model_files import files_digest, find_model_folder
from clinical_nlp.neural.tagger.word_features import FEATURES

#: Name of the mention model that comes with the package.
SHIPPED = "mentions"

CONFIG = "config.json"
WEIGHTS = "tagger.safetensors"
MODEL_FILES = (CONFIG, WEIGHTS, "tokenizer.json", "tokenizer_config.json")

#: Pieces that are read at once; longer sentences are read in overlapping windows.
WINDOW = 384

#: Batches are large, as the tagger itself splits them for its encoder.
ENGINE_CONFIG = EngineConfig(window=WINDOW, features=FEATURES, batch_pieces=4096)


def find_mention_model(reference: str = SHIPPED) -> Path:
    """Return the folder of a mention model.

    Parameters
    ----------
    reference
        Name of a shipped model, or path of a folder with the model's files, directly or in
        ``model/``.

    Raises
    ------
    ModelError
        E460: there is none.
    """
    folder = find_model_folder(reference, CONFIG)
    if folder is not None:
        return folder
    raise ModelError(
        "E460",
        f"there is no mention model '{reference}': give the folder that 'clinical-nlp train "
        "mentions' wrote, or leave the mentions out",
    )


def model_digest(folder: Path) -> str:
    """Hex SHA-256 over the files of a mention model.

    Raises
    ------
    ModelError
        E461: a file is missing.
    """
    try:
        return files_digest(folder, MODEL_FILES)
    except OSError as error:
        raise damaged(folder) from error


def damaged(folder: Path) -> ModelError:
    """Return the error E461."""
    return ModelError(
        "E461",
        f"the mention model in '{folder.name}' is missing a file, or one is truncated or damaged: "
        "install the package again, or train it with 'clinical-nlp train mentions'",
    )
