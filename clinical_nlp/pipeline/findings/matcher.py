"""Finds the lexicon's concepts in a note."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence

from spacy.strings import StringStore
from spacy.tokens import Doc

from clinical_nlp.errors import PipelineError
from clinical_nlp.lexicon import Lexicon, Term
from clinical_nlp.matching.automaton import Automaton, Match
from clinical_nlp.matching.gates import Context, Gates
from clinical_nlp.matching.morphology import Verbs
from clinical_nlp.matching.norms import normalise_word
from clinical_nlp.matching.vocabulary import Vocabulary
from clinical_nlp.matching.word_analyzer import WordAnalyzer
from clinical_nlp.matching.word_joiner import WordJoiner, WordSequence
from clinical_nlp.pipeline.document import HEADINGS, Sections
from clinical_nlp.records import Finding

#: Tests whose name opens their result ("ECG: RS"): findings even where they are headings.
_TESTS = frozenset({"ecg", "chest_xray", "echocardiogram"})


class Matcher:
    """The lexicon, compiled.

    Parameters
    ----------
    lexicon
        Concepts, terms, gates and word lists.

    Raises
    ------
    PipelineError
        E314-E316 where the lexicon's data are not understood.
    """

    def __init__(self, lexicon: Lexicon) -> None:
        words = lexicon.data["words.toml"]
        self.terms: tuple[Term, ...] = lexicon.terms
        self._gates = Gates(lexicon.data["gates.toml"])
        missing = sorted({t.gate for t in self.terms if t.gate and t.gate not in self._gates})
        if missing:
            raise PipelineError(
                "E316", f"The lexicon's terms name gates that are not there, {missing}: add them."
            )
        verbs = Verbs(words["verbs"], words["endings"], words["enclitics"])
        self.vocabulary = Vocabulary(words, verbs)
        # Words of the lists come before those of the terms: the speller's first symbol counts.
        self.vocabulary.members()
        self._automaton = Automaton(
            self.vocabulary.compile(term.text, term.language) for term in self.terms
        )
        lines = lexicon.texts["real_words.txt"].splitlines()
        real = [word for line in lines if not line.startswith("#") for word in line.split()]
        self._joiner = WordJoiner(
            WordAnalyzer(self._automaton, self.vocabulary, verbs, words, real)
        )

    def find(self, doc: Doc, taken: Sequence[Finding] = ()) -> Iterator[Finding]:
        """Yield the findings of a note, none overlapping another nor those ``taken``.

        Parameters
        ----------
        doc
            Tokenised by the clinical tokenizer; sections and headings are used if marked.
        taken
            Findings already there (measurements).
        """
        norms, places, lengths = doc.to_array(["NORM", "IDX", "LENGTH"]).T.tolist()
        words = self._joiner.join(norms, doc.vocab.strings)
        matches = self.matches(words)
        if not matches:
            return
        free = _Free(doc, words, taken, places)
        sections = Sections(doc)
        context = Context(
            [form.text for form in words.forms], lambda word: sections.at(words.first[word])
        )
        # Longest first, then leftmost: the most specific match of a place wins.
        matches.sort(key=lambda match: (match[0] - match[1], match[0]))
        for start, end, numbers in matches:
            if not free.is_free(start, end) or _is_torn(doc, words, start, end):
                continue
            term = self._choose(numbers, words, context, start, end)
            if term is None:
                continue
            if term.concept not in _TESTS and free.in_heading(start):
                continue
            free.take(start, end)
            if term.concept:
                first, last = words.first[start], words.last[end - 1]
                yield Finding(
                    start=places[first],
                    end=places[last] + lengths[last],
                    text=doc[first : last + 1].text,
                    concept=term.concept,
                    negated=term.negated,
                    historical=term.historical,
                    section=sections.at(first),
                )

    def join(self, text: str, strings: StringStore) -> WordSequence:
        """Return a text of plain words as a sequence (for checks; ``find`` takes a ``Doc``)."""
        return self._joiner.join([strings.add(normalise_word(w)) for w in text.split()], strings)

    def matches(self, words: WordSequence) -> list[Match]:
        """Return every match of every term at every place."""
        return self._automaton.matches(words.classes)

    def _choose(
        self,
        numbers: Iterable[int],
        words: WordSequence,
        context: Context,
        start: int,
        end: int,
    ) -> Term | None:
        """The term that is meant: a gated one that its gate lets through, else a plain one."""
        terms = [self.terms[number] for number in numbers]
        plain = [term for term in terms if term.gate is None]
        for term in plain:
            if not term.concept:
                return term  # a decoy
        for term in terms:
            if term.gate and self._gates.lets_through(term.gate, context, start, end):
                return term
        if not plain:
            return None
        if len({term.concept for term in plain}) > 1 and any(
            form.guessed for form in words.forms[start:end]
        ):
            return None  # a cut-off word that may be either
        return plain[0]


def _is_torn(doc: Doc, words: WordSequence, start: int, end: int) -> bool:
    """Whether a line ends within an acronym: the answer S over item 3 is no S3."""
    if end - start < 2 or any(len(form.text) > 1 for form in words.forms[start:end]):
        return False
    return "\n" in doc[words.first[start] : words.last[end - 1] + 1].text


class _Free:
    """Which words are still free, and which stand in headings."""

    def __init__(
        self, doc: Doc, words: WordSequence, taken: Sequence[Finding], places: list[int]
    ) -> None:
        self._used = bytearray(len(words.first))
        self._headings = bytearray(len(words.first))
        if HEADINGS in doc.spans:
            for span in doc.spans[HEADINGS]:
                self._mark(self._headings, words, span.start, span.end)
        for finding in taken:
            first = bisect_right(places, finding.start) - 1
            self._mark(self._used, words, first, bisect_left(places, finding.end))

    @staticmethod
    def _mark(flags: bytearray, words: WordSequence, start: int, end: int) -> None:
        """Set the flags of the words that hold one of the tokens ``start:end``."""
        word = max(0, bisect_right(words.first, start) - 1)
        while word < len(flags) and words.first[word] < end:
            if words.last[word] >= start:
                flags[word] = 1
            word += 1

    def is_free(self, start: int, end: int) -> bool:
        """True where no word is used, and none but all are in a heading."""
        headings = self._headings
        return not any(self._used[start:end]) and headings[start] == headings[end - 1]

    def in_heading(self, word: int) -> bool:
        """True where a word stands in a heading."""
        return bool(self._headings[word])

    def take(self, start: int, end: int) -> None:
        """Mark words as used."""
        self._used[start:end] = b"\x01" * (end - start)
