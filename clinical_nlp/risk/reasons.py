"""Reasons of an estimate: one for each topic, with its contribution and evidence.

The features of a topic make one reason: a clinician thinks "oedema", not "days, recency and
persistence of oedema". What may be a reason is data (``reference.toml``): an affirmed sign or
disease never lowers the risk, a denied sign only lowers it, a normal value does neither, and
what is not mentioned is no reason. Age and sex are context; the frequency sentence covers them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from clinical_nlp.records import Concept, Evidence, Reason
from clinical_nlp.risk.answered_signs import Answer, answered_signs
from clinical_nlp.risk.diagnosis import Diagnosis
from clinical_nlp.risk.feature_table import FeatureTable, Topic
from clinical_nlp.risk.features import measured
from clinical_nlp.risk.reason_sentences import Stance, Statement, topic_statement
from clinical_nlp.risk.reference_person import (
    is_denied_and_old,
    is_too_old,
    normal_of,
    reference_rules,
    trend_is_reason,
)
from clinical_nlp.risk.sentences import templates
from clinical_nlp.risk.timeline import Entry, Origin, Timeline
from clinical_nlp.spanish import day_es, list_es, month_es


@dataclass(frozen=True, slots=True)
class _Reason:
    """One topic, or several that say the same, before it becomes a reason."""

    topic: Topic
    statement: Statement
    total: float

    @property
    def places(self) -> frozenset[tuple[str, int | None]]:
        """Where the words or resources stand."""
        return frozenset((e.evidence.source, e.evidence.start) for e in self.statement.entries)

    @property
    def from_notes(self) -> bool:
        return any(e.origin is Origin.NOTE for e in self.statement.entries)


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
        Log-odds by feature, against the patient's reference person.
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
    answered = answered_signs(timeline, table, concepts)
    reasons: list[_Reason] = []
    for topic in table.topics:
        # Rounded so that another batch size cannot change the last bits of the output.
        total = round(sum(contributions[name] for name in topic.features), 4)
        statement = topic_statement(topic, timeline, table, concepts)
        if statement is None or topic.key in answered or abs(total) < words["min_contribution"]:
            continue
        if _may_be_reason(topic, statement, total, timeline, table):
            reasons.append(_Reason(topic, statement, total))
    reasons = _without_repeats(_joined(reasons))
    reasons.sort(key=lambda t: (-abs(t.total), t.statement.text))
    reasons = _with_treatment(reasons, answered.values())
    drivers = _chosen([t for t in reasons if t.total > 0], words["max_drivers"])
    protective = [t for t in reasons if t.total < 0][: words["max_protective"]]
    return tuple(
        Reason(t.statement.text, t.total, evidence_of(t.statement.entries))
        for t in (*drivers, *protective)
    )


def _may_be_reason(
    topic: Topic, statement: Statement, total: float, timeline: Timeline, table: FeatureTable
) -> bool:
    """Whether a contribution is one that a clinician would accept as a reason."""
    if is_too_old(topic, statement.last, timeline.as_of, timeline.sex):
        return False
    if is_denied_and_old(topic, statement.last, timeline):
        return False
    match statement.stance:
        case Stance.DENIED:
            return total < 0
        case Stance.AFFIRMED:
            rules = reference_rules()
            exceptions = {row["topic"] for row in rules["lowers" if total < 0 else "mimic"]}
            return (topic.key in exceptions) is (total < 0)
    normal = normal_of(topic.key, timeline.sex)
    value = statement.entries[-1].value or 0.0
    if total < 0:
        return normal.lowers and normal.low < value < normal.high
    series = measured(topic, timeline.of(topic.concepts), timeline, table)
    if trend_is_reason(topic, series, table, timeline.sex):
        return True
    sides = {-1: value < normal.low, 0: True, 1: value > normal.high}
    # The direction of the literature: a high NT-proBNP raises, a low eGFR does.
    return sides[topic.direction] and not normal.low <= value <= normal.high


def _joined(reasons: Sequence[_Reason]) -> list[_Reason]:
    """Join the topics that say the same and raise the risk, in the order of the data."""
    by_key = {t.topic.key: t for t in reasons if t.total > 0}
    joined: dict[str, _Reason] = {}
    for group in reference_rules()["same"]:
        members = [by_key.pop(key) for key in group["topics"] if key in by_key]
        if members:
            joined[members[0].topic.key] = _one_of(members)
    rest = [t for t in reasons if t.topic.key in by_key or t.total < 0]
    return [*joined.values(), *rest]


def _one_of(members: Sequence[_Reason]) -> _Reason:
    first = members[0]
    if len(members) == 1:
        return first
    words: Mapping[str, str] = templates()["same"]
    drugs = [name for m in members for name in m.statement.drugs]
    treated = [words["drugs"].format(names=list_es(drugs))] if drugs else []
    parts = [m.statement.text for m in members if not m.statement.drugs] + treated
    text = parts[0]
    if len(parts) > 1:
        text = words["first"].format(first=parts[0], rest=list_es(parts[1:]))
    entries = tuple(e for m in members for e in m.statement.entries)
    statement = replace(first.statement, text=text, entries=entries)
    return replace(first, statement=statement, total=round(sum(m.total for m in members), 4))


def _without_repeats(reasons: Iterable[_Reason]) -> list[_Reason]:
    """Drop what rests on nothing but the evidence of a stronger reason."""
    kept: list[_Reason] = []
    for candidate in sorted(reasons, key=lambda t: (-abs(t.total), t.statement.text)):
        if not any(candidate.places <= stronger.places for stronger in kept):
            kept.append(candidate)
    return kept


def _with_treatment(reasons: Sequence[_Reason], answers: Iterable[Answer]) -> list[_Reason]:
    """Add each drug to the strongest of the signs that it answers."""
    treated = list(reasons)
    for answer in answers:
        for number, one in enumerate(treated):
            if one.topic.key in answer.signs and one.total > 0:
                statement = replace(one.statement, text=one.statement.text + answer.words)
                treated[number] = replace(one, statement=statement)
                break
    return treated


def _chosen(drivers: Sequence[_Reason], most: int) -> list[_Reason]:
    """Return the strongest, of which some are from notes where notes hold as many."""
    of_notes = [t for t in drivers if t.from_notes][: reference_rules()["min_from_notes"]]
    others = [t for t in drivers if not any(t is chosen for chosen in of_notes)]
    chosen = {id(t) for t in (*of_notes, *others[: most - len(of_notes)])}
    return [t for t in drivers if id(t) in chosen]


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
