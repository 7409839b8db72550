"""What a run says of one patient, and what is true of the whole run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from clinical_nlp.records.estimate import ModelReference, RiskEstimate
from clinical_nlp.records.finding import Finding
from clinical_nlp.records.mention import Mention
from clinical_nlp.records.patient import Note, PatientRecord


@dataclass(frozen=True, slots=True)
class NoteFindings:
    """A note and what was found in it, in order of place; mentions where they were asked for."""

    note: Note
    findings: tuple[Finding, ...]
    mentions: tuple[Mention, ...] = ()


@dataclass(frozen=True, slots=True)
class PatientResult:
    """Everything a sink may write about one patient."""

    record: PatientRecord
    notes: tuple[NoteFindings, ...]
    estimate: RiskEstimate


@dataclass(frozen=True, slots=True)
class RunContext:
    """What every output of one run shares.

    Parameters
    ----------
    as_of
        The day the run speaks of. Part of the content: outputs carry it instead of the
        clock, so that the same input gives the same bytes.
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
