"""Definitions of our own codes, as ``CodeSystem``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from clinical_nlp.records import Concept
from clinical_nlp.spanish import decimal_es
from fhir_adapters.writing.elements import Json, Resource, keyed, text_line
from fhir_adapters.writing.rationale import percentage
from fhir_adapters.writing.scale import Band, Scale
from fhir_adapters.writing.urls import (
    BAND,
    CATEGORY,
    CONCEPT,
    FLAG,
    METHOD,
    METHOD_CODE,
    STATUS,
    VALUE,
    CanonicalUrls,
)
from fhir_adapters.writing.vocabulary import Term, Vocabulary

_LANGUAGES = ("en", "ca", "gl", "eu")


def code_systems(
    vocabulary: Vocabulary,
    concepts: Mapping[str, Concept],
    scale: Scale,
    version: str,
) -> Iterator[Resource]:
    """Yield every code system of ours that the output uses.

    Parameters
    ----------
    concepts
        The catalogue, by key.
    scale
        The risk bands, published with their own version and status.
    version
        Version of the software, for the other systems.
    """
    urls = vocabulary.urls
    yield _code_system(
        urls,
        BAND,
        "Bandas de riesgo de insuficiencia cardíaca a 12 meses",
        [_band(band) for band in scale],
        scale.version,
        scale.status,
        description=(
            "Bandas propias de probabilidad a 12 meses. No equivalen a risk-probability "
            "de HL7, donde 'high' significa más probable que no."
        ),
        property=[
            {"code": code, "description": meaning, "type": "decimal"}
            for code, meaning in (
                ("lower", "Límite inferior, incluido, en porcentaje"),
                ("upper", "Límite superior, excluido salvo 100, en porcentaje"),
            )
        ],
    )
    rows = [_concept(concepts[key]) for key in sorted(concepts)]
    yield _code_system(urls, CONCEPT, "Conceptos del catálogo", rows, version)
    rows = [
        {
            "code": key,
            "display": category.name_es,
            "designation": [{"language": "en", "value": category.name_en}],
        }
        for key, category in vocabulary.categories.items()
    ]
    yield _code_system(urls, CATEGORY, "Categorías del catálogo", rows, version)
    method = Term(
        METHOD_CODE,
        "clasificador a 12 meses",
        "Clasificador estadístico sobre hallazgos de notas y datos codificados; "
        "el Device dice qué modelo y versión.",
    )
    for name, title, defined in (
        (VALUE, "Qué dice la nota de un hallazgo", vocabulary.values.values()),
        (FLAG, "Cómo lo dice la nota", vocabulary.flags.values()),
        (STATUS, "Estado de la estimación de riesgo", vocabulary.statuses.values()),
        (METHOD, "Métodos de estimación", [method]),
    ):
        yield _code_system(urls, name, title, [_term(term) for term in defined], version)


def _code_system(
    urls: CanonicalUrls,
    name: str,
    title: str,
    rows: list[Json],
    version: str,
    status: str = "active",
    **more: object,
) -> Resource:
    return keyed(
        "CodeSystem",
        (urls.code_system(name),),
        {
            "url": urls.code_system(name),
            "version": version,
            "name": "".join(word.capitalize() for word in name.split("-")),
            "title": title,
            "status": status,
            "experimental": False,
            "publisher": "clinical-nlp",
            "caseSensitive": True,
            "content": "complete",
            "count": len(rows),
            **more,
            **({"concept": rows} if rows else {}),
        },
    )


def _band(band: Band) -> Json:
    lower, upper = percentage(band.lower), percentage(band.upper)
    until = f"al {decimal_es(upper)} %" + (", ambos incluidos" if upper == 100 else " (excluido)")
    return {
        "code": band.key,
        "display": band.name_es,
        "definition": f"Probabilidad a 12 meses del {decimal_es(lower)} % {until}.",
        "designation": [{"language": "en", "value": band.name_en}],
        "property": [
            {"code": "lower", "valueDecimal": float(lower)},
            {"code": "upper", "valueDecimal": float(upper)},
        ],
    }


def _concept(concept: Concept) -> Json:
    row: Json = {"code": concept.key, "display": text_line(concept.name_es)}
    names = [
        {"language": language, "value": text_line(concept.display[language])}
        for language in _LANGUAGES
        if concept.display.get(language)
    ]
    return row | ({"designation": names} if names else {})


def _term(term: Term) -> Json:
    return {"code": term.code, "display": term.display_es, "definition": term.definition_es}
