"""Turns patients into the matrices a classifier is fitted on."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import numpy.typing as npt
from spacy.language import Language

from clinical_nlp.lexicon import Lexicon
from clinical_nlp.pipeline.document import get_findings
from clinical_nlp.records import NoteFindings, PatientRecord
from clinical_nlp.risk.entries import Origin
from clinical_nlp.risk.features import feature_matrix
from clinical_nlp.risk.timeline import build_timeline
from clinical_nlp.risk.topics import FeatureTable
from clinical_nlp.training.cohort import Example, examples, sampling_weight
from clinical_nlp.training.measures import Labels, Vector
from clinical_nlp.training.recipe import CohortRecipe

Matrix = npt.NDArray[np.float64]


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
    fingerprint
        Hex SHA-256 over every note's hash and every event: tells two cohorts apart.
    """

    examples: list[Example] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    patients: int = 0
    read: int = 0
    notes: int = 0
    fingerprint: str = ""

    def outcome(self) -> Labels:
        """1 for each example with the outcome: shape (examples,)."""
        return np.array([example.outcome for example in self.examples], dtype=np.int_)

    def weights(self) -> Vector:
        """Patients that each example stands for: shape (examples,)."""
        return np.array([example.weight for example in self.examples], dtype=np.float64)

    def patient_ids(self) -> list[str]:
        """Whose example each is."""
        return [example.patient_id for example in self.examples]

    def features(self, table: FeatureTable) -> Matrix:
        """Features of every example: shape (examples, features)."""
        return feature_matrix([example.timeline for example in self.examples], table)

    def features_of(self, origin: Origin, table: FeatureTable) -> Matrix:
        """The same from one half of the record alone."""
        timelines = [example.timeline.only(origin) for example in self.examples]
        return feature_matrix(timelines, table)


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
    cohort = Cohort()
    digest = hashlib.sha256()
    for record in records:
        cohort.patients += 1
        progress(1)
        weight = sampling_weight(record, days[0], recipe)
        if weight == 0:
            continue
        notes = read_notes(record, nlp)
        timeline = build_timeline(record, notes, lexicon, days[1])
        cohort.examples.extend(examples(record, timeline, *days, recipe, weight, cohort.left_out))
        cohort.read += 1
        cohort.notes += len(record.notes)
        digest.update(_content(record))
    cohort.fingerprint = digest.hexdigest()
    return cohort


def by_part(cohort: Cohort, part: Callable[[str], str]) -> Mapping[str, npt.NDArray[np.int_]]:
    """Row numbers of each part of a split over patients."""
    rows: dict[str, list[int]] = {"train": [], "calibration": [], "test": []}
    for number, example in enumerate(cohort.examples):
        rows[part(example.patient_id)].append(number)
    return {name: np.array(numbers, dtype=np.int_) for name, numbers in rows.items()}


def _content(record: PatientRecord) -> bytes:
    def lines() -> Iterator[str]:
        yield f"{record.id} {record.sex} {record.birth_date} {record.died}"
        yield from (note.sha256 for note in record.notes)
        yield from (repr(event) for event in record.events)

    return hashlib.sha256("\n".join(lines()).encode("utf-8", "surrogatepass")).digest()
