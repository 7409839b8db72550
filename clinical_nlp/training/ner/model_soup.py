"""One model out of several that began alike: the mean of their weights.

Runs from one beginning, over the same examples in the same order, that differ in rates and dropout
end in one valley of the loss: the mean of their weights finds as much as the best of them, which
nobody needs to know, and costs no more to read with than one [1]_.

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


def average(modules: Sequence[nn.Module]) -> None:
    """Give the first of some modules the mean of all their weights, in place.

    Parameters
    ----------
    modules
        Of one shape.
    """
    import torch

    with torch.no_grad():
        others = [dict(module.named_parameters()) for module in modules[1:]]
        for name, weight in modules[0].named_parameters():
            for other in others:
                weight.add_(other[name])
            weight.div_(len(modules))
