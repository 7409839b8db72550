"""Results of a run: one patient's, and what all outputs share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from clinical_nlp.records.estimate import ModelReference, RiskEstimate
from clinical_nlp.records.finding import Finding, Mention
from clinical_nlp.records.patient import Note, PatientRecord


@dataclass(frozen=True, slots=True)
class NoteFindings:
    """A note with its findings and, where requested, mentions, in order of place."""

    note: Note
    findings: tuple[Finding, ...]
    mentions: tuple[Mention, ...] = ()


@dataclass(frozen=True, slots=True)
class PatientResult:
    """All that sinks may write about one patient."""

    record: PatientRecord
    notes: tuple[NoteFindings, ...]
    estimate: RiskEstimate


@dataclass(frozen=True, slots=True)
class RunContext:
    """What all outputs of a run share.

    Parameters
    ----------
    as_of
        The day that the estimates refer to. Outputs carry it instead of the time of the run,
        so that the same input gives the same bytes.
    software
        Version of this package.
    pipeline
        Fingerprint (hex) of the spaCy pipeline with its rules and lexicon.
    model
        The risk model, resolved once for the run.
    worklist_threshold
        Probability (0..1) from which a patient enters the work list.
    """

    as_of: date
    software: str
    pipeline: str
    model: ModelReference
    worklist_threshold: float
