"""Options and progress bar that the commands of ``clinical-nlp train`` share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

Out = Annotated[
    Path | None, typer.Option("--out", help="Folder of the model; default: the recipe's folder.")
]
Work = Annotated[
    Path | None,
    typer.Option("--work", help="Where an unfinished run is kept; <out>/.unfinished otherwise."),
]
Text = Annotated[
    Path | None, typer.Option("--text", help="Unlabelled text (JSON lines), not the recipe's.")
]
TrackingUri = Annotated[
    str | None,
    typer.Option("--tracking-uri", help="MLflow store; default: sqlite:///mlflow.db."),
]
Threads = Annotated[
    int | None, typer.Option("--threads", min=1, help="Processor threads; default: all.")
]
Steps = Annotated[int | None, typer.Option("--steps", min=1, help="Fewer steps, for a trial.")]


@contextmanager
def progress_bar(name: str, total: int | None) -> Iterator[tuple[Progress, TaskID]]:
    """Show a bar on stderr."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as Remaining

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Remaining())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        yield progress, progress.add_task(name, total=total)


def use_threads(threads: int | None) -> None:
    """Limit torch to a number of threads."""
    if threads is not None:
        import torch

        torch.set_num_threads(threads)
