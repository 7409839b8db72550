"""The reasons of an estimate, in Spanish, as one text."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from clinical_nlp.records import EstimateStatus, RiskEstimate
from clinical_nlp.spanish import decimal_es
from fhir_adapters.writing.elements import text_line
from fhir_adapters.writing.scale import Band

_OUTCOME = "insuficiencia cardíaca"
_DAYS_IN_12_MONTHS = (365, 366)


def percentage(probability: float, rounding: str = ROUND_FLOOR) -> Decimal:
    """Return a probability (0..1) as a percentage with two decimals.

    Rounded down: 2.999% must not be shown as the 3% that opens the next band.
    """
    hundredfold = Decimal(repr(probability)) * 100
    return hundredfold.quantize(Decimal("0.01"), rounding=rounding)


def bounds(interval: tuple[float, float]) -> tuple[Decimal, Decimal]:
    """Return an interval's bounds as percentages, rounded outwards to hold the estimate."""
    low, high = interval
    return percentage(low), percentage(high, ROUND_CEILING)


def percentage_es(probability: float) -> str:
    """Return ``"15,3 %"``, as Spanish writes it."""
    return percentage_text(percentage(probability))


def percentage_text(percent: Decimal) -> str:
    """Return a percentage as Spanish writes it."""
    return f"{decimal_es(percent)} %"


def horizon_es(days: int) -> str:
    """Return ``"12 meses"`` for a year, ``"90 días"`` otherwise."""
    return "12 meses" if days in _DAYS_IN_12_MONTHS else f"{days} días"


def rationale(estimate: RiskEstimate, band: Band | None) -> str:
    """Return ``prediction.rationale``: what is estimated, and what raises or lowers it."""
    reasons = estimate.reasons
    if estimate.status is EstimateStatus.DIAGNOSED:
        text = f"La {_OUTCOME} ya consta en la historia: no se estima el riesgo."
        return _join(text, _list("Dónde consta", (r.text for r in reasons)))
    if estimate.status is EstimateStatus.SUSPECTED:
        text = f"Sospecha escrita de {_OUTCOME}, sin prueba concluyente"
        said = _list(text, (r.text for r in reasons))
        return _join(said or f"{text}.", "No se estima el riesgo.")
    if estimate.probability is None:
        why = text_line(estimate.abstention or "")
        text = f"No se estima el riesgo de {_OUTCOME}."
        return _join(text, _list("Motivo", [why] if why else []))
    name = f"Riesgo {band.name_es}" if band else "Riesgo"
    return _join(
        f"{name} de {_OUTCOME} en {horizon_es(estimate.horizon_days)}: "
        f"{percentage_es(estimate.probability)}.",
        text_line(estimate.frequency or ""),
        text_line(estimate.uncertainty or ""),
        _list("Lo aumentan", (r.text for r in reasons if r.contribution > 0)),
        _list("Lo reducen", (r.text for r in reasons if r.contribution < 0)),
        _list("También consta", (r.text for r in reasons if r.contribution == 0)),
    )


def mitigation_es(estimate: RiskEstimate, band: Band | None) -> str:
    """Return what to consider next: of this record where it is said, else of the whole band.

    Empty where neither is: a patient with known heart failure, an abstention.
    """
    advice = [f"{text_line(text).rstrip('.;')}." for text in estimate.advice]
    return _join(*advice) or ("" if band is None else band.mitigation_es)


def missing_data_es(estimate: RiskEstimate) -> str:
    """Return, in Spanish, which data would lower the uncertainty; empty where none would."""
    return _list("Reduciría la incertidumbre", estimate.missing)


def _list(heading: str, texts: Iterable[str]) -> str:
    lines = [text_line(text).rstrip(".;") for text in texts]
    return f"{heading}: {'; '.join(lines)}." if lines else ""


def _join(*parts: str) -> str:
    return " ".join(part for part in parts if part)
