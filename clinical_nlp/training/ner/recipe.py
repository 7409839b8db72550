"""The recipe of a mention model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    model_validator,
)

from clinical_nlp.neural.tagger.labels import Label
from clinical_nlp.neural.tagger.network import HeadShape
from clinical_nlp.training.config import Precision, RecipeFile, RecipeSection, explain, flatten

#: A share from 0 up to, but not including, 1.
Share = Annotated[float, Field(ge=0, lt=1)]


class CorpusRecipe(RecipeSection):
    """One annotated corpus.

    Parameters
    ----------
    path
        JSON lines with "id", "text" and "entities", relative to the recipe.
    labels
        The labels that were annotated in it. Another label's layer is unknown there: it
        adds nothing to the loss.
    repeat
        How often each of its documents is read in an epoch.
    measured
        Whether documents of it are held out for validation and test.
    """

    path: str
    labels: tuple[Label, ...]
    repeat: PositiveInt = 1
    measured: bool = False


class SplitRecipe(RecipeSection):
    """Shares of the measured corpora's documents, by a hash of their text.

    Parameters
    ----------
    test
        Held out for the published measures.
    validation
        Held out for early stopping.
    salt
        Makes the hash this model's own.
    """

    test: Share
    validation: Share
    salt: str

    @model_validator(mode="after")
    def _leave_training_documents(self) -> Self:
        if self.test + self.validation >= 1:
            raise ValueError("test and validation must leave documents to train on")
        return self


class FitRecipe(RecipeSection):
    """How the network is trained.

    Parameters
    ----------
    epochs
        Most epochs; the learning rate rises over ``warm_up`` steps and falls to nothing
        at their end.
    patience
        Epochs without a better validation F1 after which training stops.
    batch_pieces
        Tokens of a step, padding included.
    matrix_rate, embedding_rate, head_rate
        Learning rates of the encoder's matrices (Muon), its other parameters and the head
        (AdamW).
    word_dropout
        Share of tokens masked, and of affixes left out, in training.
    average_from
        Share of the steps after which the weights are averaged; the average is kept. 1 keeps
        the last weights.
    seed
        Of weights, order and dropout.
    keep
        ``"best"`` keeps the epoch with the best validation F1, ``"last"`` the last one. Few
        validation documents prefer an epoch by chance, and a run over every document has
        none: to measure what such a run gives, keep the last.
    fgm_epsilon
        L2 norm of the adversarial perturbation of the embeddings; 0 trains without. With it a
        step takes twice as long.
    """

    epochs: PositiveInt
    patience: PositiveInt
    batch_pieces: PositiveInt
    warm_up: NonNegativeInt
    matrix_rate: PositiveFloat
    embedding_rate: PositiveFloat
    head_rate: PositiveFloat
    matrix_decay: NonNegativeFloat
    other_decay: NonNegativeFloat
    word_dropout: Share
    average_from: float = Field(gt=0, le=1)
    precision: Precision
    seed: NonNegativeInt
    keep: Literal["best", "last"] = "best"
    fgm_epsilon: NonNegativeFloat = 0.0


class MemberRecipe(RecipeSection):
    """One more run of a model soup: what differs from the recipe.

    Runs can be averaged only if they start alike and see the same order, so the seed and the
    shape of the network stay.

    Parameters
    ----------
    fit
        Keys of :class:`FitRecipe` with other values.
    head
        Another dropout.
    """

    fit: dict[str, Any] = Field(default_factory=dict)
    head: dict[Literal["dropout"], Share] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _differ_where_averaging_allows(self) -> Self:
        if "seed" in self.fit or not (self.fit or self.head):
            raise ValueError("a member changes keys of fit (not its seed), or head.dropout")
        return self


class MentionsRecipe(RecipeFile):
    """Recipe of a mention model.

    Parameters
    ----------
    encoder
        What it starts from: a shipped encoder's name, a folder, or a hub id.
    start
        Folder of a mention model to continue from, whose encoder and shape are kept; of
        ``head`` only the dropout counts then.
    members
        Further runs; the model is the mean of all runs' weights (a model soup).
    """

    shipped_as: ClassVar[str] = "models/mentions/recipe.toml"

    name: str
    encoder: str
    corpora: tuple[CorpusRecipe, ...]
    split: SplitRecipe
    head: HeadShape
    fit: FitRecipe
    start: str | None = None
    members: tuple[MemberRecipe, ...] = ()

    @model_validator(mode="after")
    def _check_corpora_and_members(self) -> Self:
        if not any(corpus.measured for corpus in self.corpora):
            raise ValueError("at least one of the corpora must be measured")
        for number, member in enumerate(self.members):
            try:
                self.fit.replace(**member.fit)
            except ValidationError as error:
                problems = explain(error, FitRecipe)
                raise ValueError(f"in members[{number}].fit, {problems}") from None
        return self

    def runs(self) -> list[MentionsRecipe]:
        """The recipe of each run: as it stands, then with each member's changes."""
        base = self.replace(members=())
        return [base, *(base.changed(member) for member in self.members)]

    def changed(self, member: MemberRecipe) -> MentionsRecipe:
        """Return the recipe of a member's run."""
        dropout = member.head.get("dropout", self.head.dropout)
        return self.replace(
            fit=self.fit.replace(**member.fit), head=replace(self.head, dropout=dropout)
        )

    def flat(self) -> dict[str, Any]:
        """Parameters as MLflow logs them: ``fit.epochs`` and so on."""
        flat = flatten(self.as_dict())
        for number, corpus in enumerate(flat.pop("corpora")):
            # The folder may name a hospital's machine: the file's name is enough.
            corpus["path"] = Path(corpus["path"]).name
            corpus["labels"] = " ".join(corpus["labels"])
            flat |= flatten(corpus, f"corpora.{number}.")
        for number, member in enumerate(flat.pop("members")):
            flat |= flatten(member, f"members.{number}.")
        return flat
