"""Reasons in Spanish, and percentages that agree with their band."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical_nlp.records import EstimateStatus, ModelReference, Reason, RiskEstimate
from clinical_nlp.risk.bands import band_of, load_bands
from fhir_adapters.writing.rationale import (
    bounds,
    horizon_es,
    missing_data_es,
    mitigation_es,
    percentage,
    percentage_es,
    rationale,
)

MODEL = ModelReference("hf-risk", "3", "models:/hf-risk/3", "ab")


def estimate(status: EstimateStatus, probability: float | None = None, **more: Any) -> RiskEstimate:
    return RiskEstimate("p", status, date(2025, 1, 31), 365, MODEL, probability, **more)


@given(st.floats(0, 1))
def test_percentage_falls_in_named_band(probability: float) -> None:
    shown = float(percentage(probability))
    assert 0 <= shown <= 100
    assert band_of(shown / 100) is band_of(probability) or abs(shown - 100 * probability) < 1e-9


@pytest.mark.parametrize("band", [b.key for b in load_bands()])
def test_percentage_of_band_bound_is_exact(band: str) -> None:
    lower = load_bands()[band].lower
    assert float(percentage(lower)) == pytest.approx(100 * lower, abs=1e-9)
    assert band_of(float(percentage(lower)) / 100).key == band


def test_percentage_below_bound_is_rounded_down() -> None:
    assert percentage_es(0.029999) == "2,99 %"


@pytest.mark.parametrize(
    ("probability", "shown"),
    [(0.153, "15,3 %"), (0.1, "10 %"), (0.0, "0 %"), (1.0, "100 %"), (0.00004, "0 %")],
)
def test_percentage_es_uses_decimal_comma(probability: float, shown: str) -> None:
    assert percentage_es(probability) == shown


def test_rationale_separates_raising_and_lowering_reasons() -> None:
    reasons = (
        Reason("Disnea de esfuerzo en 2 notas.", 0.9),
        Reason("Sin edemas", -0.3),
        Reason("NT-proBNP 1180 pg/mL", 0.4),
    )
    scored = estimate(EstimateStatus.SCORED, 0.153, reasons=reasons)
    assert rationale(scored, band_of(0.153)) == (
        "Riesgo alto de insuficiencia cardíaca en 12 meses: 15,3 %. "
        "Lo aumentan: Disnea de esfuerzo en 2 notas; NT-proBNP 1180 pg/mL. Lo reducen: Sin edemas."
    )


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_bounds_are_rounded_outwards(one: float, two: float, three: float) -> None:
    low, shown, high = sorted((one, two, three))
    lower, upper = bounds((low, high))
    assert 0 <= lower <= percentage(shown) <= upper <= 100


def test_rationale_states_uncertainty() -> None:
    sure = estimate(EstimateStatus.SCORED, 0.153, uncertainty="Intervalo del 95 %.")
    assert rationale(sure, band_of(0.153)).endswith("12 meses: 15,3 %. Intervalo del 95 %.")


def test_rationale_of_diagnosed_patient_states_diagnosis() -> None:
    text = rationale(
        estimate(EstimateStatus.DIAGNOSED, reasons=(Reason("En la lista de problemas", 0.0),)), None
    )
    assert text == (
        "La insuficiencia cardíaca ya consta en la historia: no se estima el riesgo. "
        "Dónde consta: En la lista de problemas."
    )


def test_rationale_of_abstention_gives_reason() -> None:
    text = rationale(estimate(EstimateStatus.ABSTAINED, abstention="No consta la edad."), None)
    assert text == "No se estima el riesgo de insuficiencia cardíaca. Motivo: No consta la edad."


def test_rationale_of_suspicion_states_it_without_number() -> None:
    said = (Reason("La sospecha una nota del 20/01/2025.", 0.0),)
    text = rationale(estimate(EstimateStatus.SUSPECTED, reasons=said), None)
    assert text == (
        "Sospecha escrita de insuficiencia cardíaca, sin prueba concluyente: "
        "La sospecha una nota del 20/01/2025. No se estima el riesgo."
    )
    assert rationale(estimate(EstimateStatus.SUSPECTED), None) == (
        "Sospecha escrita de insuficiencia cardíaca, sin prueba concluyente. "
        "No se estima el riesgo."
    )


def test_rationale_states_natural_frequency() -> None:
    said = estimate(EstimateStatus.SCORED, 0.04, frequency="De cada 100 personas así, 4.")
    assert rationale(said, band_of(0.04)).endswith("12 meses: 4 %. De cada 100 personas así, 4.")


def test_mitigation_is_the_records_advice_before_the_bands() -> None:
    band = band_of(0.04)
    plain = estimate(EstimateStatus.SCORED, 0.04)
    assert mitigation_es(plain, band) == band.mitigation_es
    advised = estimate(EstimateStatus.SCORED, 0.04, advice=("Valorar ecocardiograma", "Citar."))
    assert mitigation_es(advised, band) == "Valorar ecocardiograma. Citar."
    assert mitigation_es(estimate(EstimateStatus.ABSTAINED), None) == ""


def test_missing_data_es_lists_missing_data() -> None:
    assert missing_data_es(estimate(EstimateStatus.SCORED, 0.1)) == ""
    asked = estimate(EstimateStatus.SCORED, 0.1, missing=("Falta el IMC.", "Falta un ECG"))
    assert missing_data_es(asked) == "Reduciría la incertidumbre: Falta el IMC; Falta un ECG."


def test_horizon_es_uses_months_or_days() -> None:
    assert horizon_es(365) == "12 meses"
    assert horizon_es(90) == "90 días"
