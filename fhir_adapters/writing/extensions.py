"""Definitions of our own extensions, as ``StructureDefinition``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from fhir_adapters.writing.elements import Json, Resource, identified
from fhir_adapters.writing.urls import (
    ASSERTION_EXTENSION,
    INTERVAL_EXTENSION,
    INTERVAL_LEVEL,
    INTERVAL_RANGE,
    SHA256_EXTENSION,
    STATUS_EXTENSION,
    CanonicalUrls,
)


def extensions(urls: CanonicalUrls, version: str) -> Iterator[Resource]:
    """Yield the definitions of our own extensions."""
    yield _extension(
        urls,
        ASSERTION_EXTENSION,
        "HfAssertion",
        "Cómo afirma la nota el hallazgo (negado, incierto, histórico, de un familiar)",
        ("Observation", "FamilyMemberHistory"),
        "Coding",
        version,
        many=True,
    )
    yield _extension(
        urls,
        STATUS_EXTENSION,
        "HfEstimateStatus",
        "Si se estimó el riesgo, o por qué no",
        ("RiskAssessment",),
        "Coding",
        version,
    )
    yield _composed(
        urls,
        INTERVAL_EXTENSION,
        "HfRiskInterval",
        "Intervalo de la probabilidad estimada: cuánto cambiaría con otros pacientes de "
        "entrenamiento, no el margen de lo que le ocurrirá al paciente",
        "RiskAssessment.prediction",
        {
            INTERVAL_LEVEL: ("Nivel del intervalo, en porcentaje", "decimal"),
            INTERVAL_RANGE: ("Límites, en porcentaje, redondeados hacia fuera", "Range"),
        },
        version,
    )
    yield _extension(
        urls,
        SHA256_EXTENSION,
        "NoteTextSha256",
        "SHA-256 (hexadecimal) del texto exacto de la nota, en UTF-8: para él valen offset y "
        "length, en puntos de código Unicode",
        ("Reference", "Observation", "FamilyMemberHistory"),
        "string",
        version,
    )


def _extension(
    urls: CanonicalUrls,
    name: str,
    title: str,
    meaning: str,
    contexts: tuple[str, ...],
    value: str,
    version: str,
    many: bool = False,
) -> Resource:
    url = urls.extension(name)
    elements: list[Json] = [
        _element("Extension", 0, "*" if many else "1", meaning),
        {"id": "Extension.extension", "path": "Extension.extension", "max": "0"},
        {"id": "Extension.url", "path": "Extension.url", "fixedUri": url},
        _value("Extension", value),
    ]
    return _definition(url, title, meaning, contexts, elements, version)


def _composed(
    urls: CanonicalUrls,
    name: str,
    title: str,
    meaning: str,
    context: str,
    parts: Mapping[str, tuple[str, str]],
    version: str,
) -> Resource:
    """Return an extension of extensions; ``parts`` gives meaning and type of each by url."""
    url = urls.extension(name)
    elements: list[Json] = [
        _element("Extension", 0, "1", meaning),
        {
            "id": "Extension.extension",
            "path": "Extension.extension",
            "slicing": {
                "discriminator": [{"type": "value", "path": "url"}],
                "ordered": False,
                "rules": "closed",
            },
            "min": len(parts),
            "max": str(len(parts)),
        },
    ]
    for part, (part_meaning, value) in parts.items():
        at = f"Extension.extension:{part}"
        elements += [
            {**_element(at, 1, "1", part_meaning), "sliceName": part},
            {"id": f"{at}.extension", "path": "Extension.extension.extension", "max": "0"},
            {"id": f"{at}.url", "path": "Extension.extension.url", "fixedUri": part},
            _value(at, value),
        ]
    elements += [
        {"id": "Extension.url", "path": "Extension.url", "fixedUri": url},
        {"id": "Extension.value[x]", "path": "Extension.value[x]", "max": "0"},
    ]
    return _definition(url, title, meaning, (context,), elements, version)


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


def _definition(
    url: str,
    title: str,
    meaning: str,
    contexts: tuple[str, ...],
    elements: list[Json],
    version: str,
) -> Resource:
    return identified(
        "StructureDefinition",
        {
            "url": url,
            "version": version,
            "name": title,
            "status": "active",
            "experimental": False,
            "publisher": "clinical-nlp",
            "description": meaning,
            "fhirVersion": "4.0.1",
            "kind": "complex-type",
            "abstract": False,
            "context": [{"type": "element", "expression": where} for where in contexts],
            "type": "Extension",
            "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Extension",
            "derivation": "constraint",
            "differential": {"element": elements},
        },
    )
