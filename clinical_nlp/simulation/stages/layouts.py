"""The layouts of the second simulator's notes."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from clinical_nlp.artifacts import read_toml
from clinical_nlp.simulation.stages.parameters import PACKAGE


@lru_cache(maxsize=1)
def layouts() -> dict[str, Any]:
    """Return ``notes/layouts.toml``."""
    return read_toml(PACKAGE, "notes/layouts.toml")
