"""Predictions that two models can be compared by, and nobody be found by.

No key is kept of any patient, salted or not: who has a list of ids and the salt could hash them
all. Rows stand in an order that their content alone decides, so that another model's run on the
same cohort gives the same order, and a list of ids gives nothing. Strata are coarse, and not given
where fewer than :data:`SMALLEST` patients share them.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from clinical_nlp.risk.feature_table import FeatureTable
from clinical_nlp.risk.timeline import Timeline
from clinical_nlp.training.risk.arrays import Vector
from clinical_nlp.training.risk.dataset import Data
from clinical_nlp.training.risk.subgroups import group_keys

#: Fewest patients with the same strata for these to be given.
SMALLEST = 5
#: Level of a stratum that is withheld (the file format's word).
WITHHELD = "not told"
#: Strata in the order in which they are given up.
_GIVEN_UP = ("language", "care_seeking", "notes", "age_band", "sex")


def unlinkable_predictions(
    data: Data,
    languages: Sequence[str],
    probability: Vector,
    table: FeatureTable,
    baselines: Mapping[str, Vector] | None = None,
) -> dict[str, Any]:
    """Return the content of ``predictions.json``: no ids, keys, dates, words or exact ages.

    Parameters
    ----------
    baselines
        Other models' probabilities of the same rows, by digest; those may have been trained
        on these patients.

    Returns
    -------
    dict
        ``columns``: ``patient`` (numbers from 0, in order of rows), ``outcome``, ``weight``,
        ``probability`` and coarse strata; ``rivals``: ``baselines`` in the same order; ``cohort``:
        digest of all rows together, equal for two models on the same rows; ``suppressed``: rows
        with a stratum that is withheld.
    """
    keys = _row_keys(data)
    rows_of: defaultdict[str, list[int]] = defaultdict(list)
    for row, patient in enumerate(data.patients.tolist()):
        rows_of[patient].append(row)
    people = sorted(
        (sorted(rows, key=lambda row: (keys[row], row)) for rows in rows_of.values()),
        key=lambda rows: [keys[row] for row in rows],
    )
    numbers = [number for number, rows in enumerate(people) for _ in rows]
    order = np.array([row for rows in people for row in rows], dtype=np.int_)
    levels = group_keys(data.timelines, languages, table)
    strata = {name: [levels[name][row] for row in order.tolist()] for name in levels}
    given = give_common_strata(strata, numbers)
    hidden = sum(WITHHELD in row for row in zip(*given.values(), strict=True))
    digest = hashlib.sha256(b"".join(keys[row] for row in order.tolist())).hexdigest()
    return {
        "cohort": digest,
        "suppressed": {"smallest": SMALLEST, "rows": hidden},
        "columns": {
            "patient": numbers,
            "outcome": data.outcome[order].tolist(),
            "weight": _rounded(data.weight[order], 3),
            "probability": _rounded(probability[order], 6),
            **given,
        },
        "rivals": {
            digest: _rounded(values[order], 6) for digest, values in (baselines or {}).items()
        },
    }


def give_common_strata(
    strata: Mapping[str, Sequence[str]], patients: Sequence[int]
) -> dict[str, list[str]]:
    """Give strata up, one after the other, until enough patients share the rest.

    Parameters
    ----------
    strata
        Level of each row by stratum.
    patients
        Whose each row is.
    """
    names = list(strata)
    given = {name: list(levels) for name, levels in strata.items()}
    for name in (None, *(given_up for given_up in _GIVEN_UP if given_up in given)):
        sharing: defaultdict[tuple[str, ...], set[int]] = defaultdict(set)
        combined = list(zip(*(given[each] for each in names), strict=True))
        for combination, patient in zip(combined, patients, strict=True):
            sharing[combination].add(patient)
        for row, combination in enumerate(combined):
            if name is not None and len(sharing[combination]) < SMALLEST:
                given[name][row] = WITHHELD
    return given


def _row_keys(data: Data) -> list[bytes]:
    """Hash what the models were given of each row; neither the id nor a date is in it."""
    # Whole decimals: the last bits of a feature may differ between machines.
    features = np.nan_to_num(np.round(data.features, 6), nan=-1e9)
    return [
        hashlib.sha256(
            f"{outcome}|{weight:.3f}|{_history(timeline)}|".encode() + row.tobytes()
        ).digest()
        for row, timeline, outcome, weight in zip(
            features,
            data.timelines,
            data.outcome.tolist(),
            data.weight.tolist(),
            strict=True,
        )
    ]


def _history(timeline: Timeline) -> str:
    """What was known and how many days before; it separates rows of equal features."""
    days = (
        ("" if e.day is None else (timeline.as_of - e.day).days, e.concept)
        for e in timeline.entries
    )
    return ",".join(f"{day}:{concept}" for day, concept in days)


def _rounded(values: Vector, decimals: int) -> list[float]:
    return [round(value, decimals) for value in values.tolist()]
