"""An unforeseen error at each stage of the job loses one patient or note, and is said."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from clinical_nlp.batch import isolation, job
from clinical_nlp.batch.extraction import NoteReader
from clinical_nlp.batch.job import Quarantine
from clinical_nlp.batch.sinks.parquet import ParquetTable
from clinical_nlp.errors import ModelError, OutputError
from clinical_nlp.records import PatientResult, RiskEstimate, RunContext
from clinical_nlp.risk.bands import load_bands
from tests.unit.batch.test_job import DAY, MODEL, Estimator, Sink, Source, patient, pipeline

QUOTED = "SECRETO-9"
CONTEXT = RunContext(DAY, "1", "p", MODEL, 0.03)


class FailingEstimator(Estimator):
    def __init__(self, error: Exception) -> None:
        self.error = error

    def estimate(self, patients: Sequence[Any], as_of: date) -> list[RiskEstimate]:
        if any(record.id == "b" for record, _ in patients):
            raise self.error
        return super().estimate(patients, as_of)


class FailingSink(Sink):
    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def render(self, result: PatientResult) -> PatientResult:
        if result.record.id == "b":
            raise self.error
        return super().render(result)


class Table(ParquetTable):
    """A table of one number a patient; that of 'b' does not fit."""

    def __init__(self, folder: Path) -> None:
        columns = [("patient_id", pa.string()), ("n", pa.int32())]
        super().__init__(folder / "t.parquet", columns, {})

    def rows(self, result: PatientResult) -> list[Mapping[str, Any]]:
        return [{"patient_id": result.record.id, "n": 2**40 if result.record.id == "b" else 1}]


def run(folder: Path, estimator: Any, *sinks: Any) -> tuple[job.RunOutcome, list[dict[str, Any]]]:
    quarantine = Quarantine(folder / "quarantine.ndjson")
    with NoteReader(pipeline()) as reader:
        outcome = job.run(
            Source([patient(name, "tos") for name in "abc"]),
            reader,
            estimator,
            lambda day: CONTEXT,
            lambda context: list(sinks),
            quarantine,
        )
    quarantine.close()
    written = (folder / "quarantine.ndjson").read_text()
    assert QUOTED not in written
    return outcome, [json.loads(line) for line in written.splitlines()[1:]]


def ids(sink: Sink) -> list[str]:
    return [result.record.id for result in sink.results]


def test_failing_estimate_quarantines_that_patient(tmp_path: Path) -> None:
    sink = Sink()
    outcome, rows = run(tmp_path, FailingEstimator(ZeroDivisionError(QUOTED)), sink)
    assert ids(sink) == ["a", "c"]
    assert [(row["code"], row["resource"]) for row in rows] == [("E303", "Patient/b")]
    assert "ZeroDivisionError" in rows[0]["reason"]
    assert outcome.failed_patients == 1
    assert outcome.quarantined == {"E201": 1, "E303": 1}


def test_error_of_the_model_itself_ends_the_run(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="E431"):
        run(tmp_path, FailingEstimator(ModelError("E431", "no probability: train again.")))


@pytest.mark.parametrize("error", [KeyError(QUOTED), OutputError("E521", "not valid FHIR: x.")])
def test_failing_sink_loses_that_patient_alone(tmp_path: Path, error: Exception) -> None:
    failing, other = FailingSink(error), Sink()
    outcome, rows = run(tmp_path, Estimator(), failing, other)
    assert (ids(failing), ids(other)) == (["a", "c"], ["a", "b", "c"])
    assert [(row["code"], row["resource"]) for row in rows] == [("E505", "Patient/b")]
    assert "FailingSink" in rows[0]["reason"]
    assert outcome.failed_patients == 0


@pytest.mark.parametrize("error", [OSError(28, "full"), OutputError("E511", "disk full: free.")])
def test_error_of_the_disk_ends_the_run(tmp_path: Path, error: Exception) -> None:
    with pytest.raises(type(error)):
        run(tmp_path, Estimator(), FailingSink(error))


def test_row_that_a_table_cannot_hold_is_lost_alone(tmp_path: Path) -> None:
    outcome, rows = run(tmp_path, Estimator(), Table(tmp_path))
    assert outcome.written["t.parquet"] == 2
    assert [(row["code"], row["resource"]) for row in rows] == [("E505", "Patient/b")]


def test_report_that_cannot_be_made_is_replaced_by_a_notice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome, _ = run(tmp_path, Estimator())

    def fail(*_: object) -> None:
        raise TypeError(QUOTED)

    monkeypatch.setattr(isolation, "write_report", fail)
    problem = isolation.report_or_notice(tmp_path / "r.html", outcome, {}, load_bands())
    assert problem is not None
    assert problem.code == "E506"
    assert QUOTED not in problem.reason
    assert "E506" in (tmp_path / "r.html").read_text()
