"""What a note says of a relative, as ``FamilyMemberHistory``: never the patient's."""

from __future__ import annotations

from clinical_nlp.records import Concept, Finding, Note
from fhir_adapters.writing.elements import Json, date_time, identified, reference
from fhir_adapters.writing.grouping import Statement
from fhir_adapters.writing.observation import assertion_extensions
from fhir_adapters.writing.source_note import note_extensions
from fhir_adapters.writing.urls import Canon
from fhir_adapters.writing.vocabulary import Vocabulary


def is_family_history(finding: Finding, concept: Concept, vocabulary: Vocabulary) -> bool:
    """True where a relative has or had a condition.

    R4 cannot say that a relative does not have one (``condition`` has no negation), and a
    relative's drug or blood pressure is no condition: those stay in the findings table.
    """
    category = vocabulary.categories.get(concept.category)
    stated = finding.family and not (finding.negated or finding.hypothetical)
    return stated and category is not None and category.family


def family_history(
    statement: Statement,
    note: Note,
    concept: Concept,
    vocabulary: Vocabulary,
    canon: Canon,
    meta: Json,
) -> Json:
    """Return the FamilyMemberHistory of a statement about a relative."""
    finding = statement.said
    body: Json = {
        "meta": meta,
        "extension": [
            *assertion_extensions(finding, vocabulary, canon),
            *note_extensions(note, statement.spans, canon),
        ],
        "status": "partial",
        "patient": reference(note.patient_id, "Patient"),
    }
    if note.written is not None:
        body["date"] = date_time(note.written)
    body["relationship"] = vocabulary.relative(finding.relation)
    body["condition"] = [{"code": vocabulary.code(concept, canon)}]
    return identified("FamilyMemberHistory", body)
