"""The algorithm as a ``Device``: versions of software, rules and model."""

from __future__ import annotations

from clinical_nlp.records import RunContext
from fhir_adapters.writing.ai_transparency import artificial_intelligence, described_by, kinds
from fhir_adapters.writing.elements import Json, Resource, identified
from fhir_adapters.writing.urls import AI_DEVICE_PROFILE, CanonicalUrls

_NOTICE = (
    "Herramienta de investigación, no un producto sanitario certificado. "
    "Todo lo que escribe es preliminar hasta que un clínico lo revise."
)


def device(context: RunContext, urls: CanonicalUrls, card: Json | None = None) -> Resource:
    """Return the Device of a run; the same versions are the same Device every night.

    Parameters
    ----------
    card
        Reference to the model's card.
    """
    model = context.model
    return identified(
        "Device",
        {
            "meta": {"profile": [AI_DEVICE_PROFILE]},
            "extension": [*kinds(), *([] if card is None else [described_by(card)])],
            "identifier": [
                _identifier(urls, "mlflow-model-uri", "URI del modelo en MLflow", model.uri),
                _identifier(urls, "model-digest", "Huella del modelo", model.digest),
            ],
            "status": "active",
            "manufacturer": "clinical-nlp",
            "deviceName": [
                {"name": "clinical-nlp", "type": "user-friendly-name"},
                {"name": model.name, "type": "model-name"},
            ],
            "type": {**artificial_intelligence(), "text": "Inteligencia artificial"},
            "version": [
                _version("software", context.software),
                _version("pipeline", context.pipeline),
                _version("model", model.version),
            ],
            # Not ``note``, which the guide took out of its profile.
            "safety": [{"text": _NOTICE}],
        },
    )


def _identifier(urls: CanonicalUrls, name: str, text: str, value: str) -> Json:
    return {"type": {"text": text}, "system": urls.identifiers(name), "value": value}


def _version(part: str, value: str) -> Json:
    return {"type": {"text": part}, "value": value}
