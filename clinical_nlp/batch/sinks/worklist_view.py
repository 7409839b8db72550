"""Reads a work list and prints it: written suspicions first, then who is at risk."""

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
from clinical_nlp.records import EstimateStatus
from clinical_nlp.risk.bands import load_bands
from clinical_nlp.risk.states import state_of
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
    state
        Spanish name of the patient's state.
    risk_percent
        12-month risk, 0..100, rounded to one decimal; ``None`` of a written suspicion.
    low_percent, high_percent
        Interval around it; ``None`` where the model gives none.
    band
        Spanish name of the band; empty of a written suspicion.
    frequency
        The risk as a natural frequency, in Spanish; may be empty.
    reasons, advice, missing
        Spanish sentences.
    """

    rank: int
    state: str
    patient_id: str
    age: int | None
    sex: str
    risk_percent: float | None
    low_percent: float | None = None
    high_percent: float | None = None
    band: str = ""
    frequency: str = ""
    reasons: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def is_suspected(self) -> bool:
        """Whether the patient is listed for a written suspicion, without a number."""
        return self.risk_percent is None


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
    # A list of an earlier version has no interval, state, frequency or advice.
    def plain(name: str) -> str:
        # The apostrophe that keeps a spreadsheet from running the cell.
        return (cells.get(name) or "").removeprefix("'")

    def number(name: str) -> float | None:
        return float(cells[name]) if cells.get(name) else None

    def parts(name: str) -> tuple[str, ...]:
        return tuple(part for part in plain(name).split(SEPARATOR) if part)

    state = plain("state") or state_of(EstimateStatus.SCORED).name_es
    if not cells["risk_percent"] and state != state_of(EstimateStatus.SUSPECTED).name_es:
        raise ValueError("a row without a risk that is no written suspicion")
    return WorklistRow(
        rank=int(cells["rank"]),
        state=state,
        patient_id=cells["patient_id"].removeprefix("'"),
        age=int(cells["age"]) if cells["age"] else None,
        sex=cells["sex"],
        risk_percent=number("risk_percent"),
        low_percent=number("low_percent"),
        high_percent=number("high_percent"),
        band=cells["band"],
        frequency=plain("frequency"),
        reasons=parts("reasons"),
        advice=parts("advice"),
        missing=parts("missing"),
    )


def print_worklist(console: Console, rows: Sequence[WorklistRow], limit: int | None = None) -> None:
    """Print a work list as tables that read well from 80 columns on.

    Parameters
    ----------
    console
        Where to print.
    rows
        The whole list.
    limit
        Most patients of each table; how many are not shown is said.
    """
    if not rows:
        console.print(
            "Lista de trabajo: sin sospechas escritas, y ningún paciente alcanza el umbral."
        )
        return
    suspected = [row for row in rows if row.is_suspected]
    at_risk = [row for row in rows if not row.is_suspected]
    if suspected:
        console.print(_suspected_table(suspected[:limit]))
        _print_rest(console, len(suspected), limit)
    if at_risk:
        console.print(_risk_table(at_risk[:limit]))
        _print_rest(console, len(at_risk), limit)


def _print_rest(console: Console, total: int, limit: int | None) -> None:
    if limit is not None and total > limit:
        console.print(f"… y {total - limit} más en worklist.csv.")


def _suspected_table(rows: Sequence[WorklistRow]) -> Table:
    table = _table(
        state_of(EstimateStatus.SUSPECTED).heading_es,
        "Lo dice una nota o un análisis: no es una predicción y no lleva probabilidad.",
    )
    table.add_column("Qué consta", ratio=3)
    table.add_column("Qué valorar", ratio=2)
    for row in rows:
        table.add_row(*_who(row), _bullets(row.reasons), _bullets(row.advice or row.missing))
    return table


def _risk_table(rows: Sequence[WorklistRow]) -> Table:
    table = _table(
        f"{state_of(EstimateStatus.SCORED).heading_es} · insuficiencia cardíaca a 12 meses",
        "Bajo el riesgo, su intervalo. Resultados preliminares de una herramienta de "
        "investigación: revíselos antes de actuar.",
    )
    table.add_column("Riesgo", justify="right", no_wrap=True)
    table.add_column("Banda", no_wrap=True)
    table.add_column("Motivos principales y qué valorar", ratio=1)
    styles = {
        band.name_es: _STYLES[min(place, len(_STYLES) - 1)]
        for place, band in enumerate(load_bands())
    }
    for row in rows:
        style = styles.get(row.band, "")
        risk = number_es(row.risk_percent or 0.0, 1)
        table.add_row(
            *_who(row),
            Text.assemble((f"{risk} %", style), (_interval(row), "dim")),
            Text(row.band, style),
            _why(row),
        )
    return table


def _table(title: str, caption: str) -> Table:
    table = Table(
        title=title,
        caption=caption,
        box=box.SIMPLE_HEAD,
        title_style="bold",
        title_justify="left",
        caption_justify="left",
        pad_edge=False,
    )
    table.add_column("N.º", justify="right", no_wrap=True)
    table.add_column("Paciente", overflow="fold", min_width=8, max_width=20)
    return table


def _who(row: WorklistRow) -> tuple[str, Text]:
    age = f"{row.age} años, " if row.age is not None else ""
    return str(row.rank), Text.assemble(row.patient_id, "\n", (f"{age}{row.sex}", "dim"))


def _why(row: WorklistRow) -> Text:
    lines = [f"· {reason}" for reason in row.reasons] + [f"→ {text}" for text in row.advice]
    frequency = [(f"{row.frequency}\n", "dim")] if row.frequency else []
    return Text.assemble(*frequency, "\n".join(lines))


def _bullets(texts: Sequence[str]) -> Text:
    return Text("\n".join(f"· {text}" for text in texts))


def _interval(row: WorklistRow) -> str:
    if row.low_percent is None or row.high_percent is None:
        return "\nsin intervalo"
    return f"\n{number_es(row.low_percent, 1)} a {number_es(row.high_percent, 1)}"
