"""The assertion of a target."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Assertion:
    """Five flags and, for family findings, the relative.

    No flag set means: affirmed, current, of the patient.

    Parameters
    ----------
    negated
        Absent.
    uncertain
        Suspected, to be ruled out, not assessable.
    historical
        Past and not presented as current; a stopped drug; an allergy to a drug.
    family
        Of a relative.
    hypothetical
        Conditional, planned, advised, requested.
    relation
        HL7 v3 RoleCode of the relative (``FTH``, ``MTH``, ...; ``FAMMEMB`` where the note
        names none); ``None`` unless ``family``.
    """

    negated: bool = False
    uncertain: bool = False
    historical: bool = False
    family: bool = False
    hypothetical: bool = False
    relation: str | None = None


#: Affirmed, current, of the patient.
AFFIRMED = Assertion()

#: The flags of an assertion and of a finding.
FLAGS = ("negated", "uncertain", "historical", "family", "hypothetical")
