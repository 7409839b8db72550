"""One training run of the tagger with its CRF."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import cast

import torch
from torch import Tensor, nn
from transformers import PreTrainedTokenizerFast

from clinical_nlp.neural.tagger.network import MentionTagger
from clinical_nlp.training.config import Precision
from clinical_nlp.training.ner.batches import Batch, training_batches
from clinical_nlp.training.ner.corpus import Example
from clinical_nlp.training.ner.crf import LinearChainCRF
from clinical_nlp.training.ner.recipe import FitRecipe
from clinical_nlp.training.torch.checkpoints import TrainingCheckpoint
from clinical_nlp.training.torch.epochs import EpochPlan, OnEpoch, OnEpochStep, Progress, StepLoss
from clinical_nlp.training.torch.fgm import adversarial_perturbation
from clinical_nlp.training.torch.length_groups import group_by_length
from clinical_nlp.training.torch.optimisers import make_optimisers
from clinical_nlp.training.torch.schedules import linear_decay
from clinical_nlp.training.torch.trainer import Trainer

#: Steps between two states saved within an epoch.
SAVE_EVERY = 100

#: Floor of the learning-rate schedule.
_FLOOR = 0.01


class TaggerWithCrf(nn.Module):
    """A tagger and the CRF of its loss, trained together."""

    def __init__(self, tagger: MentionTagger, crf: LinearChainCRF) -> None:
        super().__init__()
        self.tagger = tagger
        self.crf = crf

    def forward(self, batch: Batch, precision: Precision) -> Tensor:
        """Loss of a batch, summed over words, in nats."""
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
            emissions = self.tagger(*batch.inputs)
        loss: Tensor = self.crf(emissions, batch.tags, batch.is_word, batch.known)
        return loss


def fit(
    network: TaggerWithCrf,
    examples: Sequence[Example],
    tokenizer: PreTrainedTokenizerFast,
    recipe: FitRecipe,
    checkpoint: TrainingCheckpoint,
    *,
    evaluate: Callable[[], float] | None = None,
    on_step: OnEpochStep = lambda step, steps, loss: None,
    on_epoch: OnEpoch = lambda epoch, loss, score: None,
) -> Progress:
    """Train a tagger and its CRF, in place; the weights to be kept are left in them.

    Parameters
    ----------
    tokenizer
        The encoder's, for padding, masked and special tokens.
    evaluate
        Gives the strict F1 of the current weights on the validation documents.

    Raises
    ------
    ModelError
        E464: a saved state does not fit. E465: the loss is not finite.
    """
    encoder = network.tagger.encoder
    # For sentences, a third faster than torch's fused attention, whose backward pass is slow.
    encoder.set_attn_implementation("eager")
    optimisers = make_optimisers(
        encoder,
        network,
        recipe,
        embedding_rate=recipe.embedding_rate,
        head_rate=recipe.head_rate,
    )
    torch.manual_seed(recipe.seed)
    embeddings = cast("Tensor", encoder.get_input_embeddings().weight)
    # Jitter may make a group more or fewer: the schedule counts epochs of this many.
    steps = len(group_by_length([len(e.ids) for e in examples], recipe.batch_pieces))

    def backward(batch: Batch) -> StepLoss:
        loss, words = network(batch, recipe.precision), int(batch.is_word.sum())
        torch.autograd.backward(loss / words)
        if recipe.fgm_epsilon:
            with adversarial_perturbation(embeddings, recipe.fgm_epsilon):
                torch.autograd.backward(network(batch, recipe.precision) / words)
        return StepLoss(loss.item(), words)

    plan = EpochPlan(
        epochs=recipe.epochs,
        steps=steps,
        batches=partial(training_batches, examples, tokenizer, recipe),
        backward=backward,
        evaluate=evaluate,
        patience=recipe.patience if recipe.keep == "best" else None,
        average_from=recipe.average_from,
    )
    schedule = partial(
        linear_decay, steps=recipe.epochs * steps, warm_up=recipe.warm_up, floor=_FLOOR
    )
    trainer = Trainer(network, optimisers, schedule=schedule, checkpoint=checkpoint)
    return trainer.run_epochs(plan, on_step, on_epoch)
