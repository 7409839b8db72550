from __future__ import annotations

from datetime import date

import pytest

from clinical_nlp.records import (
    Concept,
    EstimateStatus,
    Evidence,
    ModelReference,
    Reason,
    RiskEstimate,
)
from clinical_nlp.review.markup import anchor
from clinical_nlp.review.reasons import show_reasons
from clinical_nlp.risk.bands import load_bands
from clinical_nlp.risk.sentences import uncertainty_es
from clinical_nlp.risk.states import state_of

CONCEPTS = {
    k: Concept(k, "symptom", {"es": v}) for k, v in {"d": "disnea", "o": "ortopnea"}.items()
}
DAY = date(2026, 3, 1)


def page(status=EstimateStatus.SCORED, probability=0.1234, band="markedly_raised", **fields) -> str:
    model = ModelReference("hf-risk", "3", "models:/hf-risk/3", "d")
    return str(
        show_reasons(
            RiskEstimate("p", status, DAY, 365, model, probability, band, **fields), CONCEPTS
        )
    )


def test_show_reasons_states_probability_and_band():
    shown = page()
    assert "12,3\u00a0%" in shown and "próximos 12 meses" in shown
    assert "riesgo alto" in shown and "cnr-band-3'" in shown
    assert "preliminar" in shown and "models:/hf-risk/3" in shown


def test_show_reasons_states_interval():
    assert "entre 4 % y 9 %" in page(uncertainty=uncertainty_es((0.04, 0.09), 0.95))
    assert "Sin intervalo" in page(uncertainty=uncertainty_es(None, 0.95))
    assert "cnr-interval'" not in page(EstimateStatus.ABSTAINED, None, None, abstention="Sin edad.")


def test_show_reasons_links_to_evidence():
    spoken = Evidence("DocumentReference/1", "d", DAY, 8, 14)
    coded = Evidence("Condition/7", "d", DAY)
    shown = page(
        reasons=(Reason("disnea <en> 1 nota", 2.0, (spoken, coded)), Reason("sin edema", -0.5))
    )
    assert f"<a href='#{anchor('DocumentReference/1', 8)}'>01/03/2026</a>" in shown
    assert "01/03/2026 (Condition/7)" in shown and "disnea &lt;en&gt; 1 nota" in shown
    assert "width:100%" in shown and "width:25%" in shown
    assert "▲ sube" in shown and "▼ baja" in shown


def test_show_reasons_names_concepts_of_mixed_evidence():
    several = tuple(Evidence("N", key, DAY, 0, 1) for key in "do")
    assert ">ortopnea, 01/03/2026</a>" in page(reasons=(Reason("x", 1.0, several),))


def test_show_reasons_counts_links_beyond_limit():
    many = tuple(Evidence("N", "d", DAY, i, i + 1) for i in range(11))
    assert "y 3 más" in page(reasons=(Reason("x", 1.0, many),))


def test_show_reasons_states_usual_risk_and_frequency_beside_the_probability():
    shown = page(usual=0.021, frequency="De cada 100 personas <así>, 12; lo habitual: 2.")
    assert (
        "12,3\u00a0%" in shown and "a su edad y sexo: <b class='cnr-usual'>2,1\u00a0%</b>" in shown
    )
    assert "De cada 100 personas &lt;así&gt;, 12" in shown
    assert "Lo habitual" not in page() and "cnr-frequency" not in page()


def test_show_reasons_gives_the_records_advice_before_the_bands():
    general = load_bands()["markedly_raised"].mitigation_es
    assert general in page()
    shown = page(advice=("Repetir NT-proBNP.", "Valorar ecocardiograma."))
    assert "<li>Repetir NT-proBNP.</li><li>Valorar ecocardiograma.</li>" in shown
    assert general not in shown


def test_show_reasons_of_suspicion_states_it_without_number():
    spoken = Evidence("DocumentReference/1", "d", DAY, 8, 14)
    shown = page(
        EstimateStatus.SUSPECTED,
        None,
        None,
        reasons=(Reason("La sospecha una nota", 0.0, (spoken,)), Reason("Eco sin resultado", 0.0)),
        advice=("Comprobar el ecocardiograma.",),
    )
    body = shown.split("</style>")[1]
    assert "Sospecha escrita de insuficiencia cardíaca</b>, sin prueba concluyente" in body
    assert "La sospecha una nota" in body and "Eco sin resultado" in body
    assert "Comprobar el ecocardiograma." in body
    assert "%" not in body and "▲" not in body and "cnr-meter" not in body


@pytest.mark.parametrize("status", EstimateStatus)
def test_show_reasons_names_the_state(status):
    scored = status is EstimateStatus.SCORED
    probability, band = (0.2, "markedly_raised") if scored else (None, None)
    assert f">{state_of(status).name_es}</span>" in page(status, probability, band)


def test_show_reasons_unscored_patient_has_no_number():
    diagnosed = page(
        EstimateStatus.DIAGNOSED, None, None, reasons=(Reason("codificada el 01/02/2020", 0.0),)
    )
    assert "ya diagnosticada" in diagnosed and "▲" not in diagnosed and "▼" not in diagnosed
    abstained = page(EstimateStatus.ABSTAINED, None, None, abstention="Sin <edad>.")
    assert "Sin &lt;edad&gt;." in abstained and "%</b>" not in abstained
