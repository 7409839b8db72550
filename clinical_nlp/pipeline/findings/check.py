"""Checks the lexicon: duplicates, dead terms, clashes between concepts, unused gates.

Each term is written out once ("se le hinchan los {ankle}" as "hinchar tobillo") and must be
found by the matcher. A term that is not is dead: no text can match it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from spacy.strings import StringStore

from clinical_nlp.lexicon import Lexicon
from clinical_nlp.matching.automaton import ANY, GAP
from clinical_nlp.matching.syntax import Choice, Pattern
from clinical_nlp.matching.vocabulary import NUMBER, Vocabulary
from clinical_nlp.pipeline.findings.matcher import Matcher


@dataclass(frozen=True, slots=True)
class LexiconIssue:
    """Something to correct in the lexicon.

    Parameters
    ----------
    kind
        ``duplicate``, ``dead``, ``clash`` or ``unused gate``.
    concept
        Key of the concept, empty for decoys and gates.
    term
        The term or gate, as written.
    reason
        What is wrong, and what to do.
    """

    kind: str
    concept: str
    term: str
    reason: str


def check(lexicon: Lexicon) -> list[LexiconIssue]:
    """Return all issues of a lexicon, in the order of its files.

    Raises
    ------
    PipelineError
        E310-E316 where the lexicon cannot be read at all.
    """
    matcher = Matcher(lexicon)
    return [*_duplicates(lexicon), *_unused_gates(lexicon), *_dead_and_clashing(matcher)]


def _duplicates(lexicon: Lexicon) -> Iterator[LexiconIssue]:
    counts = Counter((t.concept, t.language, t.text, t.gate) for t in lexicon.terms)
    for (concept, language, text, _), count in counts.items():
        if count > 1:
            reason = f"stands {count} times under '{language}': keep one"
            yield LexiconIssue("duplicate", concept, text, reason)


def _unused_gates(lexicon: Lexicon) -> Iterator[LexiconIssue]:
    used = {term.gate for term in lexicon.terms}
    for name in lexicon.data["gates.toml"]:
        if name != "lists" and name not in used:
            yield LexiconIssue("unused gate", "", name, "no term names it: remove it or name it")


def _dead_and_clashing(matcher: Matcher) -> Iterator[LexiconIssue]:
    """Dead terms, and terms of two concepts that claim the same words without a gate."""
    writer = _ExampleWriter(matcher.vocabulary)
    strings = StringStore()
    for number, term in enumerate(matcher.terms):
        text = writer.write(matcher.vocabulary.compile(term.text, term.language))
        words = matcher.join(text, strings)
        whole = {
            n
            for start, end, numbers in matcher.matches(words)
            if (start, end) == (0, len(words.forms))
            for n in numbers
        }
        if number not in whole:
            reason = f"written out as '{text}', it is not found: see docs/how-to/lexicon.md"
            yield LexiconIssue("dead", term.concept, term.text, reason)
            continue
        others = [matcher.terms[n] for n in whole]
        if not term.concept or term.gate:
            continue  # a decoy, or a term whose gate decides what is meant
        if any(not other.concept and other.gate is None for other in others):
            reason = f"'{text}' is also a decoy, which always wins: write the decoy longer"
            yield LexiconIssue("clash", term.concept, term.text, reason)
        rivals = sorted(
            {
                other.concept
                for other in others
                if other.concept and other.concept != term.concept and other.gate is None
            }
        )
        if rivals and term.concept < rivals[0]:
            reason = f"'{text}' is also {', '.join(rivals)}: gate one of them"
            yield LexiconIssue("clash", term.concept, term.text, reason)


class _ExampleWriter:
    """Writes a pattern out as one text that it matches."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._words: dict[str, str] = {NUMBER: "2", GAP: "", ANY: "x"}
        for word, symbol in vocabulary.surfaces.items():
            self._words.setdefault(symbol, word)
        for form, symbol in vocabulary.verb_forms:
            self._words.setdefault(symbol, form)
        for symbol, classes in vocabulary.members().items():
            for name in classes:
                self._words.setdefault(name, self._words.get(symbol, symbol.partition(":")[2]))

    def write(self, pattern: Pattern) -> str:
        """Return the words, separated by blanks."""
        if isinstance(pattern, str):
            return self._words.get(pattern, pattern.partition(":")[2])
        if isinstance(pattern, Choice):
            # A class whose entries are all phrases has no word of its own.
            options = [
                self.write(option)
                for option in pattern.options
                if not (
                    isinstance(option, str) and option[:2] == "c:" and option not in self._words
                )
            ]
            optional = any(not option for option in options)
            return "" if optional else options[0]
        return " ".join(filter(None, map(self.write, pattern.parts)))
