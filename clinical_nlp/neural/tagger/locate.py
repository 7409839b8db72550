"""Locate a mention model: a shipped one, or a folder."""

from __future__ import annotations

from pathlib import Path

from clinical_nlp.artifacts import MODEL_FOLDER, shipped_models
from clinical_nlp.errors import ModelError
from clinical_nlp.neural.tagger.files import CONFIG

#: Name of the mention model that comes with the package.
SHIPPED = "mentions"


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
    for shipped in shipped_models():
        if shipped.name == reference:
            return shipped / MODEL_FOLDER
    given = Path(reference)
    for folder in (given / MODEL_FOLDER, given):
        if (folder / CONFIG).is_file():
            return folder
    raise ModelError(
        "E460",
        f"there is no mention model '{reference}': give the folder that 'clinical-nlp train "
        "mentions' wrote, or leave the mentions out",
    )
