"""docs/reference/outputs.md describes every column that is written, and no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from clinical_nlp.batch.sinks import estimates_table, findings_table, worklist

PAGE = Path(__file__).resolve().parents[4] / "docs" / "reference" / "outputs.md"
COLUMNS = {
    "worklist.csv": worklist.COLUMNS,
    "findings.parquet": [name for name, _ in findings_table.COLUMNS],
    "estimates.parquet": [name for name, _ in estimates_table.COLUMNS],
}


@pytest.mark.parametrize("file", COLUMNS)
def test_outputs_page_describes_every_column(file):
    chapter = PAGE.read_text(encoding="utf-8").split(f"\n## {file}\n")[1].split("\n## ")[0]
    cells = re.findall(r"^\| (`[^|]+`) \|", chapter, re.MULTILINE)
    described = [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]
    assert described == list(COLUMNS[file])
