"""Place, files and engine settings of a reader; importing this loads no torch."""

from __future__ import annotations

from pathlib import Path

from clinical_nlp.errors import ModelError
from clinical_nlp.neural.engine import EngineConfig
from clinical_nlp.neural.model_files import files_digest, find_model_folder

#: Name of the reader that comes with the package.
SHIPPED = "reader"

CONFIG = "config.json"
WEIGHTS = "reader.safetensors"
MODEL_FILES = (CONFIG, WEIGHTS, "tokenizer.json", "tokenizer_config.json")

#: Pieces that are read at once; longer sentences are read in overlapping windows.
WINDOW = 512

#: Words up to which whole sentences are read together: what a finding means depends on the
#: sentences and the lines around it.
CONTEXT = 160

#: Columns of a word's features: line break before it, mark, concept, section, cue.
FEATURES = 5

#: Batches are large, as the network itself splits them for its encoder.
ENGINE_CONFIG = EngineConfig(
    window=WINDOW, context=CONTEXT, features=FEATURES, batch_pieces=4096, cache_mib=16
)


def find_reader(reference: str = SHIPPED) -> Path:
    """Return the folder of a reader.

    Parameters
    ----------
    reference
        Name of a shipped model, or path of a folder with the model's files, directly or in
        ``model/``.

    Raises
    ------
    ModelError
        E470: there is none.
    """
    folder = find_model_folder(reference, CONFIG)
    if folder is not None:
        return folder
    raise ModelError(
        "E470",
        f"there is no reader '{reference}': give the folder that 'clinical-nlp train reader' "
        "wrote, or read with the rules alone (--no-reader)",
    )


def model_digest(folder: Path) -> str:
    """Hex SHA-256 over the files of a reader.

    Raises
    ------
    ModelError
        E471: a file is missing.
    """
    try:
        return files_digest(folder, MODEL_FILES)
    except OSError as error:
        raise damaged(folder) from error


def other_format(folder: Path) -> ModelError:
    """Return the error E472."""
    return ModelError(
        "E472",
        f"the reader in '{folder.name}' is of another format or another shape than this version "
        "reads: take the one that came with this version, or train it again with "
        "'clinical-nlp train reader'",
    )


def damaged(folder: Path) -> ModelError:
    """Return the error E471."""
    return ModelError(
        "E471",
        f"the reader in '{folder.name}' is missing a file, or one is truncated or damaged: "
        "install the package again, or train it with 'clinical-nlp train reader'",
    )
