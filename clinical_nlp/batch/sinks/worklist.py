"""``worklist.csv``: the patients to review first.

Written suspicions of heart failure without a conclusive test come first, without a number; then
the patients whose estimate reaches the work-list threshold, highest risk first. Patients with
diagnosed heart failure, below the threshold or without an estimate are omitted;
``estimates.parquet`` and the FHIR output hold everyone.
"""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

from clinical_nlp.artifacts import open_private, output_errors
from clinical_nlp.records import (
    EstimateStatus,
    PatientResult,
    RiskEstimate,
    RunContext,
    is_on_worklist,
    worklist_order,
)
from clinical_nlp.risk.bands import Bands, load_bands
from clinical_nlp.risk.states import state_of
from clinical_nlp.spanish import SEX_ES

COLUMNS = (
    "rank",
    "state",
    "patient_id",
    "age",
    "sex",
    "risk_percent",
    "low_percent",
    "high_percent",
    "band",
    "frequency",
    "reasons",
    "advice",
    "missing",
    "date",
    "horizon_days",
)
#: Maximum number of reasons that raise a risk per row; ``estimates.parquet`` holds all.
MAIN_REASONS = 5
#: Separator of the sentences in one cell.
SEPARATOR = "; "
#: Place in the list, and the line.
Row: TypeAlias = tuple[tuple[int, float, str], bytes]
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def main_reasons(estimate: RiskEstimate) -> list[str]:
    """Return the sentences that answer why a patient is listed.

    Of a scored patient, the strongest reasons that raise the risk. Of any other, all: they say
    who suspects or states the disease, since when and with which tests, and weigh nothing.
    """
    if estimate.status is not EstimateStatus.SCORED:
        return [reason.text for reason in estimate.reasons]
    return [r.text for r in estimate.reasons if r.contribution > 0][:MAIN_REASONS]


class Worklist:
    """A sink that writes the work list in the order of :func:`worklist_order`.

    Rows wait in an unnamed temporary file; a sort key and an offset for each stay in memory,
    about 250 bytes.

    Parameters
    ----------
    path
        File to write (``DIR/worklist.csv``): UTF-8 with a byte order mark (Excel misreads
        accents without it), commas, decimal points.
    context
        The run's threshold.
    bands
        The published bands, for their Spanish names.

    Raises
    ------
    clinical_nlp.errors.OutputError
        E511: the file cannot be written.
    """

    def __init__(self, path: Path, context: RunContext, bands: Bands | None = None) -> None:
        self._path = path
        self._threshold = context.worklist_threshold
        self._bands = bands or load_bands()
        self._order: list[tuple[tuple[int, float, str], int]] = []
        with output_errors(path.name):
            # In the results' own folder: patient data does not go to the system's /tmp.
            self._rows = tempfile.TemporaryFile(dir=path.parent)  # noqa: SIM115 closed in close()

    def render(self, result: PatientResult) -> Row | None:
        """Return a patient's row, if suspected in writing or at or above the threshold."""
        estimate = result.estimate
        if not is_on_worklist(estimate, self._threshold):
            return None
        record = result.record
        age = record.age_on(estimate.index_date)
        probability = estimate.probability
        low, high = estimate.interval or (None, None)
        cells = (
            state_of(estimate.status).name_es,
            record.id,
            "" if age is None else str(age),
            SEX_ES[record.sex.value],
            *map(_percent, (probability, low, high)),
            self._bands[estimate.band].name_es if estimate.band else "",
            sentences([estimate.frequency] if estimate.frequency else []),
            sentences(main_reasons(estimate)),
            sentences(estimate.advice),
            sentences(estimate.missing),
            estimate.index_date.isoformat(),
            "" if probability is None else str(estimate.horizon_days),
        )
        return worklist_order(estimate), _csv_line(cells)

    def append(self, rendered: Row | None) -> None:
        """Add one patient's row."""
        if rendered is None:
            return
        order, line = rendered
        with output_errors(self._path.name):
            self._order.append((order, self._rows.tell()))
            self._rows.write(line)

    def write(self, result: PatientResult) -> None:
        """Render and append one patient."""
        self.append(self.render(result))

    def dump(self, rendered: Row | None) -> bytes:
        """Return a row as JSON."""
        return json.dumps(rendered and [rendered[0], rendered[1].decode()]).encode()

    def load(self, data: bytes) -> Row | None:
        """Read a row."""
        given = json.loads(data)
        return given and ((*given[0],), given[1].encode())

    def close(self) -> Mapping[str, int]:
        """Sort and write the list."""
        self._order.sort()
        with output_errors(self._path.name), self._rows, open_private(self._path) as out:
            out.write(b"\xef\xbb\xbf" + _csv_line(COLUMNS))
            for rank, (_, place) in enumerate(self._order, start=1):
                self._rows.seek(place)
                out.write(f"{rank},".encode() + self._rows.readline())
        return {"worklist.csv": len(self._order)}


def sentences(texts: tuple[str, ...] | list[str]) -> str:
    """Join sentences into one cell, on one line."""
    return SEPARATOR.join(" ".join(text.split()).rstrip(".;") for text in texts)


def safe_cell(text: str) -> str:
    """Return a cell that no spreadsheet takes for a formula.

    OWASP, "CSV Injection": a cell that begins with ``=``, ``+``, ``-``, ``@``, a tab or a
    line break may be run; an apostrophe before it makes it text.
    """
    return f"'{text}" if text.startswith(_FORMULA) else text


def _percent(probability: float | None) -> str:
    return "" if probability is None else f"{100 * probability:.1f}"


def _csv_line(cells: tuple[str, ...]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow([safe_cell(cell) for cell in cells])
    return buffer.getvalue().encode("utf-8", "replace")
