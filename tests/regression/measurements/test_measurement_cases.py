"""Measurements in the markup of the TOML files beside this one."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import spacy
from spacy.language import Language

from clinical_nlp.pipeline.document import get_findings

_CASES = [
    case
    for path in sorted(Path(__file__).parent.glob("*.toml"))
    for case in tomllib.loads(path.read_text(encoding="utf-8"))["case"]
]
_CONFIG = {"nlp": {"tokenizer": {"@tokenizers": "clinical_nlp.ClinicalTokenizer.v1"}}}
_MARK = re.compile(r"\[([^\[\]|]+)\|(\w+)=([<>]=?)?([\d.]+)(?:@([\d-]+))?\]")
_Value = tuple[int, int, str, float | None, str | None, str | None]


@pytest.fixture(scope="module")
def finder() -> Language:
    nlp = spacy.blank("es", config=_CONFIG)
    for name in ("es_layout", "es_sentences", "es_sections", "hf_measurements"):
        nlp.add_pipe(name)
    return nlp


def _read(marked: str) -> tuple[str, list[_Value]]:
    """The text without its markup, and the values marked in it."""
    text, expected, last = "", [], 0
    for match in _MARK.finditer(marked):
        text += _plain(marked[last : match.start()])
        start = len(text)
        text += match[1]
        expected.append((start, len(text), match[2], float(match[4]), match[3], match[5]))
        last = match.end()
    return text + _plain(marked[last:]), expected


def _plain(piece: str) -> str:
    return piece.replace("[[", "[").replace("]]", "]")


@pytest.mark.parametrize(
    "marked",
    [
        pytest.param(text, marks=[pytest.mark.xfail(reason=case["xfail"], strict=True)])
        if "xfail" in case
        else text
        for case in _CASES
        for text in case["texts"]
    ],
)
def test_measurement_case_values_are_read_as_marked(finder: Language, marked: str) -> None:
    text, expected = _read(marked)
    findings = get_findings(finder(text))
    assert [(f.start, f.end, f.concept, f.value) for f in findings] == [e[:4] for e in expected]
    for finding, (_, _, _, _, comparator, day) in zip(findings, expected, strict=True):
        assert comparator is None or finding.comparator == comparator
        assert day is None or finding.measured_on == day
