"""Averages the weights of several runs into one model: a model soup.

Runs that start alike, see the same examples in the same order, and differ in learning rates
and dropout end in one basin of the loss. The mean of their weights is about as good as the
best of them, and costs no more to run than one [1]_.

References
----------
.. [1] Wortsman et al., "Model soups: averaging weights of multiple fine-tuned models improves
   accuracy without increasing inference time", ICML 2022.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn


def average_checkpoints(modules: Sequence[nn.Module]) -> None:
    """Give the first of some modules of one shape the mean of all their weights, in place."""
    import torch

    with torch.no_grad():
        others = [dict(module.named_parameters()) for module in modules[1:]]
        for name, weight in modules[0].named_parameters():
            for other in others:
                weight.add_(other[name])
            weight.div_(len(modules))
