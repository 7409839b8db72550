"""Encodes timelines as arrays for the sequence model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from clinical_nlp.risk.feature_table import FeatureTable, Topic
from clinical_nlp.risk.features import Matrix
from clinical_nlp.risk.timeline import Entry, Origin, Presence, Timeline

if TYPE_CHECKING:
    import torch

#: Newest entries of a patient that are encoded.
MAX_ENTRIES = 160

#: Time constants in days of the exponentials that encode an entry's age.
_TIME_CONSTANTS = (30.0, 180.0, 730.0)

#: Numbers of an entry: age in years, the exponentials, value, whether there is a value.
NUMBERS = len(_TIME_CONSTANTS) + 3

#: Demographic features that the model takes beside the entries.
DEMOGRAPHICS = ("age", "male", "notes", "contacts")

#: Standard deviations beyond which a value is taken as this far from the mean: the network has
#: seen next to nothing there.
_FARTHEST = 4.0

_PRESENCES = list(Presence)

#: States of an entry: presence by origin.
STATES = 2 * len(_PRESENCES)


@dataclass(frozen=True, slots=True)
class EncodedTimelines:
    """Timelines as arrays.

    Parameters
    ----------
    concept, state
        Shape (patients, entries): index of the concept in the vocabulary, and of presence
        and origin; 0 is padding.
    numbers
        Shape (patients, entries, :data:`NUMBERS`).
    fixed
        Shape (patients, 4): the :data:`DEMOGRAPHICS`.
    """

    concept: npt.NDArray[np.int64]
    state: npt.NDArray[np.int64]
    numbers: npt.NDArray[np.float32]
    fixed: npt.NDArray[np.float32]

    def take(self, rows: npt.NDArray[np.int_]) -> EncodedTimelines:
        """Select patients by row number."""
        return EncodedTimelines(
            self.concept[rows], self.state[rows], self.numbers[rows], self.fixed[rows]
        )

    def tensors(self) -> tuple[torch.Tensor, ...]:
        """Return the arrays as the network's arguments."""
        import torch

        arrays = (self.concept, self.state, self.numbers, self.fixed)
        return tuple(torch.from_numpy(np.ascontiguousarray(array)) for array in arrays)


class TimelineEncoder:
    """Encodes timelines with a fixed vocabulary and scales.

    Parameters
    ----------
    table
        Its concepts are the vocabulary; none of them leaks the diagnosis.
    scales
        Mean and standard deviation of the transformed values by measured topic.
    """

    def __init__(self, table: FeatureTable, scales: Mapping[str, tuple[float, float]]) -> None:
        self._scales = scales
        self._topic: dict[str, Topic] = {
            concept: topic for topic in table.topics for concept in topic.concepts
        }
        self.vocabulary = {concept: i + 1 for i, concept in enumerate(sorted(self._topic))}
        self._fixed = [table.names.index(name) for name in DEMOGRAPHICS]

    def newest_entries(self, timeline: Timeline) -> list[Entry]:
        """Newest dated entries whose concept is in the vocabulary, oldest first."""
        known = [e for e in timeline.entries if e.concept in self._topic and e.day is not None]
        return known[-MAX_ENTRIES:]

    def encode(self, timelines: Sequence[Timeline], features: Matrix) -> EncodedTimelines:
        """Encode patients; ``features`` are their rows of the feature table."""
        fixed = np.nan_to_num(features[:, self._fixed]).astype(np.float32)
        return self.encode_entries([(t, self.newest_entries(t)) for t in timelines], fixed)

    def encode_entries(
        self, patients: Sequence[tuple[Timeline, Sequence[Entry]]], fixed: npt.NDArray[np.float32]
    ) -> EncodedTimelines:
        """Encode the given entries of each patient."""
        longest = max((len(entries) for _, entries in patients), default=0) or 1
        concept = np.zeros((len(patients), longest), dtype=np.int64)
        state = np.zeros((len(patients), longest), dtype=np.int64)
        numbers = np.zeros((len(patients), longest, NUMBERS), dtype=np.float32)
        for row, (timeline, entries) in enumerate(patients):
            for column, entry in enumerate(entries):
                concept[row, column] = self.vocabulary[entry.concept]
                state[row, column] = (
                    1
                    + _PRESENCES.index(entry.presence)
                    + len(_PRESENCES) * (entry.origin is Origin.STRUCTURED)
                )
                numbers[row, column] = self._numbers(entry, timeline)
        return EncodedTimelines(concept, state, numbers, fixed)

    def _numbers(self, entry: Entry, timeline: Timeline) -> list[float]:
        days = float((timeline.as_of - entry.day).days) if entry.day else 0.0
        decays = [float(np.exp(-days / constant)) for constant in _TIME_CONSTANTS]
        value, has_value = 0.0, 0.0
        topic = self._topic[entry.concept]
        low, high = topic.plausible
        if topic.key in self._scales and entry.value is not None and low <= entry.value <= high:
            mean, deviation = self._scales[topic.key]
            value = (float(np.log(entry.value) if topic.log else entry.value) - mean) / deviation
            value = min(max(value, -_FARTHEST), _FARTHEST)
            has_value = 1.0
        return [days / 365.25, *decays, value, has_value]
