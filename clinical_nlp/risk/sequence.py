"""A small network over the timeline itself: time-aware attention over its entries.

Each entry (concept, source, presence, value, how long ago) is embedded; an attention weight
that fades with time, at a pace learnt for each concept, says how much of it is kept (after
Choi et al., RETAIN, NeurIPS 2016, and Bai et al., KDD 2018, who let attention decay with
time). Weights are not normalised over entries, because how often a sign was noted is part of
what it says. Age, sex and how often the patient is seen enter beside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from clinical_nlp.errors import ModelError
from clinical_nlp.risk.feature_table import FeatureTable, Topic
from clinical_nlp.risk.features import Matrix
from clinical_nlp.risk.model_artifacts import NETWORK
from clinical_nlp.risk.model_spec import ModelSpec
from clinical_nlp.risk.shapley import shapley
from clinical_nlp.risk.timeline import Entry, Origin, Presence, Timeline

if TYPE_CHECKING:
    import torch

#: Newest entries that the network reads of one patient.
MAX_ENTRIES = 160

#: Days of the three clocks that each entry's age is told by.
_CLOCKS = (30.0, 180.0, 730.0)

_PRESENCES = list(Presence)
_BATCH = 512


@dataclass(frozen=True, slots=True)
class Encoded:
    """Timelines as arrays.

    Parameters
    ----------
    concept, state
        Shape (patients, entries), 0 where there is no entry: which concept of the
        vocabulary, and which of source and presence.
    numbers
        Shape (patients, entries, 6): years ago, the three clocks, the standardised value,
        and whether there is one.
    fixed
        Shape (patients, 4): age, male, notes, contacts.
    """

    concept: npt.NDArray[np.int64]
    state: npt.NDArray[np.int64]
    numbers: npt.NDArray[np.float32]
    fixed: npt.NDArray[np.float32]

    def take(self, rows: npt.NDArray[np.int_]) -> Encoded:
        """Keep some patients."""
        return Encoded(self.concept[rows], self.state[rows], self.numbers[rows], self.fixed[rows])


class Encoder:
    """Turns timelines into arrays, always by the same vocabulary and scales.

    Parameters
    ----------
    table
        Its concepts are the vocabulary: none of them tells the diagnosis.
    scales
        Mean and standard deviation of each measured topic's transformed values.
    """

    def __init__(self, table: FeatureTable, scales: Mapping[str, tuple[float, float]]) -> None:
        self._table = table
        self._scales = scales
        self._topic: dict[str, Topic] = {
            concept: topic for topic in table.topics for concept in topic.concepts
        }
        self.vocabulary = {concept: i + 1 for i, concept in enumerate(sorted(self._topic))}
        self._fixed = [table.names.index(n) for n in ("age", "male", "notes", "contacts")]

    def kept(self, timeline: Timeline) -> list[Entry]:
        """The newest entries that the vocabulary holds."""
        known = [e for e in timeline.entries if e.concept in self._topic and e.day is not None]
        return known[-MAX_ENTRIES:]

    def encode(self, timelines: Sequence[Timeline], features: Matrix) -> Encoded:
        """Encode patients; ``features`` are their rows of the feature table."""
        fixed = np.nan_to_num(features[:, self._fixed]).astype(np.float32)
        return self.arrays([(t, self.kept(t)) for t in timelines], fixed)

    def arrays(
        self,
        patients: Sequence[tuple[Timeline, Sequence[Entry]]],
        fixed: npt.NDArray[np.float32],
    ) -> Encoded:
        """Encode chosen entries of each patient."""
        longest = max((len(entries) for _, entries in patients), default=0) or 1
        concept = np.zeros((len(patients), longest), dtype=np.int64)
        state = np.zeros((len(patients), longest), dtype=np.int64)
        numbers = np.zeros((len(patients), longest, 6), dtype=np.float32)
        for row, (timeline, entries) in enumerate(patients):
            for column, entry in enumerate(entries):
                concept[row, column] = self.vocabulary[entry.concept]
                state[row, column] = (
                    1
                    + _PRESENCES.index(entry.presence)
                    + len(_PRESENCES) * (entry.origin is Origin.STRUCTURED)
                )
                numbers[row, column] = self._numbers(entry, timeline)
        return Encoded(concept, state, numbers, fixed)

    def _numbers(self, entry: Entry, timeline: Timeline) -> list[float]:
        days = float((timeline.as_of - entry.day).days) if entry.day else 0.0
        clocks = [float(np.exp(-days / clock)) for clock in _CLOCKS]
        value, told = 0.0, 0.0
        topic = self._topic[entry.concept]
        low, high = topic.plausible
        if topic.key in self._scales and entry.value is not None and low <= entry.value <= high:
            mean, deviation = self._scales[topic.key]
            value = (float(np.log(entry.value) if topic.log else entry.value) - mean) / deviation
            told = 1.0
        return [days / 365.25, *clocks, value, told]


def build_network(shape: Mapping[str, Any]) -> torch.nn.Module:
    """Make the network, with fresh weights.

    Parameters
    ----------
    shape
        ``vocabulary`` (number of concepts), ``width`` and ``dropout``.
    """
    import torch
    from torch import nn

    class Network(nn.Module):
        """See the module's text."""

        def __init__(self) -> None:
            super().__init__()
            concepts, width = int(shape["vocabulary"]) + 1, int(shape["width"])
            self.concept = nn.Embedding(concepts, width, padding_idx=0)
            self.state = nn.Embedding(1 + 2 * len(_PRESENCES), width, padding_idx=0)
            self.number = nn.Linear(6, width)
            self.fade = nn.Embedding(concepts, 1)
            self.keep = nn.Linear(width, 1)
            self.drop = nn.Dropout(float(shape["dropout"]))
            self.mix = nn.Linear(width, width)
            self.out = nn.Linear(width, 1)
            self.fixed = nn.Linear(4, 1)
            nn.init.normal_(self.concept.weight, std=0.3)
            nn.init.normal_(self.state.weight, std=0.3)
            nn.init.zeros_(self.fade.weight)
            nn.init.zeros_(self.out.weight)

        def forward(
            self,
            concept: torch.Tensor,
            state: torch.Tensor,
            numbers: torch.Tensor,
            fixed: torch.Tensor,
        ) -> torch.Tensor:
            """Log-odds by patient: shape (patients,)."""
            seen = (concept > 0).unsqueeze(-1)
            hidden = torch.tanh(self.concept(concept) + self.state(state) + self.number(numbers))
            fade = torch.exp(-nn.functional.softplus(self.fade(concept)) * numbers[..., :1])
            weight = torch.sigmoid(self.keep(hidden)) * fade * seen
            pooled = torch.asinh((weight * hidden).sum(dim=1))
            mixed = pooled + torch.relu(self.mix(self.drop(pooled)))
            total: torch.Tensor = self.out(self.drop(mixed)) + self.fixed(fixed)
            return total.squeeze(-1)

    return Network()


