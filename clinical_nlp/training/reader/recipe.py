"""The recipe of a reader."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    model_validator,
)

from clinical_nlp.training.config import Precision, RecipeFile, RecipeSection, flatten

#: A share from 0 up to, but not including, 1.
Share = Annotated[float, Field(ge=0, lt=1)]


class HeadRecipe(RecipeSection):
    """The layer above the encoder: its width, and the dropout rate around it."""

    hidden: PositiveInt
    dropout: Share


class DropRecipe(RecipeSection):
    """What is hidden from the network in training, so that it does not lean on the rules.

    Parameters
    ----------
    pieces
        Share of the pieces that are masked.
    target
        Share of the findings whose own words are masked: the flags must follow from the words
        around.
    finding
        Share of the rules' findings that are left out, as if the lexicon did not know them.
    flags
        Share of the rules' findings whose flags are hidden.
    concept
        Share of those whose concept is hidden.
    segment
        Share of the segments in which all of the rules' findings are left out.
    """

    pieces: Share
    target: Share
    finding: Share
    flags: Share
    concept: Share
    segment: Share


class FitRecipe(RecipeSection):
    """How the network is trained.

    Parameters
    ----------
    epochs
        The learning rate rises over ``warm_up`` steps and falls to nothing at their end.
    batch_pieces
        Pieces of a step, padding included.
    matrix_rate, embedding_rate, head_rate
        Learning rates of the encoder's matrices (Muon), its other parameters and the head
        (AdamW).
    concept_weight
        Weight of the concepts' loss beside the flags'.
    target_weight
        Weight of a passage that has targets but no concepts (NUBes).
    target_share
        Share of such passages that an epoch reads, others in each.
    masked_weight
        Weight of the loss of guessing masked pieces, which keeps the encoder a language model
        and teaches it the words of these notes; 0 leaves it out.
    fgm_epsilon
        L2 norm of the adversarial perturbation of the embeddings; 0 trains without. With it a
        step takes twice as long.
    average_from
        Share of the steps after which the weights are averaged; the average is kept.
    seed
        Of weights, order and dropout.
    """

    epochs: PositiveInt
    batch_pieces: PositiveInt
    warm_up: NonNegativeInt
    matrix_rate: PositiveFloat
    embedding_rate: PositiveFloat
    head_rate: PositiveFloat
    matrix_decay: NonNegativeFloat
    other_decay: NonNegativeFloat
    concept_weight: NonNegativeFloat
    target_weight: NonNegativeFloat
    target_share: Annotated[float, Field(gt=0, le=1)]
    masked_weight: NonNegativeFloat
    fgm_epsilon: NonNegativeFloat
    average_from: Annotated[float, Field(gt=0, le=1)]
    precision: Precision
    seed: NonNegativeInt


class ReaderRecipe(RecipeFile):
    """How a reader is trained, validated and shipped.

    Parameters
    ----------
    name
        Of the model.
    encoder
        Checkpoint: a shipped encoder's name, a folder, or a hub id.
    notes
        Files of marked-up notes, relative to the recipe; a pattern (``corpus/*.txt``) is
        allowed. A note's hand is the name of its file. Notes that clinicians corrected are a
        file like any other.
    targets
        JSON lines with given targets (NUBes), or nothing.
    folds
        Hands that are left out together, each in exactly one fold.
    """

    shipped_as: ClassVar[str] = "models/reader/recipe.toml"

    name: str
    encoder: str
    notes: tuple[str, ...]
    targets: str | None = None
    folds: tuple[tuple[str, ...], ...]
    head: HeadRecipe
    drop: DropRecipe
    fit: FitRecipe

    @model_validator(mode="after")
    def _each_hand_once(self) -> Self:
        hands = [hand for fold in self.folds for hand in fold]
        if len(hands) != len(set(hands)):
            raise ValueError("a hand stands in two folds")
        return self

    def flat(self) -> dict[str, Any]:
        """Parameters as MLflow logs them: ``fit.epochs`` and so on."""
        flat = flatten(self.as_dict())
        flat["notes"] = " ".join(flat["notes"])
        flat["folds"] = " ".join("+".join(fold) for fold in flat["folds"])
        return flat
