"""A concept of the catalogue, with its codes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Concept:
    """One heart-failure concept of the lexicon.

    Parameters
    ----------
    key
        Stable name, e.g. ``"dyspnea_on_exertion"``.
    category
        ``symptom``, ``sign``, ``risk_factor``, ``measurement``, ``test_finding``,
        ``drug``, ``device_procedure``, ``lifestyle`` or ``hf_diagnosis``.
    display
        Preferred name by language (``en``, ``es``, ``ca``, ``gl``, ``eu``).
    codes
        Code by system name: ``snomed``, ``icd10``, ``loinc``, ``atc``, ``icpc2``.
    code_status
        How each code was verified, by system name.
    unit
        UCUM unit that values are normalised to; ``None`` where the concept has no value.
    framingham
        Role in the Framingham criteria: ``"major"``, ``"minor"`` or ``"none"``.
    """

    key: str
    category: str
    display: Mapping[str, str]
    codes: Mapping[str, str] = field(default_factory=dict)
    code_status: Mapping[str, str] = field(default_factory=dict)
    unit: str | None = None
    framingham: str = "none"

    @property
    def name_es(self) -> str:
        """Preferred Spanish name, the key where there is none."""
        return self.display.get("es", self.key)
