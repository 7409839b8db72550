"""Rules of HL7's guide "AI Transparency on FHIR" (builds named in docs/adr/040-ai-transparency.md).

The guide's profiles are not part of R4, so a validator of R4 does not check them.
"""

from __future__ import annotations

import base64
from typing import Any

import pytest

GUIDE = "http://hl7.org/fhir/uv/aitransparency"
PROFILES = f"{GUIDE}/StructureDefinition"
DEVICE_TYPE = f"{GUIDE}/CodeSystem/AIdeviceTypeCS"
INPUTS = f"{GUIDE}/CodeSystem/AIinputsCS"
AI = {"coding": [{"system": DEVICE_TYPE, "code": "Artificial-Intelligence"}]}
#: Selectable codes of AIdeviceTypeCS that this system may claim.
KINDS = {
    "Rule-Based-Systems",
    "Machine-Learning-Models",
    "Hybrid-Models",
    "Deterministic-AI",
    "Clinical-Monitoring-and-Early-Warning",
    "AI-for-Medical-Text-Data",
    "AI-for-Structured-Clinical-Data",
}


@pytest.mark.parametrize("which", [0, 1])
def test_device_is_ai_device(written: Any, which: int) -> None:
    device = written.of("Device")[which]
    assert device["meta"]["profile"] == [f"{PROFILES}/AI-Device"]
    assert device["type"]["coding"] == AI["coding"]
    kinds = [e for e in device["extension"] if e["url"] == f"{PROFILES}/aitransparency.AIKind"]
    codes = [c for e in kinds for c in e["valueCodeableConcept"]["coding"]]
    assert {c["system"] for c in codes} == {DEVICE_TYPE}
    assert {c["code"] for c in codes} <= KINDS
    # FHIR-54527 took Device.note out of the guide.
    assert "note" not in device
    assert "no un producto sanitario" in device["safety"][0]["text"]


def test_device_of_model_refers_to_model_card(written: Any) -> None:
    _, device = written.of("Device")
    (card,) = written.of("DocumentReference")
    (described,) = [
        e
        for e in device["extension"]
        if e["url"] == f"{PROFILES}/aitransparency.modelCardDescription"
    ]
    assert described["valueReference"] == {"reference": f"DocumentReference/{card['id']}"}


def test_model_card_is_ai_model_card(written: Any) -> None:
    (card,) = written.of("DocumentReference")
    assert card["meta"]["profile"] == [f"{PROFILES}/AI-ModelCard"]
    assert card["type"]["coding"] == [
        {"system": INPUTS, "code": "AIModelCard", "display": "AI Model-Card"}
    ]
    assert card["category"][0]["coding"] == [
        {"system": INPUTS, "code": "AIModelCardMarkdownFormat", "display": "Markdown Format"}
    ]
    (content,) = card["content"]
    assert content["attachment"]["contentType"] == "text/markdown"
    text = base64.b64decode(content["attachment"]["data"]).decode()
    assert text.strip() == card["description"]
    assert "No es para uso clínico." in text
    assert "subject" not in card


def test_every_provenance_is_ai_provenance(written: Any) -> None:
    reader, model = (f"Device/{device['id']}" for device in written.of("Device"))
    (card,) = written.of("DocumentReference")
    for provenance in written.of("Provenance"):
        assert provenance["meta"]["profile"] == [f"{PROFILES}/AI-Provenance"]
        (reason,) = provenance["reason"]
        (code,) = reason["coding"]
        assert code["system"] == "http://terminology.hl7.org/CodeSystem/v3-ObservationValue"
        # The pattern's version; without it a strict validator would not match the slice.
        assert (code["code"], code["version"]) == ("AIAST", "5.0.0")
        (agent,) = provenance["agent"]
        assert agent["role"] == [AI]  # exactly: no text, no display
        assert agent["type"]["coding"][0]["code"] == "author"
        is_estimate = any(t["reference"].startswith("Risk") for t in provenance["target"])
        assert agent["who"] == {"reference": model if is_estimate else reader}
        derived = [e["what"] for e in provenance["entity"] if e["role"] == "derivation"]
        stated = [{"reference": f"DocumentReference/{card['id']}"}]
        assert derived == (stated if is_estimate else [])


def test_interval_is_ai_confidence_beside_probability(written: Any) -> None:
    url = f"{PROFILES}/AIconfidence"
    for assessment in written.of("RiskAssessment"):
        prediction = assessment.get("prediction", [{}])[0]
        found = [e for e in prediction.get("extension", []) if e["url"] == url]
        own = [e for e in prediction.get("extension", []) if "hf-risk-interval" in e["url"]]
        assert len(found) == len(own) <= 1
        for extension in found:
            low, high = (extension["valueRange"][end]["value"] for end in ("low", "high"))
            assert low <= prediction["probabilityDecimal"] <= high
