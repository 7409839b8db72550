"""Metadata of a trained model: what scoring and explaining need besides weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from clinical_nlp.errors import ModelError
from clinical_nlp.risk.feature_table import FeatureTable

#: Families of classifier that can be shipped, simplest first.
FAMILIES = ("logistic", "boosting", "sequence")

#: A line on the log-odds: slope and intercept.
Line = tuple[float, float]

#: Values that older models lack.
_OPTIONAL = ("bounds", "usual")

_TUPLES = ("features", "reference", "calibration", "recalibration")


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """Metadata of a trained model.

    Parameters
    ----------
    features
        Names of the columns, in order.
    table_digest
        Digest of the feature table that the model was trained with.
    reference
        The training cohort's medians. Reasons compare with a person of the patient's own age
        and sex instead (``clinical_nlp/risk/reference.toml``).
    horizon_days, gap_days
        The outcome is a first diagnosis from ``gap_days`` after the index day, for
        ``horizon_days``.
    min_age, max_age
        Youngest age that the recipe admits, and oldest of the training cohort (years).
    cohort
        One sentence on the training cohort.
    pipeline
        Fingerprint of the spaCy pipeline that processed the training notes.
    family
        One of :data:`FAMILIES`.
    calibration
        Platt scaling of the classifier's log-odds: slope and intercept.
    recalibration
        Slope and intercept set by ``clinical-nlp recalibrate``, applied after
        ``calibration``.
    prevalence
        Share of the outcome among the training cohort's index days, weighted (0..1).
    interval_level
        Level of the interval around an estimate, e.g. 0.95.
    network
        Shape of the sequence model's network; empty in other families.
    bounds
        Lowest and highest value of each column that the model was trained on; what lies
        outside is taken as the bound. Empty in models trained before bounds were kept.
    usual
        The log-odds of the outcome by age and sex alone, refitted on the same cohort: weight
        of each column of the topics ``age`` and ``male``, and ``"intercept"``. Empty in models
        trained before it was kept.
    """

    features: tuple[str, ...]
    table_digest: str
    reference: tuple[float, ...]
    horizon_days: int
    gap_days: int
    min_age: int
    cohort: str
    pipeline: str
    max_age: int
    prevalence: float
    family: str = "logistic"
    calibration: Line = (1.0, 0.0)
    recalibration: Line = (1.0, 0.0)
    interval_level: float = 0.95
    network: Mapping[str, Any] = field(default_factory=dict)
    bounds: tuple[tuple[float, float], ...] = ()
    usual: Mapping[str, float] = field(default_factory=dict)

    def to_metadata(self) -> dict[str, Any]:
        """Return plain values for the MLmodel file."""
        values = asdict(self)
        lists = {name: list(values[name]) for name in _TUPLES}
        return {**values, **lists, "bounds": [list(pair) for pair in self.bounds]}

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, Any]) -> ModelSpec:
        """Build a spec from the values of :meth:`to_metadata`.

        Raises
        ------
        ModelError
            E415: a value is missing or of a wrong type.
        """
        try:
            values = {name: metadata[name] for name in cls.__slots__ if name not in _OPTIONAL}
            values["features"] = tuple(values["features"])
            values["reference"] = tuple(float(v) for v in values["reference"])
            for name in ("calibration", "recalibration"):
                slope, intercept = values[name]
                values[name] = (float(slope), float(intercept))
            values["network"] = dict(values["network"])
            pairs = ((float(low), float(high)) for low, high in metadata.get("bounds", ()))
            values["bounds"] = tuple(pairs)
            usual = metadata.get("usual", {})
            values["usual"] = {name: float(weight) for name, weight in usual.items()}
            if len(values["bounds"]) not in (0, len(values["features"])):
                raise ValueError("bounds")
            return cls(**values)
        except (AttributeError, KeyError, TypeError, ValueError):
            raise ModelError(
                "E415",
                "the model's metadata lack what scoring needs (features, medians, "
                "horizon): train it with 'clinical-nlp train risk'",
            ) from None

    def check(self, table: FeatureTable) -> None:
        """Check that the feature table is the model's own.

        Raises
        ------
        ModelError
            E416: the table differs from that of training.
        """
        if self.features != table.names or self.table_digest != table.digest:
            raise ModelError(
                "E416",
                "the model was trained with another feature table "
                f"({self.table_digest[:12]}, here {table.digest[:12]}): train it again with "
                "'clinical-nlp train risk', or use the version of this package it came with",
            )
