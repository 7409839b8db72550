"""Whether an estimate depends on one value outside the range of the training data.

Such a value is clipped to the bound of the range, so it cannot drive an estimate to an extreme. It
may still decide the estimate, and it may be a typing error: the result then says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from clinical_nlp.records import Concept
from clinical_nlp.risk.bands import load_bands
from clinical_nlp.risk.feature_table import FeatureTable, Topic
from clinical_nlp.risk.features import Matrix, measured
from clinical_nlp.risk.plausibility import plausibility
from clinical_nlp.risk.reason_sentences import topic_statement
from clinical_nlp.risk.timeline import Timeline
from clinical_nlp.spanish import percent_es


def measured_outside(
    features: Matrix, bounds: Sequence[tuple[float, float]], table: FeatureTable
) -> list[tuple[int, Topic]]:
    """Rows with a measurement outside the training's range, and its topic.

    Parameters
    ----------
    features
        As measured, shape (patients, features).
    bounds
        Lowest and highest value of each column; empty for none.
    """
    if not bounds or not len(features):
        return []
    low, high = np.array(bounds, dtype=np.float64).T
    outside = (features < low) | (features > high)  # NaN is neither
    names = list(table.names)
    return [
        (row, topic)
        for topic in table.topics
        if topic.measured
        for row in np.flatnonzero(outside[:, [names.index(n) for n in topic.features]].any(axis=1))
    ]


def without_latest_value(timeline: Timeline, topic: Topic, table: FeatureTable) -> Timeline:
    """Return the timeline without a topic's values of the latest day that has one."""
    series = measured(topic, timeline.of(topic.concepts), timeline, table)
    latest = [e for e in series if e.day == series[-1].day]
    return replace(timeline, entries=tuple(e for e in timeline.entries if e not in latest))


def hangs(probability: float, without: float) -> bool:
    """Whether the estimate is another one without the value.

    It is where the work list's threshold lies between the two, or one is several times
    (``hangs_factor`` of ``plausibility.toml``) the other.
    """
    low, high = sorted((probability, without))
    crosses = low < load_bands().worklist_threshold <= high
    return crosses or high > float(plausibility()["hangs_factor"]) * low


def hanging_sentence(
    topic: Topic,
    timeline: Timeline,
    without: float,
    table: FeatureTable,
    concepts: Mapping[str, Concept],
) -> str:
    """Name the value, and the risk without it (probability)."""
    statement = topic_statement(topic, timeline, table, concepts)
    reason = topic.name if statement is None else statement.text
    words: str = plausibility()["sentence"]["hangs"]
    return words.format(reason=reason, without=percent_es(without))
