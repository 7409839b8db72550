"""Turns patients into examples and the matrices a classifier is fitted on."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
from spacy.language import Language

from clinical_nlp.lexicon import Lexicon
from clinical_nlp.pipeline.document import get_findings
from clinical_nlp.records import EventKind, NoteFindings, PatientRecord
from clinical_nlp.risk.feature_table import FeatureTable
from clinical_nlp.risk.features import feature_matrix
from clinical_nlp.risk.timeline import Origin, Timeline
from clinical_nlp.risk.timeline_builder import build_timeline
from clinical_nlp.training.risk.arrays import Labels, Matrix, PatientIds, Rows, Vector
from clinical_nlp.training.risk.cohort import (
    Example,
    censor,
    landmark_examples,
    sampling_weight,
)
from clinical_nlp.training.risk.note_dates import speaking_of_later_days
from clinical_nlp.training.risk.recipe import CohortRecipe
from clinical_nlp.training.risk.washout import find_onset

#: Patients whose whole record is kept for the check of temporal leakage: enough to catch a
#: feature that reads the future, few enough to hold in memory.
LEAKAGE_SAMPLE = 60

#: Fewest characters of a note for two equal ones to be taken as the same note.
SAME_NOTE_LENGTH = 300

#: A patient, the patients that this one stands for, and the findings of the notes.
ReadPatient = tuple[PatientRecord, float, tuple[NoteFindings, ...]]


@dataclass(frozen=True, slots=True)
class Case:
    """A diagnosed patient with the day of the diagnosis, for the lead time."""

    patient_id: str
    timeline: Timeline
    diagnosed: date


@dataclass(slots=True)
class Cohort:
    """The examples of all patients, and how many index days were left out.

    Parameters
    ----------
    examples
        In order of patient and index day.
    left_out
        Index days that are no example, by reason.
    patients, read, notes
        Patients seen, those whose notes were read, and how many notes.
    days
        First and last day of the data.
    cases
        Diagnosed patients with an example, for the lead time.
    sample
        Some records with their findings, for the leakage checks.
    long_notes
        Hashes of the long notes of each patient, for the leakage checks.
    later_dates
        Of each patient, the days of notes that speak of a later day, for the leakage checks.
    diagnoses
        Coded conditions, by the first day of their month, for the leakage checks.
    places
        Place of each patient in the export, where it is known.
    fingerprint
        Hex SHA-256 over every note's hash and every event: identifies the cohort.
    codes
        What is recognised of the exports' codes (``risk.code_report``); empty of simulated ones.
    """

    examples: list[Example] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    patients: int = 0
    read: int = 0
    notes: int = 0
    days: tuple[date, date] = (date.min, date.max)
    cases: list[Case] = field(default_factory=list)
    sample: list[tuple[PatientRecord, tuple[NoteFindings, ...]]] = field(default_factory=list)
    long_notes: dict[str, set[bytes]] = field(default_factory=dict)
    later_dates: dict[str, tuple[date, ...]] = field(default_factory=dict)
    diagnoses: Counter[date] = field(default_factory=Counter)
    places: Mapping[str, int] = field(default_factory=dict)
    fingerprint: str = ""
    codes: Mapping[str, Any] = field(default_factory=dict)

    def data(self, table: FeatureTable) -> Data:
        """The examples as columns."""
        timelines = [example.timeline for example in self.examples]
        return Data(
            features=feature_matrix(timelines, table),
            timelines=timelines,
            outcome=np.array([e.outcome for e in self.examples], dtype=np.int_),
            weight=np.array([e.weight for e in self.examples], dtype=np.float64),
            patients=np.array([e.patient_id for e in self.examples], dtype=np.str_),
        )


@dataclass(frozen=True, slots=True)
class Data:
    """Examples as columns, all of one length.

    Parameters
    ----------
    features
        Shape (examples, features).
    timelines
        What the features were computed from.
    outcome
        0 or 1.
    weight
        Patients of the population that each example stands for.
    patients
        Whose example each is.
    """

    features: Matrix
    timelines: Sequence[Timeline]
    outcome: Labels
    weight: Vector
    patients: PatientIds

    def __len__(self) -> int:
        return len(self.outcome)

    def take(self, rows: Rows) -> Data:
        """Keep some examples."""
        return Data(
            self.features[rows],
            [self.timelines[i] for i in rows],
            self.outcome[rows],
            self.weight[rows],
            self.patients[rows],
        )

    def from_origin(self, origin: Origin, table: FeatureTable) -> Data:
        """The same examples with features of notes alone, or of structured data alone."""
        timelines = [timeline.only(origin) for timeline in self.timelines]
        return Data(
            feature_matrix(timelines, table), timelines, self.outcome, self.weight, self.patients
        )


def read_notes(record: PatientRecord, nlp: Language) -> tuple[NoteFindings, ...]:
    """Run the pipeline over a patient's notes."""
    docs = nlp.pipe(note.text for note in record.notes)
    return tuple(
        NoteFindings(note, get_findings(doc)) for note, doc in zip(record.notes, docs, strict=True)
    )


