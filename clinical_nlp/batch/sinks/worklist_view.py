"""Reads a work list and prints it as a table."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from clinical_nlp.batch.sinks.worklist import SEPARATOR
from clinical_nlp.errors import OutputError
from clinical_nlp.risk.bands import load_bands
from clinical_nlp.spanish import number_es

# Lowest band first; a scale with more bands repeats the last.
_STYLES = ("", "yellow", "bold dark_orange", "bold red")


@dataclass(frozen=True, slots=True)
class WorklistRow:
    """One line of ``worklist.csv``.

    Parameters
    ----------
    rank
        Place on the list, from 1.
    risk_percent
        12-month risk, 0..100, rounded to one decimal.
    low_percent, high_percent
        Interval around it; ``None`` where the model gives none.
    band
        Spanish name of the band.
    reasons, missing
        Spanish sentences.
    """

    rank: int
    patient_id: str
    age: int | None
    sex: str
    risk_percent: float
    low_percent: float | None
    high_percent: float | None
    band: str
    reasons: tuple[str, ...]
    missing: tuple[str, ...]


def read_worklist(path: Path) -> list[WorklistRow]:
    """Read a work list.

    Parameters
    ----------
    path
        ``DIR/worklist.csv``.

    Raises
    ------
    clinical_nlp.errors.OutputError
        E512: the file is not there or is not a work list.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return [_row(row) for row in csv.DictReader(file)]
    except (OSError, KeyError, ValueError):
        raise OutputError(
            "E512",
            f"'{path}' is not a work list of this program; "
            "name the folder that 'clinical-nlp batch' wrote.",
        ) from None


def _row(cells: dict[str, str]) -> WorklistRow:
    def plain(name: str) -> str:
        # The apostrophe that keeps a spreadsheet from running the cell.
        return cells[name].removeprefix("'")

    def number(name: str) -> float | None:
        # A list of an earlier version has no interval.
        return float(cells[name]) if cells.get(name) else None

    return WorklistRow(
        rank=int(cells["rank"]),
        patient_id=plain("patient_id"),
        age=int(cells["age"]) if cells["age"] else None,
        sex=cells["sex"],
        risk_percent=float(cells["risk_percent"]),
        low_percent=number("low_percent"),
        high_percent=number("high_percent"),
        band=cells["band"],
        reasons=tuple(part for part in plain("reasons").split(SEPARATOR) if part),
        missing=tuple(part for part in plain("missing").split(SEPARATOR) if part),
    )


def print_worklist(console: Console, rows: Sequence[WorklistRow], total: int | None = None) -> None:
    """Print a work list as a table that reads well from 80 columns on.

    Parameters
    ----------
    console
        Where to print.
    rows
        The lines to show.
    total
        Length of the whole list, to say how many are not shown.
    """
    if not rows:
        console.print("Lista de trabajo: ningún paciente alcanza el umbral.")
        return
    table = Table(
        title="Lista de trabajo · riesgo de insuficiencia cardíaca a 12 meses",
        caption=(
            "Bajo el riesgo, su intervalo. Resultados preliminares de una herramienta de "
            "investigación: revíselos antes de actuar."
        ),
        box=box.SIMPLE_HEAD,
        title_style="bold",
        title_justify="left",
        caption_justify="left",
        pad_edge=False,
    )
    table.add_column("N.º", justify="right", no_wrap=True)
    table.add_column("Paciente", overflow="fold", min_width=8, max_width=20)
    table.add_column("Riesgo", justify="right", no_wrap=True)
    table.add_column("Banda", no_wrap=True)
    table.add_column("Motivos principales", ratio=1)
    styles = {
        band.name_es: _STYLES[min(place, len(_STYLES) - 1)]
        for place, band in enumerate(load_bands())
    }
    for row in rows:
        style = styles.get(row.band, "")
        age = f"{row.age} años, " if row.age is not None else ""
        table.add_row(
            str(row.rank),
            Text.assemble(row.patient_id, "\n", (f"{age}{row.sex}", "dim")),
            Text.assemble((f"{number_es(row.risk_percent, 1)} %", style), (_interval(row), "dim")),
            Text(row.band, style),
            Text("\n".join(f"· {reason}" for reason in row.reasons)),
        )
    console.print(table)
    if total is not None and total > len(rows):
        console.print(f"… y {total - len(rows)} más en worklist.csv.")


def _interval(row: WorklistRow) -> str:
    if row.low_percent is None or row.high_percent is None:
        return "\nsin intervalo"
    return f"\n{number_es(row.low_percent, 1)} a {number_es(row.high_percent, 1)}"
