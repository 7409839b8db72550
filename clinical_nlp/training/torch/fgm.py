"""Adversarial training by the fast gradient method (FGM).

A tagger that labels a sentence correctly should still do so when its embeddings move a little.
Each step perturbs the embeddings in the direction that raises the batch's loss most, and adds
the gradients of the loss there [1]_.

References
----------
.. [1] Miyato, Dai and Goodfellow, "Adversarial training methods for semi-supervised text
   classification", ICLR 2017.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor


@contextmanager
def adversarial_perturbation(embeddings: Tensor, epsilon: float) -> Iterator[None]:
    """Move embeddings along their gradient; restore them exactly at the end.

    Parameters
    ----------
    embeddings
        A parameter with the gradient of the loss, float [vocabulary, hidden].
    epsilon
        L2 norm of the whole perturbation. It is shared by the rows of the tokens in the
        batch: only they have a gradient.

    Notes
    -----
    Nothing moves without a gradient, or where its norm is zero or not finite.
    """
    gradient = embeddings.grad
    norm = 0.0 if gradient is None else float(gradient.norm())
    if gradient is None or not 0 < norm < float("inf"):
        yield
        return
    original = embeddings.detach().clone()
    with torch.no_grad():
        embeddings.add_(gradient, alpha=epsilon / norm)
    try:
        yield
    finally:
        with torch.no_grad():
            embeddings.copy_(original)
