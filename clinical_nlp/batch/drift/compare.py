"""Compares the features, scores and counts of two batches."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from clinical_nlp.artifacts import published, read_toml
from clinical_nlp.batch.drift.stability import StabilityIndex, Vector, stability_index
from clinical_nlp.errors import InputError


class Level(IntEnum):
    """Size of a shift that exceeds the bound under no shift."""

    STABLE = 0
    MODERATE = 1
    MAJOR = 2


@dataclass(frozen=True, slots=True)
class Shift:
    """How far one number shifted; ``kind`` is ``feature``, ``input`` or ``output``."""

    name: str
    kind: str
    stability: StabilityIndex
    level: Level


@dataclass(frozen=True, slots=True)
class Drift:
    """How two batches differ.

    Parameters
    ----------
    before, after
        ``run.json`` of each.
    shifts
        Of every feature and of the score, furthest first.
    notes
        Sentences: another model, another pipeline.
    """

    before: Mapping[str, Any]
    after: Mapping[str, Any]
    shifts: tuple[Shift, ...]
    notes: tuple[str, ...]

    @property
    def level(self) -> Level:
        """The highest level of all shifts."""
        return max((shift.level for shift in self.shifts), default=Level.STABLE)


@lru_cache(maxsize=1)
def settings() -> Mapping[str, Any]:
    """Thresholds and bins of ``drift.toml``."""
    return read_toml("clinical_nlp.batch.drift", "drift.toml")


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
                f"the batch in '{folder.name}' scored {table.num_rows} patients; at least "
                f"{wanted} are needed: compare larger batches.",
            )
    shared = set.intersection(*(set(table.column_names) for table in features)) - {"patient_id"}
    shifts = [
        _shift("probability", "output", estimates),
        *(_shift(name, "input", estimates) for name in ("notes", "findings")),
        *(_shift(name, "feature", features) for name in shared),
    ]
    ranked = sorted(shifts, key=lambda s: (-s.level, -s.stability.index, s.name))
    return Drift(runs[0], runs[1], tuple(ranked), tuple(_notes(*runs)))


def _read(folder: Path) -> tuple[dict[str, Any], pa.Table, pa.Table]:
    name, folder = folder.name, published(folder)
    try:
        run = json.loads((folder / "run.json").read_text("utf-8"))
        features = pq.read_table(folder / "features.parquet")
        columns = ["probability", "notes", "findings", "status"]
        estimates = pq.read_table(folder / "estimates.parquet", columns=columns)
        run["patients"]["scored"], run["model"]["digest"]
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(
            "E273",
            f"'{name}' has no readable run.json, estimates.parquet and features.parquet: "
            "name two folders that 'clinical-nlp batch --out' wrote.",
        ) from None
    return run, features, estimates


def _column(table: pa.Table, name: str) -> Vector:
    """Return a column as floats: null becomes NaN, but a null probability is dropped."""
    column = table.column(name)
    if name == "probability":
        column = column.drop_null()
    return np.asarray(column.cast(pa.float64()).to_numpy(), dtype=np.float64)


def _shift(name: str, kind: str, tables: Iterable[pa.Table]) -> Shift:
    limits = settings()
    before, after = (_column(table, name) for table in tables)
    result = stability_index(before, after, int(limits["bins"]), float(limits["chance"]))
    level = Level.STABLE
    if result.index > result.null_bound:
        level = Level((result.index >= limits["moderate"]) + (result.index >= limits["major"]))
    return Shift(name, kind, result, level)


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
