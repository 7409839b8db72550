"""Domain values: notes, findings, patient records, estimates.

They are small and frozen, and need neither spaCy nor FHIR nor MLflow.
"""

from clinical_nlp.records.concept import Concept
from clinical_nlp.records.counts import DayCounts, FileCounts, Problem, SourceSummary, TypeCounts
from clinical_nlp.records.estimate import (
    EstimateStatus,
    Evidence,
    ModelReference,
    Reason,
    RiskEstimate,
    is_on_worklist,
    worklist_order,
)
from clinical_nlp.records.finding import FLAGS, Finding, Mention
from clinical_nlp.records.patient import CodedEvent, Coding, EventKind, Note, PatientRecord, Sex
from clinical_nlp.records.result import NoteFindings, PatientResult, RunContext

__all__ = [
    "FLAGS",
    "CodedEvent",
    "Coding",
    "Concept",
    "DayCounts",
    "EstimateStatus",
    "EventKind",
    "Evidence",
    "FileCounts",
    "Finding",
    "Mention",
    "ModelReference",
    "Note",
    "NoteFindings",
    "PatientRecord",
    "PatientResult",
    "Problem",
    "Reason",
    "RiskEstimate",
    "RunContext",
    "Sex",
    "SourceSummary",
    "TypeCounts",
    "is_on_worklist",
    "worklist_order",
]
