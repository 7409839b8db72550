"""Options and printing shared by the commands of ``clinical-nlp evaluate``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from clinical_nlp.evaluation.splits import Part

Gold = Annotated[
    str,
    typer.Argument(
        help="Annotated notes: JSON lines (.gz too), or for findings a .txt of marked-up notes."
    ),
]
Predictions = Annotated[
    str | None,
    typer.Option("--pred", help="Predictions to score; without it the pipeline reads the notes."),
]
PartOfNotes = Annotated[
    Part,
    typer.Option(
        "--part",
        parser=Part.parse,
        metavar="[all|tune|held-out]",
        help="All notes, the development part, or the held-out fifth.",
    ),
]
Language = Annotated[
    str | None, typer.Option("--lang", help="Only notes of these languages, e.g. es or ca,gl.")
]
Errors = Annotated[
    Path | None,
    typer.Option("--errors", help="Write the errors to an HTML page. It quotes the notes."),
]
Markdown = Annotated[bool, typer.Option("--markdown", help="Print tables for a document.")]
Reader = Annotated[
    bool,
    typer.Option(
        "--reader/--no-reader", help="Read with the learned reader, or with the rules alone."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def print_table(
    header: Sequence[str], rows: Iterable[Sequence[str]], markdown: bool, texts: int = 1
) -> None:
    """Print a table for the terminal or as Markdown; its first ``texts`` columns are words."""
    if markdown:
        rules = ["---"] * texts + ["---:"] * (len(header) - texts)
        for cells in (header, rules, *rows):
            typer.echo("| " + " | ".join(cells) + " |")
        return
    table = Table()
    for place, column in enumerate(header):
        table.add_column(column, justify="left" if place < texts else "right")
    for cells in rows:
        table.add_row(*cells)
    Console(highlight=False).print(table)
