"""What the pipeline's components leave on a ``Doc``, and how they read it.

Only plain values (strings, numbers, booleans, lists) go into ``doc.user_data`` and span
groups, so that a ``Doc`` survives ``DocBin``, ``to_bytes`` and ``n_process=2``. The
extension attributes are views that build domain values on access:

``doc._.findings``
    tuple of :class:`~clinical_nlp.records.Finding`, in order of place.
``doc._.mentions``
    tuple of :class:`~clinical_nlp.records.Mention`, in order of place; empty without the
    component ``clinical_mentions``.
``doc.spans["sections"]``
    the note's sections, labelled by section key (heading included).
``doc.spans["headings"]``
    the headings alone, labelled by the key of the section they open.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from operator import attrgetter
from typing import Any

from spacy.tokens import Doc

from clinical_nlp.records import Finding, Mention

SECTIONS = "sections"
HEADINGS = "headings"
_FINDINGS_KEY = "clinical_nlp.findings"
_MENTIONS_KEY = "clinical_nlp.mentions"
# dataclasses.astuple copies every value deeply: it cost more than finding the findings.
_row = attrgetter(*(field.name for field in fields(Finding)))


def get_findings(doc: Doc) -> tuple[Finding, ...]:
    """Return the findings stored on ``doc``."""
    rows: list[list[Any]] = doc.user_data.get(_FINDINGS_KEY, [])
    return tuple(Finding(*row) for row in rows)


def set_findings(doc: Doc, findings: Iterable[Finding]) -> None:
    """Store findings on ``doc`` as plain rows, in order of (start, end, concept)."""
    ordered = sorted(findings, key=lambda f: (f.start, f.end, f.concept))
    doc.user_data[_FINDINGS_KEY] = [list(_row(f)) for f in ordered]


def get_mentions(doc: Doc) -> tuple[Mention, ...]:
    """Return the mentions stored on ``doc``."""
    rows: list[list[Any]] = doc.user_data.get(_MENTIONS_KEY, [])
    text = doc.text if rows else ""
    return tuple(
        Mention(start, end, text[start:end], label, score, concept)
        for start, end, label, score, concept in rows
    )


def set_mentions(doc: Doc, mentions: Iterable[Mention]) -> None:
    """Store mentions on ``doc`` as plain rows, in order of (start, end, label)."""
    ordered = sorted(mentions, key=lambda m: (m.start, m.end, m.label))
    doc.user_data[_MENTIONS_KEY] = [[m.start, m.end, m.label, m.score, m.concept] for m in ordered]


def section_at(doc: Doc, token: int) -> str | None:
    """Key of the section that holds a token; the innermost (last opened) one."""
    if SECTIONS not in doc.spans:
        return None
    found: str | None = None
    for span in doc.spans[SECTIONS]:
        if span.start <= token < span.end:
            found = span.label_
        elif span.start > token:
            break
    return found


def register_extensions() -> None:
    """Register ``doc._.findings`` and ``doc._.mentions``; safe to call again."""
    Doc.set_extension("findings", getter=get_findings, setter=set_findings, force=True)
    Doc.set_extension("mentions", getter=get_mentions, setter=set_mentions, force=True)


register_extensions()
