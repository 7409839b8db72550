"""New findings of the reader that the words themselves contradict (``contradictions.toml``)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from clinical_nlp.artifacts import read_toml
from clinical_nlp.records import Finding

#: Ends of a clause, and how many characters of it are looked at on each side.
_ENDS = re.compile(r"[.;:\n](?!\d)")
_REACH = 60


@dataclass(frozen=True, slots=True)
class _Row:
    concepts: frozenset[str]
    words: re.Pattern[str] | None
    clause: re.Pattern[str] | None
    unless: re.Pattern[str] | None

    def fits(self, concept: str, words: str, clause: str) -> bool:
        if self.concepts and concept not in self.concepts:
            return False
        if self.unless is not None and self.unless.search(clause):
            return False
        looks = ((self.words, words), (self.clause, clause))
        return all(pattern is None or pattern.search(text) for pattern, text in looks)


@cache
def _rows() -> tuple[_Row, ...]:
    rows = read_toml("clinical_nlp.pipeline.reader", "contradictions.toml")["contradiction"]
    return tuple(
        _Row(
            frozenset(row.get("concepts", ())),
            *(
                re.compile(row[name], re.IGNORECASE) if name in row else None
                for name in ("words", "clause", "unless")
            ),
        )
        for row in rows
    )


def is_contradicted(finding: Finding, text: str) -> bool:
    """Whether the words of a new finding, or of its clause, say that it is none.

    Parameters
    ----------
    finding
        What the reader alone has found; one that it takes for denied is left.
    text
        The note.
    """
    if finding.negated or finding.value is not None:
        return False
    before = _ENDS.split(text[max(0, finding.start - _REACH) : finding.start])[-1]
    after = _ENDS.split(text[finding.end : finding.end + _REACH], maxsplit=1)[0]
    clause = before + finding.text + after
    return any(row.fits(finding.concept, finding.text, clause) for row in _rows())
