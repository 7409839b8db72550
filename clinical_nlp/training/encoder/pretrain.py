"""From a recipe to a shipped encoder."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from clinical_nlp.artifacts import MODEL_FOLDER, replace_folder, write_manifest
from clinical_nlp.errors import UsageError
from clinical_nlp.training.encoder.initial_embeddings import first_vectors
from clinical_nlp.training.encoder.initial_model import new_encoder
from clinical_nlp.training.encoder.loop import OnStep, train_masked
from clinical_nlp.training.encoder.recipe import PretrainingRecipe
from clinical_nlp.training.encoder.text import read_texts, stream_of
from clinical_nlp.training.encoder.tokenizer import CONTINUED, train_tokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

#: What an unfinished run keeps in its folder.
_TOKENIZER, _STATE = "tokenizer", "state"

#: Steps at the end of the run over which its published loss is averaged.
_LAST_STEPS = 50


@dataclass(frozen=True)
class Pretrained:
    """A finished run.

    Attributes
    ----------
    losses
        Of every step, in nats a hidden piece.
    pieces
        Length of the text in pieces.
    digest
        Of the shipped model.
    """

    losses: list[float]
    pieces: int
    digest: str

    @property
    def final_loss(self) -> float:
        """Mean loss of the last steps."""
        return float(np.mean(self.losses[-_LAST_STEPS:]))


def pretrain(
    recipe: PretrainingRecipe,
    text: Path,
    shipped: Path,
    work: Path,
    *,
    on_step: OnStep = lambda step, loss: None,
    compiled: bool = False,
    save_every: int = 100,
) -> Pretrained:
    """Train tokenizer and encoder, and write them to ``shipped/model``.

    Parameters
    ----------
    recipe
        What to make.
    text
        Unlabelled text, JSON lines.
    shipped
        Folder of the model; what the run makes is replaced, the rest is left.
    work
        Folder of the unfinished run; a run found there is taken up, and it is removed at
        the end.
    on_step, compiled, save_every
        See :func:`~clinical_nlp.training.encoder.loop.train_masked`.

    Raises
    ------
    InputError
        E265: the text cannot be read.
    UsageError
        E128: the text is too short for the recipe.
    ModelError
        E464: the unfinished run is of another recipe. E465: training diverged.
    """
    texts = read_texts(text)
    tokenizer = _tokenizer(texts, recipe.shape.vocabulary, work / _TOKENIZER)
    stream = stream_of(texts, tokenizer)
    masking = recipe.masking
    if len(stream) < masking.length * (masking.batch + 1):
        raise UsageError(
            "E128",
            f"the text holds {len(stream)} pieces, less than one step of the recipe: lower "
            "masking.batch or masking.length, or give more text",
        )
    names = tokenizer.convert_ids_to_tokens(list(range(len(tokenizer))))
    continues = np.array([name.startswith(CONTINUED) for name in names])
    vectors = first_vectors(
        stream,
        len(tokenizer),
        recipe.shape.hidden,
        window=recipe.vectors.window,
        smoothing=recipe.vectors.smoothing,
        seed=recipe.vectors.seed,
    )
    model = new_encoder(
        recipe.shape, len(tokenizer), vectors, scale=recipe.vectors.scale, seed=masking.seed
    )
    losses = train_masked(
        model,
        stream,
        continues,
        masking,
        folder=work / _STATE,
        identity=recipe.as_dict(),
        on_step=on_step,
        compiled=compiled,
        save_every=save_every,
    )
    target = shipped / MODEL_FOLDER
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    # Half precision: the folder is half as large, and training goes on from it as well.
    model.model.half().save_pretrained(target)
    # As it was made: a tokenizer that has been loaded adds where from.
    for file in (work / _TOKENIZER).iterdir():
        shutil.copyfile(file, target / file.name)
    facts = {
        "text": {"pieces": len(stream), "texts": len(texts)},
        "steps": len(losses),
        "loss_first_steps": round(float(np.mean(losses[:20])), 4),
        "loss_last_steps": round(float(np.mean(losses[-_LAST_STEPS:])), 4),
        "parameters": sum(p.numel() for p in model.model.parameters()),
    }
    (shipped / "metrics.json").write_text(json.dumps(facts, indent=2) + "\n", "utf-8")
    digest = write_manifest(shipped, licence="Apache-2.0")
    shutil.rmtree(work, ignore_errors=True)
    return Pretrained(losses, len(stream), digest)


def _tokenizer(texts: list[str], vocabulary: int, kept: Path) -> PreTrainedTokenizerFast:
    """Train the tokenizer, or take the one that the unfinished run was begun with.

    The trainer breaks ties between equally frequent pairs by chance: another one would give
    the same pieces other ids.
    """
    if not kept.is_dir():
        with replace_folder(kept) as fresh:
            train_tokenizer(texts, vocabulary).save_pretrained(fresh)
    from transformers import PreTrainedTokenizerFast

    tokenizer: PreTrainedTokenizerFast = PreTrainedTokenizerFast.from_pretrained(kept)
    return tokenizer
