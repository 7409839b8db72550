"""What a clinician's system finds in the output."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from clinical_nlp.records import PatientResult
from fhir_adapters.writing import OBSERVATION_VALUE_OID

OWN = {
    "CodeSystem",
    "StructureDefinition",
    "DocumentReference",
    "Device",
    "Observation",
    "FamilyMemberHistory",
    "RiskAssessment",
    "Task",
    "Provenance",
}
EXPORT = {
    "Patient/p1",
    "Patient/p2",
    "Patient/p3",
    "Patient/p4",
    "Patient/p6",
    "DocumentReference/n-1",
    "DocumentReference/n-2",
    "DocumentReference/n-6",
    "DiagnosticReport/d.1",
    "Composition/c-1",
    "Observation/o-9",
    "Condition/c-1",
}


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("reference"), str):
            yield value["reference"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_sink_ids_are_unique_uuid5(written: Any) -> None:
    ids = [uuid.UUID(r["id"]) for r in written.resources]
    assert {i.version for i in ids} == {5}
    assert len(set(ids)) == len(ids)


def test_sink_references_resolve(written: Any) -> None:
    ours = {f"{r['resourceType']}/{r['id']}" for r in written.resources}
    used = set(references(written.resources))
    assert used - ours - EXPORT == set()
    assert used >= EXPORT


def test_sink_writes_known_types_and_no_condition(written: Any) -> None:
    assert {r["resourceType"] for r in written.resources} == OWN


def test_sink_labels_ai_assertions(written: Any) -> None:
    system = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue"
    described = {"CodeSystem", "StructureDefinition", "DocumentReference", "Device"}
    for kind in OWN - described:
        for resource in written.of(kind):
            (label,) = resource["meta"]["security"]
            assert (label["system"], label["code"]) == (system, "AIAST")
    for kind in described:  # nothing that people wrote
        assert not any("security" in r.get("meta", {}) for r in written.of(kind))


def test_sink_writes_nothing_final(written: Any) -> None:
    states = {
        kind: {r["status"] for r in written.of(kind)}
        for kind in ("Observation", "RiskAssessment", "FamilyMemberHistory", "Task")
    }
    assert states == {
        "Observation": {"preliminary"},
        "RiskAssessment": {"preliminary"},
        "FamilyMemberHistory": {"partial"},
        "Task": {"requested"},
    }


def test_assessment_of_scored_patient_is_complete(written: Any) -> None:
    (assessment,) = written.of("RiskAssessment", "p1")
    (prediction,) = assessment["prediction"]
    assert prediction["probabilityDecimal"] == 15.3
    assert prediction["outcome"]["coding"][0]["code"] == "84114007"
    assert prediction["whenPeriod"] == {"start": "2025-01-31", "end": "2026-01-31"}
    assert assessment["occurrenceDateTime"] == "2025-01-31"
    (risk,) = prediction["qualitativeRisk"]["coding"]
    assert risk["code"] == "markedly_raised"
    assert "hl7.org" not in risk["system"]
    # What this record asks for, and not what holds for the whole band.
    assert assessment["mitigation"] == "NT-proBNP elevado: valorar ecocardiograma."
    assert "De cada 100 personas así, 15; lo habitual" in prediction["rationale"]
    (low,) = written.of("RiskAssessment", "p4")
    assert "Revisar en la próxima visita" in low["mitigation"]
    assert assessment["performer"]["reference"].startswith("Device/")


def test_assessment_has_interval_beside_probability(written: Any) -> None:
    (assessment,) = written.of("RiskAssessment", "p1")
    (prediction,) = assessment["prediction"]
    interval, confidence = prediction["extension"]
    level, bounds = (part for part in interval["extension"])
    assert (level["url"], level["valueDecimal"]) == ("level", 95)
    low, high = (bounds["valueRange"][end] for end in ("low", "high"))
    assert (low["value"], high["value"], low["code"], high["code"]) == (11.02, 21.34, "%", "%")
    assert confidence["url"].endswith("/StructureDefinition/AIconfidence")
    assert confidence["valueRange"] == bounds["valueRange"]
    assert "Intervalo del 95 %: entre 11 % y 22 %." in prediction["rationale"]
    (task,) = written.of("Task", "p1")
    assert "15,3 %, intervalo de 11,02 % a 21,34 %" in task["description"]
    # Every extension that is used is published, with what it is used on.
    published = {d["url"]: d["context"][0]["expression"] for d in written.of("StructureDefinition")}
    assert published[interval["url"]] == "RiskAssessment.prediction"
    (other,) = written.of("RiskAssessment", "p4")
    assert "extension" not in other["prediction"][0]


def test_assessment_basis_is_evidence_of_reasons(written: Any) -> None:
    (assessment,) = written.of("RiskAssessment", "p1")
    by_reference = {f"Observation/{r['id']}": r for r in written.of("Observation", "p1")}
    named = [b["reference"] for b in assessment["basis"]]
    dyspnea, structured, crackles = named
    # The reason points at the second mention; one Observation represents both.
    assert by_reference[dyspnea]["code"]["text"] == "disnea de esfuerzo"
    assert structured == "Observation/o-9"
    assert by_reference[crackles]["valueCodeableConcept"]["text"] == "ausente"


@pytest.mark.parametrize(
    ("patient", "status", "reason"),
    [("p2", "diagnosed", "ya consta en la historia"), ("p3", "abstained", "No consta la edad.")],
)
def test_assessment_without_score_states_reason(
    written: Any, patient: str, status: str, reason: str
) -> None:
    (assessment,) = written.of("RiskAssessment", patient)
    assert assessment["extension"][0]["valueCoding"]["code"] == status
    assert "prediction" not in assessment  # ras-2: never a prediction without a probability
    assert reason in assessment["note"][0]["text"]
    assert "mitigation" not in assessment


def test_suspicion_is_assessed_without_probability_or_condition(written: Any) -> None:
    (assessment,) = written.of("RiskAssessment", "p6")
    assert assessment["extension"][0]["valueCoding"]["code"] == "suspected"
    assert assessment["extension"][0]["valueCoding"]["display"] == "sospecha escrita"
    assert "prediction" not in assessment
    assert assessment["note"][0]["text"] == (
        "Sospecha escrita de insuficiencia cardíaca, sin prueba concluyente: La sospecha una nota "
        "del 20/01/2025; Ecocardiograma solicitado, sin resultado. No se estima el riesgo."
    )
    assert assessment["mitigation"] == (
        "Comprobar si el ecocardiograma se ha hecho. Valorar NT-proBNP."
    )
    (observation,) = written.of("Observation", "p6")
    assert assessment["basis"] == [{"reference": f"Observation/{observation['id']}"}]
    assert not written.of("Condition")


def test_task_of_suspicion_comes_before_routine(written: Any) -> None:
    (task,) = written.of("Task", "p6")
    assert (task["priority"], task["intent"]) == ("urgent", "proposal")
    assert task["description"].startswith("Revisar: sospecha escrita de insuficiencia cardíaca")
    assert "%" not in task["description"] and "Ecocardiograma solicitado" in task["description"]
    assert {t["priority"] for t in written.of("Task") if t is not task} == {"routine"}


def test_task_is_written_from_threshold_on(written: Any) -> None:
    focus = {t["focus"]["reference"] for t in written.of("Task")}
    expected = {
        f"RiskAssessment/{r['id']}"
        for r in written.of("RiskAssessment")
        if r.get("prediction", [{}])[0].get("probabilityDecimal", 0) >= 3.0
    }
    (suspicion,) = written.of("RiskAssessment", "p6")
    assert focus == expected | {f"RiskAssessment/{suspicion['id']}"}
    assert len(expected) == 2  # p1 at 15.3% and p_5 at exactly 3%; p4 stays at 2.99%
    (task,) = written.of("Task", "p1")
    assert (task["intent"], task["for"]) == ("proposal", {"reference": "Patient/p1"})
    assert "riesgo alto" in task["description"]


def test_finding_of_relative_is_never_patients(written: Any) -> None:
    texts = {o["code"]["text"] for o in written.of("Observation", "p1") if "derivedFrom" in o}
    assert "hipertensión arterial" not in texts
    (history,) = written.of("FamilyMemberHistory", "p1")
    assert history["relationship"]["coding"][0]["code"] == "FTH"
    for resource in written.of("Observation"):
        reason = [e.get("valueCoding", {}).get("code") for e in resource.get("extension", [])]
        assert not {"family", "hypothetical"} & set(reason)


def test_provenance_targets_every_resource_of_patient(written: Any) -> None:
    answered = [t["reference"] for p in written.of("Provenance") for t in p["target"]]
    kinds = ("Observation", "FamilyMemberHistory", "RiskAssessment", "Task")
    made = {f"{k}/{r['id']}" for k in kinds for r in written.of(k)}
    assert sorted(answered) == sorted(made)
    reading, estimate = written.of("Provenance", "p1")
    read = {e["what"].get("reference") for e in reading["entity"]}
    assert read == {"Patient/p1", "DocumentReference/n-1", "Composition/c-1"}
    used = {e["what"].get("reference") for e in estimate["entity"]}
    assert used == {
        "Patient/p1",
        "DocumentReference/n-1",
        "Composition/c-1",
        "Observation/o-9",
        f"DocumentReference/{written.of('DocumentReference')[0]['id']}",
    }
    assert estimate["recorded"] == "2025-01-31T00:00:00Z"


def test_sink_copies_no_note_text(written: Any, results: list[PatientResult]) -> None:
    everything = json.dumps(written.resources, ensure_ascii=False)
    for words in ("😮", "Se ahoga al subir", "acudir", "conocida", "¿BRI?"):
        assert any(words in n.note.text for r in results for n in r.notes)
        assert words not in everything


def test_own_codes_are_defined(written: Any) -> None:
    defined = {
        (s["url"], c["code"]): c["display"] for s in written.of("CodeSystem") for c in s["concept"]
    }
    base = "https://clinical-nlp.example/fhir/CodeSystem/"

    def used(value: Any) -> Iterator[tuple[tuple[str, str], str | None]]:
        if isinstance(value, dict):
            if str(value.get("system", "")).startswith(base) and "code" in value:
                yield (value["system"], value["code"]), value.get("display")
            for inner in value.values():
                yield from used(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from used(inner)

    found = dict(used(written.resources))
    assert found.keys() <= defined.keys()
    assert all(display in (None, defined[key]) for key, display in found.items())
    assert {system for system, _ in found} == {system for system, _ in defined}


def test_own_extensions_are_defined(written: Any) -> None:
    base = "https://clinical-nlp.example/fhir/StructureDefinition/"
    text = json.dumps(written.resources)
    used = {part.split('"')[0] for part in text.split(f'"url": "{base}')[1:]}
    assert used == {d["url"].removeprefix(base) for d in written.of("StructureDefinition")}


def test_sink_uses_base_url_of_installation(
    write: Callable[..., Any], results: list[PatientResult]
) -> None:
    made = write("a", results[:1], base="https://salud.example/fhir/")
    text = json.dumps(made.resources)
    assert "https://salud.example/fhir/CodeSystem/hf-risk-band" in text
    assert "clinical-nlp.example" not in text


def test_sink_ai_label_can_use_oid(write: Callable[..., Any], results: list[PatientResult]) -> None:
    made = write("a", results[:1], ai_system=OBSERVATION_VALUE_OID)
    assert made.of("Observation")[0]["meta"]["security"][0]["system"] == OBSERVATION_VALUE_OID


def test_sink_without_card_writes_none(
    write: Callable[..., Any], results: list[PatientResult]
) -> None:
    made = write("a", results[:1], card=" ")
    assert made.of("DocumentReference") == []
    for device in made.of("Device"):
        assert not any("modelCard" in e["url"] for e in device["extension"])
    for provenance in made.of("Provenance"):
        assert {entity["role"] for entity in provenance["entity"]} == {"source"}
