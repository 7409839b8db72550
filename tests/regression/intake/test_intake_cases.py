"""Markup and bytes of real systems, and the text that is read of them."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from spacy.language import Language

from clinical_nlp.pipeline.document import get_findings
from fhir_adapters.reading.attachments import read_data
from fhir_adapters.reading.defects import Defect

HERE = Path(__file__).parent


def cases(name: str) -> list[Any]:
    found = tomllib.loads((HERE / name).read_text("utf-8"))["case"]
    return [pytest.param(case, id=str(number)) for number, case in enumerate(found, 1)]


def _data_of(case: dict[str, Any]) -> tuple[bytes, str]:
    if "html" in case:
        return case["html"].encode(), "text/html"
    return case["rtf"].encode("utf-8" if "utf8" in case else "latin-1"), "text/rtf"


@pytest.mark.parametrize("case", cases("markup.toml"))
def test_markup_becomes_the_text_that_is_seen(case: dict[str, Any]) -> None:
    part = read_data(*_data_of(case))
    assert part.text == case["text"]
    assert part.text.encode("utf-8").decode("utf-8") == part.text


@pytest.mark.parametrize("case", cases("bytes.toml"))
def test_bytes_become_the_text_that_was_written(case: dict[str, Any]) -> None:
    part = read_data(case["data"].encode(case.get("codec", "utf-8")), case["media"])
    assert part.text == case["text"]
    assert (part.defect is Defect.LOOKS_BROKEN) is case.get("broken", False)


@pytest.mark.parametrize("case", cases("findings.toml"))
def test_markup_is_read_the_right_way_round(nlp: Language, case: dict[str, Any]) -> None:
    doc = nlp(read_data(*_data_of(case)).text or "")
    found = {}
    for finding in get_findings(doc):
        value = "no" if finding.negated else "yes"
        found[finding.concept] = value if finding.value is None else f"{finding.value:g}"
    assert found == case["found"]
