"""Options that the commands of ``clinical-nlp evaluate`` share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clinical_nlp.evaluation.parts import Part

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
    Part, typer.Option("--part", help="All notes, those for tuning, or the fifth kept apart.")
]
Language = Annotated[
    str | None, typer.Option("--lang", help="Only notes of these languages, e.g. es or ca,gl.")
]
Errors = Annotated[
    Path | None,
    typer.Option("--errors", help="Write the errors as a page to browse. It quotes the notes."),
]
Markdown = Annotated[bool, typer.Option("--markdown", help="Print tables for a document.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
