"""The recipe of a mention model: one TOML file decides it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from clinical_nlp.errors import UsageError
from clinical_nlp.neural.tagger.labels import LABELS
from clinical_nlp.neural.tagger.network import HeadShape
from clinical_nlp.training.encoder.recipe import flatten, read_toml


@dataclass(frozen=True, slots=True)
class CorpusRecipe:
    """One annotated corpus.

    Parameters
    ----------
    path
        JSON lines with "id", "text" and "entities".
    labels
        The labels that were annotated in it. Another label's layer is unknown there: it
        is neither taught nor counted.
    repeat
        How often each of its documents is read in an epoch.
    measured
        Whether documents of it are held out to be measured on.
    """

    path: str
    labels: tuple[str, ...]
    repeat: int = 1
    measured: bool = False


@dataclass(frozen=True, slots=True)
class SplitRecipe:
    """Shares of the measured corpora's documents, by a hash of their text.

    Parameters
    ----------
    test
        Held out: its measures are the ones that are published.
    validation
        Decides when to stop, and which epoch is kept.
    salt
        Makes the hash this model's own.
    """

    test: float
    validation: float
    salt: str


@dataclass(frozen=True, slots=True)
class FitRecipe:
    """How the network is trained.

    Parameters
    ----------
    epochs
        Most epochs; the learning rate rises over ``warm_up`` steps and falls to nothing
        at their end.
    patience
        Epochs without a better validation F1 after which training stops.
    batch_pieces
        Pieces of a step, padding counted.
    matrix_rate, embedding_rate, head_rate
        Learning rates of the encoder's matrices (Muon), its other parameters and the head
        (AdamW).
    word_dropout
        Share of pieces masked, and of affixes left out, in training.
    average_from
        Share of the steps after which the average of the weights begins, which is what is
        kept; 1 keeps the last weights.
    precision
        ``"bfloat16"`` or ``"float32"``.
    seed
        Of weights, order and dropout.
    keep
        ``"best"`` keeps the epoch that validation prefers; ``"last"`` the last one. Few
        documents to validate on prefer one by chance, and a run over every document has
        none: weights that are to be measured for such a run must be the last ones.
    adversary
        How far each step moves the embeddings to where they harm most (the length of the whole
        move), to teach the batch there once more; 0 teaches it once. A step takes twice as long.
    """

    epochs: int
    patience: int
    batch_pieces: int
    warm_up: int
    matrix_rate: float
    embedding_rate: float
    head_rate: float
    matrix_decay: float
    other_decay: float
    word_dropout: float
    average_from: float
    precision: str
    seed: int
    keep: str = "best"
    adversary: float = 0.0


@dataclass(frozen=True, slots=True)
class TeachersRecipe:
    """Models whose beliefs are taught beside the annotated documents.

    Parameters
    ----------
    models
        Folders of mention models, trained on the same split.
    text
        Unlabelled text that they are asked about: JSON lines with "text".
    share
        Share of it that is read in an epoch.
    """

    models: tuple[str, ...]
    text: str
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class MentionsRecipe:
    """One mention model's recipe.

    Parameters
    ----------
    encoder
        What it is made from: a shipped encoder's name, a folder, or an id of the hub.
    teachers
        Without them, annotated documents are all it learns from.
    start
        Folder of a mention model to go on from, whose encoder and shape it takes; of ``head``
        only the dropout counts then.
    members
        Further runs, each told by what is other in ``fit`` and in ``head.dropout``; the model is
        the mean of all their weights.
    """

    name: str
    encoder: str
    corpora: tuple[CorpusRecipe, ...]
    split: SplitRecipe
    head: HeadShape
    fit: FitRecipe
    teachers: TeachersRecipe | None = None
    start: str | None = None
    members: tuple[dict[str, dict[str, Any]], ...] = ()

    def runs(self) -> list[MentionsRecipe]:
        """The recipe of each run: as it stands, then with each member's changes."""
        alone = replace(self, members=())
        return [alone, *(_changed(alone, member) for member in self.members)]

    def as_dict(self) -> dict[str, Any]:
        """Plain values, to be kept with a run."""
        return asdict(self)

    def flat(self) -> dict[str, Any]:
        """Parameters as MLflow logs them: ``fit.epochs`` and so on."""
        flat = flatten(asdict(self))
        for number, corpus in enumerate(flat.pop("corpora")):
            # The folder may name a hospital's machine: the file's name is enough.
            corpus["path"] = Path(corpus["path"]).name
            corpus["labels"] = " ".join(corpus["labels"])
            flat |= {f"corpora.{number}.{key}": value for key, value in corpus.items()}
        for number, member in enumerate(flat.pop("members")):
            flat |= {f"members.{number}.{key}": value for key, value in flatten(member).items()}
        if self.teachers is not None:
            flat["teachers.models"] = " ".join(Path(m).name for m in self.teachers.models)
            flat["teachers.text"] = Path(self.teachers.text).name
        return flat


