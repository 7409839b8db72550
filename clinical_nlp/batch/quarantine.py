"""``quarantine.ndjson``: each resource that could not be used, with code and reason."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from clinical_nlp.records import Problem


class Quarantine:
    """Writes problems as they come and counts them by code; keeps none in memory.

    Parameters
    ----------
    path
        File to write, one JSON object a line.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8")
        self.codes: Counter[str] = Counter()

    def add(self, problem: Problem) -> None:
        """Write one problem."""
        self.codes[problem.code] += 1
        self._file.write(json.dumps(asdict(problem), ensure_ascii=False) + "\n")

    def extend(self, problems: Iterable[Problem]) -> None:
        """Write several."""
        for problem in problems:
            self.add(problem)

    @property
    def total(self) -> int:
        """Problems written so far."""
        return self.codes.total()

    def close(self) -> None:
        """Finish the file."""
        self._file.close()
