"""The encoders that can be fetched, as ``hub.toml`` lists them."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from clinical_nlp.errors import PipelineError


@dataclass(frozen=True, slots=True)
class HubEncoder:
    """An encoder on the hub; the fields are explained in ``hub.toml``."""

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
        E331: an entry lacks something or has something unknown.
    """
    text = files("clinical_nlp.neural").joinpath("hub.toml").read_text("utf-8")
    entries = tomllib.loads(text).get("encoder", [])
    try:
        return tuple(HubEncoder(**entry) for entry in entries)
    except TypeError as error:
        raise PipelineError(
            "E331", f"an entry of hub.toml is broken ({error}): correct the file"
        ) from error
