"""Signs that heart failure is known where neither a code nor a note names it.

A patient on sacubitril/valsartan, with an ejection fraction of 30%, or followed by the heart
failure clinic has the disease. Where the first code comes later, the code is late and the
disease is not new. ``prevalence.toml`` says what counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from typing import Any

from clinical_nlp.artifacts import read_toml
from clinical_nlp.matching.norms import normalise_word
from clinical_nlp.records import CodedEvent, EventKind, Evidence, PatientRecord
from clinical_nlp.risk.diagnosis import is_heart_failure_code
from clinical_nlp.risk.diagnosis_support import reliable
from clinical_nlp.risk.feature_table import load_features
from clinical_nlp.risk.features import current, ever
from clinical_nlp.risk.timeline import Entry, Presence, Timeline


class SignKind(StrEnum):
    """What kind of sign it is; keys of its sentence."""

    TREATMENT = "treatment"
    EJECTION_FRACTION = "ejection_fraction"
    STATED = "stated"
    NAMED = "named"


@dataclass(frozen=True, slots=True)
class PrevalenceSign:
    """One sign that heart failure is known.

    Parameters
    ----------
    kind
        What it is.
    day
        Day from which it is complete: of a combination, when its last part began.
    concepts
        Catalogue concepts that make it up; empty for words beside a code.
    evidence
        Where it stands in the record.
    value
        Of a measurement, in the concept's unit.
    """

    kind: SignKind
    day: date | None
    concepts: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    value: float | None = None


@cache
def prevalence_rule() -> dict[str, Any]:
    """Return ``prevalence.toml`` as shipped with the package."""
    return read_toml("clinical_nlp.risk", "prevalence.toml")


def prevalence_signs(record: PatientRecord, timeline: Timeline) -> tuple[PrevalenceSign, ...]:
    """Return the signs of known heart failure, as known on ``timeline.as_of``.

    Parameters
    ----------
    record
        The patient; only what was known by ``timeline.as_of`` is looked at.
    timeline
        Of the same patient.

    Returns
    -------
    tuple of PrevalenceSign
        Oldest first, undated ones before them.
    """
    rule = prevalence_rule()
    by_concept: dict[str, list[Entry]] = {}
    for entry in reliable(timeline.entries, timeline):
        by_concept.setdefault(entry.concept, []).append(entry)
    signs = [
        *_treatments(by_concept, timeline, rule["treatment"]),
        *_reduced(by_concept, rule["ejection_fraction"]),
        *_stated(by_concept, rule["stated"]),
        *_named(record.events, timeline.as_of),
    ]
    return tuple(sorted(signs, key=lambda sign: sign.day or date.min))


def _treatments(
    by_concept: Mapping[str, list[Entry]], timeline: Timeline, rule: Mapping[str, Any]
) -> Iterator[PrevalenceSign]:
    combinations = [{"classes": [[concept]], "unless": []} for concept in rule["alone"]]
    for combination in (*combinations, *rule["together"]):
        if any(ever(by_concept.get(concept, ())) for concept in combination["unless"]):
            continue
        parts = [
            _first_in_use(by_concept, concepts, timeline) for concepts in combination["classes"]
        ]
        found = [part for part in parts if part is not None]
        if len(found) == len(parts):
            yield PrevalenceSign(
                SignKind.TREATMENT,
                max((e.day for e in found if e.day is not None), default=None),
                tuple(e.concept for e in found),
                tuple(e.evidence for e in found),
            )


def _first_in_use(
    by_concept: Mapping[str, list[Entry]], concepts: Iterable[str], timeline: Timeline
) -> Entry | None:
    """The earliest entry of a class of treatments that is in use; devices stay."""
    entries = [e for concept in concepts for e in by_concept.get(concept, ())]
    devices = [e for e in ever(entries) if e.kind is EventKind.PROCEDURE]
    in_use = [*devices, *current(entries, timeline, load_features())]
    return min(in_use, key=lambda e: e.day or date.min, default=None)


def _reduced(
    by_concept: Mapping[str, list[Entry]], rule: Mapping[str, Any]
) -> Iterator[PrevalenceSign]:
    for e in by_concept.get(rule["concept"], ()):
        # ">40" and "≥35" bound the value from below: they do not say that it is low.
        bounded_below = e.comparator in (">", ">=")
        if e.value is None or bounded_below or e.presence is not Presence.PRESENT:
            continue
        if e.value <= rule["at_most"]:
            kind = SignKind.EJECTION_FRACTION
            yield PrevalenceSign(kind, e.day, (e.concept,), (e.evidence,), e.value)
            return


def _stated(
    by_concept: Mapping[str, list[Entry]], rule: Mapping[str, Any]
) -> Iterator[PrevalenceSign]:
    for concept in rule["concepts"]:
        for e in ever(by_concept.get(concept, ()))[:1]:
            yield PrevalenceSign(SignKind.STATED, e.day, (concept,), (e.evidence,))


def _named(events: Iterable[CodedEvent], as_of: date) -> Iterator[PrevalenceSign]:
    """Words beside the codes of diagnoses, contacts and procedures; codes of contacts' reasons."""
    kinds = prevalence_rule()["named"]["kinds"]
    for event in events:
        days = [day for day in (event.start, event.recorded) if day is not None]
        known = max(days, default=None)
        if event.kind not in kinds or event.negated or event.uncertain:
            continue
        if known is None or known > as_of:
            continue
        codings = (*event.codings, *event.value_codings)
        coded = event.kind is not EventKind.CONDITION and any(
            is_heart_failure_code(c.system, c.code) for c in codings
        )
        if coded or any(names_heart_failure(c.display or "") for c in codings):
            evidence = Evidence(event.source, "heart_failure", event.start or known)
            yield PrevalenceSign(SignKind.NAMED, event.start or known, (), (evidence,))


@cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    rule = prevalence_rule()["named"]
    words = "|".join(re.escape(word) for word in rule["words"])
    others = "|".join(re.escape(word) for word in rule["unless"])
    return re.compile(rf"\b(?:{words})"), re.compile(rf"\b(?:{others})\b")


@cache
def names_heart_failure(text: str) -> bool:
    """Return whether the words beside a code say that the patient has heart failure.

    Examples
    --------
    >>> names_heart_failure("Insuficiència cardíaca congestiva")
    True
    >>> names_heart_failure("Cardiopatía hipertensiva sin insuficiencia cardíaca")
    False
    """
    plain = " ".join(normalise_word(text).split())
    named, other = _patterns()
    return named.search(plain) is not None and other.search(plain) is None
