"""A term: one way a concept is written in a note."""

from __future__ import annotations

from dataclasses import dataclass

#: Languages a term may belong to, in the order in which the data files list them.
LANGUAGES = ("es", "ca", "gl", "eu")


@dataclass(frozen=True, slots=True)
class Term:
    """One entry of a concept's list of terms.

    Parameters
    ----------
    concept
        Key of the concept; the empty string for a decoy, a phrase that looks like a
        finding and is none ("edema macular").
    language
        ``es``, ``ca``, ``gl`` or ``eu``: decides how the term inflects.
    text
        The term in the syntax of :mod:`clinical_nlp.matching.syntax`.
    gate
        Name of the context gate that must let it through; ``None`` where unambiguous.
    negated, historical
        The term carries its own assertion ("eupneico" is dyspnoea, absent).
    """

    concept: str
    language: str
    text: str
    gate: str | None = None
    negated: bool = False
    historical: bool = False
