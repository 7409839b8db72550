"""The clinical picture beside a suspicion: what the record shows of signs and heart disease.

A suspicion alone says that somebody wrote it. What a doctor wants to see beside it stands in the
same notes (``suspicion.toml``, ``[picture]``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta

from clinical_nlp.records import Concept, Reason
from clinical_nlp.risk.feature_table import FeatureTable
from clinical_nlp.risk.latest import latest
from clinical_nlp.risk.note_context import suspicion_rule
from clinical_nlp.risk.reasons import evidence_of
from clinical_nlp.risk.timeline import Entry, Presence, Timeline
from clinical_nlp.spanish import day_es, list_es


def picture_reasons(
    timeline: Timeline, concepts: Mapping[str, Concept], table: FeatureTable
) -> tuple[Reason, ...]:
    """Return signs of the last months that stand, then known heart disease, as two sentences.

    Returns
    -------
    tuple of Reason
        Each with a contribution of 0: no model gave it.
    """
    rule = suspicion_rule()["picture"]
    topics = {topic.key: topic.concepts for topic in table.topics}
    start = timeline.as_of - timedelta(days=rule["days"])
    signs = []
    for key in rule["topics"]:
        entries = timeline.of(topics[key])
        standing = latest(
            e
            for e in entries
            if e.presence is Presence.PRESENT
            and e.day is not None
            and e.day > start
            and not _denied_since(e, entries)
        )
        if standing is not None:
            signs.append(standing)
    diseases = [e for key in rule["diseases"] if (e := _known(timeline, key)) is not None]
    sentences = []
    if signs:
        named = [f"{concepts[e.concept].name_es} ({day_es(e.day)})" for e in signs if e.day]
        text = rule["signs"].format(names=list_es(named))
        sentences.append(Reason(text, 0.0, evidence_of(signs)))
    if diseases:
        names = list_es(list(dict.fromkeys(concepts[e.concept].name_es for e in diseases)))
        sentences.append(Reason(rule["known"].format(names=names), 0.0, evidence_of(diseases)))
    return tuple(sentences)


def _denied_since(entry: Entry, entries: Iterable[Entry]) -> bool:
    return any(
        e.presence is Presence.ABSENT and e.day is not None and entry.day and e.day > entry.day
        for e in entries
    )


def _known(timeline: Timeline, concept: str) -> Entry | None:
    affirmed = (Presence.PRESENT, Presence.PAST)
    entries = (*timeline.undated, *timeline.of(frozenset([concept])))
    return latest(e for e in entries if e.concept == concept and e.presence in affirmed)
