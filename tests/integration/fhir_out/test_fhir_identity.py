"""What is said again of the same thing keeps its id, whoever says it and whenever."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from clinical_nlp.records import ModelReference, PatientResult, RunContext
from clinical_nlp.risk.bands import load_bands
from fhir_adapters.writing import FhirSink

Read = Callable[[Path], list[dict[str, Any]]]
BEFORE = RunContext(
    date(2025, 1, 31),
    "0.1.0",
    "cd" * 32,
    ModelReference("hf-risk", "3", "models:/hf-risk/3", "a"),
    0.03,
)
PROMOTED = replace(BEFORE, model=ModelReference("hf-risk", "4", "models:/hf-risk/4", "b"))


def run(
    folder: Path, context: RunContext, results: list[PatientResult], read: Read
) -> dict[str, dict[str, Any]]:
    with FhirSink(folder, context, {}, load_bands()) as sink:
        for result in results:
            estimate = replace(result.estimate, model=context.model, index_date=context.as_of)
            sink.write(replace(result, estimate=estimate))
        sink.close()
    return {f"{r['resourceType']}/{r['id']}": r for r in read(folder)}


def of(resources: dict[str, Any], *kinds: str) -> dict[str, Any]:
    return {name: r for name, r in resources.items() if name.split("/")[0] in kinds}


def test_promoting_another_model_leaves_what_was_read_as_it_was(
    tmp_path: Path, results: list[PatientResult], read: Read
) -> None:
    before = run(tmp_path / "a", BEFORE, results, read)
    after = run(tmp_path / "b", PROMOTED, results, read)
    kinds = ("Observation", "FamilyMemberHistory")
    assert of(before, *kinds) == of(after, *kinds)
    assert of(before, *kinds)
    assert len(set(of(before, "Device")) & set(of(after, "Device"))) == 1


def test_assessment_and_task_are_one_a_patient_on_any_day_by_any_model(
    tmp_path: Path, results: list[PatientResult], read: Read
) -> None:
    before = run(tmp_path / "a", BEFORE, results, read)
    after = run(tmp_path / "b", replace(PROMOTED, as_of=date(2025, 2, 1)), results, read)
    assert set(of(before, "RiskAssessment")) == set(of(after, "RiskAssessment"))
    assert set(of(before, "Task")) == set(of(after, "Task"))
    assert of(before, "RiskAssessment") != of(after, "RiskAssessment")


def test_another_reader_leaves_the_ids_of_what_it_reads_alike(
    tmp_path: Path, results: list[PatientResult], read: Read
) -> None:
    before = run(tmp_path / "a", BEFORE, results, read)
    after = run(tmp_path / "b", replace(BEFORE, pipeline="ef" * 32), results, read)
    assert set(of(before, "Observation")) == set(of(after, "Observation"))


def test_identifier_repeats_the_id_wherever_r4_has_one(
    tmp_path: Path, results: list[PatientResult], read: Read
) -> None:
    kinds = ("Device", "Observation", "FamilyMemberHistory", "RiskAssessment", "Task")
    for resource in of(run(tmp_path / "a", BEFORE, results, read), *kinds).values():
        own = resource["identifier"][-1]
        assert own["value"] == resource["id"]
        assert own["system"].endswith("/identifiers/result")
