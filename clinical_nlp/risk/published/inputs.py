"""Inputs that published scores take from a patient's timeline (``inputs.toml``)."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from typing import Any

from clinical_nlp.artifacts import read_toml
from clinical_nlp.records import Sex
from clinical_nlp.risk.diagnosis import find_diagnosis
from clinical_nlp.risk.feature_table import FeatureTable
from clinical_nlp.risk.features import current, ever
from clinical_nlp.risk.plausibility import age_on
from clinical_nlp.risk.published.refusal import Refusal, RefusalCode
from clinical_nlp.risk.timeline import Entry, Origin, Presence, Timeline
from clinical_nlp.risk.units import plausible_limits

_CM_PER_M = 100.0


def newest(
    timeline: Timeline, table: FeatureTable, concept: str, *, ever_recorded: bool = False
) -> Entry | None:
    """Return the newest plausible value of a concept, from notes or structured data.

    Parameters
    ----------
    ever_recorded
        Whether values from before the look-back count: an adult's height.

    Returns
    -------
    Entry or None
        Of one day, the structured value.
    """
    low, high = _limits(table, concept)
    start = timeline.as_of - timedelta(days=table.lookback_days)
    values = [
        e
        for e in timeline.of(frozenset([concept]))
        if e.value is not None
        and e.presence is Presence.PRESENT
        and low <= e.value <= high
        and e.day is not None
        and (ever_recorded or e.day > start)
    ]
    # `of` is in order of day; of one day the structured value comes last.
    return max(values, key=lambda e: (e.day, e.origin is Origin.STRUCTURED), default=None)


def value_of(timeline: Timeline, table: FeatureTable, concept: str) -> float | None:
    """Return the newest plausible value of the look-back."""
    entry = newest(timeline, table, concept)
    return None if entry is None else entry.value


def bmi_of(timeline: Timeline, table: FeatureTable) -> float | None:
    """Body mass index, kg/m2: as recorded, else the newest weight over the newest height."""
    recorded = value_of(timeline, table, "bmi")
    if recorded is not None:
        return recorded
    weight = value_of(timeline, table, "body_weight")
    height = newest(timeline, table, "body_height", ever_recorded=True)
    if weight is None or height is None or height.value is None:
        return None
    low, high = _limits(table, "bmi")
    computed: float = weight / (height.value / _CM_PER_M) ** 2
    return computed if low <= computed <= high else None


def egfr_of(timeline: Timeline, table: FeatureTable) -> float | None:
    """Estimated GFR, mL/min/1.73 m2: as recorded, else by CKD-EPI 2021 from creatinine.

    A laboratory's "> 90" is a bound, not a value: creatinine is preferred to it.
    """
    recorded = newest(timeline, table, "egfr")
    if recorded is not None and recorded.comparator is None:
        return recorded.value
    creatinine = newest(timeline, table, "creatinine")
    if creatinine is not None and creatinine.value is not None and creatinine.day is not None:
        age = age_on(timeline.birth_date, creatinine.day)
        computed = None if age is None else ckd_epi_2021(creatinine.value, age, timeline.sex)
        if computed is not None:
            return computed
    return None if recorded is None else recorded.value


def ckd_epi_2021(creatinine: float, age: float, sex: Sex) -> float | None:
    """Estimate the glomerular filtration rate, mL/min/1.73 m2, by CKD-EPI 2021.

    Parameters
    ----------
    creatinine
        Serum, mg/dL.
    age
        Years.
    sex
        Without one there is no estimate.

    References
    ----------
    Inker LA et al., N Engl J Med 2021;385:1737-1749.

    Examples
    --------
    >>> round(ckd_epi_2021(1.1, 50, Sex.MALE))
    82
    """
    if sex not in (Sex.FEMALE, Sex.MALE):
        return None
    rule = _data()["ckd_epi_2021"]
    ratio = creatinine / rule["kappa"][sex.value]
    return float(
        rule["factor"]
        * min(ratio, 1) ** rule["alpha"][sex.value]
        * max(ratio, 1) ** rule["beta"]
        * rule["age_base"] ** age
        * rule["sex_factor"][sex.value]
    )


def prior_disease(timeline: Timeline) -> tuple[str, ...]:
    """Return the concepts by which cardiovascular disease is already known, in order."""
    rule = _data()["prior_disease"]
    found = {e.concept for e in ever(timeline.of(frozenset(rule["coronary"] + rule["others"])))}
    lvef = [e for e in timeline.of(frozenset(["lvef"])) if e.value is not None]
    if any(
        e.value is not None and e.value < rule["lvef_below"] and e.presence is Presence.PRESENT
        for e in lvef
    ):
        found.add("lvef")
    if find_diagnosis(timeline).confirmed:
        found.add("heart_failure")
    return tuple(sorted(found))


def is_smoker(timeline: Timeline, table: FeatureTable) -> bool:
    """Whether the newest statement of the look-back is that the patient smokes."""
    rule = _data()["smoking"]
    start = timeline.as_of - timedelta(days=table.lookback_days)
    stated = [
        e
        for e in timeline.of(frozenset(rule.values()))
        if e.presence is not Presence.UNCERTAIN and e.day is not None and e.day > start
    ]
    last = max(stated, key=lambda e: e.day or timeline.as_of, default=None)
    if last is None:
        return False
    return last.concept == rule["current"] and last.presence is Presence.PRESENT


def was_smoker(timeline: Timeline) -> bool:
    """Whether a note or a code says that the patient smoked once, by either concept."""
    rule = _data()["smoking"]
    former = ever(timeline.of(frozenset([rule["former"], rule["current"]])))
    return bool(former)


def has_coronary_disease(timeline: Timeline) -> bool:
    """Whether a note or a code affirms coronary disease, ever."""
    return bool(ever(timeline.of(frozenset(_data()["prior_disease"]["coronary"]))))


def has_diabetes(timeline: Timeline) -> bool:
    """Whether a note or a code affirms diabetes, ever."""
    return bool(ever(timeline.of(frozenset(_data()["diabetes"]["concepts"]))))


def treats_blood_pressure(timeline: Timeline, table: FeatureTable) -> bool:
    """Whether an antihypertensive drug is in use."""
    topics = {topic.key: topic.concepts for topic in table.topics}
    return any(
        current(timeline.of(topics[key]), timeline, table)
        for key in _data()["treatment"]["blood_pressure_topics"]
    )


def treats_glucose(timeline: Timeline, table: FeatureTable) -> bool:
    """Whether a glucose-lowering drug is in use in a patient with diabetes."""
    drugs = timeline.of(frozenset(_data()["treatment"]["glucose"]))
    return has_diabetes(timeline) and bool(current(drugs, timeline, table))


def missing(score: str, item: str) -> Refusal:
    """Refusal for an input that the record lacks."""
    return Refusal(RefusalCode.MISSING, item, f"{score} necesita {_name(item)}")


def not_read(score: str, item: str) -> Refusal:
    """Refusal for an input that no record can give: the catalogue has no such concept."""
    sentence = f"{score} necesita {_name(item)}, que el catálogo no recoge"
    return Refusal(RefusalCode.NOT_READ, item, sentence)


def outside(score: str, item: str, limits: str) -> Refusal:
    """Refusal for an input outside the limits of a score."""
    sentence = f"{_name(item)} fuera de los límites de {score} ({limits})"
    return Refusal(RefusalCode.OUTSIDE, item, sentence)


def known_disease(score: str, concept: str) -> Refusal:
    """Refusal for a patient with known cardiovascular disease."""
    sentence = f"{score} es para personas sin enfermedad cardiovascular conocida"
    return Refusal(RefusalCode.PRIOR_DISEASE, concept, sentence)


def _name(item: str) -> str:
    return str(_data()["names"][item])


def _limits(table: FeatureTable, concept: str) -> tuple[float, float]:
    """Plausible limits of a measurement: of its feature topic, else of the notes' values."""
    for topic in table.topics:
        if topic.measured and concept in topic.concepts:
            return topic.plausible
    return plausible_limits(concept)


@cache
def _data() -> dict[str, Any]:
    return read_toml("clinical_nlp.risk.published", "inputs.toml")
