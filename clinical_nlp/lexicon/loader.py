"""Terms and concepts, loaded from the lexicon's data files; errors in them are reported."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from clinical_nlp.errors import PipelineError
from clinical_nlp.records import Concept

#: Languages a term may belong to, in the order in which the data files list them.
LANGUAGES = ("es", "ca", "gl", "eu")

_CODE_SYSTEMS = ("snomed", "icd10", "loinc", "atc", "icpc2")
_TERM_KEYS = frozenset({"text", "gate", "negated", "historical"})
_CONCEPT_KEYS = frozenset(
    {"display", "codes", "code_status", "source", "unit", "framingham", "note", *LANGUAGES}
)


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


def parse(name: str, text: str) -> dict[str, Any]:
    """Parse one data file.

    Raises
    ------
    PipelineError
        E310 where it is not TOML.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PipelineError(
            "E310", f"Lexicon file '{name}' is not TOML ({error}): correct it there."
        ) from None


def load_concepts(name: str, data: Mapping[str, Any]) -> Iterator[tuple[Concept, list[Term]]]:
    """Yield each concept of a file with its terms, in the file's order.

    Parameters
    ----------
    name
        File name; its stem is the concepts' category.
    data
        The parsed file: one table a concept.

    Raises
    ------
    PipelineError
        E311 where an entry has a key that is not known, or lacks its display name.
    """
    category = name.rsplit("/", 1)[-1].removesuffix(".toml")
    for key, entry in data.items():
        unknown = sorted(set(entry) - _CONCEPT_KEYS)
        if unknown or "display" not in entry:
            what = f"has unknown keys {unknown}" if unknown else "has no display names"
            raise PipelineError("E311", f"Concept '{key}' of '{name}' {what}: correct the entry.")
        concept = Concept(
            key=key,
            category=category,
            display=entry["display"],
            codes={s: entry["codes"][s] for s in _CODE_SYSTEMS if s in entry.get("codes", {})},
            code_status=entry.get("code_status", {}),
            unit=entry.get("unit"),
            framingham=entry.get("framingham", "none"),
        )
        yield concept, list(load_terms(name, key, entry))


def load_terms(name: str, key: str, entry: Mapping[str, Any]) -> Iterator[Term]:
    """Yield the terms of one concept (or of the decoys, ``key=""``).

    A term is a string, or a table where it needs a gate or carries its own assertion.

    Raises
    ------
    PipelineError
        E312 where a term is neither.
    """
    for language in LANGUAGES:
        for item in entry.get(language, ()):
            table = {"text": item} if isinstance(item, str) else item
            if not isinstance(table, dict) or "text" not in table or set(table) - _TERM_KEYS:
                raise PipelineError(
                    "E312",
                    f"A '{language}' term of '{key or 'decoys'}' in '{name}' is not understood: "
                    f"write a string, or a table with the keys {sorted(_TERM_KEYS)}.",
                )
            yield Term(concept=key, language=language, **table)
