"""A statement of a note as an ``Observation``, or of a relative as ``FamilyMemberHistory``."""

from __future__ import annotations

from datetime import date

from clinical_nlp.records import FLAGS, Concept, Finding
from clinical_nlp.records.partial_date import complete
from fhir_adapters.writing.ai_transparency import certainty
from fhir_adapters.writing.elements import (
    Json,
    Resource,
    codeable,
    coding,
    is_number,
    keyed,
    quantity,
)
from fhir_adapters.writing.grouping import Statement
from fhir_adapters.writing.source_note import SourceNote
from fhir_adapters.writing.urls import (
    ASSERTION_EXTENSION,
    DATA_ABSENT_EXTENSION,
    DATA_ABSENT_REASON,
    FLAG,
    RESULT,
)
from fhir_adapters.writing.vocabulary import RunElements, Vocabulary


def is_observed(finding: Finding) -> bool:
    """Return whether the finding is about the patient: not a relative, not hypothetical."""
    return not (finding.family or finding.hypothetical)


def assertion_extensions(finding: Finding, vocabulary: Vocabulary) -> list[Json]:
    """Return one extension for each flag that is set."""
    urls = vocabulary.urls
    return [
        {
            "url": urls.extension(ASSERTION_EXTENSION),
            "valueCoding": coding(urls.code_system(FLAG), flag, vocabulary.flags[flag].display_es),
        }
        for flag, is_set in zip(FLAGS, finding.flags, strict=True)
        if is_set
    ]


def observation(
    statement: Statement, note: SourceNote, concept: Concept, run: RunElements
) -> Resource:
    """Return the Observation of a statement about the patient.

    Parameters
    ----------
    statement
        What the note states; :func:`is_observed` is true of its finding.
    note
        The note.
    concept
        The catalogue's concept.
    run
        What every resource of the run shares.
    """
    finding, vocabulary = statement.finding, run.vocabulary
    derived_from = note.derived_from(statement.spans)
    extensions = assertion_extensions(finding, vocabulary)
    if not derived_from:
        extensions += note.extensions(statement.spans)
    if finding.probability is not None:
        extensions.append(certainty(finding.probability))
    body: Json = {"meta": run.meta}
    if extensions:
        body["extension"] = extensions
    body["status"] = "preliminary"
    if category := vocabulary.category(concept):
        body["category"] = category
    body["code"] = vocabulary.code(concept)
    body["subject"] = note.patient
    body |= _effective(finding, note)
    body |= _value(finding, concept, vocabulary)
    body["device"] = run.reader
    if derived_from:
        body["derivedFrom"] = derived_from
    key = (note.patient_id, note.key, *statement.key)
    return keyed("Observation", key, body, vocabulary.urls.identifiers(RESULT))


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
    key = (note.patient_id, note.key, *statement.key)
    return keyed("FamilyMemberHistory", key, body, vocabulary.urls.identifiers(RESULT))


def _effective(finding: Finding, note: SourceNote) -> Json:
    if note.written is None:
        unknown = {"url": DATA_ABSENT_EXTENSION, "valueCode": "unknown"}
        return {"_effectiveDateTime": {"extension": [unknown]}}
    if finding.measured_on is not None and _has_number(finding):
        given = complete(finding.measured_on, date.fromisoformat(note.written[:10]))
        if given is not None:
            return {"effectiveDateTime": given}
    if finding.historical and _has_number(finding):
        # "FEVI 45% en 2019": measured at some time before the note, never on its day.
        return {"effectivePeriod": {"end": note.written}}
    return {"effectiveDateTime": note.written}


def _value(finding: Finding, concept: Concept, vocabulary: Vocabulary) -> Json:
    if _has_number(finding) and not finding.negated:
        return _number(finding, concept)
    if concept.category != "measurement" and not _has_number(finding):
        return {"valueCodeableConcept": vocabulary.value(finding)}
    # Present or absent means nothing for a measurement: "heart rate absent" is not
    # "no heart rate above 100".
    reason = "La nota niega el valor." if finding.negated else "La nota no da un valor."
    return {"dataAbsentReason": codeable(reason, coding(DATA_ABSENT_REASON, "unknown"))}


def _has_number(finding: Finding) -> bool:
    return any(is_number(n) for n in (finding.value, finding.low, finding.high))


def _number(finding: Finding, concept: Concept) -> Json:
    unit = finding.unit or concept.unit
    bounds = [finding.low, finding.high]
    if None not in bounds:
        bounds.sort(key=lambda n: n or 0.0)  # rng-2: low is not above high
    ends = zip(("low", "high"), bounds, strict=True)
    limits = {name: quantity(n, unit) for name, n in ends if n is not None and is_number(n)}
    if limits:
        return {"valueRange": limits}
    value = finding.value if finding.value is not None else 0.0
    return {"valueQuantity": quantity(value, unit, finding.comparator)}
