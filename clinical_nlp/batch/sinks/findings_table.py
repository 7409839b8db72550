"""``findings.parquet``: one row per finding, ready for an OMOP ``NOTE_NLP`` table.

Columns follow the OMOP CDM 5.4 where it has them
(https://ohdsi.github.io/CommonDataModel/cdm54.html#note_nlp); ``docs/reference/outputs.md``
describes each. ``snippet`` is left out on purpose: the term itself (``lexical_variant``) is
enough to check a finding, and the text around it stays in the note.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import datetime, time
from pathlib import Path
from typing import Any

import pyarrow as pa

from clinical_nlp.batch.sinks.parquet import ParquetTable
from clinical_nlp.records import FLAGS, Concept, Finding, Note, PatientResult, RunContext

#: OMOP's code for "no matching concept": its numeric concept ids are assigned by
#: Athena and cannot be derived here. ``vocabulary_id`` and ``concept_code`` join to them.
NO_MATCHING_CONCEPT = 0

#: Our names of code systems, as OMOP's ``vocabulary_id`` names them, the one that OMOP
#: holds standard for most of our categories first.
_VOCABULARIES = {"snomed": "SNOMED", "loinc": "LOINC", "atc": "ATC", "icd10": "ICD10"}
#: Categories whose standard vocabulary is another (OMOP: measurements and drugs).
_FIRST = {"measurement": "loinc", "drug": "atc"}

#: Column of each field of :class:`Finding`.
_COLUMN_OF = {f.name: f.name for f in fields(Finding)} | {
    "text": "lexical_variant",
    "source": "component",
}

#: Columns of NOTE_NLP, then our own.
COLUMNS: tuple[tuple[str, pa.DataType], ...] = (
    ("note_nlp_id", pa.int64()),
    ("note_id", pa.int64()),
    ("section_concept_id", pa.int32()),
    ("offset", pa.string()),
    ("lexical_variant", pa.string()),
    ("note_nlp_concept_id", pa.int32()),
    ("note_nlp_source_concept_id", pa.int32()),
    ("nlp_system", pa.string()),
    ("nlp_date", pa.date32()),
    ("nlp_datetime", pa.timestamp("s")),
    ("term_exists", pa.string()),
    ("term_temporal", pa.string()),
    ("term_modifiers", pa.string()),
    ("patient_id", pa.string()),
    ("note", pa.string()),
    ("note_date", pa.date32()),
    ("note_sha256", pa.string()),
    ("start", pa.int32()),
    ("end", pa.int32()),
    ("section", pa.string()),
    ("concept", pa.string()),
    ("concept_name", pa.string()),
    ("category", pa.string()),
    ("vocabulary_id", pa.string()),
    ("concept_code", pa.string()),
    ("value", pa.float64()),
    ("unit", pa.string()),
    ("low", pa.float64()),
    ("high", pa.float64()),
    ("comparator", pa.string()),
    *((flag, pa.bool_()) for flag in FLAGS),
    ("relation", pa.string()),
    ("component", pa.string()),
    ("measured_on", pa.string()),
    ("probability", pa.float64()),
)


class FindingsTable(ParquetTable):
    """A sink that writes one row per finding.

    Parameters
    ----------
    path
        File to write (``DIR/findings.parquet``).
    context
        What is true of the whole run; goes into the file's metadata.
    concepts
        The lexicon's concepts by key.
    """

    def __init__(self, path: Path, context: RunContext, concepts: Mapping[str, Concept]) -> None:
        metadata = {
            "software": f"clinical-nlp {context.software}",
            "pipeline": context.pipeline,
            "as_of": context.as_of.isoformat(),
        }
        super().__init__(path, COLUMNS, metadata)
        self._concepts = concepts
        self._run = {
            "section_concept_id": NO_MATCHING_CONCEPT,
            "note_nlp_concept_id": NO_MATCHING_CONCEPT,
            "note_nlp_source_concept_id": NO_MATCHING_CONCEPT,
            "nlp_system": f"clinical-nlp {context.software}, pipeline {context.pipeline[:12]}",
            "nlp_date": context.as_of,
            "nlp_datetime": datetime.combine(context.as_of, time.min),
        }

    def rows(self, result: PatientResult) -> Iterator[dict[str, Any]]:
        """Yield one row per finding, by note and offset."""
        for note_findings in result.notes:
            if not note_findings.findings:
                continue
            note = note_findings.note
            of_note = self._run | note_columns(note, result)
            of_note["note_date"] = note.written.date() if note.written else None
            for finding in note_findings.findings:
                yield {**of_note, **self._finding_columns(note, finding)}

    def _finding_columns(self, note: Note, finding: Finding) -> dict[str, Any]:
        concept = self._concepts.get(finding.concept)
        vocabulary, code = _code(concept) if concept else (None, None)
        place = (finding.concept, str(finding.start), str(finding.end))
        return {
            **{column: getattr(finding, name) for name, column in _COLUMN_OF.items()},
            "note_nlp_id": stable_id(note.patient_id, note.key, note.sha256, *place),
            "offset": str(finding.start),
            # A lone surrogate, legal in JSON escapes, has no UTF-8 form.
            "lexical_variant": finding.text.encode("utf-8", "replace").decode("utf-8"),
            "term_exists": "Y" if term_exists(finding) else "N",
            "term_temporal": "Past" if finding.historical else "Present",
            "term_modifiers": term_modifiers(finding),
            "concept_name": concept.name_es if concept else finding.concept,
            "category": concept.category if concept else None,
            "vocabulary_id": vocabulary,
            "concept_code": code,
        }


def note_columns(note: Note, result: PatientResult) -> dict[str, Any]:
    """Columns that name a note, in this table and in ``mentions.parquet``."""
    return {
        "note_id": stable_id(note.patient_id, note.key),
        "patient_id": result.record.id,
        "note": note.key,
        "note_sha256": note.sha256,
    }


def finding_from_row(row: Mapping[str, Any]) -> Finding:
    """Rebuild a finding from its row of ``findings.parquet``."""
    # A table written before a column was added lacks it.
    return Finding(**{name: row[column] for name, column in _COLUMN_OF.items() if column in row})


def term_exists(finding: Finding) -> bool:
    """Whether the patient has or had it: OMOP's ``term_exists``.

    False where negated, of somebody else, conditional or uncertain (OMOP CDM 5.4,
    NOTE_NLP, "Term_exists").
    """
    return not (finding.negated or finding.family or finding.hypothetical or finding.uncertain)


def term_modifiers(finding: Finding) -> str | None:
    """Return flags and value as ``name=value`` joined by commas; ``None`` without any."""
    modifiers = [
        f"{flag}=true" for flag, is_set in zip(FLAGS, finding.flags, strict=True) if is_set
    ]
    if finding.relation is not None:
        modifiers.append(f"relation={finding.relation}")
    if finding.value is not None:
        modifiers.append(f"value={finding.comparator or ''}{finding.value:g}")
        if finding.unit is not None:
            modifiers.append(f"unit={finding.unit}")
    return ",".join(modifiers) or None


def stable_id(*parts: str) -> int:
    """63-bit hash of what it names, so that the same finding keeps its id every night.

    OMOP's keys are integers. Two of ten million findings share one with a chance of
    about 5 in a million (n²/2⁶⁴).
    """
    digest = hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def _code(concept: Concept) -> tuple[str | None, str | None]:
    first = _FIRST.get(concept.category)
    systems = [first, *_VOCABULARIES] if first else list(_VOCABULARIES)
    for system in systems:
        code = concept.codes.get(system)
        if code:
            return _VOCABULARIES[system], code
    return None, None
