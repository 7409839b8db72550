"""Masked language modelling, step by step; a killed run goes on where it was."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from clinical_nlp.errors import ModelError
from clinical_nlp.training.encoder.masking import masked_batches
from clinical_nlp.training.encoder.recipe import MaskingRecipe
from clinical_nlp.training.torch.checkpoints import RunState
from clinical_nlp.training.torch.optimisers import make_optimisers, set_rates

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import ModernBertForMaskedLM

#: Called after each step with its number, from 1, and the loss in nats a hidden piece.
OnStep = Callable[[int, float], None]


def rate_factor(step: int, recipe: MaskingRecipe) -> float:
    """Share of the full learning rate at a step, counted from 0: rise, plateau, fall."""
    rise = (step + 1) / max(1, recipe.warm_up)
    fall = (recipe.steps - step) / max(1, recipe.decay)
    return min(1.0, rise, max(0.02, fall))


def train_masked(
    model: ModernBertForMaskedLM,
    stream: npt.NDArray[np.int32],
    continues: npt.NDArray[np.bool_],
    recipe: MaskingRecipe,
    *,
    folder: Path,
    identity: Mapping[str, Any],
    on_step: OnStep = lambda step, loss: None,
    save_every: int = 100,
    compiled: bool = False,
) -> list[float]:
    """Train an encoder on hidden words, in place.

    Parameters
    ----------
    model
        As :func:`~clinical_nlp.training.encoder.initial_model.new_encoder` builds it.
    stream, continues
        See :func:`~clinical_nlp.training.encoder.masking.masked_batches`.
    recipe
        How long and how fast.
    folder
        Where the run's state is kept; one that lies there is taken up.
    identity
        What must be equal for that: the whole recipe.
    on_step
        Told of each step.
    save_every
        Steps between two saved states.
    compiled
        Compile the step: twice as quick on a CPU, but it needs a C++ compiler.

    Returns
    -------
    list of float
        Loss of every step, in nats a hidden piece.

    Raises
    ------
    ModelError
        E464: a saved state does not fit. E465: the loss is no number any more.
    """
    import torch

    def loss_of(ids: Tensor, places: Tensor, truth: Tensor) -> Tensor:
        states = model.model(input_ids=ids)[0]
        hidden = states.gather(1, places.unsqueeze(-1).expand(-1, -1, states.shape[-1]))
        guesses = model.decoder(model.head(hidden)).float()
        return torch.nn.functional.cross_entropy(guesses.flatten(0, 1), truth.flatten())

    # On short sequences, quicker than torch's fused attention, whose backward pass is slow.
    model.set_attn_implementation("eager")
    optimisers = make_optimisers(
        model.model,
        model,
        matrix_rate=recipe.matrix_rate,
        embedding_rate=recipe.other_rate,
        head_rate=recipe.other_rate,
        matrix_decay=recipe.matrix_decay,
        other_decay=recipe.other_decay,
    )
    state = RunState(model, optimisers, {})
    numbers = state.load(folder, identity)
    losses: list[float] = [] if numbers is None else list(numbers["losses"])
    take = torch.compile(loss_of) if compiled else loss_of
    batches = masked_batches(stream, continues, recipe)
    model.train()
    for step, batch in enumerate(islice(batches, len(losses), recipe.steps), len(losses)):
        set_rates(optimisers, rate_factor(step, recipe))
        tensors = [torch.from_numpy(array) for array in batch]
        with torch.autocast("cpu", torch.bfloat16, enabled=recipe.precision == "bfloat16"):
            loss = take(*tensors)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimiser in optimisers:
            optimiser.step()
            optimiser.zero_grad()
        losses.append(loss.item())
        if not np.isfinite(losses[-1]):
            raise ModelError(
                "E465",
                f"the loss of step {step + 1} is no number: lower the learning rates in the "
                "recipe, or set precision to float32; the last saved state is still good",
            )
        on_step(step + 1, losses[-1])
        if len(losses) % save_every == 0:
            state.save(folder, {"recipe": dict(identity), "losses": losses})
    state.save(folder, {"recipe": dict(identity), "losses": losses})
    model.train(False)
    return losses
