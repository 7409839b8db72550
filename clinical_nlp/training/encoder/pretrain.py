"""From a recipe to a shipped encoder, trained from nothing."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from clinical_nlp.artifacts import METRICS, MODEL_FOLDER, replace_folder, write_manifest
from clinical_nlp.errors import UsageError
from clinical_nlp.training.encoder.initial_embeddings import cooccurrence_embeddings
from clinical_nlp.training.encoder.initial_model import build_encoder
from clinical_nlp.training.encoder.loop import train_masked
from clinical_nlp.training.encoder.recipe import PretrainingRecipe
from clinical_nlp.training.encoder.text import read_texts, token_stream
from clinical_nlp.training.encoder.tokenizer import CONTINUED, train_tokenizer
from clinical_nlp.training.torch.checkpoints import TrainingCheckpoint
from clinical_nlp.training.torch.trainer import OnStep

if TYPE_CHECKING:
    from transformers import ModernBertForMaskedLM, PreTrainedTokenizerFast

#: What an unfinished run keeps in its folder.
_TOKENIZER, _STATE = "tokenizer", "state"

#: Steps at the beginning and at the end of a run over which the published losses are averaged.
FIRST_STEPS, LAST_STEPS = 20, 50


@dataclass(frozen=True)
class Pretrained:
    """A finished run.

    Attributes
    ----------
    losses
        Of every step, in nats a masked token.
    pieces
        Length of the text in tokens.
    digest
        Of the shipped model.
    """

    losses: list[float]
    pieces: int
    digest: str

    @property
    def final_loss(self) -> float:
        """Mean loss of the last steps."""
        return float(np.mean(self.losses[-LAST_STEPS:]))


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
    text
        Unlabelled text, JSON lines.
    shipped
        Folder of the model; ``model/``, metrics and manifest are replaced, the rest is left.
    work
        Folder of the unfinished run. A run that is found there is resumed; the folder is
        removed at the end.
    on_step
        Called after each step with its number, from 1, and its loss.
    compiled
        See :func:`~clinical_nlp.training.encoder.loop.train_masked`.
    save_every
        Steps between two saved states.

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
    stream = token_stream(texts, tokenizer)
    masking = recipe.masking
    if len(stream) < masking.length * (masking.batch + 1):
        raise UsageError(
            "E128",
            f"the text holds {len(stream)} pieces, less than one step of the recipe: lower "
            "masking.batch or masking.length, or give more text",
        )
    names = tokenizer.convert_ids_to_tokens(list(range(len(tokenizer))))
    continues = np.array([name.startswith(CONTINUED) for name in names])
    model = _initial_model(recipe, stream, len(tokenizer))
    checkpoint = TrainingCheckpoint(work / _STATE, recipe.as_dict(), save_every)
    losses = train_masked(
        model, stream, continues, masking, checkpoint, on_step=on_step, compiled=compiled
    )
    _write_model(model, work / _TOKENIZER, shipped / MODEL_FOLDER)
    facts = {
        "text": {"pieces": len(stream), "texts": len(texts)},
        "steps": len(losses),
        "loss_first_steps": round(float(np.mean(losses[:FIRST_STEPS])), 4),
        "loss_last_steps": round(float(np.mean(losses[-LAST_STEPS:])), 4),
        "parameters": sum(p.numel() for p in model.model.parameters()),
    }
    (shipped / METRICS).write_text(json.dumps(facts, indent=2) + "\n", "utf-8")
    digest = write_manifest(shipped, licence="Apache-2.0")
    shutil.rmtree(work, ignore_errors=True)
    return Pretrained(losses, len(stream), digest)


def _tokenizer(texts: list[str], vocabulary: int, folder: Path) -> PreTrainedTokenizerFast:
    """Train the tokenizer, or load the one that the unfinished run was begun with.

    The trainer breaks ties between equally frequent pairs by chance: another tokenizer would
    give the same tokens other ids.
    """
    from transformers import PreTrainedTokenizerFast

    if not folder.is_dir():
        with replace_folder(folder) as fresh:
            train_tokenizer(texts, vocabulary).save_pretrained(fresh)
    tokenizer: PreTrainedTokenizerFast = PreTrainedTokenizerFast.from_pretrained(folder)
    return tokenizer


def _initial_model(
    recipe: PretrainingRecipe, stream: npt.NDArray[np.int32], vocabulary: int
) -> ModernBertForMaskedLM:
    vectors = recipe.vectors
    embeddings = cooccurrence_embeddings(
        stream,
        vocabulary,
        recipe.shape.hidden,
        window=vectors.window,
        smoothing=vectors.smoothing,
        seed=vectors.seed,
    )
    return build_encoder(recipe.shape, embeddings, scale=vectors.scale, seed=recipe.masking.seed)


def _write_model(model: ModernBertForMaskedLM, tokenizer: Path, target: Path) -> None:
    with replace_folder(target) as fresh:
        # Half precision: the folder is half as large, and training can go on from it as well.
        model.model.half().save_pretrained(fresh)
        # The files as they were made: a loaded tokenizer adds where it was loaded from.
        for file in tokenizer.iterdir():
            shutil.copyfile(file, fresh / file.name)
