"""Findings that are somebody else's, of another test, or of another cause (``misread.toml``)."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from clinical_nlp.artifacts import read_toml
from clinical_nlp.records import Finding

#: Characters looked at before a finding for whose it is, and on each side for another test.
_REACH, _NEAR = 120, 45


def is_of_another(finding: Finding, text: str, is_drug: bool) -> bool:
    """Whether a value or a drug is a relative's, or another test's.

    Parameters
    ----------
    finding
        Any finding of the note; only values and drugs can be of another.
    text
        The note.
    is_drug
        Whether its concept is a drug.
    """
    if finding.value is None and not is_drug:
        return False
    before = text[max(0, finding.start - _REACH) : finding.start]
    sentence = _pattern("sentence").split(before)[-1]
    found = [match.end() for match in _pattern("who").finditer(sentence)]
    if found and not _pattern("back").search(sentence[found[-1] :]):
        return True
    if is_drug and _compiled(_rules()["general"]["drugs"]).search(sentence):
        return True
    near = before[-_NEAR:] + " " + text[finding.start : finding.end + _NEAR]
    named = text[max(0, finding.start - 12) : finding.end]
    return any(
        finding.concept in row["concepts"]
        and _compiled(row["before"]).search(_without_number(named))
        and _compiled(row["around"]).search(near)
        for row in _rules()["otherwise"]
    )


def is_attributed(finding: Finding, text: str, category: str) -> bool:
    """Whether the clause of a symptom or sign gives it a cause that is not the heart.

    Parameters
    ----------
    category
        Of the finding's concept.
    """
    rule = _rules()["attributed"]
    if category not in rule["categories"] or finding.negated:
        return False
    after = _compiled(r"[.;:\n]").split(text[finding.end : finding.end + _REACH], maxsplit=1)[0]
    if _compiled(rule["unless"]).search(after):
        return False
    return _compiled(rule["link"] + rule["cause"]).match(after) is not None


def _without_number(named: str) -> str:
    return re.sub(r"[\d.,%\s]+$", "", named)


@cache
def _rules() -> dict[str, Any]:
    return read_toml("clinical_nlp.risk", "misread.toml")


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


def _pattern(name: str) -> re.Pattern[str]:
    return _compiled(_rules()["relative"][name])
