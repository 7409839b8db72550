"""Sentences on what would lower the uncertainty of an estimate."""

from __future__ import annotations

from datetime import timedelta

from clinical_nlp.risk.diagnosis import Diagnosis
from clinical_nlp.risk.sentences import templates
from clinical_nlp.risk.timeline import Presence, Timeline
from clinical_nlp.spanish import day_es, list_es, months_of


def missing_sentences(
    timeline: Timeline, diagnosis: Diagnosis, lookback_days: int
) -> tuple[str, ...]:
    """Name what was not measured in the look-back, and what needs confirmation."""
    words = templates()["missing"]
    start = timeline.as_of - timedelta(days=lookback_days)
    months = months_of(lookback_days)
    sentences = list(unconfirmed_sentences(diagnosis))
    if not any(day > start for day in timeline.note_days):
        sentences.append(words["no_notes"].format(months=months))
    recorded = {
        e.concept
        for e in timeline.entries
        if e.day is not None and e.day > start and e.presence is not Presence.UNCERTAIN
    }
    for group in words["group"]:
        absent = [item["name"] for item in group["items"] if recorded.isdisjoint(item["concepts"])]
        if absent:
            sentences.append(words["sentence"].format(items=list_es(absent, "ni"), months=months))
    return tuple(sentences)


def unconfirmed_sentences(diagnosis: Diagnosis) -> tuple[str, ...]:
    """Point at a mention of heart failure that the rule does not accept as a diagnosis."""
    mention = diagnosis.unconfirmed_mention
    if mention is None:
        return ()
    words = templates()["missing"]
    if mention.day is None:
        return (words["unconfirmed_undated"],)
    return (words["unconfirmed"].format(last=day_es(mention.day)),)
