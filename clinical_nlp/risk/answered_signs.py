"""Drugs begun because of a sign: shown with the sign, and no reason of their own.

Which drugs answer which signs is data (``reference.toml``). A loop diuretic given for oedema says
nothing that the oedema does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from clinical_nlp.records import Concept
from clinical_nlp.risk.feature_table import FeatureTable
from clinical_nlp.risk.features import current
from clinical_nlp.risk.reason_sentences import drug_names
from clinical_nlp.risk.reference_person import reference_rules
from clinical_nlp.risk.sentences import templates
from clinical_nlp.risk.timeline import Origin, Presence, Timeline
from clinical_nlp.spanish import list_es, month_es


@dataclass(frozen=True, slots=True)
class Answer:
    """A drug in use that was begun for one of some signs.

    Parameters
    ----------
    signs
        Topics of the signs that it may answer.
    words
        What is added to a sign's sentence.
    """

    signs: frozenset[str]
    words: str


def answered_signs(
    timeline: Timeline, table: FeatureTable, concepts: Mapping[str, Concept]
) -> dict[str, Answer]:
    """Return the drugs in use that were begun for a sign, by topic.

    A drug is where it is first noted or prescribed on the day of a sign or later, at most
    ``within_days`` after that sign was first affirmed.
    """
    topics = {topic.key: topic for topic in table.topics}
    answers: dict[str, Answer] = {}
    for row in reference_rules()["answers"]:
        entries = timeline.of(topics[row["drug"]].concepts)
        in_use = current(entries, timeline, table)
        begun = _first_day(timeline, topics[row["drug"]].concepts)
        others = {e.concept for e in in_use} - set(row["only"]) if "only" in row else set()
        if not in_use or begun is None or others:
            continue
        firsts = [_first_day(timeline, topics[key].concepts) for key in row["signs"]]
        since = begun - timedelta(days=row["within_days"])
        if any(since <= first <= begun for first in firsts if first is not None):
            prescribed = any(e.origin is Origin.STRUCTURED for e in in_use)
            words: str = templates()["sign"]["treated_since" if prescribed else "treated"]
            text = words.format(names=list_es(drug_names(in_use, concepts)), since=month_es(begun))
            answers[row["drug"]] = Answer(frozenset(row["signs"]), text)
    return answers


def _first_day(timeline: Timeline, concepts: frozenset[str]) -> date | None:
    """First day on which one of some concepts is affirmed, in notes or codes."""
    entries = timeline.of(concepts)
    return min((e.day for e in entries if e.presence is Presence.PRESENT and e.day), default=None)
