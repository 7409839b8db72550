"""Teaching a batch where the present embeddings would fail it most.

A tagger that marks a sentence rightly should mark it rightly when every word means something
slightly else. Each step asks the gradient for the small move of the embeddings that harms the
batch most, and teaches the batch there too [1]_.

References
----------
.. [1] Miyato, Dai and Goodfellow, "Adversarial training methods for semi-supervised text
   classification", ICLR 2017.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@contextmanager
def moved(embeddings: Tensor, far: float) -> Iterator[None]:
    """Hold embeddings where the loss is worse; put them back at the end, to the last bit.

    Parameters
    ----------
    embeddings
        A parameter, whose gradient says which way is worse; float [vocabulary, hidden].
    far
        Length of the whole move. Only the rows of pieces that were read have a gradient, and
        share it.

    Notes
    -----
    Without a gradient, or with one of zeros or of no numbers, nothing is moved.
    """
    import torch

    gradient = embeddings.grad
    length = 0.0 if gradient is None else float(gradient.norm())
    if gradient is None or not 0 < length < float("inf"):
        yield
        return
    kept = embeddings.detach().clone()
    with torch.no_grad():
        embeddings.add_(gradient, alpha=far / length)
    try:
        yield
    finally:
        with torch.no_grad():
            embeddings.copy_(kept)
