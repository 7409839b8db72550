"""A network over the timeline itself: time-aware attention over its entries.

Each entry (concept, source, presence, value, age) is embedded. An attention weight that
decays with time, at a rate learnt for each concept, says how much it counts (after Choi et
al., RETAIN, NeurIPS 2016, and Bai et al., KDD 2018). Weights are not normalised over entries,
because the number of mentions of a sign is informative. Age, sex and contacts are added
linearly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from clinical_nlp.errors import ModelError
from clinical_nlp.risk.feature_table import FeatureTable, Topic
from clinical_nlp.risk.features import Matrix
from clinical_nlp.risk.model_artifacts import NETWORK
from clinical_nlp.risk.model_spec import ModelSpec
from clinical_nlp.risk.reference_person import normal_entry
from clinical_nlp.risk.shapley import shapley
from clinical_nlp.risk.timeline import Entry, Timeline
from clinical_nlp.risk.timeline_encoding import (
    DEMOGRAPHICS,
    NUMBERS,
    STATES,
    EncodedTimelines,
    TimelineEncoder,
)

if TYPE_CHECKING:
    import torch

_BATCH = 512


def build_network(shape: Mapping[str, Any]) -> torch.nn.Module:
    """Build the network with fresh weights.

    Parameters
    ----------
    shape
        ``vocabulary`` (number of concepts), ``width`` and ``dropout``.
    """
    import torch
    from torch import nn

    class Network(nn.Module):
        """See the module's docstring. Attribute names are those of saved weights."""

        def __init__(self) -> None:
            super().__init__()
            concepts, width = int(shape["vocabulary"]) + 1, int(shape["width"])
            self.concept = nn.Embedding(concepts, width, padding_idx=0)
            self.state = nn.Embedding(1 + STATES, width, padding_idx=0)
            self.number = nn.Linear(NUMBERS, width)
            self.fade = nn.Embedding(concepts, 1)
            self.keep = nn.Linear(width, 1)
            self.drop = nn.Dropout(float(shape["dropout"]))
            self.mix = nn.Linear(width, width)
            self.out = nn.Linear(width, 1)
            self.fixed = nn.Linear(len(DEMOGRAPHICS), 1)
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
            mask = (concept > 0).unsqueeze(-1)
            hidden = torch.tanh(self.concept(concept) + self.state(state) + self.number(numbers))
            decay = torch.exp(-nn.functional.softplus(self.fade(concept)) * numbers[..., :1])
            attention = torch.sigmoid(self.keep(hidden)) * decay * mask
            pooled = torch.asinh((attention * hidden).sum(dim=1))
            residual = pooled + torch.relu(self.mix(self.drop(pooled)))
            log_odds: torch.Tensor = self.out(self.drop(residual)) + self.fixed(fixed)
            return log_odds.squeeze(-1)

    return Network()


def network_log_odds(network: torch.nn.Module, encoded: EncodedTimelines) -> Matrix:
    """Log-odds by patient, without gradients: shape (patients,)."""
    import torch

    network.eval()
    log_odds = [np.empty(0)]
    with torch.inference_mode():
        for start in range(0, len(encoded.concept), _BATCH):
            batch = encoded.take(np.arange(start, min(start + _BATCH, len(encoded.concept))))
            log_odds.append(network(*batch.tensors()).double().numpy())
    return np.concatenate(log_odds)


class SequenceClassifier:
    """Log-odds and topic-wise Shapley values of a trained network.

    Parameters
    ----------
    tensors
        The network's weights; their names begin with ``network.``.
    spec
        ``spec.network`` is the network's shape.
    table
        The feature table.

    Raises
    ------
    ModelError
        E414: the weights do not fit the shape.
    """

    def __init__(
        self,
        tensors: Mapping[str, npt.NDArray[np.floating[Any]]],
        spec: ModelSpec,
        table: FeatureTable,
    ) -> None:
        import torch

        self._slope, self._intercept = spec.calibration
        self._topics = table.topics
        self._column = {name: column for column, name in enumerate(table.names)}
        weights = {
            name.removeprefix(NETWORK): torch.from_numpy(np.array(values, dtype=np.float32))
            for name, values in tensors.items()
            if name.startswith(NETWORK)
        }
        try:
            scales = {k: (float(m), float(s)) for k, (m, s) in spec.network["scales"].items()}
            self._encoder = TimelineEncoder(table, scales)
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
        return self._calibrated(self._encoder.encode(_required(timelines), features))

    def members(self, features: Matrix, timelines: Sequence[Timeline] | None = None) -> Matrix:
        """No bootstrap members: shape (patients, 0)."""
        return np.empty((len(features), 0))

    def contributions(
        self,
        features: Matrix,
        reference: Matrix,
        timelines: Sequence[Timeline] | None = None,
    ) -> Matrix:
        """Log-odds that each topic adds to those of the patient's reference person.

        That person has no entries but normal values where the patient was measured.

        Parameters
        ----------
        features, reference
            Rows of the patients and of their reference persons, shape (patients, features);
            age, sex and contacts are the same in both.

        Returns
        -------
        ndarray of shape (patients, features)
            A topic's value is in the column of its first feature; only sums over a topic
            are meaningful.
        """
        contributions = np.zeros(features.shape)
        for row, timeline in enumerate(_required(timelines)):
            for column, value in self._topic_values(features[row], timeline).items():
                contributions[row, column] = value
        return contributions

    def _topic_values(self, features: Matrix, timeline: Timeline) -> dict[int, float]:
        """Shapley value of each topic by the column of its first feature."""
        entries = self._encoder.newest_entries(timeline)
        topics = [t for t in self._topics if any(e.concept in t.concepts for e in entries)]
        normal = {t.key: _normal_entries(entries, t, timeline) for t in topics if t.measured}
        fixed = features[[self._column[name] for name in DEMOGRAPHICS]]

        def coalition_log_odds(masks: npt.NDArray[np.bool_]) -> Matrix:
            patients = []
            for mask in masks:
                present = {t.key for t, own in zip(topics, mask, strict=True) if own}
                chosen = [e for t in topics if t.key in present for e in _of(entries, t)]
                for key, replaced in normal.items():
                    chosen += () if key in present else replaced
                patients.append((timeline, chosen))
            rows = np.tile(np.nan_to_num(fixed), (len(masks), 1)).astype(np.float32)
            return self._calibrated(self._encoder.encode_entries(patients, rows))

        values = shapley(coalition_log_odds, len(topics))
        columns = [self._column[next(iter(topic.features))] for topic in topics]
        return dict(zip(columns, values.tolist(), strict=True))

    def _calibrated(self, encoded: EncodedTimelines) -> Matrix:
        return self._slope * network_log_odds(self._network, encoded) + self._intercept


def _of(entries: Sequence[Entry], topic: Topic) -> list[Entry]:
    return [e for e in entries if e.concept in topic.concepts]


def _normal_entries(entries: Sequence[Entry], topic: Topic, timeline: Timeline) -> list[Entry]:
    """The reference person's measurements of a topic: as many, and normal."""
    return [replace(e, value=normal_entry(e, topic, timeline.sex)) for e in _of(entries, topic)]


def _required(timelines: Sequence[Timeline] | None) -> Sequence[Timeline]:
    if timelines is None:
        raise ModelError(
            "E418",
            "this model reads timelines and cannot score rows of features: "
            "give it the patients' records",
        )
    return timelines
