"""``worklist.csv``: the patients to review first.

Holds the patients whose estimate reaches the work-list threshold, highest risk first.
Patients with diagnosed heart failure, below the threshold or without an estimate are omitted;
``estimates.parquet`` and the FHIR output hold everyone.
"""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Mapping
from pathlib import Path

from clinical_nlp.artifacts import open_private, output_errors
from clinical_nlp.records import PatientResult, Reason, RunContext, is_on_worklist
from clinical_nlp.risk.bands import Bands, load_bands
from clinical_nlp.spanish import SEX_ES

COLUMNS = (
    "rank",
    "patient_id",
    "age",
    "sex",
    "risk_percent",
    "low_percent",
    "high_percent",
    "band",
    "reasons",
    "missing",
    "date",
    "horizon_days",
)
#: Maximum number of reasons per row; ``estimates.parquet`` holds all.
MAIN_REASONS = 3
#: Separator of the sentences in one cell.
SEPARATOR = "; "
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def main_reasons(reasons: tuple[Reason, ...]) -> list[str]:
    """Return the sentences of the strongest reasons that raise the risk."""
    return [r.text for r in reasons if r.contribution > 0][:MAIN_REASONS]


class Worklist:
    """A sink that writes the work list, sorted.

    Rows wait in an unnamed temporary file; a probability, an id and an offset for each stay
    in memory, about 200 bytes. Ties are in order of patient id.

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
        self._order: list[tuple[float, str, int]] = []
        with output_errors(path.name):
            # In the results' own folder: patient data does not go to the system's /tmp.
            self._rows = tempfile.TemporaryFile(dir=path.parent)  # noqa: SIM115 closed in close()

    def write(self, result: PatientResult) -> None:
        """Add one patient, if the estimate reaches the threshold."""
        estimate = result.estimate
        probability = estimate.probability
        if probability is None or not is_on_worklist(estimate, self._threshold):
            return
        record = result.record
        age = record.age_on(estimate.index_date)
        cells = (
            record.id,
            "" if age is None else str(age),
            SEX_ES[record.sex.value],
            _percent(probability),
            *(("", "") if estimate.interval is None else map(_percent, estimate.interval)),
            self._bands[estimate.band].name_es if estimate.band else "",
            sentences(main_reasons(estimate.reasons)),
            sentences(estimate.missing),
            estimate.index_date.isoformat(),
            str(estimate.horizon_days),
        )
        line = _csv_line(cells)
        with output_errors(self._path.name):
            self._order.append((-probability, record.id, self._rows.tell()))
            self._rows.write(line)

    def close(self) -> Mapping[str, int]:
        """Sort and write the list."""
        self._order.sort()
        with output_errors(self._path.name), self._rows, open_private(self._path) as out:
            out.write(b"\xef\xbb\xbf" + _csv_line(COLUMNS))
            for rank, (_, _, place) in enumerate(self._order, start=1):
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


def _percent(probability: float) -> str:
    return f"{100 * probability:.1f}"


def _csv_line(cells: tuple[str, ...]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow([safe_cell(cell) for cell in cells])
    return buffer.getvalue().encode("utf-8", "replace")
