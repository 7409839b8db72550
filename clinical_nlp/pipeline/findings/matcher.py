"""Finds the lexicon's concepts in a note."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence

from spacy.strings import StringStore
from spacy.tokens import Doc

from clinical_nlp.errors import PipelineError
from clinical_nlp.lexicon import Lexicon, Term
from clinical_nlp.matching.automaton import Automaton
from clinical_nlp.matching.gates import Context, Gates
from clinical_nlp.matching.morphology import Verbs
from clinical_nlp.matching.norms import normalise_word
from clinical_nlp.matching.notation import Vocabulary
from clinical_nlp.matching.spelling import Speller
from clinical_nlp.matching.word_forms import Reader, Units
from clinical_nlp.pipeline.document import HEADINGS, Sections
from clinical_nlp.records import Finding

#: Tests whose name opens their result ("ECG: RS"): findings even where they are headings.
_TESTS = frozenset({"ecg", "chest_xray", "echocardiogram"})

#: A reading of a place: (first unit, last unit, numbers of the terms that end there).
Candidate = tuple[int, int, tuple[int, ...]]


class Matcher:
    """The lexicon, compiled.

    Parameters
    ----------
    lexicon
        Concepts, terms, gates and word classes.

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
        classes = words["classes"]
        vocabulary = Vocabulary(
            verbs.lemmas,
            classes,
            frozenset(map(normalise_word, classes["glue"])),
            tuple((form, "v:" + lemma) for form, lemma in verbs.citation_forms()),
        )
        members = vocabulary.members()
        automaton = Automaton(vocabulary.open(term.text, term.language) for term in self.terms)
        spellings = dict(vocabulary.verb_forms) | vocabulary.surfaces
        lines = lexicon.texts["real_words.txt"].splitlines()
        real = [word for line in lines if not line.startswith("#") for word in line.split()]
        self.vocabulary = vocabulary
        self._automaton = automaton
        self._reader = Reader(
            automaton,
            verbs,
            Speller(spellings, real),
            members,
            vocabulary.surfaces,
            frozenset(words["stops"]),
            {
                short: [normalise_word(full) for full in fulls]
                for short, fulls in words["abbreviations"].items()
            },
            frozenset(words["negators"]),
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
        units = self._reader.read(norms, doc.vocab.strings)
        candidates = self.candidates(units)
        if not candidates:
            return
        free = _Free(doc, units, taken, places)
        sections = Sections(doc)
        context = Context(
            [form.text for form in units.forms], lambda unit: sections.at(units.first[unit])
        )
        # Longest first, then leftmost: the most specific reading of a place wins.
        candidates.sort(key=lambda c: (c[0] - c[1], c[0]))
        for first, last, numbers in candidates:
            if not free.is_free(first, last):
                continue
            term = self._choose(numbers, units, context, first, last)
            if term is None:
                continue
            if term.concept not in _TESTS and free.in_heading(first):
                continue
            free.take(first, last)
            if term.concept:
                opening, closing = units.first[first], units.last[last]
                start, end = places[opening], places[closing] + lengths[closing]
                yield Finding(
                    start=start,
                    end=end,
                    text=doc[opening : closing + 1].text,
                    concept=term.concept,
                    negated=term.negated,
                    historical=term.historical,
                    section=sections.at(opening),
                )

    def read(self, text: str, strings: StringStore) -> Units:
        """Read a text of plain words into units (for checks; ``find`` reads a ``Doc``)."""
        return self._reader.read([strings.add(normalise_word(w)) for w in text.split()], strings)

    def candidates(self, units: Units) -> list[Candidate]:
        """Return every term at every place: (first unit, last unit, numbers of terms)."""
        found: list[Candidate] = []
        classes = units.classes
        step, start = self._automaton.step, self._automaton.start(classes)
        opening = start.steps
        count = len(classes)
        for first in range(count):
            word_class = classes[first]
            state = opening[word_class] if word_class in opening else step(start, word_class)
            last = first
            while state is not None:
                if state.terms:
                    found.append((first, last, state.terms))
                last += 1
                if last == count:
                    break
                word_class = classes[last]
                steps = state.steps
                state = steps[word_class] if word_class in steps else step(state, word_class)
        return found

    def _choose(
        self, numbers: Iterable[int], units: Units, context: Context, first: int, last: int
    ) -> Term | None:
        """The term that is meant: a gated one that its gate lets through, else a plain one."""
        terms = [self.terms[number] for number in numbers]
        plain = [term for term in terms if term.gate is None]
        for term in plain:
            if not term.concept:
                return term  # a decoy
        for term in terms:
            if term.gate and self._gates.lets_through(term.gate, context, first, last + 1):
                return term
        if not plain:
            return None
        if len({term.concept for term in plain}) > 1 and any(
            form.guessed for form in units.forms[first : last + 1]
        ):
            return None  # a cut-off word that may be either
        return plain[0]


class _Free:
    """Which units are still free, and which stand in headings."""

    def __init__(self, doc: Doc, units: Units, taken: Sequence[Finding], places: list[int]) -> None:
        self._used = bytearray(len(units.first))
        self._headings = bytearray(len(units.first))
        if HEADINGS in doc.spans:
            for span in doc.spans[HEADINGS]:
                self._mark(self._headings, units, span.start, span.end)
        for finding in taken:
            first = bisect_right(places, finding.start) - 1
            self._mark(self._used, units, first, bisect_left(places, finding.end))

    @staticmethod
    def _mark(flags: bytearray, units: Units, start: int, end: int) -> None:
        unit = max(0, bisect_right(units.first, start) - 1)
        while unit < len(flags) and units.first[unit] < end:
            if units.last[unit] >= start:
                flags[unit] = 1
            unit += 1

    def is_free(self, first: int, last: int) -> bool:
        """True where no unit is used, and none but all are in a heading."""
        headings = self._headings
        return not any(self._used[first : last + 1]) and headings[first] == headings[last]

    def in_heading(self, unit: int) -> bool:
        """True where a unit stands in a heading."""
        return bool(self._headings[unit])

    def take(self, first: int, last: int) -> None:
        """Mark units as used."""
        for unit in range(first, last + 1):
            self._used[unit] = 1
