"""``clinical-nlp status``: how the last night ended, for people and for monitoring."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from clinical_nlp.batch.status import NightStatus

_MAX_AGE = typer.Option(
    "--max-age", min=0, metavar="HOURS", help="Older results are stale: exit code 10."
)
_METRICS = typer.Option(
    "--metrics",
    metavar="FILE",
    help="Also write a Prometheus text file, replaced in one step (node exporter: *.prom).",
    show_default=False,
)


def status(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder of the batch's results.")],
    max_age: Annotated[float, _MAX_AGE] = 36,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    metrics: Annotated[Path | None, _METRICS] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Compare every file with its recorded SHA-256.")
    ] = False,
) -> None:
    """Show when the last run ended, what it counted, and whether it was written back.

    A night that fails leaves the results before it in place: it shows here as age. Counts and
    codes only, no patient's data.

    Exit codes: 0, 3 or 8 as the run had; 10 the results are older than --max-age, or a file
    was damaged (--verify); 4 there is no finished run.

    Example: clinical-nlp status out --max-age 26 --metrics /var/lib/node_exporter/clinical_nlp.prom
    """
    from clinical_nlp.artifacts import output_errors, replace_file
    from clinical_nlp.batch.status import metrics_text, read_status

    found = read_status(out, verify=verify)
    if metrics is not None:
        with output_errors(metrics.name), replace_file(metrics) as fresh:
            fresh.write_text(metrics_text(found), "utf-8")
            fresh.chmod(0o644)  # the exporter runs as another user; no patient's data in it
    if as_json:
        typer.echo(json.dumps(found.to_json(), ensure_ascii=False, indent=2))
    else:
        Console(highlight=False, markup=False).print(_table(found, max_age))
    if code := found.exit_code_now(max_age):
        raise typer.Exit(code)


def _table(found: NightStatus, max_age: float) -> Table:
    table = Table(show_header=False, box=None)
    stale = f" (older than {max_age:g} h)" if found.age_hours > max_age else ""
    rows = {
        "run": found.run or "-",
        "day": found.as_of,
        "finished": f"{found.finished}, {found.age_hours:.1f} h ago{stale}",
        "exit code": str(found.exit_code),
        "patients": _counts(found.patients),
        "notes": _counts(found.notes),
        "alerts": ", ".join(found.alerts) or "none",
        "quarantined": _counts(found.quarantined) or "none",
        "model": f"{found.model['name']}/{found.model['version']} ({found.model['source']})",
        "written back": "no" if found.delivered is None else _counts(found.delivered),
    }
    if found.damaged:
        rows["damaged"] = ", ".join(found.damaged)
    for name, value in rows.items():
        table.add_row(name, value)
    return table


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {number}" for name, number in counts.items() if number)
