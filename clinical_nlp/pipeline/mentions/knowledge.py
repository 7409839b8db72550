"""What the similarity of mentions is judged by: the catalogue's phrases and a few rules.

Plain values, so that a saved pipeline holds them, whatever lexicon the installed package has.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any, Self

from clinical_nlp.lexicon import Lexicon
from clinical_nlp.matching.norms import normalise_word
from clinical_nlp.matching.surface_forms import SurfaceWriter, glue_of
from clinical_nlp.pipeline.mentions.similarity import Known

#: A concept of this category is a number; a phrase without one says nothing of it.
_NUMBERS = "measurement"


@dataclass(frozen=True)
class LinkKnowledge:
    """Phrases, words and categories.

    Parameters
    ----------
    phrases
        Of the catalogue. Decoys, and terms that need a context which the lexicon did not
        find, name no concept here: what is nearest to one of them is NIL.
    glue
        Words that are left out of phrases and mentions.
    negators
        Words that a mention to be linked must not hold: "ventrículo no dilatado" is like
        "ventrículo dilatado" and its opposite.
    categories
        Categories of the catalogue by label of mentions.
    """

    phrases: tuple[Known, ...]
    glue: frozenset[str]
    negators: frozenset[str]
    categories: dict[str, tuple[str, ...]]

    @classmethod
    def of(cls, lexicon: Lexicon, categories: dict[str, list[str]]) -> Self:
        """Gather it from a lexicon."""
        return cls(
            tuple(catalogue_phrases(lexicon)),
            glue_of(lexicon),
            frozenset(map(normalise_word, lexicon.data["words.toml"]["negators"])),
            {label: tuple(names) for label, names in categories.items()},
        )

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Rebuild what :meth:`as_dict` gave."""
        return cls(
            tuple(Known(*row) for row in data["phrases"]),
            frozenset(data["glue"]),
            frozenset(data["negators"]),
            {label: tuple(names) for label, names in data["categories"].items()},
        )

    def as_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "phrases": [list(asdict(phrase).values()) for phrase in self.phrases],
            "glue": sorted(self.glue),
            "negators": sorted(self.negators),
            "categories": {label: list(names) for label, names in self.categories.items()},
        }

    @property
    def digest(self) -> str:
        """Hex SHA-256 of all of it."""
        return hashlib.sha256(json.dumps(self.as_dict(), sort_keys=True).encode()).hexdigest()


def catalogue_phrases(lexicon: Lexicon) -> list[Known]:
    """Write a lexicon's terms out, without those of measurements."""
    phrases = []
    for surface in SurfaceWriter(lexicon):
        term = lexicon.terms[surface.term]
        category = lexicon.concepts[term.concept].category if term.concept else ""
        if category == _NUMBERS:
            continue
        if term.gate is not None or not term.concept:
            phrases.append(Known(surface.text, "", "", term=surface.term))
        else:
            flags = (term.negated, term.historical)
            phrases.append(Known(surface.text, term.concept, category, *flags, surface.term))
    return phrases
