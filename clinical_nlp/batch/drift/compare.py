"""Compares two batches: what the model was given, what it said, what was left out."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from clinical_nlp.batch.drift.stability import Stability, stability
from clinical_nlp.errors import InputError


class Level(IntEnum):
    """How much a distribution moved, beyond chance."""

    STABLE = 0
    MODERATE = 1
    MAJOR = 2


@dataclass(frozen=True, slots=True)
class Moved:
    """One number's move: its name, whether a feature or the output, and how far."""

    name: str
    kind: str
    stability: Stability
    level: Level


@dataclass(frozen=True, slots=True)
class Drift:
    """What two batches differ in.

    Parameters
    ----------
    before, after
        ``run.json`` of each.
    moved
        Every feature and the score, furthest first.
    notes
        Sentences: another model, another pipeline, and the like.
    """

    before: Mapping[str, Any]
    after: Mapping[str, Any]
    moved: tuple[Moved, ...]
    notes: tuple[str, ...]

    @property
    def level(self) -> Level:
        """The worst of all."""
        return max((one.level for one in self.moved), default=Level.STABLE)


@lru_cache(maxsize=1)
def settings() -> Mapping[str, Any]:
    """Thresholds and bins of ``drift.toml``."""
    text = resources.files("clinical_nlp.batch.drift").joinpath("drift.toml").read_text("utf-8")
    return tomllib.loads(text)


def compare_batches(before: Path, after: Path) -> Drift:
    """Compare two folders that the batch wrote.

    Raises
    ------
    InputError
        E273: a folder lacks what the batch writes. E274: too few scored patients.
    """
    runs, features, estimates = zip(*(_read(folder) for folder in (before, after)), strict=True)
    wanted = int(settings()["min_patients"])
    for folder, table in zip((before, after), features, strict=True):
        if table.num_rows < wanted:
            raise InputError(
                "E274",
                f"the batch in '{folder.name}' scored {table.num_rows} patients, and {wanted} are "
                "the fewest that say anything: compare larger batches.",
            )
    moved = [
        _moved("probability", "output", *(_column(table, "probability") for table in estimates)),
        *(
            _moved(name, "input", _column(estimates[0], name), _column(estimates[1], name))
            for name in ("notes", "findings")
        ),
    ]
    shared = [name for name in features[0].column_names if name in features[1].column_names]
    moved += [
        _moved(name, "feature", _column(features[0], name), _column(features[1], name))
        for name in shared
        if name != "patient_id"
    ]
    ranked = sorted(moved, key=lambda one: (-one.level, -one.stability.index, one.name))
    return Drift(runs[0], runs[1], tuple(ranked), tuple(_notes(*runs)))


def _read(folder: Path) -> tuple[dict[str, Any], pa.Table, pa.Table]:
    try:
        run = json.loads((folder / "run.json").read_text("utf-8"))
        features = pq.read_table(folder / "features.parquet")
        columns = ["probability", "notes", "findings", "status"]
        estimates = pq.read_table(folder / "estimates.parquet", columns=columns)
        run["patients"]["scored"], run["model"]["digest"]
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(
            "E273",
            f"'{folder.name}' holds no run.json, estimates.parquet and features.parquet that can "
            "be read: name two folders that 'clinical-nlp batch --out' wrote.",
        ) from None
    return run, features, estimates


def _column(table: pa.Table, name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    """A column as numbers; null is NaN, but patients without a score are left out."""
    column = table.column(name)
    if name == "probability":
        column = column.drop_null()
    return np.asarray(column.cast(pa.float64()).to_numpy(), dtype=np.float64)


def _moved(name: str, kind: str, before: Any, after: Any) -> Moved:  # noqa: ANN401  # arrays
    told = settings()
    found = stability(before, after, int(told["bins"]), float(told["chance"]))
    level = Level.STABLE
    if found.index > found.by_chance:
        level = Level((found.index >= told["moderate"]) + (found.index >= told["major"]))
    return Moved(name, kind, found, level)


def _notes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    notes = []
    if before["model"]["digest"] != after["model"]["digest"]:
        notes.append(
            f"The model changed (version {before['model']['version']} to "
            f"{after['model']['version']}): the score may have moved for that reason alone."
        )
    if before.get("pipeline") != after.get("pipeline"):
        notes.append("The pipeline that reads the notes changed: features of notes may have too.")
    if before.get("worklist_threshold") != after.get("worklist_threshold"):
        notes.append("The threshold of the work list changed.")
    if before.get("input", {}).get("digest") == after.get("input", {}).get("digest"):
        notes.append("Both batches read the same export.")
    return notes
