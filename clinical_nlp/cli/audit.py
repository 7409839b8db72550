"""``clinical-nlp audit``: keeps the records of estimates, and who reviewed them."""

from __future__ import annotations

import getpass
import json
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="Keep the records of estimates, and who reviewed them.", no_args_is_help=True
)

_ARCHIVE = typer.Argument(metavar="ARCHIVE", help="Folder of the archive.")
_ESTIMATE = typer.Argument(metavar="ESTIMATE", help="estimate_id of audit.parquet.")


@app.command("keep")
def keep(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder that the batch wrote.")],
    archive: Annotated[Path, _ARCHIVE],
) -> None:
    """Copy a batch's audit.parquet and run.json into the archive, read-only."""
    from clinical_nlp.review.archive import archive_batch

    typer.echo(f"Kept in {archive_batch(out, archive)}.")


@app.command("review")
def review(
    archive: Annotated[Path, _ARCHIVE],
    estimate: Annotated[str, _ESTIMATE],
    decision: Annotated[str, typer.Option("--decision", help="For example agree, disagree.")],
    why: Annotated[str, typer.Option("--why", help="The reason; it is kept.")],
    by: Annotated[str | None, typer.Option("--by", help="The reviewer; you where absent.")] = None,
) -> None:
    """Add who reviewed an estimate and what they decided."""
    from clinical_nlp.review.archive import add_review

    added = add_review(archive, estimate, getpass.getuser() if by is None else by, decision, why)
    typer.echo(f"Recorded: {added.decision} by {added.by}, {added.when}.")


@app.command("show")
def show(archive: Annotated[Path, _ARCHIVE], estimate: Annotated[str, _ESTIMATE]) -> None:
    """Print an estimate's record with its reviews, as JSON. It is patient data."""
    from dataclasses import asdict

    from clinical_nlp.review.archive import audit_record, reviews

    record = dict(audit_record(archive, estimate))
    record["reviews"] = [asdict(r) for r in reviews(archive) if r.estimate_id == estimate]
    typer.echo(json.dumps(record, ensure_ascii=False, indent=2, default=str))
