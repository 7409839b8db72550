"""One training run of the reader's network."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import PreTrainedTokenizerFast

from clinical_nlp.neural.reader.network import FLAG_COUNT, ReaderNetwork
from clinical_nlp.training.reader.batches import Batch, of_epoch, training_batches
from clinical_nlp.training.reader.corpus import UNKNOWN, Example
from clinical_nlp.training.reader.recipe import ReaderRecipe
from clinical_nlp.training.torch.checkpoints import TrainingCheckpoint
from clinical_nlp.training.torch.epochs import EpochPlan, OnEpoch, OnEpochStep, Progress, StepLoss
from clinical_nlp.training.torch.fgm import adversarial_perturbation
from clinical_nlp.training.torch.length_groups import group_by_length
from clinical_nlp.training.torch.optimisers import make_optimisers
from clinical_nlp.training.torch.schedules import linear_decay
from clinical_nlp.training.torch.trainer import Trainer

#: Steps between two states saved within an epoch.
SAVE_EVERY = 200

#: Floor of the learning-rate schedule.
_FLOOR = 0.01


class ReaderInTraining(nn.Module):
    """A network, and a head that guesses masked pieces, which is not kept."""

    def __init__(self, network: ReaderNetwork) -> None:
        super().__init__()
        self.network = network
        width = int(network.encoder.config.hidden_size)
        self.guess = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.LayerNorm(width))

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Logits of words; logits of the masked pieces, float [masked, vocabulary]; their ids."""
        ids, mask, bounds, features = batch.inputs
        pieces = self.network.encode(ids, mask, bounds, features)
        hidden = batch.masked != UNKNOWN
        embeddings = cast("Tensor", self.network.encoder.get_input_embeddings().weight)
        guessed = functional.linear(self.guess(pieces[hidden]), embeddings)
        return self.network.read(pieces, bounds), guessed, batch.masked[hidden]


def fit(
    network: ReaderNetwork,
    examples: Sequence[Example],
    tokenizer: PreTrainedTokenizerFast,
    recipe: ReaderRecipe,
    checkpoint: TrainingCheckpoint,
    *,
    on_step: OnEpochStep = lambda step, steps, loss: None,
    on_epoch: OnEpoch = lambda epoch, loss, score: None,
) -> Progress:
    """Train a network in place; the weights to be kept are left in it.

    Raises
    ------
    ModelError
        E464: a saved state does not fit. E465: the loss is not finite.
    """
    settings = recipe.fit
    # A third faster than torch's fused attention, whose backward pass is slow on short rows.
    network.encoder.set_attn_implementation("eager")
    model = ReaderInTraining(network)
    optimisers = make_optimisers(
        network.encoder,
        model,
        settings,
        embedding_rate=settings.embedding_rate,
        head_rate=settings.head_rate,
    )
    torch.manual_seed(settings.seed)
    embeddings = cast("Tensor", network.encoder.get_input_embeddings().weight)
    # Epochs differ by a few batches: the schedule counts as many as the first one has.
    first = of_epoch(examples, settings.target_share, np.random.default_rng((settings.seed, 0)))
    steps = len(group_by_length([len(e.ids) for e in first], settings.batch_pieces))

    def backward(batch: Batch) -> StepLoss:
        loss = loss_of(model, batch, recipe)
        torch.autograd.backward(loss)
        if settings.fgm_epsilon:
            with adversarial_perturbation(embeddings, settings.fgm_epsilon):
                torch.autograd.backward(loss_of(model, batch, recipe))
        return StepLoss(loss.item())

    plan = EpochPlan(
        epochs=settings.epochs,
        steps=steps,
        batches=partial(training_batches, examples, tokenizer, settings, recipe.drop),
        backward=backward,
        average_from=settings.average_from,
    )
    schedule = partial(
        linear_decay, steps=settings.epochs * steps, warm_up=settings.warm_up, floor=_FLOOR
    )
    trainer = Trainer(model, optimisers, schedule=schedule, checkpoint=checkpoint)
    return trainer.run_epochs(plan, on_step, on_epoch)


def loss_of(model: ReaderInTraining, batch: Batch, recipe: ReaderRecipe) -> Tensor:
    """Loss of a batch in nats: flags by target, concepts by annotated word, masked pieces."""
    with torch.autocast("cpu", torch.bfloat16, enabled=recipe.fit.precision == "bfloat16"):
        logits, guessed, masked = model(batch)
    logits = logits.float()
    flags = flag_loss(span_means(logits[..., :FLAG_COUNT], batch.places), batch)
    concepts = logits[..., FLAG_COUNT:].flatten(0, 1)
    words = functional.cross_entropy(
        concepts, batch.concepts.flatten(), ignore_index=UNKNOWN, reduction="sum"
    )
    annotated = (batch.concepts > 0).sum().clamp(min=1)
    loss = flags + recipe.fit.concept_weight * words / annotated
    if recipe.fit.masked_weight and len(masked):
        loss = loss + recipe.fit.masked_weight * functional.cross_entropy(guessed.float(), masked)
    return loss


def flag_loss(logits: Tensor, batch: Batch) -> Tensor:
    """Mean over targets of the summed cross-entropy of their annotated flags."""
    known = (batch.flags >= 0).float()
    each = functional.binary_cross_entropy_with_logits(
        logits, batch.flags.clamp(min=0), reduction="none"
    )
    total = ((each * known).sum(dim=1) * batch.weights).sum()
    return total / max(1, len(batch.weights))


def span_means(rows: Tensor, places: Tensor) -> Tensor:
    """Mean over the words of each span, float [T, C], from float [B, W, C]."""
    summed = torch.cat((torch.zeros_like(rows[:, :1]), rows.cumsum(dim=1)), dim=1)
    row, first, stop = places.unbind(dim=1)
    return (summed[row, stop] - summed[row, first]) / (stop - first).unsqueeze(1)
