"""Mixed precision of training on a CPU."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Literal

Precision = Literal["bfloat16", "float32"]


def autocast(precision: Precision) -> AbstractContextManager[None]:
    """Run matrix products of the block in bfloat16, if the recipe says so."""
    import torch

    return torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16")
