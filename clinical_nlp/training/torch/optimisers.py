"""Two optimisers for one encoder: Muon for its weight matrices, AdamW for the rest.

Muon orthogonalises the momentum of each matrix [1]_. It needs fewer steps than AdamW for a
tenth more time a step, which pays on the two CPU cores that the shipped encoder is trained on.
Embeddings, norms, biases and heads are left to AdamW, as Muon's authors advise.

References
----------
.. [1] Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024;
   Liu et al., "Muon is scalable for LLM training", arXiv:2502.16982 (step size as AdamW's).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer

#: Key of a parameter group that holds its learning rate before the schedule's factor.
BASE_RATE = "base_rate"


class Rates(Protocol):
    """What every recipe of an encoder's training holds."""

    matrix_rate: float
    matrix_decay: float
    other_decay: float


def make_optimisers(
    encoder: nn.Module,
    model: nn.Module,
    recipe: Rates,
    *,
    embedding_rate: float,
    head_rate: float,
) -> list[Optimizer]:
    """Return Muon and AdamW over the parameters of a model.

    Parameters
    ----------
    encoder
        Its matrices other than embeddings go to Muon.
    model
        Contains the encoder, or stands beside it; its further parameters are the head.
    recipe
        Learning rate of the encoder's matrices; weight decay of these and of everything else.
    embedding_rate, head_rate
        Learning rates of the encoder's other parameters, and of the head.
    """
    from torch import nn
    from torch.optim import AdamW, Muon

    embeddings = {id(m.weight) for m in encoder.modules() if isinstance(m, nn.Embedding)}
    own = [p for p in encoder.parameters() if p.requires_grad]
    matrices = [p for p in own if p.ndim == 2 and id(p) not in embeddings]
    matrix_ids, own_ids = set(map(id, matrices)), set(map(id, own))
    groups = [
        {"params": [p for p in own if id(p) not in matrix_ids], BASE_RATE: embedding_rate},
        {
            "params": [p for p in model.parameters() if p.requires_grad and id(p) not in own_ids],
            BASE_RATE: head_rate,
        },
    ]
    muon = Muon(
        matrices,
        lr=recipe.matrix_rate,
        weight_decay=recipe.matrix_decay,
        adjust_lr_fn="match_rms_adamw",
    )
    muon.param_groups[0][BASE_RATE] = recipe.matrix_rate
    adam = AdamW(
        [group for group in groups if group["params"]],
        lr=head_rate,
        betas=(0.9, 0.98),
        weight_decay=recipe.other_decay,
        fused=True,
    )
    return [muon, adam]


def set_rates(optimisers: Sequence[Optimizer], factor: float) -> None:
    """Set every learning rate to its base times a factor."""
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            group["lr"] = group[BASE_RATE] * factor
