"""The kind of a target (symptom, drug, event, …), from its concept or its words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from clinical_nlp.pipeline.assertion.rules import AssertionRules

UNKNOWN = "UNKNOWN"


class TargetKinds:
    """Kinds of targets, as ``data/kinds.toml`` defines them.

    Parameters
    ----------
    rules
        Hold the table of kinds.
    categories
        Catalogue category by concept key.
    """

    def __init__(self, rules: AssertionRules, categories: Mapping[str, str]) -> None:
        by_category = rules.kind_of_category
        self._by_concept = {
            concept: by_category.get(category, UNKNOWN) for concept, category in categories.items()
        }
        self._by_concept.update(rules.kind_of_concept)
        self._texts = rules.text_kinds

    def of_concept(self, concept: str) -> str:
        """Kind of a concept; ``UNKNOWN`` for a key the lexicon does not have."""
        return self._by_concept.get(concept, UNKNOWN)

    def of_words(self, words: Sequence[str]) -> str:
        """Kind of a target without a concept, by its normalised words."""
        for kind, known, endings in self._texts:
            for word in words:
                if word in known or (endings and len(word) > 6 and word.endswith(endings)):
                    return kind
        return UNKNOWN
