"""Masked language modelling."""

from __future__ import annotations

from functools import partial
from itertools import islice

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from transformers import ModernBertForMaskedLM

from clinical_nlp.training.encoder.masking import MaskedBatch, masked_batches
from clinical_nlp.training.encoder.recipe import MaskingRecipe
from clinical_nlp.training.torch.checkpoints import TrainingCheckpoint
from clinical_nlp.training.torch.optimisers import make_optimisers
from clinical_nlp.training.torch.schedules import warmup_stable_decay
from clinical_nlp.training.torch.trainer import OnStep, Trainer


def train_masked(
    model: ModernBertForMaskedLM,
    stream: npt.NDArray[np.int32],
    continues: npt.NDArray[np.bool_],
    recipe: MaskingRecipe,
    checkpoint: TrainingCheckpoint,
    *,
    on_step: OnStep = lambda step, loss: None,
    compiled: bool = False,
) -> list[float]:
    """Train an encoder on masked words, in place.

    Parameters
    ----------
    model
        As :func:`~clinical_nlp.training.encoder.initial_model.build_encoder` builds it.
    stream, continues
        See :func:`~clinical_nlp.training.encoder.masking.masked_batches`.
    recipe
        How long and how fast.
    checkpoint
        Where the run is saved and resumed.
    compiled
        Compile the step: twice as fast on a CPU, but it needs a C++ compiler.

    Returns
    -------
    list of float
        Loss of every step, in nats a masked token.

    Raises
    ------
    ModelError
        E464: a saved state does not fit. E465: the loss is not finite.
    """
    # On short sequences, faster than torch's fused attention, whose backward pass is slow.
    model.set_attn_implementation("eager")
    optimisers = make_optimisers(
        model.model,
        model,
        recipe,
        embedding_rate=recipe.other_rate,
        head_rate=recipe.other_rate,
    )
    schedule = partial(
        warmup_stable_decay, steps=recipe.steps, warm_up=recipe.warm_up, decay=recipe.decay
    )

    def masked_loss(ids: Tensor, places: Tensor, truth: Tensor) -> Tensor:
        states = model.model(input_ids=ids)[0]
        # The vocabulary is too large to score it at every place.
        masked = states.gather(1, places.unsqueeze(-1).expand(-1, -1, states.shape[-1]))
        logits = model.decoder(model.head(masked)).float()
        return torch.nn.functional.cross_entropy(logits.flatten(0, 1), truth.flatten())

    compute = torch.compile(masked_loss) if compiled else masked_loss

    def loss_of(batch: MaskedBatch) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16, enabled=recipe.precision == "bfloat16"):
            return compute(*map(torch.from_numpy, batch))

    return Trainer(model, optimisers, schedule=schedule, checkpoint=checkpoint).run_steps(
        recipe.steps,
        lambda first: islice(masked_batches(stream, continues, recipe), first, None),
        loss_of,
        on_step,
    )
