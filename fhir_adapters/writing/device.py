"""The two algorithms as ``Device``: what reads the notes, and what estimates the risk."""

from __future__ import annotations

from clinical_nlp.records import ModelReference, RunContext
from fhir_adapters.writing.ai_transparency import artificial_intelligence, described_by, kinds
from fhir_adapters.writing.elements import Json, Resource, keyed
from fhir_adapters.writing.urls import AI_DEVICE_PROFILE, RESULT, CanonicalUrls

_NOTICE = (
    "Herramienta de investigación, no un producto sanitario certificado. "
    "Todo lo que escribe es preliminar hasta que un clínico lo revise."
)


def reader_device(context: RunContext, urls: CanonicalUrls) -> Resource:
    """Return the Device that reads notes; another risk model leaves it as it is."""
    return keyed(
        "Device",
        ("reader", context.software, context.pipeline),
        {
            "meta": {"profile": [AI_DEVICE_PROFILE]},
            "extension": kinds(),
            "identifier": [
                _identifier(urls, "pipeline-digest", "Huella del lector", context.pipeline),
            ],
            **_described("reader"),
            "version": [
                _version("software", context.software),
                _version("pipeline", context.pipeline),
            ],
            "safety": [{"text": _NOTICE}],  # not ``note``, which the guide took out
        },
        urls.identifiers(RESULT),
    )


def model_device(model: ModelReference, urls: CanonicalUrls, card: Json | None = None) -> Resource:
    """Return the Device that estimates risk.

    Parameters
    ----------
    card
        Reference to the model's card.
    """
    return keyed(
        "Device",
        ("model", model.uri, model.version, model.digest),
        {
            "meta": {"profile": [AI_DEVICE_PROFILE]},
            "extension": [*kinds(), *([] if card is None else [described_by(card)])],
            "identifier": [
                _identifier(urls, "mlflow-model-uri", "URI del modelo en MLflow", model.uri),
                _identifier(urls, "model-digest", "Huella del modelo", model.digest),
            ],
            **_described(model.name),
            "version": [_version("model", model.version)],
            "safety": [{"text": _NOTICE}],
        },
        urls.identifiers(RESULT),
    )


def _described(name: str) -> Json:
    return {
        "status": "active",
        "manufacturer": "clinical-nlp",
        "deviceName": [
            {"name": "clinical-nlp", "type": "user-friendly-name"},
            {"name": name, "type": "model-name"},
        ],
        "type": {**artificial_intelligence(), "text": "Inteligencia artificial"},
    }


def _identifier(urls: CanonicalUrls, name: str, text: str, value: str) -> Json:
    return {"type": {"text": text}, "system": urls.identifiers(name), "value": value}


def _version(part: str, value: str) -> Json:
    return {"type": {"text": part}, "value": value}
