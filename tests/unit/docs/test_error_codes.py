"""Every code that the sources raise is documented, and no other."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
_CODE = re.compile(r"\bE[1-5]\d\d\b")


def test_codes_of_the_sources_are_those_of_the_pages() -> None:
    raised: set[str] = set()
    for package in ("clinical_nlp", "fhir_adapters"):
        for path in (ROOT / package).rglob("*.py"):
            raised.update(re.findall(r'"(E[1-5]\d\d)[" ]', path.read_text(encoding="utf-8")))
    told: set[str] = set()
    for page in ("errors.md", "input.md"):
        told.update(_CODE.findall((ROOT / "docs" / "reference" / page).read_text(encoding="utf-8")))
    assert raised == told, f"undocumented {raised - told}, gone {told - raised}"
