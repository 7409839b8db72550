"""Which concept of the catalogue a phrase is most like, by its letters and by its vectors.

Two likenesses are weighed: the cosine of character n-grams (2 to 4 letters within words,
by TF-IDF), and the cosine of an encoder's vectors, pooled over the phrase's words by their
rarity and centred (Arora et al., "A simple but tough-to-beat baseline for sentence
embeddings", ICLR 2017). ``docs/mentions.md`` says how good each is alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Floats = npt.NDArray[np.float32]

#: Phrases compared at once: 256 of them by 12,000 of the catalogue are 12 MB.
_AT_ONCE = 256


class WordEncoder(Protocol):
    """Gives the words of phrases their vectors."""

    def __call__(self, phrases: Sequence[Sequence[str]]) -> list[Floats]:
        """Return float32 [words, hidden] for each phrase."""
        ...


@dataclass(frozen=True, slots=True)
class Known:
    """A phrase of the catalogue.

    Parameters
    ----------
    text
        Normalised words with blanks between.
    concept
        Key of its concept; empty for a phrase that is known to name none, or not by itself.
    category
        The concept's category; empty for none.
    negated, historical
        The phrase says by itself that the concept is absent or past.
    term
        Number of the term that it was written from.
    """

    text: str
    concept: str
    category: str
    negated: bool = False
    historical: bool = False
    term: int = -1


@dataclass(frozen=True, slots=True)
class Nearest:
    """What a phrase is most like.

    Parameters
    ----------
    known
        The nearest phrase of the catalogue.
    score
        Likeness to it, at most 1.
    margin
        How much nearer it is than the nearest phrase of any other concept.
    """

    known: Known
    score: float
    margin: float


class Catalogue:
    """The catalogue's phrases, ready to be compared with.

    Parameters
    ----------
    phrases
        Any order; kept by concept.
    encoder
        Gives words their vectors; ``None`` leaves them out.
    encoder_weight
        Share of the vectors in the likeness, 0 to 1; letters have the rest.
    vectors
        What :attr:`vectors` of the same phrases and encoder was before, where that is at hand.

    Attributes
    ----------
    phrases
        In order of concept.
    vectors
        Pooled, not centred, float32 [phrases, hidden]; ``None`` without an encoder.
    """

    def __init__(
        self,
        phrases: Sequence[Known],
        encoder: WordEncoder | None,
        encoder_weight: float,
        vectors: Floats | None = None,
    ) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer

        self.phrases = sorted(phrases, key=_meaning)
        meanings = [_meaning(phrase) for phrase in self.phrases]
        self._first = np.array(
            [i for i, m in enumerate(meanings) if i == 0 or m != meanings[i - 1]], dtype=np.int64
        )
        self._categories = np.array([phrase.category for phrase in self.phrases], dtype=object)
        self._texts = np.array([phrase.text for phrase in self.phrases], dtype=object)
        self._terms = np.array([phrase.term for phrase in self.phrases], dtype=np.int64)
        self._weight = encoder_weight if encoder is not None else 0.0
        self._encoder = encoder
        self._letters = TfidfVectorizer(
            analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True, dtype=np.float32
        )
        self._by_letters: csr_matrix = self._letters.fit_transform(self._texts).T.tocsr()
        seen = Counter(word for text in self._texts for word in set(text.split()))
        self._rarity = {w: float(np.log((len(phrases) + 1) / (n + 1)) + 1) for w, n in seen.items()}
        self._rarest = float(np.log(len(phrases) + 1) + 1)
        self.vectors: Floats | None = None
        if self._weight:
            self.vectors = self._pooled(list(self._texts)) if vectors is None else vectors
            self._centre = self.vectors.mean(axis=0)
            self._by_vectors = _unit(self.vectors - self._centre).T

    def nearest(
        self,
        texts: Sequence[str],
        categories: Sequence[Collection[str]],
        without: Sequence[int] | None = None,
    ) -> list[Nearest]:
        """Return what each phrase is most like.

        Parameters
        ----------
        texts
            Normalised words with blanks between, at least one each.
        categories
            For each phrase the categories that may be meant; phrases of the catalogue that
            name no concept are always among the rivals.
        without
            For each phrase the number of a term that is left out, as are phrases with the
            same words: for measuring the catalogue by itself.
        """
        found: list[Nearest] = []
        for begin in range(0, len(texts), _AT_ONCE):
            part = slice(begin, begin + _AT_ONCE)
            likeness = self._likeness(texts[part])
            for row, scores in enumerate(likeness):
                number = begin + row
                allowed = self._allowed(frozenset(categories[number]) | {""})
                if without is not None:
                    same = self._texts == texts[number]
                    allowed = allowed & ~same & (self._terms != without[number])
                found.append(self._best(np.where(allowed, scores, np.float32(-1))))
        return found

    def _best(self, scores: Floats) -> Nearest:
        by_meaning = np.maximum.reduceat(scores, self._first)
        best = int(by_meaning.argmax())
        score = float(by_meaning[best])
        by_meaning[best] = -1
        stop = self._first[best + 1] if best + 1 < len(self._first) else len(scores)
        place = int(self._first[best]) + int(scores[self._first[best] : stop].argmax())
        second = max(0.0, float(by_meaning.max(initial=0.0)))
        return Nearest(self.phrases[place], round(score, 4), round(score - second, 4))

    def _allowed(self, categories: frozenset[str]) -> npt.NDArray[np.bool_]:
        return np.isin(self._categories, list(categories))

    def _likeness(self, texts: Sequence[str]) -> Floats:
        """Return float32 [texts, phrases]."""
        by_letters = (self._letters.transform(texts) @ self._by_letters).toarray()
        if not self._weight:
            return np.asarray(by_letters, dtype=np.float32)
        by_vectors = _unit(self._pooled(texts) - self._centre) @ self._by_vectors
        both = (1 - self._weight) * by_letters + self._weight * by_vectors
        return np.asarray(both, dtype=np.float32)

    def _pooled(self, texts: Sequence[str]) -> Floats:
        """Mean of each phrase's vectors, weighted by the rarity of its words."""
        assert self._encoder is not None  # noqa: S101 - asked for only where there is one
        words = [text.split() for text in texts]
        pooled: list[Floats] = []
        for own, rows in zip(words, self._encoder(words), strict=True):
            weights = np.array([self._rarity.get(w, self._rarest) for w in own], dtype=np.float32)
            pooled.append((rows * weights[:, None]).sum(axis=0) / weights.sum())
        stacked: Floats = np.stack(pooled).astype(np.float32)
        return stacked


def _meaning(phrase: Known) -> tuple[str, bool, bool]:
    return phrase.concept, phrase.negated, phrase.historical


def _unit(rows: Floats) -> Floats:
    """Rows of length 1."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: Floats = (rows / np.maximum(lengths, 1e-9)).astype(np.float32)
    return unit
