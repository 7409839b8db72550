"""Rotary embeddings and attention for inference on a CPU, a segment independent of its batch."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

#: Sequence length up to which plain matrix products are faster than torch's attention kernel.
_SHORT = 48

#: Attention scores of at most this size can be exponentiated and summed in float32; for larger
#: ones the maximum of the row is subtracted first, as in any softmax.
_SAFE = 60.0


def apply_rotary(pair: Tensor, rotary: Tensor) -> Tensor:
    """Rotate queries and keys by their positions.

    Parameters
    ----------
    pair
        Queries and keys, [B, L, 2, heads, width].
    rotary
        complex64 [2, L, width / 2].

    Returns
    -------
    Tensor
        [2, B, heads, L, width], contiguous by head.
    """
    size, length, _, heads, width = pair.shape
    numbers = torch.view_as_complex(pair.float().view(*pair.shape[:-1], -1, 2))
    rotated = torch.empty(
        (2, size, heads, length, width // 2), dtype=rotary.dtype, device=rotary.device
    )
    torch.mul(numbers.permute(2, 0, 3, 1, 4), rotary[:, None, None], out=rotated)
    return torch.view_as_real(rotated).flatten(-2).to(pair.dtype)


def attention(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
    """Attention, [B, heads, L, width], with an additive mask; the scale is in the queries."""
    if query.shape[2] <= _SHORT and query.dtype == torch.float32:
        return _short_attention(query, key, value, mask)
    return functional.scaled_dot_product_attention(query, key, value, attn_mask=mask, scale=1.0)


def _short_attention(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
    """Attention over short sequences, [B, heads, L, width].

    torch's kernel works head by head, and its softmax does not vectorise over rows of a dozen
    numbers: for sentences of 10 to 15 pieces it takes twice as long.
    """
    scores = torch.matmul(query, key.transpose(2, 3))
    least, most = torch.aminmax(scores)
    is_safe = float(least) > -_SAFE and float(most) < _SAFE
    too_large = None if is_safe else scores.abs() >= _SAFE
    if mask is not None:
        scores += mask
    if too_large is not None:
        # Only in the segments that need it, so that no segment depends on its batch.
        segment = too_large.flatten(1).any(dim=1).view(-1, 1, 1, 1)
        scores = torch.where(segment, scores - scores.amax(dim=-1, keepdim=True), scores)
    weights = scores.exp_()
    # All weights of a padded place may be zero.
    total = weights.sum(dim=-1, keepdim=True).clamp_min_(torch.finfo(weights.dtype).tiny)
    return torch.matmul(weights, value).div_(total)


def additive_mask(excluded: Tensor, dtype: torch.dtype) -> Tensor:
    """A very negative number at excluded places, 0 elsewhere."""
    return torch.zeros(excluded.shape, dtype=dtype, device=excluded.device).masked_fill_(
        excluded, torch.finfo(dtype).min / 4
    )
