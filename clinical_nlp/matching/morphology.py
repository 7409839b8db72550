"""From a word form to what it may stand for in a term: its symbols.

A term is matched on *symbols*, not on forms, so that a clinician writes "edema" once and
"edemas", "EDEMAS" or Basque "edemarik" are found. A word form bears

``w:fa``
    the form itself, where a term asks for it exactly (abbreviations);
``s:edem``
    its Romance stem (Spanish, Catalan, Galician: number and gender taken off);
``e:edema``
    its Basque base, where taking a case ending off leaves a word of a Basque term;
``v:dormir``
    the lemma of a verb of ``words.toml``, any person, tense and enclitic pronoun;
``c:link``
    a word class of ``words.toml``.

The stemmer is deliberately light (number, gender, Catalan participles): what it conflates
must be the same word, because a wrong conflation is a false finding in every note.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from clinical_nlp.matching.norms import normalise_word

# Diminutives and superlatives of lay speech: "mareíllo", "hinchaditos", "cansadísima".
_AFFECTIVE = re.compile(r"(?:e?c)?(?:it|ill|iñ|in|isim)[oae]s?$")
_MIN_STEM = 4

# Basque case endings: definite, partitive, genitive, sociative, inessive,
# ablative, allative, instrumental, causal. (Hualde & Ortiz de Urbina, A Grammar of Basque,
# 2003, ch. 3.)
_BASQUE_ENDINGS = frozenset((
    "agatik", "engatik", "etatik", "arekin", "garria", "gabeko", "arena", "etako", "etara",
    "rekin", "dunak", "aren", "arik", "ekin", "etan", "etik", "rako", "duna", "tsua", "gabe",
    "ena", "ari", "ean", "eak", "eko", "tik", "era", "rik", "ren", "rra", "dun", "tsu", "eta",
    "ak", "ek", "az", "an", "ko", "go", "ra", "en", "ei", "ez", "ik", "ri", "a", "i", "n", "z",
    "k", "r",
))  # fmt: skip
_LONGEST_BASQUE = max(map(len, _BASQUE_ENDINGS))
_MIN_BASQUE_BASE = 2


# Of these, what is written on abbreviations and no Spanish word ends in.
_ON_ABBREVIATIONS = ("arekin", "rekin", "arik", "rik", "aren", "ren", "ekin", "ik")
_MIN_ABBREVIATION = 3


def romance_stem(word: str) -> str:
    """Take number and gender off a normalised Spanish, Catalan or Galician word.

    Parameters
    ----------
    word
        As ``normalise_word`` gives it: lower case, no accents.
    """
    length = len(word)
    if length <= 3:
        return word
    if word.endswith("ces") and length > 4:
        word = word[:-3] + "z"
    elif word.endswith(("ais", "eis", "ois")) and length > 5:
        word = word[:-2] + "l"  # Galician plurals: pretibiais
    elif word[-1] == "s" and word[-2] != "s":
        word = word[:-1]
    if word[-1] in "aeo" and len(word) > _MIN_STEM:
        word = word[:-1]
    if len(word) > _MIN_STEM and word[-1] == "t" and word[-2] in "aiu":
        word = word[:-1] + "d"  # Catalan participles: ofegat, ofegada
    return word


def affective_base(word: str) -> str | None:
    """Return the stem under a diminutive or superlative, ``None`` where there is none."""
    base = _AFFECTIVE.sub("", word)
    return base if base != word and len(base) >= 3 else None


def basque_bases(word: str) -> Iterable[str]:
    """Yield every base that a Basque case ending could have been put on.

    A base that ends in ``-a`` of its own may lose it ("hanka", "hanketan").
    """
    yield word
    for cut in range(max(_MIN_BASQUE_BASE, len(word) - _LONGEST_BASQUE), len(word)):
        if word[cut:] in _BASQUE_ENDINGS:
            base = word[:cut]
            yield base
            yield base + "a"
            if base.endswith("rr"):
                yield base[:-1]  # a final r is doubled: "adar", "adarraren"


def basque_abbreviations(word: str) -> Iterable[str]:
    """Yield the abbreviations that a Basque case ending may stand on: "HTArekin", "EKGa".

    The ending is one of the longer ones, or follows a consonant that no Spanish word ends
    in: "ecos" and "sala" are none.
    """
    for ending in _ON_ABBREVIATIONS:
        if word.endswith(ending) and len(word) - len(ending) >= _MIN_ABBREVIATION:
            yield word[: -len(ending)]
    if word.endswith(("kga", "cga")):
        yield word[:-1]


class Verbs:
    """Recognises the forms of the lexicon's verbs.

    Parameters
    ----------
    lemmas
        Lemma to ``{"stems": [...], "forms": [...], "not": [...]}``: stems take the endings
        below, forms are irregular and stand as they are, and what looks like a form but
        is another word ("como", of "comer") is left out.
    endings
        Verbal endings of Spanish, Catalan and Galician.
    enclitics
        Pronouns written on to infinitives, gerunds and imperatives.
    """

    def __init__(
        self,
        lemmas: Mapping[str, Mapping[str, Any]],
        endings: Iterable[str],
        enclitics: Iterable[str],
    ) -> None:
        self._stems: dict[str, list[str]] = {}
        self._forms: dict[str, list[str]] = {}
        self._excluded: set[tuple[str, str]] = set()
        self.lemmas = frozenset(lemmas)
        for lemma, entry in lemmas.items():
            self._excluded.update((normalise_word(w), lemma) for w in entry.get("not", ()))
            for stem in map(normalise_word, entry.get("stems", ())):
                self._stems.setdefault(stem, []).append(lemma)
            for form in map(normalise_word, entry.get("forms", ())):
                self._forms.setdefault(form, []).append(lemma)
        tails = "|".join(sorted(map(normalise_word, enclitics), key=len, reverse=True))
        body = "|".join(sorted(map(normalise_word, endings), key=len, reverse=True))
        self._ending = re.compile(rf"(?:{body})(?:{tails})*")

    def lemmas_of(self, word: str) -> list[str]:
        """Return the lemmas of which a normalised word is a form."""
        found = list(self._forms.get(word, ()))
        for cut in range(len(word), 1, -1):
            lemmas = self._stems.get(word[:cut])
            if lemmas and self._ending.fullmatch(word, cut):
                found.extend(lm for lm in lemmas if (word, lm) not in self._excluded)
        return found

    def citation_forms(self) -> Iterable[tuple[str, str]]:
        """Yield ``(form, lemma)`` of the commonest forms, for the speller."""
        for stem, lemmas in self._stems.items():
            for lemma in lemmas:
                vowel = "i" if lemma.endswith(("ir", "er")) else "a"
                endings = ("o", vowel, "e", vowel + "n", "en", vowel + "do", vowel + "da")
                for form in (*(stem + ending for ending in endings), normalise_word(lemma)):
                    if (form, lemma) not in self._excluded:
                        yield form, lemma
        for form, lemmas in self._forms.items():
            for lemma in lemmas:
                yield form, lemma
