"""The risk bands as the sink needs them; ``clinical_nlp.risk`` defines them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol


class Band(Protocol):
    """One published band: ``lower <= probability < upper`` (0..1)."""

    @property
    def key(self) -> str:
        """Stable code, e.g. ``"raised"``."""

    @property
    def name_es(self) -> str:
        """Spanish name, e.g. ``"aumentado"``."""

    @property
    def name_en(self) -> str:
        """English name."""

    @property
    def lower(self) -> float:
        """Lower bound of probability (0..1), inclusive."""

    @property
    def upper(self) -> float:
        """Upper bound (0..1), exclusive unless 1."""

    @property
    def mitigation_es(self) -> str:
        """What a clinician might consider, in Spanish."""


class Scale(Protocol):
    """All bands, lowest first, and the version and status that they are published with."""

    @property
    def version(self) -> str:
        """Version of the scale."""

    @property
    def status(self) -> str:
        """``"draft"`` or ``"active"``: FHIR publication status."""

    def __iter__(self) -> Iterator[Band]: ...
