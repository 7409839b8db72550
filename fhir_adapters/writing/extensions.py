"""Definitions of our own extensions, as ``StructureDefinition``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fhir_adapters.writing.elements import Json, Resource, keyed
from fhir_adapters.writing.urls import (
    ASSERTION_EXTENSION,
    INTERVAL_EXTENSION,
    INTERVAL_LEVEL,
    INTERVAL_RANGE,
    SHA256_EXTENSION,
    STATUS_EXTENSION,
    CanonicalUrls,
)


@dataclass(frozen=True, slots=True)
class _Extension:
    """One extension; ``value`` is its type, or meaning and type of each part by url."""

    key: str
    name: str
    meaning: str
    contexts: tuple[str, ...]
    value: str | Mapping[str, tuple[str, str]]
    most: str = "1"


_EXTENSIONS = (
    _Extension(
        ASSERTION_EXTENSION,
        "HfAssertion",
        "Cómo afirma la nota el hallazgo (negado, incierto, histórico, de un familiar)",
        ("Observation", "FamilyMemberHistory"),
        "Coding",
        most="*",
    ),
    _Extension(
        STATUS_EXTENSION,
        "HfEstimateStatus",
        "Si se estimó el riesgo, o por qué no",
        ("RiskAssessment",),
        "Coding",
    ),
    _Extension(
        INTERVAL_EXTENSION,
        "HfRiskInterval",
        "Intervalo de la probabilidad estimada: cuánto cambiaría con otros pacientes de "
        "entrenamiento, no el margen de lo que le ocurrirá al paciente",
        ("RiskAssessment.prediction",),
        {
            INTERVAL_LEVEL: ("Nivel del intervalo, en porcentaje", "decimal"),
            INTERVAL_RANGE: ("Límites, en porcentaje, redondeados hacia fuera", "Range"),
        },
    ),
    _Extension(
        SHA256_EXTENSION,
        "NoteTextSha256",
        "SHA-256 (hexadecimal) del texto exacto de la nota, en UTF-8: para él valen offset y "
        "length, en puntos de código Unicode",
        ("Reference", "Observation", "FamilyMemberHistory"),
        "string",
    ),
)


def extensions(urls: CanonicalUrls, version: str) -> Iterator[Resource]:
    """Yield the definitions of our own extensions."""
    for extension in _EXTENSIONS:
        url = urls.extension(extension.key)
        yield keyed(
            "StructureDefinition",
            (url,),
            {
                "url": url,
                "version": version,
                "name": extension.name,
                "status": "active",
                "experimental": False,
                "publisher": "clinical-nlp",
                "description": extension.meaning,
                "fhirVersion": "4.0.1",
                "kind": "complex-type",
                "abstract": False,
                "context": [{"type": "element", "expression": at} for at in extension.contexts],
                "type": "Extension",
                "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Extension",
                "derivation": "constraint",
                "differential": {
                    "element": [
                        _element("Extension", 0, extension.most, extension.meaning),
                        *_content(url, extension.value),
                    ]
                },
            },
        )


def _content(url: str, value: str | Mapping[str, tuple[str, str]]) -> list[Json]:
    """Return the elements of an extension: those of its value, or of its parts."""
    fixed_url: Json = {"id": "Extension.url", "path": "Extension.url", "fixedUri": url}
    if isinstance(value, str):
        none = {"id": "Extension.extension", "path": "Extension.extension", "max": "0"}
        return [none, fixed_url, _value("Extension", value)]
    elements: list[Json] = [
        {
            "id": "Extension.extension",
            "path": "Extension.extension",
            "slicing": {
                "discriminator": [{"type": "value", "path": "url"}],
                "ordered": False,
                "rules": "closed",
            },
            "min": len(value),
            "max": str(len(value)),
        },
    ]
    for part, (meaning, kind) in value.items():
        at = f"Extension.extension:{part}"
        elements += [
            {**_element(at, 1, "1", meaning), "sliceName": part},
            {"id": f"{at}.extension", "path": "Extension.extension.extension", "max": "0"},
            {"id": f"{at}.url", "path": "Extension.extension.url", "fixedUri": part},
            _value(at, kind),
        ]
    no_value = {"id": "Extension.value[x]", "path": "Extension.value[x]", "max": "0"}
    return [*elements, fixed_url, no_value]


def _element(name: str, least: int, most: str, meaning: str) -> Json:
    return {
        "id": name,
        "path": _path(name),
        "short": meaning,
        "definition": meaning,
        "min": least,
        "max": most,
    }


def _value(of: str, kind: str) -> Json:
    name = f"{of}.value[x]"
    return {"id": name, "path": _path(name), "min": 1, "type": [{"code": kind}]}


def _path(name: str) -> str:
    """Return the path of an element: its id without the names of slices."""
    return ".".join(part.partition(":")[0] for part in name.split("."))
