"""Spanish sentences on the signs of a heart failure that nothing names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from clinical_nlp.records import Concept, Reason
from clinical_nlp.risk.prevalence import PrevalenceSign, SignKind, prevalence_rule
from clinical_nlp.spanish import day_es, list_es, measurement_es


def sign_reasons(
    signs: Sequence[PrevalenceSign], concepts: Mapping[str, Concept]
) -> tuple[Reason, ...]:
    """Say each sign once, its earliest day: templates in ``prevalence.toml``.

    Returns
    -------
    tuple of Reason
        Each with a contribution of 0: no model gave it.
    """
    words: Mapping[str, str] = prevalence_rule()["sentence"]
    reasons: dict[str, Reason] = {}
    said: set[tuple[SignKind, tuple[str, ...]]] = set()
    for sign in signs:
        if sign.day is None or (sign.kind, sign.concepts) in said:
            continue
        said.add((sign.kind, sign.concepts))
        text = words[sign.kind.value].format(
            names=list_es([concepts[key].name_es for key in sign.concepts]),
            value="" if sign.value is None else measurement_es(sign.value, ucum="%"),
            day=day_es(sign.day),
        )
        reasons.setdefault(text, Reason(text, 0.0, sign.evidence))
    return tuple(reasons.values())


def sign_missing() -> tuple[str, ...]:
    """Say what would settle it."""
    return (prevalence_rule()["sentence"]["missing"],)
