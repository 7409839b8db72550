"""What would lower the uncertainty, and where a diagnosis stands, in Spanish sentences."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from clinical_nlp.records import Reason
from clinical_nlp.risk.diagnosis import Diagnosis
from clinical_nlp.risk.reasons import evidence_of
from clinical_nlp.risk.sentences import templates
from clinical_nlp.risk.timeline import Entry, Origin, Presence, Timeline
from clinical_nlp.spanish import day_es, list_es, month_es, months_of


def missing_sentences(
    timeline: Timeline, diagnosis: Diagnosis, lookback_days: int
) -> tuple[str, ...]:
    """Name what was not done or measured in the look-back, and what needs a second look."""
    words = templates()["missing"]
    start = timeline.as_of - timedelta(days=lookback_days)
    months = months_of(lookback_days)
    sentences = list(unconfirmed_sentences(diagnosis))
    if not any(day > start for day in timeline.note_days):
        sentences.append(words["no_notes"].format(months=months))
    done = {
        e.concept
        for e in timeline.entries
        if e.day is not None and e.day > start and e.presence is not Presence.UNCERTAIN
    }
    for group in words["group"]:
        absent = [item["name"] for item in group["items"] if done.isdisjoint(item["concepts"])]
        if absent:
            sentences.append(words["sentence"].format(items=list_es(absent, "ni"), months=months))
    return tuple(sentences)


def unconfirmed_sentences(diagnosis: Diagnosis) -> tuple[str, ...]:
    """Point at a mention of heart failure that the rule does not take as a diagnosis."""
    mention = diagnosis.unconfirmed_mention
    if mention is None:
        return ()
    words = templates()["missing"]
    if mention.day is None:
        return (words["unconfirmed_undated"],)
    return (words["unconfirmed"].format(last=day_es(mention.day)),)


def diagnosis_reasons(diagnosis: Diagnosis) -> tuple[Reason, ...]:
    """Say where a confirmed diagnosis stands: codes first, then notes."""
    words: Mapping[str, str] = templates()["diagnosed"]
    reasons: list[Reason] = []
    if diagnosis.coded:
        first = diagnosis.coded[0]
        key = "coded" if first.day else "coded_undated"
        text = words[key].format(last=day_es(first.day) if first.day else "")
        reasons.append(Reason(text, 0.0, evidence_of(diagnosis.coded)))
    if diagnosis.noted:
        reasons.append(Reason(_noted(words, diagnosis.noted), 0.0, evidence_of(diagnosis.noted)))
    return tuple(reasons)


def _noted(words: Mapping[str, str], noted: tuple[Entry, ...]) -> str:
    days = sorted({e.day for e in noted if e.day is not None and e.origin is Origin.NOTE})
    if not days:
        return words["noted_undated"]
    if len(days) == 1:
        return words["noted_one"].format(last=day_es(days[0]))
    return words["noted_many"].format(n=len(days), since=month_es(days[0]))