def read_mentions_recipe(path: Path, changes: Iterable[str] = ()) -> MentionsRecipe:
    """Read the recipe of a mention model.

    Parameters
    ----------
    path
        A TOML file.
    changes
        Values that take the place of the file's: ``"fit.epochs = 4"``, spelt as in TOML.

    Raises
    ------
    UsageError
        E120: the file cannot be read; E121: a part is missing or out of range; E131: a
        change cannot be read, or changes nothing that is there.
    """
    data = read_toml(path)
    for change in changes:
        _change(data, change)
    try:
        recipe = MentionsRecipe(
            name=str(data["name"]),
            encoder=str(data["encoder"]),
            corpora=tuple(
                CorpusRecipe(**{**corpus, "labels": tuple(corpus["labels"])})
                for corpus in data["corpora"]
            ),
            split=SplitRecipe(**data["split"]),
            head=HeadShape(**data["head"]),
            fit=FitRecipe(**data["fit"]),
            teachers=_teachers(data.get("teachers")),
            start=data.get("start"),
            members=tuple(data.get("members", ())),
        )
        for run in recipe.runs():
            _check(run)
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(
            "E121",
            f"the recipe '{path}' lacks a part or holds a wrong one ({error}): "
            "compare it with models/mentions/recipe.toml",
        ) from None
    return recipe


def _change(data: dict[str, Any], change: str) -> None:
    """Put a value in the place of the recipe's."""
    try:
        ((part, values),) = tomllib.loads(change).items()
        ((name, value),) = values.items()
        if name not in data[part]:
            raise KeyError(name)
        data[part][name] = value
    except (tomllib.TOMLDecodeError, ValueError, KeyError, TypeError, AttributeError):
        raise UsageError(
            "E131",
            f"'{change}' changes nothing in the recipe: write PART.NAME=VALUE as in TOML, with a "
            "name that the recipe has, such as fit.epochs=4 or head.dropout=0.5",
        ) from None


def _changed(recipe: MentionsRecipe, member: dict[str, dict[str, Any]]) -> MentionsRecipe:
    """A member's recipe: what all must share for their mean to mean something stays."""
    fit, head = member.get("fit", {}), member.get("head", {})
    if set(member) - {"fit", "head"} or set(head) - {"dropout"} or "seed" in fit or not member:
        raise ValueError("members change fit, without its seed, and head.dropout")
    return replace(recipe, fit=replace(recipe.fit, **fit), head=replace(recipe.head, **head))


def _teachers(data: dict[str, Any] | None) -> TeachersRecipe | None:
    if data is None:
        return None
    recipe = TeachersRecipe(**{**data, "models": tuple(data["models"])})
    if not recipe.models or not 0 < recipe.share <= 1:
        raise ValueError("teachers.models must name a model, and teachers.share be above 0")
    return recipe


def _check(recipe: MentionsRecipe) -> None:
    split, fit = recipe.split, recipe.fit
    if not recipe.corpora or not any(corpus.measured for corpus in recipe.corpora):
        raise ValueError("one corpus at least must be measured")
    unknown = {label for corpus in recipe.corpora for label in corpus.labels} - set(LABELS)
    if unknown:
        raise ValueError(f"labels are {', '.join(LABELS)}")
    if min(split.test, split.validation) < 0 or split.test + split.validation >= 1:
        raise ValueError("split.test and split.validation must leave documents to train on")
    if fit.epochs < 1 or fit.batch_pieces < 1 or fit.warm_up < 0 or fit.patience < 1:
        raise ValueError("fit.epochs, fit.batch_pieces and fit.patience start at 1")
    if fit.precision not in ("bfloat16", "float32"):
        raise ValueError("fit.precision must be bfloat16 or float32")
    if fit.keep not in ("best", "last"):
        raise ValueError("fit.keep must be best or last")
    if not 0 < fit.average_from <= 1 or not 0 <= fit.word_dropout < 1:
        raise ValueError("fit.average_from and fit.word_dropout are shares")
    if fit.adversary < 0:
        raise ValueError("fit.adversary is a length, 0 or more")