def read_cohort(
    records: Iterable[PatientRecord],
    nlp: Language,
    lexicon: Lexicon,
    days: tuple[date, date],
    recipe: CohortRecipe,
    progress: Callable[[int], None] = lambda patients: None,
) -> Cohort:
    """Read the notes of the sampled patients and build the cohort.

    Parameters
    ----------
    records
        Read one at a time; order decides only the order of the examples.
    days
        First and last day of the data.
    progress
        Called with 1 after each patient.
    """
    patients = (
        (record, weight, read_notes(record, nlp) if weight else ())
        for record in records
        for weight in [sampling_weight(record, days[0], recipe)]
    )
    return build_cohort(patients, lexicon, days, recipe, progress)


def build_cohort(
    patients: Iterable[ReadPatient],
    lexicon: Lexicon,
    days: tuple[date, date],
    recipe: CohortRecipe,
    progress: Callable[[int], None] = lambda patients: None,
) -> Cohort:
    """Cut the timelines of patients into examples; those of weight 0 are only counted."""
    cohort = Cohort(days=days)
    digest = hashlib.sha256()
    for record, weight, notes in patients:
        cohort.patients += 1
        progress(1)
        if weight == 0:
            continue
        timeline = build_timeline(record, notes, lexicon, days[1])
        examples = list(landmark_examples(record, timeline, *days, recipe, weight, cohort.left_out))
        cohort.examples.extend(examples)
        cohort.read += 1
        cohort.notes += len(record.notes)
        digest.update(_content(record))
        diagnosed = find_onset(record, timeline, recipe).day
        cohort.diagnoses.update(_diagnosis_months(record, days[1]))
        if not examples:
            continue
        cohort.later_dates[record.id] = speaking_of_later_days(notes)
        if diagnosed is not None:
            cohort.cases.append(Case(record.id, timeline, diagnosed))
        cohort.long_notes[record.id] = {
            bytes.fromhex(n.sha256)[:8] for n in record.notes if len(n.text) >= SAME_NOTE_LENGTH
        }
        if len(cohort.sample) < LEAKAGE_SAMPLE:
            cohort.sample.append((record, notes))
    cohort.examples = censor(cohort.examples, recipe, cohort.left_out)
    cohort.fingerprint = digest.hexdigest()
    return cohort


def _diagnosis_months(record: PatientRecord, last_day: date) -> Iterator[date]:
    for event in record.events:
        day = event.recorded or event.start
        if event.kind is EventKind.CONDITION and day is not None and day <= last_day:
            yield day.replace(day=1)


def _content(record: PatientRecord) -> bytes:
    def lines() -> Iterator[str]:
        yield f"{record.id} {record.sex} {record.birth_date} {record.died} {record.active}"
        yield from (note.sha256 for note in record.notes)
        yield from (repr(event) for event in record.events)

    return hashlib.sha256("\n".join(lines()).encode("utf-8", "surrogatepass")).digest()
