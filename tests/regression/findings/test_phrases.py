"""Phrases and notes as data: every line of the files beside this one is a case."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from spacy.language import Language

from clinical_nlp.pipeline.document import get_findings

HERE = Path(__file__).parent
_MARK = re.compile(r"\{\{([^|}]+)\|([a-z0-9_]+)\}\}")


def _lines(name: str) -> list[str]:
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def _phrases() -> list[tuple[str, str]]:
    pairs = []
    for line in _lines("phrases.txt"):
        concept, _, phrases = line.partition(": ")
        pairs += [(concept, phrase) for phrase in phrases.split("|")]
    return pairs


_KNOWN_FAILURES = dict(line.split(" # ") for line in _lines("known_failures.txt"))


def _cases() -> list[object]:
    cases = []
    for concept, phrase in _phrases():
        reason = _KNOWN_FAILURES.get(phrase)
        marks = [pytest.mark.xfail(reason=reason, strict=True)] if reason else []
        cases.append(pytest.param(concept, phrase, marks=marks, id=phrase))
    return cases


@pytest.mark.parametrize(("concept", "phrase"), _cases())
def test_phrase_gives_its_concept(nlp: Language, concept: str, phrase: str) -> None:
    doc = nlp(f"Acude a consulta. {phrase}. Resto bien.")
    found = {f.concept for f in get_findings(doc) if f.value is None}
    assert found == {concept}


def _absences() -> list[tuple[str, str]]:
    lines = (line.partition(": ") for line in _lines("absences.txt"))
    return [(concept, phrase) for concept, _, phrases in lines for phrase in phrases.split("|")]


@pytest.mark.parametrize(("concept", "phrase"), _absences())
def test_phrase_says_that_its_concept_is_absent(nlp: Language, concept: str, phrase: str) -> None:
    doc = nlp(f"Acude a consulta. {phrase.capitalize()}. Resto bien.")
    found = {(f.concept, f.negated) for f in get_findings(doc) if f.value is None}
    assert found == {(concept, True)}


@pytest.mark.parametrize("line", _lines("ambiguity.txt") + _lines("notes.txt"))
def test_marked_note_gives_its_findings(nlp: Language, line: str) -> None:
    expected = [match.groups() for match in _MARK.finditer(line)]
    text = _MARK.sub(lambda match: match[1], line)
    found = [(f.text, f.concept) for f in get_findings(nlp(text)) if f.value is None]
    assert found == expected
