"""The catalogue's terms written out in plain words, for whatever compares words by likeness.

A term is a pattern (``docs/lexicon.md``): "<respirar> [muy] (mal|peor)" stands for many
phrases. Here each becomes some of them, without the articles and prepositions that terms
let come and go.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, product

from clinical_nlp.lexicon import Lexicon
from clinical_nlp.matching.morphology import Verbs
from clinical_nlp.matching.norms import normalise_word
from clinical_nlp.matching.notation import NUMBER, WORD, Choice, Pattern, Vocabulary

#: Phrases written out for one term. Classes of words ("{ankle}") have a dozen or two, and
#: terms of two classes hundreds, which say little that is new.
_MOST = 24

#: What stands before a verb ("se le han"): it comes and goes, and says nothing.
_OPENING = ("c:pronoun", "c:auxiliary")


@dataclass(frozen=True, slots=True)
class Surface:
    """A phrase that a term stands for.

    Parameters
    ----------
    text
        Normalised words with blanks between, in the term's order.
    term
        Number of the term in :attr:`Lexicon.terms`.
    """

    text: str
    term: int


class SurfaceWriter:
    """Writes terms out.

    Parameters
    ----------
    lexicon
        Its terms, and the words that they are made of.
    """

    def __init__(self, lexicon: Lexicon) -> None:
        words = lexicon.data["words.toml"]
        verbs = Verbs(words["verbs"], words["endings"], words["enclitics"])
        self._glue = glue_of(lexicon)
        vocabulary = Vocabulary(
            verbs.lemmas,
            words["classes"],
            self._glue,
            tuple((form, "v:" + lemma) for form, lemma in verbs.citation_forms()),
        )
        members = vocabulary.members()
        self._patterns = [vocabulary.open(t.text, t.language) for t in lexicon.terms]
        self._words: dict[str, list[str]] = {}
        for word, symbol in (*vocabulary.surfaces.items(), *vocabulary.verb_forms):
            self._words.setdefault(symbol, [word])
        of_class: defaultdict[str, list[str]] = defaultdict(list)
        for symbol, classes in members.items():
            for name in classes:
                of_class[name] += self._written(symbol)
        # Numbers and gaps are left out.
        self._words |= of_class | {NUMBER: [], WORD: []}

    def __iter__(self) -> Iterator[Surface]:
        """Yield the phrases of every term, in the lexicon's order, each once a term."""
        for number, pattern in enumerate(self._patterns):
            seen = set()
            for phrase in islice(self._phrases(pattern), _MOST):
                words = [w for part in phrase for w in part.split() if w not in self._glue]
                text = " ".join(words)
                if text and text not in seen:
                    seen.add(text)
                    yield Surface(text, number)

    def _written(self, symbol: str) -> list[str]:
        return self._words.get(symbol, [symbol.partition(":")[2]])

    def _phrases(self, pattern: Pattern) -> Iterator[tuple[str, ...]]:
        if isinstance(pattern, str):
            written = self._written(pattern)
            yield from ((word,) for word in written) if written else iter([()])
        elif isinstance(pattern, Choice):
            for option in pattern.options:
                if option not in _OPENING:
                    yield from self._phrases(option)
        else:
            rows = [list(islice(self._phrases(part), _MOST)) for part in pattern.parts]
            for parts in product(*rows):
                yield tuple(word for part in parts for word in part)


def glue_of(lexicon: Lexicon) -> frozenset[str]:
    """Normalised words that tell nothing of what a phrase is about: articles, prepositions."""
    return frozenset(map(normalise_word, lexicon.data["words.toml"]["classes"]["glue"]))
