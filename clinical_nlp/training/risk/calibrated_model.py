"""A fitted candidate with its Platt scaling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from clinical_nlp.training.risk.arrays import Vector, inverse_logit
from clinical_nlp.training.risk.calibration import platt_scaling
from clinical_nlp.training.risk.candidates import Candidate, Setting
from clinical_nlp.training.risk.dataset import Data


@dataclass(frozen=True, slots=True)
class CalibratedModel:
    """A fitted candidate; ``line`` is slope and intercept of its Platt scaling."""

    candidate: Candidate
    model: Any
    setting: Setting
    line: tuple[float, float]

    def probability(self, data: Data) -> Vector:
        """Calibrated probability of each example."""
        slope, intercept = self.line
        z = slope * self.candidate.log_odds(self.model, data) + intercept
        return inverse_logit(z, bound=40.0)

    def refit_log_odds(self, train: Data, test: Data) -> Vector:
        """Log-odds of ``test`` by the same candidate and setting, fitted on ``train``."""
        return self.candidate.log_odds(self.candidate.fit(train, self.setting), test)


def fit_calibrated(
    candidate: Candidate, setting: Setting, train: Data, calibration: Data
) -> CalibratedModel:
    """Fit on ``train`` and calibrate on ``calibration``, patients that the fit has not seen."""
    model = candidate.fit(train, setting)
    log_odds = candidate.log_odds(model, calibration)
    line = platt_scaling(calibration.outcome, log_odds, calibration.weight)
    return CalibratedModel(candidate, model, setting, line)
