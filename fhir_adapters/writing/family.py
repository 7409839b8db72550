"""A finding about a relative as ``FamilyMemberHistory``, never as the patient's."""

from __future__ import annotations

from clinical_nlp.records import Concept, Finding
from fhir_adapters.writing.elements import Json, Resource, identified
from fhir_adapters.writing.grouping import Statement
from fhir_adapters.writing.observation import assertion_extensions
from fhir_adapters.writing.source_note import SourceNote
from fhir_adapters.writing.vocabulary import RunElements, Vocabulary


def is_family_history(finding: Finding, concept: Concept, vocabulary: Vocabulary) -> bool:
    """Return whether a relative has or had a condition.

    R4 cannot express that a relative does not have one (``condition`` has no negation), and a
    relative's drug or blood pressure is no condition: those stay in the findings table.
    """
    category = vocabulary.categories.get(concept.category)
    stated = finding.family and not (finding.negated or finding.hypothetical)
    return stated and category is not None and category.family


def family_history(
    statement: Statement, note: SourceNote, concept: Concept, run: RunElements
) -> Resource:
    """Return the FamilyMemberHistory of a statement about a relative."""
    finding, vocabulary = statement.finding, run.vocabulary
    body: Json = {
        "meta": run.meta,
        "extension": [
            *assertion_extensions(finding, vocabulary),
            *note.extensions(statement.spans),
        ],
        "status": "partial",
        "patient": note.patient,
    }
    if note.written is not None:
        body["date"] = note.written
    body["relationship"] = vocabulary.relative(finding.relation)
    body["condition"] = [{"code": vocabulary.code(concept)}]
    return identified("FamilyMemberHistory", body)
