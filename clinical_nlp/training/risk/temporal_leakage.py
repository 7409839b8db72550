"""Temporal leakage: whether an example depends on what happened after its index day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import numpy as np

from clinical_nlp.lexicon import Lexicon
from clinical_nlp.records import CodedEvent, Coding, EventKind, NoteFindings, PatientRecord
from clinical_nlp.risk.feature_table import FeatureTable
from clinical_nlp.risk.features import feature_row
from clinical_nlp.risk.timeline import Timeline
from clinical_nlp.risk.timeline_builder import build_timeline
from clinical_nlp.training.risk.arrays import Matrix
from clinical_nlp.training.risk.dataset import Cohort, Data


def entries_after_index(data: Data) -> Matrix:
    """Count what each timeline holds of the days after its index day: all 0 without leakage.

    Returns
    -------
    ndarray of shape (examples, 5)
        Entries, notes, contacts, ends of entries, and coded or undated diagnoses.
    """
    return np.array(
        [
            [
                sum(e.known is None or e.known > t.as_of for e in t.entries),
                sum(day > t.as_of for day in t.note_days),
                sum(day > t.as_of for day in t.contact_days),
                sum(e.end is not None and e.end > t.as_of for e in t.entries),
                len(t.coded_heart_failure) + len(t.undated),
            ]
            for t in data.timelines
        ],
        dtype=np.float64,
    )


def features_that_change(cohort: Cohort, table: FeatureTable, lexicon: Lexicon) -> int:
    """Count index days of sampled patients whose features depend on the future.

    Features are compared with those from the record without its future, and from the record
    with another future.
    """
    by_patient: dict[str, list[Timeline]] = {}
    for example in cohort.examples:
        by_patient.setdefault(example.patient_id, []).append(example.timeline)
    changed = 0
    for record, notes in cohort.sample:
        for timeline in by_patient.get(record.id, ()):
            expected = feature_row(timeline, table)
            past = _record_until(record, notes, timeline.as_of)
            for variant in (past, _with_future(*past, timeline.as_of)):
                rebuilt = build_timeline(*variant, lexicon, timeline.as_of)
                row = feature_row(rebuilt, table)
                changed += not np.array_equal(expected, row, equal_nan=True)
    return changed


def _record_until(
    record: PatientRecord, notes: Sequence[NoteFindings], day: date
) -> tuple[PatientRecord, tuple[NoteFindings, ...]]:
    """The record and notes as an export of that day would have held them."""
    events = []
    for event in record.events:
        known = [at for at in (event.start, event.recorded) if at is not None]
        if known and max(known) <= day:
            ended = event.end is not None and event.end <= day
            events.append(replace(event, end=event.end if ended else None))
    written = tuple(n for n in notes if n.note.written is not None and n.note.written.date() <= day)
    past = replace(record, events=tuple(events), notes=(), deceased=False, died=None)
    return past, written


def _with_future(
    record: PatientRecord, notes: tuple[NoteFindings, ...], day: date
) -> tuple[PatientRecord, tuple[NoteFindings, ...]]:
    """The same record with a diagnosis and its treatment inside the gap."""
    snomed, atc = "http://snomed.info/sct", "http://www.whocc.no/atc"
    future = [
        (EventKind.CONDITION, snomed, "84114007"),  # heart failure
        (EventKind.MEDICATION, atc, "C09DX04"),  # sacubitril/valsartan
        (EventKind.MEDICATION, atc, "C03CA01"),  # furosemide, the first of them
        (EventKind.OBSERVATION, "http://loinc.org", "33762-6"),  # NT-proBNP
    ]
    events = tuple(
        CodedEvent(
            kind,
            f"Made-up/{number}",
            (Coding(system, code),),
            start=day + timedelta(days=number + 1),
            value=9000.0 if kind is EventKind.OBSERVATION else None,
            unit="pg/mL" if kind is EventKind.OBSERVATION else None,
        )
        for number, (kind, system, code) in enumerate(future)
    )
    return replace(record, events=(*record.events, *events), died=day + timedelta(days=90)), notes
