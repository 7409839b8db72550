"""An error injected at any stage of the whole batch costs one item, which is said."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clinical_nlp.batch import isolation
from clinical_nlp.pipeline.measurements import measurements
from clinical_nlp.risk import eligibility
from clinical_nlp.risk import model as risk_model
from fhir_adapters.reading import attachments, intake, resolution
from fhir_adapters.reading.resources import EVENT_REDUCERS
from fhir_adapters.writing import sink as fhir_sink
from studies.mutated_resources import base_resources
from studies.mutations import Night

QUOTED = "CANARIO-7F3A"
PATIENT = "s1-000003"


class Injected(Exception):
    """Nobody foresees it."""


def failing(inner: Callable[..., Any], when: Callable[[Any], bool]) -> Callable[..., Any]:
    def outer(first: Any, *rest: Any, **named: Any) -> Any:
        if when(first):
            raise Injected(QUOTED)
        return inner(first, *rest, **named)

    return outer


def of_patient(record: Any) -> bool:
    return bool(record.id == PATIENT)


def once() -> Callable[[Any], bool]:
    """True the first time."""
    calls = iter([True])
    return lambda _: next(calls, False)


#: Where the error is raised, for which argument, and the code that says it.
STAGES: dict[str, tuple[Any, str, Callable[[Any], bool], str]] = {
    "read": (intake, "load", lambda line: b'"s1-000003-c1"' in line, "E299"),
    "decode": (attachments, "read_data", once(), "E299"),
    "resolve": (resolution, "read_binary", once(), "E299"),
    "timeline": (risk_model, "build_timeline", of_patient, "E303"),
    "features": (
        risk_model,
        "feature_matrix",
        lambda timelines: any(t.patient_id == PATIENT for t in timelines),
        "E303",
    ),
    "estimate": (eligibility, "find_diagnosis", lambda t: t.patient_id == PATIENT, "E303"),
    "write": (fhir_sink, "risk_assessment", lambda e: e.patient_id == PATIENT, "E505"),
    "report": (isolation, "write_report", lambda _: True, "E506"),
}


@pytest.fixture(scope="module")
def night() -> Night:
    return Night()


@pytest.fixture(scope="module")
def lines() -> list[bytes]:
    simulated = [r for r in base_resources() if not r["id"].startswith(("x", "b"))]
    return [json.dumps(resource).encode() for resource in simulated]


def run(night: Night, lines: list[bytes], folder: Path) -> tuple[Any, list[dict[str, Any]]]:
    export, out = folder / "export", folder / "out"
    export.mkdir()
    out.mkdir()
    (export / "all.ndjson").write_bytes(b"\n".join(lines))
    outcome = night.batch(export, out)
    text = (out / "quarantine.ndjson").read_text()
    assert QUOTED not in text
    rows = [json.loads(line) for line in text.splitlines()]
    # Notes that were cut within a character are read, and flagged.
    return outcome, [row for row in rows if row["code"] != "E242"]


@pytest.mark.slow
@pytest.mark.parametrize("stage", STAGES)
def test_error_at_a_stage_costs_one_item(
    stage: str, night: Night, lines: list[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, name, when, code = STAGES[stage]
    monkeypatch.setattr(module, name, failing(getattr(module, name), when))
    outcome, rows = run(night, lines, tmp_path)
    assert [row["code"] for row in rows] == [code]
    assert "Injected" in rows[0]["reason"]
    assert outcome.source.adds_up()
    people = outcome.statistics.patients["seen"] + outcome.failed_patients
    assert people == outcome.source.patients == 40
    assert outcome.failed_patients == (code == "E303")
    if code in ("E303", "E505"):
        assert rows[0]["resource"] == f"Patient/{PATIENT}"


@pytest.mark.slow
def test_error_of_the_pipeline_costs_one_note(
    night: Night, lines: list[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    component = measurements.MeasurementFinder
    bad: list[str] = []

    def first(self: Any, doc: Any) -> Any:
        if not bad:
            bad.append(doc.text)
        if doc.text == bad[0]:
            raise Injected(QUOTED)
        return inner(self, doc)

    inner = component.__call__
    monkeypatch.setattr(component, "__call__", first)
    outcome, rows = run(night, lines, tmp_path)
    assert [row["code"] for row in rows] == ["E301"]
    assert "Injected" in rows[0]["reason"]
    assert (outcome.failed_notes, outcome.failed_patients) == (1, 0)


@pytest.mark.slow
def test_error_of_a_reducer_costs_one_resource(
    night: Night, lines: list[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reducers = dict(EVENT_REDUCERS)
    reducers["Observation"] = failing(reducers["Observation"], once())
    monkeypatch.setattr(intake, "EVENT_REDUCERS", reducers)
    outcome, rows = run(night, lines, tmp_path)
    assert [row["code"] for row in rows] == ["E299"]
    assert outcome.source.types["Observation"].quarantined == 1
