"""The published risk bands: named ranges of 12-month probability.

The bounds, their reasons and their sources are data (``bands.toml``), a draft to be
confirmed by the clinicians of each service.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from clinical_nlp.artifacts import read_toml
from clinical_nlp.errors import ModelError


@dataclass(frozen=True, slots=True)
class Band:
    """One band of 12-month probability, ``lower <= p < upper``.

    Parameters
    ----------
    key
        Stable code, e.g. ``"raised"``; :attr:`RiskEstimate.band` holds it.
    name_es, name_en
        What a clinician reads ("aumentado").
    lower, upper
        Bounds of probability, 0..1; ``upper`` is the next band's ``lower``, and 1.0
        (inclusive) in the last one.
    reason, source
        Why the band starts at ``lower``, and the reference.
    mitigation_es
        What a clinician might consider, in Spanish.
    """

    key: str
    name_es: str
    name_en: str
    lower: float
    upper: float
    reason: str
    source: str
    mitigation_es: str


@dataclass(frozen=True, slots=True)
class Bands:
    """The scale: all bands, lowest first.

    Parameters
    ----------
    version
        Version of the scale.
    status
        ``"draft"`` until a clinical committee has confirmed it, then ``"active"``.
    horizon_days
        Prediction horizon of the bounds, in days.
    base_incidence
        New diagnoses per person-year in the source population (0..1).
    worklist_threshold
        Default probability (0..1) from which a patient enters the work list.
    """

    items: tuple[Band, ...]
    version: str
    status: str
    horizon_days: int
    base_incidence: float
    worklist_threshold: float

    def __iter__(self) -> Iterator[Band]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, key: str) -> Band:
        """Return the band with a key.

        Raises
        ------
        KeyError
            No band has that key.
        """
        for band in self.items:
            if band.key == key:
                return band
        raise KeyError(key)

    def of(self, probability: float) -> Band:
        """Return the band that holds a probability.

        Parameters
        ----------
        probability
            12-month probability, 0..1.

        Raises
        ------
        ModelError
            E431: the number is not a probability.
        """
        if not 0.0 <= probability <= 1.0:  # also refuses NaN
            raise ModelError(
                "E431",
                f"{probability!r} is not a probability, so it has no risk band: "
                "check the model's calibration and its output column",
            )
        return next(band for band in reversed(self.items) if probability >= band.lower)


def parse_bands(data: Mapping[str, Any]) -> Bands:
    """Parse and check the content of ``bands.toml``.

    Raises
    ------
    ModelError
        E432: bounds do not rise from 0, a key repeats, or a field is missing.
    """
    try:
        rows = list(data["band"])
        lowers = [float(row["lower"]) for row in rows]
        rising = all(a < b for a, b in itertools.pairwise([*lowers, 1.0]))
        if not rows or lowers[0] != 0.0 or not rising:
            raise ValueError("bounds must start at 0 and rise, all below 1")
        if len({row["key"] for row in rows}) != len(rows):
            raise ValueError("a key repeats")
        items = tuple(
            Band(**{**row, "lower": lower, "upper": upper})
            for row, lower, upper in zip(rows, lowers, [*lowers[1:], 1.0], strict=True)
        )
        return Bands(
            items=items,
            version=data["version"],
            status=data["status"],
            horizon_days=int(data["horizon_days"]),
            base_incidence=float(data["base_incidence"]["per_year"]),
            worklist_threshold={b.key: b.lower for b in items}[data["worklist_from"]],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(
            "E432", f"the risk bands cannot be read ({error}): correct clinical_nlp/risk/bands.toml"
        ) from error


@cache
def load_bands() -> Bands:
    """Load the bands shipped with the package."""
    return parse_bands(read_toml("clinical_nlp.risk", "bands.toml"))


def band_of(probability: float) -> Band:
    """Return the published band that a 12-month probability (0..1) falls in.

    Examples
    --------
    >>> band_of(0.15).name_es
    'alto'
    """
    return load_bands().of(probability)
