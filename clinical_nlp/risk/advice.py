"""What a clinician might consider next, given what the record holds (``advice.toml``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from clinical_nlp.artifacts import read_toml
from clinical_nlp.records import Concept
from clinical_nlp.risk.care import Care
from clinical_nlp.risk.conditions import Situation, concepts_of
from clinical_nlp.risk.feature_table import FeatureTable
from clinical_nlp.risk.pathway import Standing, read_echo, read_peptide
from clinical_nlp.risk.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Advice:
    """One sentence of advice.

    Parameters
    ----------
    rule
        Key of the rule in ``advice.toml``.
    text
        Spanish sentence for a clinician.
    asks
        Test that it asks for: ``"peptide"``, ``"echo"``, ``"ecg"`` or ``None``.
    """

    rule: str
    text: str
    asks: str | None = None


def advise(
    timeline: Timeline,
    care: Care,
    table: FeatureTable,
    concepts: Mapping[str, Concept],
    *,
    suspected: bool = False,
    asks: bool = True,
) -> tuple[str, ...]:
    """Return what to consider next for a patient who is not known to have heart failure.

    Parameters
    ----------
    timeline
        What the record holds as of the index day.
    care
        What it says of the patient's care (:func:`clinical_nlp.risk.care.read_care`).
    table, concepts
        Feature table and catalogue, for topics, drugs in use and Spanish names.
    suspected
        A note suspects heart failure in writing.
    asks
        Whether the risk is high enough to ask for a test that no finding asks for. Typical
        signs do so, too.

    Returns
    -------
    tuple of str
        At most ``max_sentences``, the most important first. None asks for a test that stands in
        the record.

    Examples
    --------
    >>> advise(timeline, Care(), load_features(), lexicon.concepts)      # doctest: +SKIP
    ('NT-proBNP 640 pg/mL (12/03/2024), por encima de 500 pg/mL ...',)
    """
    given = applied_rules(timeline, care, table, concepts, suspected=suspected, asks=asks)
    return tuple(advice.text for advice in given[: _data()["max_sentences"]])


def applied_rules(
    timeline: Timeline,
    care: Care,
    table: FeatureTable,
    concepts: Mapping[str, Concept],
    *,
    suspected: bool = False,
    asks: bool = True,
) -> list[Advice]:
    """Return the advice of every rule that speaks, in their order, with the test it asks for.

    Parameters are those of :func:`advise`.
    """
    data = _data()
    conditions: Mapping[str, Mapping[str, Any]] = data["condition"]
    signs = concepts_of(conditions["sign"], table)
    standing = Standing(**data["days"])
    situation = Situation(
        timeline=timeline,
        care=care,
        peptide=read_peptide(timeline, signs, standing),
        echo=read_echo(timeline, standing),
        suspected=suspected,
        asks=asks or suspected,
        table=table,
        concepts=concepts,
        conditions=conditions,
    )
    given: list[Advice] = []
    spoken: set[str] = set()
    for rule in data["rule"]:
        if rule["slot"] in spoken:
            continue
        fields = situation.all_of(rule["when"])
        if fields is None:
            continue
        given.append(Advice(rule["key"], rule["say"].format(**fields), rule.get("asks")))
        spoken.update([rule["slot"], *rule.get("covers", ())])
        if rule.get("alone"):
            break
    return given


@cache
def _data() -> dict[str, Any]:
    return read_toml("clinical_nlp.risk", "advice.toml")
