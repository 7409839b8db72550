"""Reads ``leakage.toml``: limits and remedies of the leakage checks."""

from __future__ import annotations

from functools import cache
from typing import Any

from clinical_nlp.artifacts import read_toml


@cache
def leakage_limits() -> dict[str, Any]:
    """Return ``leakage.toml`` as shipped with the package."""
    return read_toml("clinical_nlp.training.risk", "leakage.toml")
