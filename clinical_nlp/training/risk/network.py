"""Trains the network over the timeline (``clinical_nlp.risk.sequence``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from clinical_nlp.risk.feature_table import FeatureTable
from clinical_nlp.risk.sequence import build_network, network_log_odds
from clinical_nlp.risk.timeline_encoding import EncodedTimelines, TimelineEncoder
from clinical_nlp.training.risk.arrays import Labels, Vector
from clinical_nlp.training.risk.dataset import Data
from clinical_nlp.training.risk.recipe import SequenceRecipe
from clinical_nlp.training.torch.epochs import EpochPlan, StepLoss
from clinical_nlp.training.torch.trainer import Trainer

if TYPE_CHECKING:
    import torch

#: Share of the patients held out for early stopping.
_HELD_OUT = 0.2

#: By how much the held-out log loss must fall to count as better.
_MIN_IMPROVEMENT = 1e-5

_BATCH = 128


@dataclass(frozen=True, slots=True)
class TrainedNetwork:
    """A network, its encoder, its shape for the model spec, and its epochs of training."""

    network: torch.nn.Module
    encoder: TimelineEncoder
    shape: dict[str, Any]
    epochs: int


@dataclass(frozen=True, slots=True)
class _Examples:
    """Encoded timelines with their outcomes and weights."""

    encoded: EncodedTimelines
    outcome: Labels
    weight: Vector

    def take(self, rows: npt.NDArray[np.int_]) -> _Examples:
        return _Examples(self.encoded.take(rows), self.outcome[rows], self.weight[rows])


class SequenceCandidate:
    """Time-aware attention over the entries of a timeline, in torch."""

    name = "sequence"

    def __init__(self, table: FeatureTable, recipe: SequenceRecipe, seed: int) -> None:
        # One setting: early stopping decides what is cross-validated in other families.
        self.settings: list[Mapping[str, float]] = [{"width": float(recipe.width)}]
        self._table = table
        self._recipe = recipe
        self._seed = seed

    def fit(self, data: Data, setting: Mapping[str, float]) -> TrainedNetwork:
        """Fit the network, with early stopping on held-out patients."""
        import torch

        torch.manual_seed(self._seed)
        generator = np.random.default_rng(self._seed)
        scales = self._scales(data)
        encoder = TimelineEncoder(self._table, scales)
        shape = {
            "vocabulary": len(encoder.vocabulary),
            "width": int(setting["width"]),
            "dropout": self._recipe.dropout,
            "scales": {key: list(scale) for key, scale in scales.items()},
        }
        network = build_network(shape)
        weight = data.weight / data.weight.mean()
        prevalence = float(np.average(data.outcome, weights=weight))
        with torch.no_grad():  # start from the prevalence: rare outcomes are slow to find it
            network.out.bias.fill_(float(np.log(prevalence / (1 - prevalence))))  # type: ignore[union-attr,operator]
            torch.nn.init.zeros_(network.fixed.weight)  # type: ignore[union-attr,arg-type]
            torch.nn.init.zeros_(network.fixed.bias)  # type: ignore[union-attr,arg-type]
        examples = _Examples(encoder.encode(data.timelines, data.features), data.outcome, weight)
        patients = np.unique(data.patients)
        held_out = generator.permutation(patients)[: max(1, int(_HELD_OUT * len(patients)))]
        is_held_out = np.isin(data.patients, held_out)
        epochs = self._train(
            network,
            examples.take(np.flatnonzero(~is_held_out)),
            examples.take(np.flatnonzero(is_held_out)),
            generator,
        )
        return TrainedNetwork(network, encoder, shape, epochs)

    def log_odds(self, model: TrainedNetwork, data: Data) -> Vector:
        """Uncalibrated log-odds."""
        encoded = model.encoder.encode(data.timelines, data.features)
        return network_log_odds(model.network, encoded)

    def _train(
        self,
        network: torch.nn.Module,
        examples: _Examples,
        held_out: _Examples,
        generator: np.random.Generator,
    ) -> int:
        """Train the network in place; return the number of epochs."""
        import torch
        from torch.nn.functional import binary_cross_entropy_with_logits

        def batches(epoch: int, first: int) -> Iterator[_Examples]:
            order = generator.permutation(len(examples.outcome))
            for start in range(first * _BATCH, len(order), _BATCH):
                yield examples.take(order[start : start + _BATCH])

        def backward(batch: _Examples) -> StepLoss:
            outcome = torch.from_numpy(batch.outcome.astype(np.float32))
            weight = torch.from_numpy(batch.weight.astype(np.float32))
            log_odds = network(*_trimmed(batch.encoded).tensors())
            losses = binary_cross_entropy_with_logits(log_odds, outcome, reduction="none")
            loss = (losses * weight).mean()
            torch.autograd.backward(loss)
            return StepLoss(loss.item())

        def evaluate() -> float:
            log_odds = network_log_odds(network, held_out.encoded)
            losses = np.logaddexp(0, log_odds) - held_out.outcome * log_odds
            return -float(np.average(losses, weights=held_out.weight))

        plan = EpochPlan(
            epochs=self._recipe.epochs,
            steps=-(-len(examples.outcome) // _BATCH),
            batches=batches,
            backward=backward,
            evaluate=evaluate,
            patience=self._recipe.patience,
            min_improvement=_MIN_IMPROVEMENT,
        )
        optimiser = torch.optim.AdamW(
            network.parameters(),
            lr=self._recipe.learning_rate,
            weight_decay=self._recipe.weight_decay,
        )
        return len(Trainer(network, [optimiser]).run_epochs(plan).losses)

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
    """Return the network's weights as arrays, their names with a prefix."""
    return {prefix + name: value.numpy() for name, value in network.state_dict().items()}


def _trimmed(encoded: EncodedTimelines) -> EncodedTimelines:
    """Drop the columns that are padding for the whole batch."""
    longest = max(1, int((encoded.concept > 0).sum(axis=1).max()))
    return EncodedTimelines(
        encoded.concept[:, :longest],
        encoded.state[:, :longest],
        encoded.numbers[:, :longest],
        encoded.fixed,
    )
