"""The batch's progress bars."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from clinical_nlp.batch.job import JobProgress

_LABELS = {"scan": "Reading the export", "patients": "Reading notes, scoring patients"}


class BatchProgress(JobProgress):
    """Draws a progress bar for each stage on a terminal, nothing in a log file."""

    def __init__(
        self, console: Console, on_start: Callable[[str, int], None] = lambda stage, total: None
    ) -> None:
        self._on_start = on_start
        self._bars = Progress(
            TextColumn("{task.description}", style="bold"),
            BarColumn(bar_width=30),
            TaskProgressColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal or console.quiet,
        )
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self._bars.stop()

    def start(self, stage: str, total: int) -> None:
        """Begin a bar; ``total`` is in bytes for the scan, in patients afterwards."""
        self._on_start(stage, total)
        self._task = self._bars.add_task(_LABELS.get(stage, stage), total=total)

    def advance(self, amount: int) -> None:
        """Move the bar."""
        if self._task is not None:
            self._bars.advance(self._task, amount)
