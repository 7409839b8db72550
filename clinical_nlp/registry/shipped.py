"""Finds the models that come with the package, in a checkout or an installed wheel."""

from __future__ import annotations

from pathlib import Path

import clinical_nlp
from clinical_nlp.errors import ModelError


def shipped_folder(name: str) -> Path:
    """Return the folder of a shipped model.

    Parameters
    ----------
    name
        Name of the model, e.g. ``"hf-risk"``.

    Raises
    ------
    ModelError
        E403: neither the wheel nor the checkout holds it.
    """
    package = Path(clinical_nlp.__file__).resolve().parent
    for root in (package / "shipped_models", package.parent / "models"):
        if (root / name).is_dir():
            return root / name
    raise ModelError(
        "E403",
        f"the package holds no model '{name}': install it again, or train one with "
        "'clinical-nlp train risk --config models/hf-risk/recipe.toml'",
    )
