"""Two optimisers for one encoder: Muon for the matrices within it, AdamW for the rest.

Muon takes the part of the momentum that is a rotation as the step [1]_. On the two
processor cores the shipped encoder is trained on, fewer steps matter more than
the tenth of the time that it costs. Embeddings, norms, heads and biases are what its authors
leave to AdamW.

References
----------
.. [1] Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024;
   Liu et al., "Muon is scalable for LLM training", arXiv:2502.16982 (step size as AdamW's).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.optim import Optimizer

#: Key of a parameter group that holds its learning rate before the schedule's factor.
BASE_RATE = "base_rate"


def make_optimisers(
    encoder: nn.Module,
    others: nn.Module,
    *,
    matrix_rate: float,
    embedding_rate: float,
    head_rate: float,
    matrix_decay: float,
    other_decay: float,
) -> list[Optimizer]:
    """Return Muon and AdamW over the parameters of an encoder and of what stands on it.

    Parameters
    ----------
    encoder
        Its matrices other than embeddings go to Muon.
    others
        A module that may contain the encoder; what is not the encoder's is the head.
    matrix_rate, embedding_rate, head_rate
        Learning rates of the encoder's matrices, of its other parameters, and of the head.
    matrix_decay, other_decay
        Weight decay of the encoder's matrices and of everything else.
    """
    from torch.optim import AdamW, Muon

    embedded = set(map(id, _embeddings(encoder)))
    own = [p for p in encoder.parameters() if p.requires_grad]
    matrices = [p for p in own if p.ndim == 2 and id(p) not in embedded]
    taken = set(map(id, matrices))
    rest = [p for p in own if id(p) not in taken]
    mine = set(map(id, own))
    head = [p for p in others.parameters() if p.requires_grad and id(p) not in mine]
    groups = [
        {"params": rest, BASE_RATE: embedding_rate},
        {"params": head, BASE_RATE: head_rate},
    ]
    groups = [group for group in groups if group["params"]]
    muon = Muon(
        matrices,
        lr=matrix_rate,
        weight_decay=matrix_decay,
        adjust_lr_fn="match_rms_adamw",
    )
    muon.param_groups[0][BASE_RATE] = matrix_rate
    adam = AdamW(groups, lr=head_rate, betas=(0.9, 0.98), weight_decay=other_decay, fused=True)
    return [muon, adam]


def set_rates(optimisers: list[Optimizer], factor: float) -> None:
    """Set every learning rate to its base times a factor."""
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            group["lr"] = group[BASE_RATE] * factor


def _embeddings(encoder: nn.Module) -> list[Tensor]:
    from torch import nn

    return [part.weight for part in encoder.modules() if isinstance(part, nn.Embedding)]
