"""Input features of each word: line breaks, the rules' findings, sections, cues."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from spacy.attrs import IDX, IS_SPACE, LENGTH, SENT_START
from spacy.tokens import Doc

from clinical_nlp.neural.reader.files import FEATURES
from clinical_nlp.neural.reader.network import (
    BLANK_LINE,
    FLAGGED,
    MEASURED,
    NEW_LINE,
    NEW_SENTENCE,
    SAME_SENTENCE,
)
from clinical_nlp.pipeline.document import Sections, get_cues
from clinical_nlp.records import Finding

Ints = npt.NDArray[np.int64]

#: Columns of the features.
GAP, MARK, CONCEPT, SECTION, CUE = range(FEATURES)


@dataclass(frozen=True)
class Vocabulary:
    """Numbers of concepts, sections and kinds of cues, from 1, as a reader's config lists them."""

    concepts: Mapping[str, int]
    sections: Mapping[str, int]
    cues: Mapping[str, int]

    @classmethod
    def of(
        cls, concepts: Sequence[str], sections: Sequence[str], cues: Sequence[str]
    ) -> Vocabulary:
        """Number names in their order."""
        lists = (concepts, sections, cues)
        return cls(*({name: n for n, name in enumerate(names, 1)} for names in lists))


class Words:
    """The words of a doc: every token that is not white space.

    Attributes
    ----------
    tokens
        Their indices in the doc, int64 [words].
    starts, ends
        Their places in the text, in code points, int64 [words].
    sentences
        Number of each word's sentence, int64 [words].
    """

    def __init__(self, doc: Doc) -> None:
        columns = doc.to_array([IDX, LENGTH, IS_SPACE, SENT_START]).astype(np.int64)
        self.tokens = np.flatnonzero(columns[:, 2] == 0)
        self.starts = columns[self.tokens, 0]
        self.ends = self.starts + columns[self.tokens, 1]
        self.sentences = np.cumsum(columns[:, 3] == 1)[self.tokens]
        self._doc = doc

    def __len__(self) -> int:
        return len(self.tokens)

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Half-open range of the words that overlap a stretch of the text; may be empty."""
        first = int(np.searchsorted(self.ends, start, side="right"))
        return first, max(first, int(np.searchsorted(self.starts, end, side="left")))

    def gaps(self) -> Ints:
        """What is before each word.

        A line break within a sentence is none: how a program wraps lines must change nothing.
        """
        gaps = np.full(len(self), SAME_SENTENCE, dtype=np.int64)
        if not len(gaps):
            return gaps
        gaps[0] = BLANK_LINE
        for place in (np.flatnonzero(np.diff(self.sentences)) + 1).tolist():
            before, token = int(self.tokens[place - 1]) + 1, int(self.tokens[place])
            breaks = self._doc[before:token].text.count("\n") if before < token else 0
            gaps[place] = (NEW_SENTENCE, NEW_LINE, BLANK_LINE)[min(breaks, 2)]
        return gaps


def word_features(
    doc: Doc, words: Words, findings: Iterable[Finding], vocabulary: Vocabulary
) -> Ints:
    """Features of the words of a doc, int64 [words, 5]."""
    features = np.zeros((len(words), FEATURES), dtype=np.int64)
    features[:, GAP] = words.gaps()
    features[:, SECTION] = _sections(doc, words, vocabulary)
    of_word = np.searchsorted(words.tokens, np.arange(len(doc) + 1))
    for start, end, kind in get_cues(doc):
        features[of_word[start] : of_word[end], CUE] = vocabulary.cues.get(kind, 0)
    for finding in findings:
        first, stop = words.span(finding.start, finding.end)
        features[first:stop, MARK] = mark_of(finding)
        features[first:stop, CONCEPT] = vocabulary.concepts.get(finding.concept, 0)
    return features


def mark_of(finding: Finding) -> int:
    """Mark of a finding of the rules."""
    if finding.value is not None:
        return int(MEASURED)
    return FLAGGED + flag_bits(finding.flags)


def flag_bits(flags: Iterable[bool]) -> int:
    """The flags as one number, the first one in its lowest bit."""
    return sum(1 << place for place, value in enumerate(flags) if value)


def of_tokens(doc: Doc, words: Words, features: Ints) -> Ints:
    """Features of every token, as the engine takes them; rows of white space are zero."""
    rows = np.zeros((len(doc), features.shape[1]), dtype=np.int64)
    rows[words.tokens] = features
    return rows


def _sections(doc: Doc, words: Words, vocabulary: Vocabulary) -> Ints:
    numbers = np.zeros(len(doc), dtype=np.int64)
    for start, end, key in Sections(doc).stretches(len(doc)):
        numbers[start:end] = vocabulary.sections.get(key or "", 0)
    return numbers[words.tokens]
