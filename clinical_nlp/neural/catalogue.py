"""The encoders of ``hub.toml``, which can be fetched from the Hugging Face hub."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from clinical_nlp.artifacts import read_toml
from clinical_nlp.errors import PipelineError


@dataclass(frozen=True, slots=True)
class HubEncoder:
    """An encoder on the hub; ``hub.toml`` explains the fields."""

    id: str
    revision: str
    licence: str
    shape: str
    parameters: str
    vocabulary: int
    context: int
    size_mb: int
    why: str

    @property
    def pinned(self) -> bool:
        """Whether the revision is a commit, which never changes."""
        return len(self.revision) == 40


@cache
def hub_encoders() -> tuple[HubEncoder, ...]:
    """Encoders of ``hub.toml``, the recommended one first.

    Raises
    ------
    PipelineError
        E331: an entry lacks a key or has an unknown one.
    """
    entries = read_toml("clinical_nlp.neural", "hub.toml").get("encoder", [])
    try:
        return tuple(HubEncoder(**entry) for entry in entries)
    except TypeError as error:
        raise PipelineError(
            "E331", f"an entry of hub.toml is broken ({error}): correct the file"
        ) from error
