"""Turns patients into the matrices a classifier is fitted on."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import numpy.typing as npt
from spacy.language import Language

from clinical_nlp.lexicon import Lexicon
from clinical_nlp.pipeline.document import get_findings
from clinical_nlp.records import NoteFindings, PatientRecord
from clinical_nlp.risk.feature_table import FeatureTable
from clinical_nlp.risk.features import feature_matrix
from clinical_nlp.risk.timeline import Origin, Timeline
from clinical_nlp.risk.timeline_builder import build_timeline
from clinical_nlp.training.risk.cohort import (
    Example,
    censor,
    event_day,
    examples,
    sampling_weight,
)
from clinical_nlp.training.risk.measures import Labels, Vector
from clinical_nlp.training.risk.recipe import CohortRecipe

Matrix = npt.NDArray[np.float64]

#: Patients whose whole record is kept for the audit, and how many of their notes at most:
#: enough to catch a feature that looks ahead, little enough to hold in memory.
AUDIT_SAMPLE = 60

#: Characters from which a note that stands in two records is taken as one and the same.
SAME_NOTE = 300


@dataclass(frozen=True, slots=True)
class Case:
    """A patient who is diagnosed, to be followed up to that day."""

    patient_id: str
    timeline: Timeline
    diagnosed: date


@dataclass(slots=True)
class Cohort:
    """The examples of all patients, and an account of who is left out.

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
        Some records with their findings, for the audit.
    long_notes
        Hashes of the long notes of each patient, for the audit.
    fingerprint
        Hex SHA-256 over every note's hash and every event: tells two cohorts apart.
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
    fingerprint: str = ""

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
    patients: npt.NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.outcome)

    def take(self, rows: npt.NDArray[np.int_]) -> Data:
        """Keep some examples."""
        return Data(
            self.features[rows],
            [self.timelines[i] for i in rows],
            self.outcome[rows],
            self.weight[rows],
            self.patients[rows],
        )

    def take_labels(self, rows: npt.NDArray[np.int_]) -> tuple[Labels, Vector]:
        """Outcome and weight of some examples."""
        return self.outcome[rows], self.weight[rows]

    def only(self, origin: Origin, table: FeatureTable) -> Data:
        """The same examples, told by one half of the record alone."""
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


def gather(
    records: Iterable[PatientRecord],
    nlp: Language,
    lexicon: Lexicon,
    days: tuple[date, date],
    recipe: CohortRecipe,
    progress: Callable[[int], None] = lambda patients: None,
) -> Cohort:
    """Read every patient's notes and cut their timelines into examples.

    Parameters
    ----------
    records
        Read one at a time; order decides only the order of the examples.
    days
        First and last day of the data.
    progress
        Called with 1 after each patient.
    """
    read = (
        (record, weight, read_notes(record, nlp) if weight else ())
        for record in records
        for weight in [sampling_weight(record, days[0], recipe)]
    )
    return cut(read, lexicon, days, recipe, progress)


def cut(
    read: Iterable[tuple[PatientRecord, float, tuple[NoteFindings, ...]]],
    lexicon: Lexicon,
    days: tuple[date, date],
    recipe: CohortRecipe,
    progress: Callable[[int], None] = lambda patients: None,
) -> Cohort:
    """Cut patients whose notes have been read into examples; those of weight 0 only count."""
    cohort = Cohort(days=days)
    digest = hashlib.sha256()
    for record, weight, notes in read:
        cohort.patients += 1
        progress(1)
        if weight == 0:
            continue
        timeline = build_timeline(record, notes, lexicon, days[1])
        found = list(examples(record, timeline, *days, recipe, weight, cohort.left_out))
        cohort.examples.extend(found)
        cohort.read += 1
        cohort.notes += len(record.notes)
        digest.update(_content(record))
        diagnosed = event_day(timeline, recipe)
        if found and diagnosed is not None:
            cohort.cases.append(Case(record.id, timeline, diagnosed))
        if found:
            cohort.long_notes[record.id] = {
                hashlib.sha256(n.text.encode("utf-8", "surrogatepass")).digest()[:8]
                for n in record.notes
                if len(n.text) >= SAME_NOTE
            }
            if len(cohort.sample) < AUDIT_SAMPLE:
                cohort.sample.append((record, notes))
    cohort.examples = censor(cohort.examples, recipe, cohort.left_out)
    cohort.fingerprint = digest.hexdigest()
    return cohort


def by_part(
    patients: Iterable[str], part: Callable[[str], str]
) -> Mapping[str, npt.NDArray[np.int_]]:
    """Row numbers of each part of a split over patients."""
    rows: dict[str, list[int]] = {"train": [], "calibration": [], "test": []}
    for number, patient in enumerate(patients):
        rows[part(str(patient))].append(number)
    return {name: np.array(numbers, dtype=np.int_) for name, numbers in rows.items()}


def _content(record: PatientRecord) -> bytes:
    def lines() -> Iterator[str]:
        yield f"{record.id} {record.sex} {record.birth_date} {record.died} {record.active}"
        yield from (note.sha256 for note in record.notes)
        yield from (repr(event) for event in record.events)

    return hashlib.sha256("\n".join(lines()).encode("utf-8", "surrogatepass")).digest()
