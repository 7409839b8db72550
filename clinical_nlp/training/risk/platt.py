"""A fitted candidate with its Platt scaling: what gives a probability."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from clinical_nlp.training.risk.candidates import Candidate, Setting
from clinical_nlp.training.risk.dataset import Data
from clinical_nlp.training.risk.fit import platt
from clinical_nlp.training.risk.measures import Vector
from clinical_nlp.training.risk.nested import fit_best


@dataclass(frozen=True, slots=True)
class Calibrated:
    """A fitted candidate with its Platt line."""

    candidate: Candidate
    model: Any
    setting: Setting
    line: tuple[float, float]

    def probability(self, data: Data) -> Vector:
        """Calibrated probability of each example."""
        slope, shift = self.line
        z = slope * self.candidate.log_odds(self.model, data) + shift
        result: Vector = 1 / (1 + np.exp(-np.clip(z, -40.0, 40.0)))
        return result


def calibrated(candidate: Candidate, learnt: Data, held: Data, folds: int, seed: int) -> Calibrated:
    """Choose a setting and fit on ``learnt``, calibrate on ``held``.

    ``held`` are patients that neither the setting nor the fit has seen.
    """
    model, setting = fit_best(candidate, learnt, folds, seed)
    line = platt(held.outcome, candidate.log_odds(model, held), held.weight)
    return Calibrated(candidate, model, setting, line)
