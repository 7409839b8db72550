"""The examples and tables of docs/reference/fhir-output.md are what the code writes.

``UPDATE_DOCS=1 pytest tests/integration/fhir_out/test_fhir_docs.py`` writes them anew.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from clinical_nlp.risk.bands import load_bands

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "fhir-output.md"
BLOCK = re.compile(
    r"(<!-- (example|table): ([^>]+) -->\n)(```json\n.*?```\n|(?:\|[^\n]*\n)*)", re.S
)


def bands_table() -> str:
    def percent(probability: float) -> str:
        return f"{100 * probability:g}%"

    lines = [
        "| code | in Spanish | from | up to | starts there because | source |",
        "| --- " * 6 + "|",
    ]
    for band in load_bands():
        cells = (
            f"`{band.key}`",
            band.name_es,
            percent(band.lower),
            percent(band.upper),
            band.reason,
            band.source,
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def chosen(written: Any, name: str) -> dict[str, Any]:
    kind, _, which = name.partition(" ")
    patient = {"diagnosed": "p2", "abstained": "p3", "suspected": "p6"}.get(which, "p1")
    if kind in ("CodeSystem", "StructureDefinition", "DocumentReference", "Device"):
        return written.of(kind)[0]  # type: ignore[no-any-return]
    found = written.of(kind, patient)
    if which == "range":
        found = [r for r in found if "valueRange" in r]
    return found[0]  # type: ignore[no-any-return]


def block(written: Any, kind: str, name: str) -> str:
    if kind == "table":
        return bands_table()
    return f"```json\n{readable(chosen(written, name))}\n```\n"


def readable(value: Any, indent: str = "") -> str:
    """JSON with what fits into a line on one line."""
    flat = json.dumps(value, ensure_ascii=False)
    if len(indent) + len(flat) <= 96 or not isinstance(value, dict | list):
        return flat
    inner = indent + "  "
    if isinstance(value, dict):
        rows = [f"{json.dumps(k)}: {readable(v, inner)}" for k, v in value.items()]
    else:
        rows = [readable(v, inner) for v in value]
    opened, closed = "{}" if isinstance(value, dict) else "[]"
    return opened + ",".join(f"\n{inner}{row}" for row in rows) + f"\n{indent}{closed}"


def test_docs_page_shows_written_resources(written: Any) -> None:
    page = PAGE.read_text("utf-8")
    expected = BLOCK.sub(lambda m: m[1] + block(written, m[2], m[3]), page)
    if os.environ.get("UPDATE_DOCS"):
        PAGE.write_text(expected, "utf-8")
        pytest.skip("the page was written anew")
    assert len(BLOCK.findall(page)) == 15
    assert page == expected
