"""Reasons of an estimate: one for each topic, with its contribution and evidence.

The features of a topic make one reason: a clinician thinks "oedema", not "days, recency and
persistence of oedema".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from clinical_nlp.records import Concept, Evidence, Reason
from clinical_nlp.risk.diagnosis import Diagnosis
from clinical_nlp.risk.feature_table import FeatureTable
from clinical_nlp.risk.reason_sentences import topic_sentence
from clinical_nlp.risk.sentences import templates
from clinical_nlp.risk.timeline import Entry, Origin, Timeline
from clinical_nlp.spanish import day_es, month_es


def reasons_for(
    timeline: Timeline,
    contributions: Mapping[str, float],
    table: FeatureTable,
    concepts: Mapping[str, Concept],
) -> tuple[Reason, ...]:
    """Explain one estimate.

    Parameters
    ----------
    timeline
        The patient's timeline on the index day.
    contributions
        Log-odds by feature, against the reference patient.
    table
        The model's feature table.
    concepts
        The lexicon's concepts, for their Spanish names.

    Returns
    -------
    tuple of Reason
        Those that raise the risk, strongest first; then those that lower it.
    """
    words = templates()
    reasons: list[Reason] = []
    for topic in table.topics:
        # Rounded so that another batch size cannot change the last bits of the output.
        total = round(sum(contributions[name] for name in topic.features), 4)
        if abs(total) < words["min_contribution"]:
            continue
        entries = timeline.of(topic.concepts)
        text, supporting = topic_sentence(topic, entries, timeline, table, concepts)
        reasons.append(Reason(text, total, evidence_of(supporting)))
    reasons.sort(key=lambda reason: (-abs(reason.contribution), reason.text))
    drivers = [reason for reason in reasons if reason.contribution > 0]
    protective = [reason for reason in reasons if reason.contribution < 0]
    return (*drivers[: words["max_drivers"]], *protective[: words["max_protective"]])


def diagnosis_reasons(diagnosis: Diagnosis) -> tuple[Reason, ...]:
    """Say where a confirmed diagnosis is recorded: codes first, then notes."""
    words: Mapping[str, str] = templates()["diagnosed"]
    reasons: list[Reason] = []
    if diagnosis.coded:
        first = diagnosis.coded[0]
        key = "coded" if first.day else "coded_undated"
        text = words[key].format(last=day_es(first.day) if first.day else "")
        reasons.append(Reason(text, 0.0, evidence_of(diagnosis.coded)))
    if diagnosis.noted:
        text = _noted_sentence(words, diagnosis.noted)
        reasons.append(Reason(text, 0.0, evidence_of(diagnosis.noted)))
    return tuple(reasons)


def evidence_of(entries: Sequence[Entry]) -> tuple[Evidence, ...]:
    """Evidence of some entries, newest first, without repeats."""
    newest = sorted(
        entries,
        key=lambda e: (
            -(e.day.toordinal() if e.day else 0),
            e.evidence.source,
            e.evidence.start or 0,
        ),
    )
    unique = dict.fromkeys(entry.evidence for entry in newest)
    return tuple(unique)[: templates()["max_evidence"]]


def _noted_sentence(words: Mapping[str, str], noted: Sequence[Entry]) -> str:
    days = sorted({e.day for e in noted if e.day is not None and e.origin is Origin.NOTE})
    if not days:
        return words["noted_undated"]
    if len(days) == 1:
        return words["noted_one"].format(last=day_es(days[0]))
    return words["noted_many"].format(n=len(days), since=month_es(days[0]))
