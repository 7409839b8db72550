"""From a recipe to a shipped encoder, trained from scratch."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
from transformers import PreTrainedTokenizerFast

from clinical_nlp.artifacts import replace_folder
from clinical_nlp.errors import UsageError
from clinical_nlp.training.encoder.initial_model import build_encoder
from clinical_nlp.training.encoder.loop import train_masked
from clinical_nlp.training.encoder.recipe import PretrainingRecipe
from clinical_nlp.training.encoder.shipping import (
    TrainedEncoder,
    loss_facts,
    write_encoder_folder,
)
from clinical_nlp.training.encoder.text import read_texts, token_stream
from clinical_nlp.training.encoder.tokenizer import CONTINUED, train_tokenizer
from clinical_nlp.training.torch.checkpoints import TrainingCheckpoint
from clinical_nlp.training.torch.trainer import OnStep

#: What an unfinished run keeps in its folder.
_TOKENIZER, _STATE = "tokenizer", "state"


def pretrain(
    recipe: PretrainingRecipe,
    text: Path,
    shipped: Path,
    work: Path,
    *,
    on_step: OnStep = lambda step, loss: None,
    compiled: bool = False,
    save_every: int = 100,
) -> TrainedEncoder:
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
    model = build_encoder(recipe, stream, len(tokenizer))
    checkpoint = TrainingCheckpoint(work / _STATE, recipe.as_dict(), save_every)
    losses = train_masked(
        model, stream, continues, masking, checkpoint, on_step=on_step, compiled=compiled
    )
    facts = {
        "text": {"pieces": len(stream), "texts": len(texts)},
        **loss_facts(losses, "loss"),
        "parameters": sum(p.numel() for p in model.model.parameters()),
    }
    digest = write_encoder_folder(model.model, work / _TOKENIZER, shipped, facts)
    shutil.rmtree(work, ignore_errors=True)
    return TrainedEncoder(losses, digest)


def _tokenizer(texts: list[str], vocabulary: int, folder: Path) -> PreTrainedTokenizerFast:
    """Train the tokenizer, or load the one that the unfinished run was begun with.

    The trainer breaks ties between equally frequent pairs by chance: another tokenizer would
    give the same tokens other ids.
    """
    if not folder.is_dir():
        with replace_folder(folder) as fresh:
            train_tokenizer(texts, vocabulary).save_pretrained(fresh)
    tokenizer: PreTrainedTokenizerFast = PreTrainedTokenizerFast.from_pretrained(folder)
    return tokenizer
