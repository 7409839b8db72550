"""Read and write the pipeline's results on a ``Doc``.

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

The layout of forms and tables, ``doc._.layout``, is in
:mod:`clinical_nlp.pipeline.document_layout`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import fields
from operator import attrgetter
from typing import Any

from spacy.tokens import Doc

from clinical_nlp.records import Finding, Mention

SECTIONS = "sections"
HEADINGS = "headings"
_FINDINGS_KEY = "clinical_nlp.findings"
_CUES_KEY = "clinical_nlp.cues"
_MENTIONS_KEY = "clinical_nlp.mentions"
# dataclasses.astuple copies every value deeply, which costs more than finding the findings.
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


def get_cues(doc: Doc) -> list[tuple[int, int, str]]:
    """First token, end and kind of each cue of assertion beside a finding."""
    return [(start, end, kind) for start, end, kind in doc.user_data.get(_CUES_KEY, [])]


def set_cues(doc: Doc, cues: Iterable[tuple[int, int, str]]) -> None:
    """Store cues on ``doc`` as plain rows."""
    doc.user_data[_CUES_KEY] = [list(row) for row in cues]


class Sections:
    """Look up the section of a token; reads the sections of a doc once.

    Parameters
    ----------
    doc
        Without sections no token is in one.
    """

    def __init__(self, doc: Doc) -> None:
        self._starts: list[int] = []
        self._labels: list[str | None] = []
        if SECTIONS not in doc.spans:
            return
        open_: list[tuple[int, str]] = []  # end and label of the sections not yet closed
        for span in sorted(doc.spans[SECTIONS], key=lambda span: span.start):
            self._close(open_, span.start)
            open_.append((span.end, span.label_))
            self._change(span.start, span.label_)
        self._close(open_, len(doc))

    def at(self, token: int) -> str | None:
        """Return the key of the section last opened before a token and not yet closed."""
        index = bisect_right(self._starts, token) - 1
        return self._labels[index] if index >= 0 else None

    def stretches(self, tokens: int) -> Iterator[tuple[int, int, str | None]]:
        """Yield first token, end and key of each stretch of a doc of so many tokens."""
        ends = [*self._starts, tokens][1:]
        yield from zip(self._starts, ends, self._labels, strict=True)

    def _close(self, open_: list[tuple[int, str]], upto: int) -> None:
        while open_ and open_[-1][0] <= upto:
            end, _ = open_.pop()
            while open_ and open_[-1][0] <= end:
                open_.pop()
            self._change(end, open_[-1][1] if open_ else None)

    def _change(self, token: int, label: str | None) -> None:
        self._starts.append(token)
        self._labels.append(label)


def register_extensions() -> None:
    """Register ``doc._.findings`` and ``doc._.mentions``; safe to call again."""
    Doc.set_extension("findings", getter=get_findings, setter=set_findings, force=True)
    Doc.set_extension("mentions", getter=get_mentions, setter=set_mentions, force=True)


register_extensions()
