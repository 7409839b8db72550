"""Codes and Spanish names of the output: ``fhir_adapters/data/mapping.toml``, read once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from clinical_nlp.artifacts import read_toml
from clinical_nlp.errors import OutputError
from clinical_nlp.records import FLAGS, Concept, Finding
from fhir_adapters.writing.elements import Json, codeable, coding
from fhir_adapters.writing.urls import (
    CATEGORY,
    CONCEPT,
    DEFAULT_URLS,
    OBSERVATION_CATEGORY,
    ROLE_CODE,
    SNOMED,
    VALUE,
    CanonicalUrls,
)

#: RoleCode used when no relative is named.
UNNAMED_RELATIVE = "FAMMEMB"


@dataclass(frozen=True, slots=True)
class Term:
    """A project code with Spanish display and definition, and its SNOMED CT code if one exists."""

    code: str
    display_es: str
    definition_es: str = ""
    snomed: str | None = None


@dataclass(frozen=True, slots=True)
class Category:
    """How a category of the catalogue is written (see the data file)."""

    name_es: str
    name_en: str
    systems: tuple[str, ...]
    observation: str | None
    family: bool


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The content of ``mapping.toml``.

    Parameters
    ----------
    urls
        URLs of the project's code systems and extensions.
    systems
        FHIR URI by the name that ``Concept.codes`` uses.
    categories
        By catalogue category.
    measurement_categories
        HL7 observation category by measurement concept; overrides the category's default.
    values
        Value of a finding without a number, by (negated, uncertain, historical).
    flags, statuses
        Terms by flag and by estimate status.
    relatives
        Spanish name by HL7 v3 RoleCode.
    """

    urls: CanonicalUrls
    systems: Mapping[str, str]
    categories: Mapping[str, Category]
    measurement_categories: Mapping[str, str]
    values: Mapping[tuple[bool, bool, bool], Term]
    flags: Mapping[str, Term]
    statuses: Mapping[str, Term]
    relatives: Mapping[str, str]

    def code(self, concept: Concept) -> Json:
        """Return a concept as its verified codes and its Spanish name.

        Codes have no ``display``: terminology servers reject any text that is not the
        release's own, and the catalogue's names are ours.
        """
        category = self.categories.get(concept.category)
        codings = [
            coding(self.systems[system], concept.codes[system])
            for system in (category.systems if category else ())
            if concept.codes.get(system)
            and concept.code_status.get(system, "").startswith("verified")
        ]
        if category:
            codings.append(coding(self.urls.code_system(CONCEPT), concept.key, concept.name_es))
        return codeable(concept.name_es, *codings)

    def category(self, concept: Concept) -> list[Json]:
        """Return ``Observation.category``: ours, and HL7's where it has one."""
        category = self.categories.get(concept.category)
        if category is None:
            return []
        own = coding(self.urls.code_system(CATEGORY), concept.category, category.name_es)
        concepts = [codeable(category.name_es, own)]
        hl7 = self.measurement_categories.get(concept.key, category.observation)
        if hl7:
            concepts.append({"coding": [coding(OBSERVATION_CATEGORY, hl7)]})
        return concepts

    def value(self, finding: Finding) -> Json:
        """Return ``Observation.valueCodeableConcept`` of a finding without a number."""
        term = self.values[(finding.negated, finding.uncertain, finding.historical)]
        codings = [coding(self.urls.code_system(VALUE), term.code, term.display_es)]
        if term.snomed:
            codings.insert(0, coding(SNOMED, term.snomed))
        return codeable(term.display_es, *codings)

    def relative(self, code: str | None) -> Json:
        """Return ``FamilyMemberHistory.relationship``."""
        known = code if code and code in self.relatives else UNNAMED_RELATIVE
        return codeable(self.relatives[known], coding(ROLE_CODE, known))


@dataclass(frozen=True, slots=True)
class RunElements:
    """Elements shared by every resource of a run.

    Parameters
    ----------
    vocabulary
        Codes, names and URLs.
    reader
        Reference to the Device that reads notes.
    model
        Reference to the Device that estimates risk.
    meta
        ``meta`` of everything that the system asserts.
    card
        Reference to the model's card, where it has one.
    """

    vocabulary: Vocabulary
    reader: Json
    model: Json
    meta: Json
    card: Json | None = None


@cache
def load_vocabulary(urls: CanonicalUrls = DEFAULT_URLS) -> Vocabulary:
    """Return the shipped vocabulary, with our own definitions under ``urls``.

    Raises
    ------
    OutputError
        E523: the data file is broken.
    """
    data = read_toml("fhir_adapters.data", "mapping.toml")
    try:
        values = {
            ("negated" in flags, "uncertain" in flags, "historical" in flags): Term(
                row["code"], row["display_es"], row["definition_es"], row.get("snomed")
            )
            for row in data["value"]
            for flags in (row["flags"],)
        }
        if len(values) != 2**3 or set(data["flag"]) != set(FLAGS):
            raise ValueError("a combination of flags has no value")
        return Vocabulary(
            urls=urls,
            systems=data["systems"],
            categories={
                key: Category(**{"observation": None, **row, "systems": tuple(row["systems"])})
                for key, row in data["category"].items()
            },
            measurement_categories=data["measurement_category"],
            values=values,
            flags=_terms(data["flag"]),
            statuses=_terms(data["status"]),
            relatives=data["relative"],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise OutputError(
            "E523",
            f"the FHIR vocabulary is broken ({error}): correct fhir_adapters/data/mapping.toml",
        ) from error


def _terms(table: Mapping[str, Mapping[str, str]]) -> dict[str, Term]:
    return {key: Term(key, row["display_es"], row["definition_es"]) for key, row in table.items()}
