"""``clinical-nlp drift``: whether two batches are of the same kind of patients."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clinical_nlp.errors import OutputError

#: Exit codes: a moderate shift, and a major one.
EXIT_MODERATE, EXIT_MAJOR = 8, 9


def drift(
    before: Annotated[Path, typer.Argument(metavar="OUT_A", help="Folder of the earlier batch.")],
    after: Annotated[Path, typer.Argument(metavar="OUT_B", help="Folder of the later batch.")],
    report: Annotated[
        Path | None,
        typer.Option("--report", help="Write the report here: .html, or .md for Markdown."),
    ] = None,
) -> None:
    """Compare two batches: population stability of every feature and of the score.

    Exit codes: 0 no significant shift; 8 a moderate shift (index from 0.10); 9 a
    major one (from 0.25); 4 a folder is not a batch's, or scored too few patients.

    Example: clinical-nlp drift out-june out-july --report drift.html
    """
    from clinical_nlp.batch.drift import Level, compare_batches, drift_html, drift_markdown

    found = compare_batches(before, after)
    text = drift_markdown(found)
    if report is None:
        typer.echo(text, nl=False)
    else:
        page = drift_html(found) if report.suffix.lower() in (".html", ".htm") else text
        try:
            report.write_text(page, "utf-8")
        except OSError as error:
            raise OutputError(
                "E515",
                f"the report '{report}' cannot be written ({error.strerror}); "
                "give a file in a folder you may write to.",
            ) from None
        typer.echo(f"Report in {report}.")
    if found.level is not Level.STABLE:
        raise typer.Exit(EXIT_MODERATE if found.level is Level.MODERATE else EXIT_MAJOR)
