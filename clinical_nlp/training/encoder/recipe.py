"""Recipes of an encoder: pretrained from scratch, or distilled from a larger one."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from clinical_nlp.training.config import Precision, RecipeFile, RecipeSection, flatten


class ShapeRecipe(RecipeSection):
    """Shape of the encoder, a small ModernBERT."""

    vocabulary: PositiveInt
    layers: PositiveInt
    hidden: PositiveInt
    heads: PositiveInt
    intermediate: PositiveInt
    local_attention: PositiveInt
    global_every: PositiveInt
    positions: PositiveInt

    @model_validator(mode="after")
    def _divide_hidden_by_heads(self) -> Self:
        if self.hidden % self.heads:
            raise ValueError("hidden must be a multiple of heads")
        return self


class VectorsRecipe(RecipeSection):
    """Initial embeddings of the tokens, from co-occurrence counts.

    Parameters
    ----------
    window
        Tokens to each side that count as neighbours, weighted by 1 / distance.
    smoothing
        Exponent of the neighbours' frequency.
    scale
        Standard deviation of the embeddings' values.
    seed
        Of the randomised factorisation.
    """

    window: PositiveInt
    smoothing: float
    scale: PositiveFloat
    seed: NonNegativeInt


class MaskingRecipe(RecipeSection):
    """Masked language modelling.

    Parameters
    ----------
    length
        Tokens of a sequence, special ones included.
    batch
        Sequences of a step.
    masked
        Tokens of a sequence that are masked; whole words, as far as they fit.
    steps
        Steps in all; the learning rate rises over ``warm_up`` of them, stays, and falls
        over the last ``decay``.
    matrix_rate, other_rate
        Learning rates of the matrices (Muon) and of all else (AdamW).
    seed
        Of weights, masks and order.
    """

    length: PositiveInt
    batch: PositiveInt
    masked: PositiveInt
    steps: PositiveInt
    warm_up: NonNegativeInt
    decay: NonNegativeInt
    matrix_rate: PositiveFloat
    other_rate: PositiveFloat
    matrix_decay: NonNegativeFloat
    other_decay: NonNegativeFloat
    precision: Precision
    seed: NonNegativeInt

    @model_validator(mode="after")
    def _check_lengths(self) -> Self:
        if self.masked >= self.length - 2:
            raise ValueError("masked must leave tokens of length unmasked")
        if self.warm_up + self.decay > self.steps:
            raise ValueError("warm_up and decay must fit into steps")
        return self

    def shortened(self, steps: int) -> MaskingRecipe:
        """Return the recipe of a trial run of fewer steps."""
        half = steps // 2
        return self.replace(
            steps=steps, warm_up=min(self.warm_up, half), decay=min(self.decay, half)
        )


class PretrainingRecipe(RecipeFile):
    """Recipe of an encoder that is trained from scratch.

    Parameters
    ----------
    text
        Unlabelled text, relative to the recipe.
    """

    shipped_as: ClassVar[str] = "models/es-clinical-encoder/recipe.toml"

    name: str
    text: str
    shape: ShapeRecipe
    vectors: VectorsRecipe
    masking: MaskingRecipe

    def flat(self) -> dict[str, Any]:
        """Parameters as MLflow logs them: ``masking.steps`` and so on."""
        # The folder may name a hospital's machine: the file's name is enough.
        return flatten(self.as_dict()) | {"text": Path(self.text).name}


class DistilRecipe(RecipeFile):
    """Recipe of an encoder that is distilled from a larger one.

    Parameters
    ----------
    student
        TrainingCheckpoint that gives shape, tokenizer and initial weights.
    text
        Unlabelled text, relative to the recipe.
    steps, batch
        Steps, and sentences of a step.
    warm_up
        Steps over which the learning rate rises; it falls to nothing at the end.
    matrix_rate, other_rate
        Learning rates of the student's matrices (Muon) and of all else (AdamW).
    seed
        Of the order and of the projection.
    """

    shipped_as: ClassVar[str] = "models/es-clinical-encoder/distil.toml"

    name: str
    student: str
    text: str
    steps: PositiveInt
    batch: PositiveInt
    warm_up: NonNegativeInt
    matrix_rate: PositiveFloat
    other_rate: PositiveFloat
    matrix_decay: NonNegativeFloat
    other_decay: NonNegativeFloat
    seed: NonNegativeInt

    def flat(self) -> dict[str, Any]:
        """Parameters as MLflow logs them."""
        return self.as_dict() | {"text": Path(self.text).name}
