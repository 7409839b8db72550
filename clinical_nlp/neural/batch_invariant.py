"""Linear layers whose result for a row does not depend on the rows beside it.

MKL multiplies matrices of few rows with other kernels, which add in another order: a row's last
bits then depend on the number of rows, which is on the batch. Measured with torch 2.13 (MKL
2024.2, one thread), fewer than 16 rows are affected on a processor with AVX-512, fewer than
about K / 24 for K < 384 inputs, and fewer than 4 on one with AVX2; from there on each row's
result is the same for any number of rows. Smaller inputs are filled up with zeros.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

#: Rows of the smallest product: twice what was measured, for processors yet unseen.
MIN_ROWS = 32


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