def network_log_odds(network: torch.nn.Module, encoded: Encoded) -> Matrix:
    """Log-odds by patient, without gradients: shape (patients,)."""
    import torch

    network.eval()
    parts = [np.empty(0)]
    with torch.inference_mode():
        for start in range(0, len(encoded.concept), _BATCH):
            some = encoded.take(np.arange(start, min(start + _BATCH, len(encoded.concept))))
            parts.append(network(*tensors_of(some)).double().numpy())
    return np.concatenate(parts)


def tensors_of(encoded: Encoded) -> tuple[torch.Tensor, ...]:
    """The arrays as the network takes them."""
    import torch

    arrays = (encoded.concept, encoded.state, encoded.numbers, encoded.fixed)
    return tuple(torch.from_numpy(np.ascontiguousarray(array)) for array in arrays)


class SequenceClassifier:
    """Log-odds and topic-wise Shapley values of a trained network.

    Parameters
    ----------
    tensors
        The network's weights, names beginning with ``network.``.
    spec
        Its shape is ``spec.network``.
    table
        The feature table.

    Raises
    ------
    ModelError
        E414: the weights are not those of the shape.
    """

    def __init__(
        self,
        tensors: Mapping[str, npt.NDArray[np.floating[Any]]],
        spec: ModelSpec,
        table: FeatureTable,
    ) -> None:
        import torch

        self._slope, self._shift = spec.calibration
        self._table = table
        self._reference = np.array(spec.reference, dtype=np.float64)
        weights = {
            name.removeprefix(NETWORK): torch.from_numpy(np.array(values, dtype=np.float32))
            for name, values in tensors.items()
            if name.startswith(NETWORK)
        }
        try:
            scales = {k: (float(m), float(s)) for k, (m, s) in spec.network["scales"].items()}
            self._encoder = Encoder(table, scales)
            self._network = build_network(spec.network)
            self._network.load_state_dict(weights)
        except (KeyError, TypeError, ValueError, RuntimeError):
            raise ModelError(
                "E414",
                "the model's network does not fit its weights: train it with "
                "'clinical-nlp train risk'",
            ) from None

    def log_odds(self, features: Matrix, timelines: Sequence[Timeline] | None = None) -> Matrix:
        """Log-odds of the outcome: shape (patients,)."""
        encoded = self._encoder.encode(self._needed(timelines), features)
        return self._calibrated(encoded)

    def members(self, features: Matrix, timelines: Sequence[Timeline] | None = None) -> Matrix:
        """No bootstrap member: shape (patients, 0)."""
        return np.empty((len(features), 0))

    def contributions(
        self, features: Matrix, timelines: Sequence[Timeline] | None = None
    ) -> Matrix:
        """Log-odds that each topic adds to the reference patient's, who has no entry.

        A topic's value stands in its first feature: only sums over a topic mean something.
        """
        told = np.zeros(features.shape)
        names = list(self._table.names)
        for number, timeline in enumerate(self._needed(timelines)):
            entries = self._encoder.kept(timeline)
            who = [t for t in self._table.topics if t.kind == "demographic"]
            spoken = [
                t for t in self._table.topics if any(e.concept in t.concepts for e in entries)
            ]
            topics = [*who, *spoken]
            fixed = np.array([names.index(t.key) for t in who])

            def value(
                masks: npt.NDArray[np.bool_],
                number: int = number,
                timeline: Timeline = timeline,
                entries: list[Entry] = entries,
                topics: list[Topic] = topics,
                fixed: npt.NDArray[np.int_] = fixed,
            ) -> Matrix:
                chosen = []
                rows = np.tile(self._reference[fixed], (len(masks), 1))
                for row, mask in enumerate(masks):
                    rows[row, mask[: len(fixed)]] = features[number, fixed][mask[: len(fixed)]]
                    kept = {
                        key
                        for topic, on in zip(topics, mask, strict=True)
                        if on
                        for key in topic.concepts
                    }
                    chosen.append((timeline, [e for e in entries if e.concept in kept]))
                return self._calibrated(
                    self._encoder.arrays(chosen, np.nan_to_num(rows).astype(np.float32))
                )

            for topic, share in zip(topics, shapley(value, len(topics)), strict=True):
                told[number, names.index(next(iter(topic.features)))] = share
        return told

    def _calibrated(self, encoded: Encoded) -> Matrix:
        return self._slope * network_log_odds(self._network, encoded) + self._shift

    @staticmethod
    def _needed(timelines: Sequence[Timeline] | None) -> Sequence[Timeline]:
        if timelines is None:
            raise ModelError(
                "E418",
                "this model reads timelines and cannot score rows of features: "
                "give it the patients' records",
            )
        return timelines
