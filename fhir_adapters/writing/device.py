"""The algorithm as a ``Device``: versions of software, rules and model."""

from __future__ import annotations

from clinical_nlp.records import RunContext
from fhir_adapters.writing.elements import Json, Resource, codeable, coding, identified
from fhir_adapters.writing.urls import SNOMED, CanonicalUrls

#: SNOMED CT "Application program software", as HL7's AI Transparency guide codes an AI.
_SOFTWARE = "706689003"
_NOTICE = (
    "Herramienta de investigación, no un producto sanitario certificado. "
    "Todo lo que escribe es preliminar hasta que un clínico lo revise."
)


def device(context: RunContext, urls: CanonicalUrls) -> Resource:
    """Return the Device of a run; the same versions are the same Device every night."""
    model = context.model
    return identified(
        "Device",
        {
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
            "type": codeable("Programa informático", coding(SNOMED, _SOFTWARE)),
            "version": [
                _version("software", context.software),
                _version("pipeline", context.pipeline),
                _version("model", model.version),
            ],
            "note": [{"text": _NOTICE}],
        },
    )


def _identifier(urls: CanonicalUrls, name: str, text: str, value: str) -> Json:
    return {"type": {"text": text}, "system": urls.identifiers(name), "value": value}


def _version(part: str, value: str) -> Json:
    return {"type": {"text": part}, "value": value}
