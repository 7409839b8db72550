"""Reads what a note says around the diagnosis: tests asked for, programmes, denied signs.

None of it is a statement about the patient's state, so none is among a timeline's entries and
no feature reads it. The rules of the diagnosis and of the suspicion do (``suspicion.toml``,
``[context]``).
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
from clinical_nlp.risk.diagnosis import NO_SIGNS, diagnosis_concepts
from clinical_nlp.risk.timeline import Entry, Origin, Presence

#: A programme or unit of heart failure that follows the patient.
PROGRAMME = "heart_failure_programme"

#: An uncertain mention that is nobody's suspicion: the patient's question, or found unlikely.
NO_SUSPICION = "no_suspicion_of_heart_failure"

#: Characters of a clause looked at on each side of a finding.
_REACH = 80


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
        A test asked for has the test's concept and is uncertain; a peptide told in a word is
        present (raised) or absent (normal).
    """
    expressions = _expressions()
    peptide = expressions.peptide_concept
    for finding in noted.findings:
        concept = _context_of(finding, noted.note.text, expressions)
        if concept is not None:
            yield _entry(noted, concept, Presence.PRESENT, written, finding.start, finding.end)
        elif finding.hypothetical and not finding.family and finding.concept in _asked():
            yield _entry(
                noted, finding.concept, Presence.UNCERTAIN, written, finding.start, finding.end
            )
    valued = [f.start for f in noted.findings if f.concept in ("nt_probnp", "bnp")]
    for match in expressions.peptide.finditer(noted.note.text):
        if any(match.start() <= v <= match.end() + expressions.value_within for v in valued):
            continue
        presence = _told(noted.note.text, match.start(), match.end(), expressions)
        if presence is not None:
            yield _entry(noted, peptide, presence, written, match.start(), match.end())


@dataclass(frozen=True, slots=True)
class _Expressions:
    clause: re.Pattern[str]
    peptide_concept: str
    value_within: int
    peptide: re.Pattern[str]
    raised: re.Pattern[str]
    normal: re.Pattern[str]
    older: re.Pattern[str]
    condition: re.Pattern[str]
    not_asked: re.Pattern[str]
    programme_before: re.Pattern[str]
    programme_after: re.Pattern[str]
    referral: re.Pattern[str]
    signs_before: re.Pattern[str]
    signs_after: re.Pattern[str]
    no_suspicion_before: re.Pattern[str]
    no_suspicion_after: re.Pattern[str]


@cache
def _expressions() -> _Expressions:
    context = suspicion_rule()["context"]
    peptide, programme, signs = context["peptide"], context["programme"], context["signs"]
    none = context["no_suspicion"]

    def compiled(text: str) -> re.Pattern[str]:
        return re.compile(text, re.IGNORECASE)

    return _Expressions(
        clause=compiled(context["clause"]),
        peptide_concept=peptide["concept"],
        value_within=peptide["value_within"],
        peptide=compiled(peptide["words"]),
        raised=compiled(peptide["raised"]),
        normal=compiled(peptide["normal"]),
        older=compiled(peptide["older"]),
        condition=compiled(peptide["condition"]),
        not_asked=compiled(peptide["not_asked"]),
        programme_before=compiled(programme["before"]),
        programme_after=compiled(programme["after"]),
        referral=compiled(programme["referral"]),
        signs_before=compiled(signs["before"]),
        signs_after=compiled(signs["after"]),
        no_suspicion_before=compiled(none["before"]),
        no_suspicion_after=compiled(none["after"]),
    )


@cache
def _asked() -> frozenset[str]:
    return frozenset(c for test in suspicion_rule()["tests"] for c in test["asked"])


def _context_of(finding: Finding, text: str, expressions: _Expressions) -> str | None:
    if finding.concept not in diagnosis_concepts() or finding.family or finding.doubtful:
        return None
    before, after = _clause(text, finding.start, finding.end, expressions)
    x = expressions
    if finding.negated:
        signs = x.signs_before.search(before) or x.signs_after.search(after)
        return NO_SIGNS if signs else None
    if finding.uncertain:
        none = x.no_suspicion_before.search(before) or x.no_suspicion_after.search(after)
        return NO_SUSPICION if none else None
    followed = x.programme_before.search(before) or x.programme_after.search(after)
    if followed and finding.affirmed and not x.referral.search(before):
        return PROGRAMME
    return None


def _told(text: str, start: int, end: int, expressions: _Expressions) -> Presence | None:
    """What a note says of a peptide without a value: asked for, raised, normal, or nothing."""
    before, after = _clause(text, start, end, expressions)
    conditional = expressions.condition.search(before) is not None
    if expressions.normal.search(after) or expressions.raised.search(after):
        if conditional or expressions.older.search(after):
            return None
        return Presence.ABSENT if expressions.normal.search(after) else Presence.PRESENT
    if expressions.not_asked.search(before) or expressions.older.search(after[:20]):
        return None
    return Presence.UNCERTAIN


def _clause(text: str, start: int, end: int, expressions: _Expressions) -> tuple[str, str]:
    """The words of a clause before and after a span."""
    before = expressions.clause.split(text[max(0, start - _REACH) : start])[-1]
    after = expressions.clause.split(text[end : end + _REACH], maxsplit=1)[0]
    return before, after


def _entry(
    noted: NoteFindings,
    concept: str,
    presence: Presence,
    written: date | None,
    start: int,
    end: int,
) -> Entry:
    return Entry(
        concept=concept,
        day=written,
        known=written,
        origin=Origin.NOTE,
        presence=presence,
        evidence=Evidence(noted.note.key, concept, written, start, end),
    )
