"""Trains the network over the timeline (``clinical_nlp.risk.sequence``)."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from clinical_nlp.risk.feature_table import FeatureTable
from clinical_nlp.risk.sequence import build_network, network_log_odds
from clinical_nlp.risk.timeline_encoding import EncodedTimelines, TimelineEncoder
from clinical_nlp.training.risk.dataset import Data
from clinical_nlp.training.risk.measures import Labels, Vector
from clinical_nlp.training.risk.recipe import SequenceRecipe

if TYPE_CHECKING:
    import torch

#: Share of the patients held out of the gradient to know when to stop.
_HELD_OUT = 0.2

_BATCH = 128


@dataclass(frozen=True, slots=True)
class TrainedNetwork:
    """A network, how it encodes, and its shape as the spec keeps it."""

    network: torch.nn.Module
    encoder: TimelineEncoder
    shape: dict[str, Any]
    epochs: int


class SequenceCandidate:
    """Time-aware attention over the entries of a timeline, in torch."""

    name = "sequence"

    def __init__(self, table: FeatureTable, recipe: SequenceRecipe, seed: int) -> None:
        # One setting: what the other families cross-validate, early stopping decides here.
        self.settings: list[Mapping[str, float]] = [{"width": float(recipe.width)}]
        self._table = table
        self._recipe = recipe
        self._seed = seed

    def fit(self, data: Data, setting: Mapping[str, float]) -> TrainedNetwork:
        """Fit ``data``, stopping when patients held out of it are predicted no better."""
        import torch

        torch.manual_seed(self._seed)
        generator = np.random.default_rng(self._seed)
        encoder = TimelineEncoder(self._table, self._scales(data))
        shape = {
            "vocabulary": len(encoder.vocabulary),
            "width": int(setting["width"]),
            "dropout": self._recipe.dropout,
            "scales": {key: list(scale) for key, scale in self._scales(data).items()},
        }
        network = build_network(shape)
        weight = data.weight / data.weight.mean()
        share = float(np.average(data.outcome, weights=weight))
        with torch.no_grad():  # start from the prevalence: rare outcomes are slow to find it
            network.out.bias.fill_(float(np.log(share / (1 - share))))  # type: ignore[union-attr,operator]
            torch.nn.init.zeros_(network.fixed.weight)  # type: ignore[union-attr,arg-type]
            torch.nn.init.zeros_(network.fixed.bias)  # type: ignore[union-attr,arg-type]
        encoded = encoder.encode(data.timelines, data.features)
        people = np.unique(data.patients)
        held = set(generator.permutation(people)[: max(1, int(_HELD_OUT * len(people)))].tolist())
        outside = np.array([str(p) in held for p in data.patients])
        epochs = self._train(network, encoded, data.outcome, weight, outside, generator)
        return TrainedNetwork(network, encoder, shape, epochs)

    def log_odds(self, model: TrainedNetwork, data: Data) -> Vector:
        """Uncalibrated log-odds."""
        encoded = model.encoder.encode(data.timelines, data.features)
        return network_log_odds(model.network, encoded)

    def _train(
        self,
        network: torch.nn.Module,
        encoded: EncodedTimelines,
        outcome: Labels,
        weight: Vector,
        outside: npt.NDArray[np.bool_],
        generator: np.random.Generator,
    ) -> int:
        import torch

        loss_of = torch.nn.BCEWithLogitsLoss(reduction="none")
        optimiser = torch.optim.AdamW(
            network.parameters(),
            lr=self._recipe.learning_rate,
            weight_decay=self._recipe.weight_decay,
        )
        rows, judged = np.flatnonzero(~outside), np.flatnonzero(outside)
        judge = encoded.take(judged)
        best, kept, patience, done = np.inf, copy.deepcopy(network.state_dict()), 0, 0
        while done < self._recipe.epochs and patience < self._recipe.patience:
            done += 1
            network.train()
            order = generator.permutation(rows)
            for start in range(0, len(order), _BATCH):
                some = order[start : start + _BATCH]
                predicted = network(*_trimmed(encoded.take(some)).tensors())
                wanted = torch.from_numpy(outcome[some].astype(np.float32))
                weights = torch.from_numpy(weight[some].astype(np.float32))
                loss = (loss_of(predicted, wanted) * weights).mean()
                optimiser.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
                optimiser.step()
            found = _loss(network_log_odds(network, judge), outcome[judged], weight[judged])
            if found < best - 1e-5:
                best, kept, patience = found, copy.deepcopy(network.state_dict()), 0
            else:
                patience += 1
        network.load_state_dict(kept)
        return done

    def _scales(self, data: Data) -> dict[str, tuple[float, float]]:
        """Mean and deviation of each measurement, from the examples that have one."""
        names = list(self._table.names)
        scales = {}
        for topic in self._table.topics:
            if topic.measured:
                values = data.features[:, names.index(topic.key)]
                values = values[~np.isnan(values)]
                if len(values) > 1 and values.std() > 0:
                    scales[topic.key] = (float(values.mean()), float(values.std()))
        return scales


def weights_of(network: torch.nn.Module, prefix: str) -> dict[str, npt.NDArray[np.float32]]:
    """The network's weights as arrays, names with a prefix."""
    return {prefix + name: value.numpy() for name, value in network.state_dict().items()}


def _trimmed(encoded: EncodedTimelines) -> EncodedTimelines:
    """Drop the columns that nobody in a batch fills."""
    longest = max(1, int((encoded.concept > 0).sum(axis=1).max()))
    return EncodedTimelines(
        encoded.concept[:, :longest],
        encoded.state[:, :longest],
        encoded.numbers[:, :longest],
        encoded.fixed,
    )


def _loss(log_odds: Vector, outcome: Labels, weight: Vector) -> float:
    losses = np.logaddexp(0, log_odds) - outcome * log_odds
    return float(np.average(losses, weights=weight))
