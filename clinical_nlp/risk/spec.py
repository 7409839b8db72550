"""What travels with a trained classifier so that it can be used and explained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from clinical_nlp.errors import ModelError
from clinical_nlp.risk.topics import FeatureTable


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """The part of a model that is not weights.

    Parameters
    ----------
    features
        Names of the columns, in order.
    table_digest
        Digest of the feature table that the model was trained with.
    reference
        Features of the reference patient (the training cohort's medians): reasons say
        what sets a patient apart from this one.
    horizon_days, gap_days
        The outcome is a first diagnosis from ``gap_days`` after the index day, for
        ``horizon_days``.
    min_age
        Youngest age (years) of the training cohort.
    cohort
        One sentence: on whom it was trained.
    pipeline
        Fingerprint of the spaCy pipeline that read the training notes.
    """

    features: tuple[str, ...]
    table_digest: str
    reference: tuple[float, ...]
    horizon_days: int
    gap_days: int
    min_age: int
    cohort: str
    pipeline: str

    def to_metadata(self) -> dict[str, Any]:
        """Plain values, as the MLmodel file keeps them."""
        return {**asdict(self), "features": list(self.features), "reference": list(self.reference)}

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, Any]) -> ModelSpec:
        """Read back what :meth:`to_metadata` wrote.

        Raises
        ------
        ModelError
            E415: something is missing.
        """
        try:
            values = {name: metadata[name] for name in cls.__slots__}
            values["features"] = tuple(values["features"])
            values["reference"] = tuple(float(v) for v in values["reference"])
            return cls(**values)
        except (KeyError, TypeError, ValueError):
            raise ModelError(
                "E415",
                "the model's metadata lack what scoring needs (features, reference patient, "
                "horizon): train it with 'clinical-nlp train risk'",
            ) from None

    def check(self, table: FeatureTable) -> None:
        """Refuse a feature table other than the model's own.

        Raises
        ------
        ModelError
            E416: features would be computed otherwise than the model learnt them.
        """
        if self.features != table.names or self.table_digest != table.digest:
            raise ModelError(
                "E416",
                "the model was trained with another feature table "
                f"({self.table_digest[:12]}, here {table.digest[:12]}): train it again with "
                "'clinical-nlp train risk', or use the version of this package it came with",
            )
