"""The runbook has an entry for each exit code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from clinical_nlp.batch.status import EXIT_STALE
from clinical_nlp.cli.app import EXIT_UNFORESEEN
from clinical_nlp.errors import EXIT_DOUBTFUL, EXIT_QUARANTINED, ClinicalNlpError

ROOT = Path(__file__).resolve().parents[3]


def kinds(of: type[ClinicalNlpError] = ClinicalNlpError) -> Iterator[type[ClinicalNlpError]]:
    for kind in of.__subclasses__():
        yield kind
        yield from kinds(kind)


def test_runbook_has_each_exit_code_once_and_in_order() -> None:
    page = (ROOT / "docs" / "how-to" / "operations.md").read_text("utf-8")
    entries = [int(code) for code in re.findall(r"^### Exit code (\d+)$", page, re.MULTILINE)]
    ours = {kind.exit_code for kind in kinds() if kind.__module__ == "clinical_nlp.errors"}
    ours |= {0, EXIT_QUARANTINED, EXIT_DOUBTFUL, EXIT_STALE, EXIT_UNFORESEEN}
    signals = {128 + 9, 128 + 13, 128 + 15}
    assert entries == sorted(ours | signals)
