"""The feature table: reads and checks ``features.toml``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from clinical_nlp.artifacts import read_toml
from clinical_nlp.errors import ModelError

#: Kinds of topic.
KINDS = ("demographic", "sign", "condition", "drug", "measurement", "measurement_with_trend")
_DIRECTIONS = {"raises": 1, "lowers": -1, "any": 0}


@dataclass(frozen=True, slots=True)
class Topic:
    """A clinical topic and its features.

    Parameters
    ----------
    key
        Stable name, part of its features' names.
    kind
        One of :data:`KINDS`.
    concepts
        Catalogue concepts that belong to it.
    name
        Spanish name for clinicians.
    features
        Definition of each feature by name, in order.
    unit, source, definition
        Documentation; ``docs/reference/features.md`` prints them.
    log
        Measurements: the feature is the natural logarithm.
    plausible
        Measurements: values outside these bounds are dropped (catalogue's unit).
    shown, decimals
        Measurements: unit and decimals for clinicians.
    direction
        Sign constraint of the fit: 1 raises the risk, -1 lowers it, 0 is free.
    penalty, missing_penalty
        Factor on the ridge penalty of its weights, and of the weight of "not measured".
    bends
        Ages in years at which the slope may change.
    """

    key: str
    kind: str
    concepts: frozenset[str]
    features: Mapping[str, str]
    source: str
    name: str = ""
    unit: str = ""
    definition: str = ""
    log: bool = False
    plausible: tuple[float, float] = (float("-inf"), float("inf"))
    shown: str = ""
    decimals: int = 0
    direction: int = 0
    penalty: float = 1.0
    missing_penalty: float = 1.0
    bends: tuple[int, ...] = ()

    @property
    def measured(self) -> bool:
        """Whether the topic is a measurement."""
        return self.kind.startswith("measurement")

    def direction_of(self, feature: str) -> int:
        """Direction of one of its features: 1, -1 or 0."""
        if feature.endswith("_missing") or feature.startswith(f"{self.key}_over_"):
            return 0
        return -self.direction if feature.endswith("_denied") else self.direction

    def penalty_of(self, feature: str) -> float:
        """Factor on the ridge penalty of one of its features."""
        return self.missing_penalty if feature.endswith("_missing") else self.penalty


@dataclass(frozen=True, slots=True)
class FeatureTable:
    """All topics, in order, and their time windows in days."""

    topics: tuple[Topic, ...]
    version: str
    lookback_days: int
    current_days: int
    half_life_days: int
    trend_min_days: int
    digest: str

    @property
    def names(self) -> tuple[str, ...]:
        """Feature names, in the order of columns."""
        return tuple(name for topic in self.topics for name in topic.features)

    @property
    def topic_of(self) -> Mapping[str, Topic]:
        """Topic by feature name."""
        return {name: topic for topic in self.topics for name in topic.features}


def parse_features(data: Mapping[str, Any], categories: Mapping[str, str]) -> FeatureTable:
    """Parse and check the content of ``features.toml``.

    Parameters
    ----------
    data
        The parsed file.
    categories
        Category of every catalogue concept by key.

    Raises
    ------
    ModelError
        E421: a topic is of an unknown kind, names an unknown concept or one that leaks the
        diagnosis, or a feature name repeats.
    """
    leaks = set(data["leakage"]["concepts"])
    topics = []
    for row in data["topic"]:
        concepts = frozenset(row.get("concepts", ()))
        leaking = {
            key
            for key in concepts
            if key in leaks or categories.get(key) in data["leakage"]["categories"]
        }
        unknown = concepts - categories.keys()
        if leaking or unknown or row["kind"] not in KINDS:
            wrong = ", ".join(sorted(leaking | unknown)) or str(row["kind"])
            raise ModelError(
                "E421",
                f"topic '{row['key']}' of the feature table names {wrong}, which is unknown "
                "or would leak the diagnosis: correct clinical_nlp/risk/features.toml",
            )
        topics.append(_topic(row, concepts, data["kinds"], data.get("missing_penalty", 1.0)))
    names = [name for topic in topics for name in topic.features]
    if len(names) != len(set(names)):
        raise ModelError(
            "E421",
            "two topics of the feature table give a feature of the same name: "
            "rename one in clinical_nlp/risk/features.toml",
        )
    windows = {
        name: int(data[name])
        for name in ("lookback_days", "current_days", "half_life_days", "trend_min_days")
    }
    meaning = [
        [t.key, t.kind, sorted(t.concepts), list(t.features), t.log, list(t.plausible)]
        for t in topics
    ]
    content = json.dumps([windows, meaning], sort_keys=True)
    return FeatureTable(
        topics=tuple(topics),
        version=data["version"],
        digest=hashlib.sha256(content.encode()).hexdigest(),
        **windows,
    )


def _topic(
    row: Mapping[str, Any],
    concepts: frozenset[str],
    kinds: Mapping[str, Mapping[str, str]],
    missing_penalty: float,
) -> Topic:
    key, bends = row["key"], tuple(row.get("bends", ()))
    if row["kind"] == "demographic":
        features = {key: row["definition"]}
        for bend in bends:
            features[f"{key}_over_{bend}"] = f"decades over {bend} years; 0 below"
    else:
        features = {name.format(t=key): meaning for name, meaning in kinds[row["kind"]].items()}
    low, high = row.get("plausible", (float("-inf"), float("inf")))
    plain = ("key", "kind", "source", "name", "unit", "definition", "shown", "decimals", "penalty")
    return Topic(
        **{name: row[name] for name in plain if name in row},
        concepts=concepts,
        features=features,
        log=row.get("transform") == "log",
        plausible=(float(low), float(high)),
        direction=_DIRECTIONS[row.get("direction", "any")],
        missing_penalty=missing_penalty,
        bends=bends,
    )


@cache
def load_features() -> FeatureTable:
    """Load the feature table shipped with the package."""
    from clinical_nlp.lexicon import load_lexicon

    categories = {key: concept.category for key, concept in load_lexicon().concepts.items()}
    return parse_features(read_toml("clinical_nlp.risk", "features.toml"), categories)
