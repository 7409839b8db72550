"""The recipe of an encoder: one TOML file decides it."""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from clinical_nlp.errors import UsageError

Part = TypeVar("Part")


@dataclass(frozen=True, slots=True)
class ShapeRecipe:
    """The encoder's shape; names are ModernBERT's."""

    vocabulary: int
    layers: int
    hidden: int
    heads: int
    intermediate: int
    local_attention: int
    global_every: int
    positions: int


@dataclass(frozen=True, slots=True)
class VectorsRecipe:
    """First vectors of the pieces, from counts.

    Parameters
    ----------
    window
        Pieces to each side that count as neighbours, weighted by 1 / distance.
    smoothing
        Exponent of the neighbours' frequency.
    scale
        Standard deviation of the vectors' values.
    seed
        Of the randomised factorisation.
    """

    window: int
    smoothing: float
    scale: float
    seed: int


@dataclass(frozen=True, slots=True)
class MaskingRecipe:
    """Masked language modelling.

    Parameters
    ----------
    length
        Pieces of a sequence, special ones counted.
    batch
        Sequences of a step.
    masked
        Pieces of a sequence that are hidden; whole words, as far as they fit.
    steps
        Steps in all; the learning rate rises over ``warm_up`` of them, stays, and falls
        over the last ``decay``.
    matrix_rate, other_rate
        Learning rates of the matrices (Muon) and of all else (AdamW).
    precision
        ``"bfloat16"`` or ``"float32"``.
    seed
        Of weights, masks and order.
    """

    length: int
    batch: int
    masked: int
    steps: int
    warm_up: int
    decay: int
    matrix_rate: float
    other_rate: float
    matrix_decay: float
    other_decay: float
    precision: str
    seed: int


@dataclass(frozen=True, slots=True)
class PretrainingRecipe:
    """One encoder's recipe."""

    name: str
    text: str
    shape: ShapeRecipe
    vectors: VectorsRecipe
    masking: MaskingRecipe

    def as_dict(self) -> dict[str, Any]:
        """Plain values, to be kept with a run."""
        return asdict(self)

    def flat(self) -> dict[str, Any]:
        """Parameters as MLflow logs them: ``masking.steps`` and so on."""
        # The folder may name a hospital's machine: the file's name is enough.
        return flatten(asdict(self)) | {"text": Path(self.text).name}


def flatten(values: dict[str, Any]) -> dict[str, Any]:
    """Tables of tables as one table of dotted names; lists are left as they are."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            flat |= {f"{name}.{key}": inner for key, inner in flatten(value).items()}
        else:
            flat[name] = value
    return flat


def read_toml(path: Path) -> dict[str, Any]:
    """Read a recipe file.

    Raises
    ------
    UsageError
        E120: it cannot be read.
    """
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(
            "E120", f"the recipe '{path}' cannot be read ({error}): give --config a TOML file"
        ) from None


def read_pretraining_recipe(path: Path) -> PretrainingRecipe:
    """Read the recipe of an encoder.

    Raises
    ------
    UsageError
        E120: the file cannot be read; E121: a part is missing or out of range.
    """
    data = read_toml(path)
    try:
        recipe = PretrainingRecipe(
            name=str(data["name"]),
            text=str(data["text"]),
            shape=ShapeRecipe(**data["shape"]),
            vectors=VectorsRecipe(**data["vectors"]),
            masking=MaskingRecipe(**data["masking"]),
        )
        masking, shape = recipe.masking, recipe.shape
        if not 0 < masking.masked < masking.length - 2:
            raise ValueError("masking.masked must leave something of masking.length to see")
        if shape.hidden % shape.heads:
            raise ValueError("shape.hidden must be a multiple of shape.heads")
        if masking.warm_up + masking.decay > masking.steps:
            raise ValueError("masking.warm_up and masking.decay must fit into masking.steps")
        if masking.precision not in ("bfloat16", "float32"):
            raise ValueError("masking.precision must be bfloat16 or float32")
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(
            "E121",
            f"the recipe '{path}' lacks a part or holds a wrong one ({error}): "
            "compare it with models/es-clinical-encoder/recipe.toml",
        ) from None
    return recipe
