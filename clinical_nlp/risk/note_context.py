"""Reads what a note says around the diagnosis: tests asked for, programmes, denied signs.

None of it is a statement about the patient's state, so none is among a timeline's entries and
no feature reads it. The rules of the diagnosis and of the suspicion do. All words are data
(``suspicion.toml``, ``[context]``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from clinical_nlp.artifacts import read_toml
from clinical_nlp.records import Evidence, Finding, NoteFindings
from clinical_nlp.risk.abbreviations import is_defined_otherwise
from clinical_nlp.risk.diagnosis import NO_SUSPICION, diagnosis_concepts
from clinical_nlp.risk.timeline import Entry, Origin, Presence

#: The heart in doubt in plain words ("me preocupa que sea el corazón").
PLAIN_WORDS = "heart_in_plain_words"

#: Named, where the reader is not sure or took it for a plan, with the word "descartar".
TO_RULE_OUT = "heart_failure_to_rule_out"

#: Characters looked at on each side of a finding: of its clause, and of its sentence before it.
_REACH, _SENTENCE_REACH = 80, 240

#: Concept of the evidence of whatever is not itself one of the catalogue.
_EVIDENCE = "heart_failure"


@cache
def suspicion_rule() -> dict[str, Any]:
    """Return ``suspicion.toml`` as shipped with the package."""
    return read_toml("clinical_nlp.risk", "suspicion.toml")


def context_entries(noted: NoteFindings, written: date | None) -> Iterator[Entry]:
    """Yield the context of one note.

    Parameters
    ----------
    noted
        A note and its findings.
    written
        The note's day; ``None`` without a date.

    Yields
    ------
    Entry
        A test asked for has the test's concept and is uncertain; a peptide given in words is
        present (raised) or absent (normal). All else is present, with a concept of its own.
    """
    for finding in noted.findings:
        says = _said_around(finding, noted.note.text)
        if says is not None:
            yield _entry(noted, says, Presence.PRESENT, written, (finding.start, finding.end))
        if finding.hypothetical and not finding.family and finding.concept in _asked():
            place = (finding.start, finding.end)
            yield _entry(noted, finding.concept, Presence.UNCERTAIN, written, place)
    for says, place in _phrases(noted.note.text):
        yield _entry(noted, says, Presence.PRESENT, written, place)
    for presence, place in _peptides(noted):
        concept: str = _rules()["peptide"]["concept"]
        yield _entry(noted, concept, presence, written, place)


@dataclass(frozen=True, slots=True)
class _Around:
    """One row of ``[[context.around]]``."""

    says: str
    of: frozenset[str]
    before: re.Pattern[str] | None
    after: re.Pattern[str] | None
    sentence: re.Pattern[str] | None

    def fits(self, before: str, after: str, sentence: str) -> bool:
        """Whether the words around a finding are those of the row; a row without always fits."""
        looks = ((self.before, before), (self.after, after), (self.sentence, sentence))
        used = [(pattern, words) for pattern, words in looks if pattern is not None]
        return not used or any(pattern.search(words) for pattern, words in used)


@cache
def _rules() -> dict[str, Any]:
    rules: dict[str, Any] = suspicion_rule()["context"]
    return rules


@cache
def _compiled(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


@cache
def _around() -> tuple[_Around, ...]:
    return tuple(
        _Around(
            row["says"],
            frozenset(row["of"]),
            *(_compiled(row[k]) if k in row else None for k in ("before", "after", "sentence")),
        )
        for row in _rules()["around"]
    )


@cache
def _asked() -> frozenset[str]:
    return frozenset(c for test in suspicion_rule()["tests"] for c in test["asked"])


def _kind_of(finding: Finding) -> str:
    """What the reader says of a finding, in a word of ``[[context.around]]``."""
    if finding.family:
        return "family"
    if finding.doubtful or finding.hypothetical:
        return "open"
    if finding.negated:
        return "negated"
    return "uncertain" if finding.uncertain else "affirmed"


def _said_around(finding: Finding, text: str) -> str | None:
    if finding.concept not in diagnosis_concepts():
        return None
    if is_defined_otherwise(text, finding.start, finding.end):
        return NO_SUSPICION
    kind = _kind_of(finding)
    before, after = _clause(text, finding.start, finding.end)
    opening = text[max(0, finding.start - _SENTENCE_REACH) : finding.start]
    sentence = _compiled(_rules()["sentence"]).split(opening)[-1]
    for row in _around():
        if kind in row.of and row.fits(before, after, sentence.replace("\n", " ")):
            return row.says
    return None


def _phrases(text: str) -> Iterator[tuple[str, tuple[int, int]]]:
    """What the words themselves say, and where."""
    for row in _rules()["phrases"]:
        not_before = _compiled(row["not_before"])
        for match in _compiled(row["words"]).finditer(text):
            if not not_before.search(_clause(text, match.start(), match.end())[0]):
                yield row["says"], match.span()


def _peptides(noted: NoteFindings) -> Iterator[tuple[Presence, tuple[int, int]]]:
    """Natriuretic peptides without a value: asked for, raised or normal."""
    rules, text = _rules()["peptide"], noted.note.text
    valued = [
        f.start for f in noted.findings if f.concept in ("nt_probnp", "bnp") and f.value is not None
    ]
    for match in _compiled(rules["words"]).finditer(text):
        start, end = match.span()
        if any(start <= value <= end + rules["value_within"] for value in valued):
            continue
        before, after = _clause(text, start, end)
        before = before.replace("\n", " ")
        is_normal = _compiled(rules["normal"]).search(after) is not None
        if is_normal or _compiled(rules["raised"]).search(after):
            of_now = not _compiled(rules["older"]).search(after)
            if of_now and not _compiled(rules["condition"]).search(before):
                yield Presence.ABSENT if is_normal else Presence.PRESENT, (start, end)
            continue
        needs_verb = bool(valued) or _compiled(rules["bare"]).search(match[0])
        if needs_verb and not _compiled(rules["asked"]).search(before):
            continue
        not_asked = _compiled(rules["not_asked"]).search(before)
        if not not_asked and not _compiled(rules["older"]).search(after[:20]):
            yield Presence.UNCERTAIN, (start, end)


def _clause(text: str, start: int, end: int) -> tuple[str, str]:
    """The words of a clause before and after a span."""
    clause = _compiled(_rules()["clause"])
    before = clause.split(text[max(0, start - _REACH) : start])[-1]
    after = clause.split(text[end : end + _REACH], maxsplit=1)[0]
    return before, after


def _entry(
    noted: NoteFindings,
    concept: str,
    presence: Presence,
    written: date | None,
    place: tuple[int, int],
) -> Entry:
    shown = concept if concept in _asked() else _EVIDENCE
    return Entry(
        concept=concept,
        day=written,
        known=written,
        origin=Origin.NOTE,
        presence=presence,
        evidence=Evidence(noted.note.key, shown, written, *place),
    )
