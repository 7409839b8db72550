from __future__ import annotations

from datetime import date

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
from clinical_nlp.risk.sentences import uncertainty_es

CONCEPTS = {
    k: Concept(k, "symptom", {"es": v}) for k, v in {"d": "disnea", "o": "ortopnea"}.items()
}
DAY = date(2026, 3, 1)


def page(status=EstimateStatus.SCORED, probability=0.1234, band="very_high", **fields) -> str:
    model = ModelReference("hf-risk", "3", "models:/hf-risk/3", "d")
    return str(
        show_reasons(
            RiskEstimate("p", status, DAY, 365, model, probability, band, **fields), CONCEPTS
        )
    )


def test_show_reasons_states_probability_and_band():
    shown = page()
    assert "12,3\u00a0%" in shown and "próximos 12 meses" in shown
    assert "riesgo muy alto" in shown and "cnr-band-3'" in shown
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


def test_show_reasons_unscored_patient_has_no_number():
    diagnosed = page(
        EstimateStatus.DIAGNOSED, None, None, reasons=(Reason("codificada el 01/02/2020", 0.0),)
    )
    assert "ya diagnosticada" in diagnosed and "▲" not in diagnosed and "▼" not in diagnosed
    abstained = page(EstimateStatus.ABSTAINED, None, None, abstention="Sin <edad>.")
    assert "Sin &lt;edad&gt;." in abstained and "%</b>" not in abstained
