"""What HL7's guide "AI Transparency on FHIR" asks of Device, Provenance and model card.

The guide's profiles are drafts (version 1.0.0-current): which build is followed, and what it
took out, stands in docs/adr/040-ai-transparency.md.
"""

from __future__ import annotations

import base64
from typing import Final

from clinical_nlp.records import ModelReference
from fhir_adapters.writing.elements import Json, Resource, codeable, coding, keyed
from fhir_adapters.writing.urls import (
    AI_CONFIDENCE_EXTENSION,
    AI_DEVICE_TYPE,
    AI_INPUTS,
    AI_KIND_EXTENSION,
    AI_MODEL_CARD_EXTENSION,
    AI_MODEL_CARD_PROFILE,
    OBSERVATION_VALUE,
    RESULT,
    CanonicalUrls,
)

#: The label, and the reason of an AIProvenance.
AI_ASSERTED: Final = "AIAST"
AI_ASSERTED_DISPLAY: Final = "Artificial Intelligence asserted"

#: Version of v3-ObservationValue that the pattern of ``AIProvenance.reason`` names.
_OBSERVATION_VALUE_VERSION = "5.0.0"

#: Kinds of AI that the system is: rules beside statistical models, the same output for the
#: same input, and what it is for and reads.
_KINDS = (
    "Hybrid-Models",
    "Deterministic-AI",
    "Clinical-Monitoring-and-Early-Warning",
    "AI-for-Medical-Text-Data",
    "AI-for-Structured-Clinical-Data",
)


def label(system: str = OBSERVATION_VALUE) -> Json:
    """Return ``meta`` of everything that the system asserts: the security label AIAST."""
    return {"security": [coding(system, AI_ASSERTED, AI_ASSERTED_DISPLAY)]}


def artificial_intelligence() -> Json:
    """Return the code of "artificial intelligence", alone: ``AIProvenance.agent.role`` is exact."""
    return {"coding": [coding(AI_DEVICE_TYPE, "Artificial-Intelligence")]}


def kinds() -> list[Json]:
    """Return ``AIDevice.extension``: one AIKind for each kind of AI."""
    return [
        {
            "url": AI_KIND_EXTENSION,
            "valueCodeableConcept": {"coding": [coding(AI_DEVICE_TYPE, kind)]},
        }
        for kind in _KINDS
    ]


def described_by(card: Json) -> Json:
    """Return the extension of an AIDevice that refers to its model card."""
    return {"url": AI_MODEL_CARD_EXTENSION, "valueReference": card}


def reason() -> Json:
    """Return ``AIProvenance.reason``; its pattern names the code system's version."""
    stated = coding(OBSERVATION_VALUE, AI_ASSERTED, AI_ASSERTED_DISPLAY)
    return {"coding": [{**stated, "version": _OBSERVATION_VALUE_VERSION}]}


def confidence(bounds: Json) -> Json:
    """Return AIconfidence as the interval of a result.

    Beside a risk the guide's ``valueDecimal`` is left out: it is the probability that a result
    is right, and beside a risk of 0.4% a reader would take that number for distrust.

    Parameters
    ----------
    bounds
        A ``Range``.
    """
    return {"url": AI_CONFIDENCE_EXTENSION, "valueRange": bounds}


def certainty(probability: float) -> Json:
    """Return AIconfidence as the probability that a result is right."""
    return {"url": AI_CONFIDENCE_EXTENSION, "valueDecimal": probability}


def model_card(model: ModelReference, card: str, urls: CanonicalUrls) -> Resource:
    """Return the model card as a DocumentReference, as the guide's AIModelCard.

    Parameters
    ----------
    model
        Whose card it is.
    card
        Markdown.
    """
    is_card = coding(AI_INPUTS, "AIModelCard", "AI Model-Card")
    in_markdown = coding(AI_INPUTS, "AIModelCardMarkdownFormat", "Markdown Format")
    return keyed(
        "DocumentReference",
        (model.uri, model.digest),
        {
            "meta": {"profile": [AI_MODEL_CARD_PROFILE]},
            "identifier": [
                {"system": urls.identifiers("mlflow-model-uri"), "value": model.uri},
                {"system": urls.identifiers("model-digest"), "value": model.digest},
            ],
            "status": "current",
            "type": codeable("Ficha de un modelo de inteligencia artificial", is_card),
            "category": [{"coding": [in_markdown]}],
            "description": card.strip(),  # the guide: the card, for people to read
            "content": [
                {
                    "attachment": {
                        "contentType": "text/markdown",
                        "data": base64.b64encode(card.encode("utf-8")).decode("ascii"),
                        "title": f"{model.name} {model.version}",
                    }
                }
            ],
        },
        urls.identifiers(RESULT),
    )
