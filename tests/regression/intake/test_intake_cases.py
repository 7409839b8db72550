"""Markup and bytes of real systems, and the text that is read of them."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from fhir_adapters.reading.attachments import read_data
from fhir_adapters.reading.defects import Defect

HERE = Path(__file__).parent


def cases(name: str) -> list[Any]:
    found = tomllib.loads((HERE / name).read_text("utf-8"))["case"]
    return [pytest.param(case, id=str(number)) for number, case in enumerate(found, 1)]


@pytest.mark.parametrize("case", cases("markup.toml"))
def test_markup_becomes_the_text_that_is_seen(case: dict[str, Any]) -> None:
    if "html" in case:
        data, media = case["html"].encode(), "text/html"
    else:
        data, media = case["rtf"].encode("utf-8" if "utf8" in case else "latin-1"), "text/rtf"
    part = read_data(data, media)
    assert part.text == case["text"]
    assert part.text.encode("utf-8").decode("utf-8") == part.text


@pytest.mark.parametrize("case", cases("bytes.toml"))
def test_bytes_become_the_text_that_was_written(case: dict[str, Any]) -> None:
    part = read_data(case["data"].encode(case.get("codec", "utf-8")), case["media"])
    assert part.text == case["text"]
    assert (part.defect is Defect.LOOKS_BROKEN) is case.get("broken", False)
