"""The job over invented ports: order, counts, and a note that breaks the pipeline."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc

from clinical_nlp.batch import job
from clinical_nlp.batch.extraction import NoteReader
from clinical_nlp.batch.job import Quarantine
from clinical_nlp.errors import InputError
from clinical_nlp.pipeline.document import set_findings
from clinical_nlp.records import (
    DayCounts,
    EstimateStatus,
    Finding,
    ModelReference,
    Note,
    NoteFindings,
    PatientRecord,
    PatientResult,
    Problem,
    RiskEstimate,
    RunContext,
    SourceSummary,
)

MODEL = ModelReference("m", "1", "models:/m/1", "0" * 64)
DAY = date(2024, 5, 1)


class Source:
    def __init__(self, records: Sequence[PatientRecord], latest: date | None = DAY) -> None:
        self._records, self._latest = records, latest
        self._untold = [Problem("E201", "x; mend it.", "a.ndjson", 3)]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass

    def size(self) -> int:
        return 10

    def scan(self, progress: Callable[[int], None]) -> SourceSummary:
        progress(10)
        days = {} if self._latest is None else {self._latest: DayCounts(1, 1)}
        return SourceSummary(patients=len(self._records), days=days)

    def records(self) -> Iterator[PatientRecord]:
        return iter(self._records)

    def problems(self) -> Iterator[Problem]:
        untold, self._untold = self._untold, []
        return iter(untold)


class Estimator:
    def estimate(
        self, patients: Sequence[tuple[PatientRecord, tuple[NoteFindings, ...]]], as_of: date
    ) -> list[RiskEstimate]:
        return [
            RiskEstimate(record.id, EstimateStatus.ABSTAINED, as_of, 365, MODEL)
            for record, _ in patients
        ]


class Sink:
    def __init__(self) -> None:
        self.results: list[PatientResult] = []

    def render(self, result: PatientResult) -> PatientResult:
        return result

    def append(self, rendered: PatientResult) -> None:
        self.results.append(rendered)

    def dump(self, rendered: PatientResult) -> bytes:
        return rendered.record.id.encode()

    def load(self, data: bytes) -> str:
        return data.decode()

    def close(self) -> Mapping[str, int]:
        return {"rows": len(self.results)}


def pipeline() -> Any:
    """Finds the word 'tos'; breaks, quoting the note, on 'rompe'."""
    nlp = spacy.blank("es")

    @Language.component("finds_tos")
    def find(doc: Doc) -> Doc:
        if "rompe" in doc.text:
            raise ValueError(f"cannot read {doc.text!r}")
        at = doc.text.find("tos")
        if at >= 0:
            set_findings(doc, [Finding(at, at + 3, "tos", "cough")])
        return doc

    nlp.add_pipe("finds_tos")
    return nlp


def patient(name: str, *texts: str) -> PatientRecord:
    notes = tuple(Note(f"DocumentReference/{name}{i}", name, t) for i, t in enumerate(texts))
    return PatientRecord(name, notes=notes)


def run(
    records: Sequence[PatientRecord], quarantine: Quarantine, **options: Any
) -> tuple[job.RunOutcome, Sink]:
    sink = Sink()
    with NoteReader(pipeline()) as reader:
        outcome = job.run(
            Source(records, options.pop("latest", DAY)),
            reader,
            Estimator(),
            lambda day: RunContext(day, "1", "p", MODEL, 0.03),
            lambda context: [sink],
            quarantine,
            **options,
        )
    return outcome, sink


@pytest.fixture
def quarantine(tmp_path: Path) -> Quarantine:
    return Quarantine(tmp_path / "quarantine.ndjson")


def test_run_keeps_findings_with_their_note(quarantine: Quarantine) -> None:
    records = [patient("a", "tos", "nada"), patient("b"), patient("c", "nada", "con tos")]
    _, sink = run(records, quarantine)
    found = {n.note.key: len(n.findings) for r in sink.results for n in r.notes}
    assert [r.record.id for r in sink.results] == ["a", "b", "c"]
    assert found == {
        "DocumentReference/a0": 1,
        "DocumentReference/a1": 0,
        "DocumentReference/c0": 0,
        "DocumentReference/c1": 1,
    }


def test_run_in_small_groups_does_not_mix_patients(
    quarantine: Quarantine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "NOTES_PER_GROUP", 2)
    records = [patient(f"p{i}", *["tos"] * (i % 4)) for i in range(9)]
    outcome, sink = run(records, quarantine)
    assert [len(r.notes) for r in sink.results] == [i % 4 for i in range(9)]
    assert outcome.failed_notes == 0


def test_run_with_failing_note_quarantines_it_without_its_text(
    quarantine: Quarantine, tmp_path: Path
) -> None:
    outcome, sink = run([patient("a", "SECRETO rompe", "tos")], quarantine)
    quarantine.close()
    written = (tmp_path / "quarantine.ndjson").read_text()
    assert [len(n.findings) for n in sink.results[0].notes] == [0, 1]
    assert outcome.failed_notes == 1
    assert [json.loads(line)["code"] for line in written.splitlines()] == ["E201", "E301"]
    assert "SECRETO" not in written
    assert "ValueError" in written


def test_run_of_undated_export_raises_e260(quarantine: Quarantine) -> None:
    with pytest.raises(InputError, match=r"E260.*--as-of"):
        run([patient("a")], quarantine, latest=None)
    outcome, _ = run([patient("a")], quarantine, latest=None, as_of=date(2020, 1, 1))
    assert outcome.context.as_of == date(2020, 1, 1)
