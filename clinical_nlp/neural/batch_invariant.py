"""Linear layers, in float32 and int8, whose result for a row does not depend on its batch.

float32: MKL multiplies matrices of few rows with other kernels, which add in another order: a
row's last bits then depend on the number of rows, which is on the batch. Measured with torch 2.13
(MKL 2024.2, one thread), fewer than 16 rows are affected on a processor with AVX-512, fewer than
about K / 24 for K < 384 inputs, and fewer than 4 on one with AVX2; from there on each row's
result is the same for any number of rows. Smaller inputs are filled up with zeros.

int8: torch's dynamic quantisation has one scale for a whole batch, so that a sentence's result
depends on the sentences that it is batched with: a cache, another batch size or another number
of processes would change results. Here each row has its own scale (weights have one for each
output), and products are summed exactly in 32-bit integers. The scheme is that of Dettmers et
al. 2022 (LLM.int8(), NeurIPS, section 2.1: vector-wise quantisation), without its second path
for outliers.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

#: Rows of the smallest product: twice what was measured, for processors yet unseen.
MIN_ROWS = 32

#: Layers with fewer inputs or outputs are not quantised: they cost little, and a classifier's
#: numbers are the result.
_SMALLEST = 64


class BatchInvariantLinear(nn.Linear):
    """``nn.Linear`` for two-dimensional input, invariant to the number of rows."""

    def forward(self, rows: Tensor) -> Tensor:
        """Multiply, float [rows, in_features] to [rows, out_features]."""
        missing = MIN_ROWS - len(rows)
        if missing <= 0:
            return super().forward(rows)
        return super().forward(functional.pad(rows, (0, 0, 0, missing)))[: len(rows)]

    @classmethod
    def of(cls, linear: nn.Linear) -> BatchInvariantLinear:
        """Return a copy of a layer in this form."""
        copied = cls(linear.in_features, linear.out_features, linear.bias is not None)
        copied.load_state_dict(linear.state_dict())
        return copied


class RowwiseInt8Linear(nn.Module):
    """``nn.Linear`` with weights and inputs in eight bits.

    Parameters
    ----------
    linear
        The layer that it replaces.
    """

    weight: Tensor
    scale: Tensor
    bias: Tensor | None

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        weight = linear.weight.detach().float()
        scale = weight.abs().amax(dim=1).clamp_min(1e-12) / 127
        quantised = torch.round(weight / scale[:, None]).to(torch.int8)
        self.in_features, self.out_features = linear.in_features, linear.out_features
        # Stored by output and used transposed: the layout that oneDNN packs fastest.
        self.register_buffer("weight", quantised.t(), persistent=False)
        self.register_buffer("scale", scale, persistent=False)
        bias = None if linear.bias is None else linear.bias.detach().float()
        self.register_buffer("bias", bias, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Multiply; float in, float out of the same shape as ``nn.Linear`` gives."""
        rows = x.reshape(-1, self.in_features)
        # One buffer for the intermediate values, so that they stay in the processor's cache.
        levels = rows.abs()
        step = levels.amax(dim=-1, keepdim=True).clamp_min_(1e-12).div_(127)
        torch.div(rows, step, out=levels).round_()
        product = torch._int_mm(levels.to(torch.int8), self.weight)
        # Converted first: torch multiplies int32 by float slowly.
        out = product.float().mul_(step).mul_(self.scale)
        if self.bias is not None:
            out += self.bias
        return out.view(*x.shape[:-1], self.out_features)


def quantise(module: nn.Module) -> nn.Module:
    """Put :class:`RowwiseInt8Linear` in place of every large linear layer, in place.

    A module may list children that are not to be quantised in ``kept_exact``, and may return
    its own eight-bit form from ``in_int8()``.
    """
    exact = getattr(module, "kept_exact", ())
    for name, child in module.named_children():
        if name in exact:
            continue
        in_int8 = getattr(child, "in_int8", None)
        if in_int8 is not None:
            setattr(module, name, in_int8())
        elif (
            isinstance(child, nn.Linear)
            and child.in_features >= _SMALLEST
            and child.out_features >= _SMALLEST
        ):
            setattr(module, name, RowwiseInt8Linear(child))
        else:
            quantise(child)
    return module
