"""A risk estimate as a ``RiskAssessment``, and the ``Task`` that asks for its review."""

from __future__ import annotations

from collections.abc import Sequence

from clinical_nlp.records import RiskEstimate
from fhir_adapters.writing.ai_transparency import confidence
from fhir_adapters.writing.elements import (
    Json,
    Resource,
    codeable,
    coding,
    keyed,
    number,
    period,
    quantity,
    reference,
)
from fhir_adapters.writing.rationale import (
    bounds,
    horizon_es,
    missing_data_es,
    mitigation_es,
    percentage,
    percentage_es,
    percentage_text,
    rationale,
)
from fhir_adapters.writing.scale import Band
from fhir_adapters.writing.urls import (
    BAND,
    INTERVAL_EXTENSION,
    INTERVAL_LEVEL,
    INTERVAL_RANGE,
    METHOD,
    METHOD_CODE,
    RESULT,
    SNOMED,
    STATUS,
    STATUS_EXTENSION,
    TASK_CODE,
    CanonicalUrls,
)
from fhir_adapters.writing.vocabulary import RunElements

#: SNOMED CT "Heart failure (disorder)".
HEART_FAILURE = "84114007"


def risk_assessment(
    estimate: RiskEstimate, band: Band | None, basis: Sequence[Json], run: RunElements
) -> Resource:
    """Return the RiskAssessment of one patient.

    A patient with diagnosed or suspected heart failure, or an abstention, has one too, without
    prediction or band, its sentence in ``note``: a reader of the record should see that the
    system looked, and why it gives no estimate.

    Parameters
    ----------
    estimate
        The estimate.
    band
        The published band of its probability; ``None`` unless scored.
    basis
        References to the evidence of the reasons.
    """
    urls = run.vocabulary.urls
    status = run.vocabulary.statuses[estimate.status.value]
    stated = coding(urls.code_system(STATUS), status.code, status.display_es)
    body: Json = {
        "meta": run.meta,
        "extension": [{"url": urls.extension(STATUS_EXTENSION), "valueCoding": stated}],
        "status": "preliminary",
        "method": codeable(
            f"{estimate.model.name}, versión {estimate.model.version}",
            coding(urls.code_system(METHOD), METHOD_CODE),
        ),
        "subject": reference(estimate.patient_id, "Patient"),
        "occurrenceDateTime": estimate.index_date.isoformat(),
        "performer": run.model,
    }
    if basis:
        body["basis"] = list(basis)
    notes = [missing_data_es(estimate)]
    if band is None or estimate.probability is None:
        # ras-2 looks at ``prediction.probability``: strict servers refuse a prediction without.
        notes.insert(0, rationale(estimate, band))
    else:
        body["prediction"] = [_prediction(estimate, estimate.probability, band, urls)]
    if mitigation := mitigation_es(estimate, band):
        body["mitigation"] = mitigation
    if said := [{"text": text} for text in notes if text]:
        body["note"] = said
    key = (estimate.patient_id, METHOD_CODE)
    return keyed("RiskAssessment", key, body, urls.identifiers(RESULT))


def _prediction(
    estimate: RiskEstimate, probability: float, band: Band, urls: CanonicalUrls
) -> Json:
    prediction: Json = {}
    if estimate.interval is not None and estimate.interval_level is not None:
        prediction["extension"] = _interval(estimate.interval, estimate.interval_level, urls)
    prediction["outcome"] = codeable("insuficiencia cardíaca", coding(SNOMED, HEART_FAILURE))
    prediction["probabilityDecimal"] = float(percentage(probability))
    prediction["qualitativeRisk"] = codeable(
        f"riesgo {band.name_es}", coding(urls.code_system(BAND), band.key, band.name_es)
    )
    prediction["whenPeriod"] = period(estimate.index_date, estimate.horizon_days)
    prediction["rationale"] = rationale(estimate, band)
    return prediction


def _interval(interval: tuple[float, float], level: float, urls: CanonicalUrls) -> list[Json]:
    """Return the extensions that hold the interval around the probability.

    ``prediction.probability[x]`` takes a decimal or a Range, and a Range would leave no place
    for the estimate itself, which sorts and bands the patients. The guide's AIconfidence says
    the same to readers who know no extension of ours; it has no place for the level.
    """
    low, high = (quantity(float(bound), "%") for bound in bounds(interval))
    between = {"low": low, "high": high}
    own = {
        "extension": [
            {"url": INTERVAL_LEVEL, "valueDecimal": number(100 * level)},
            {"url": INTERVAL_RANGE, "valueRange": between},
        ],
        "url": urls.extension(INTERVAL_EXTENSION),
    }
    return [own, confidence(between)]


def _interval_es(estimate: RiskEstimate) -> str:
    if estimate.interval is None:
        return ""
    low, high = (percentage_text(bound) for bound in bounds(estimate.interval))
    return f", intervalo de {low} a {high}"


def review_task(
    estimate: RiskEstimate, band: Band | None, assessment: Json, run: RunElements
) -> Resource:
    """Return the proposal that a clinician review an assessment.

    A written suspicion is ``urgent`` (to be actioned promptly, before what is ``routine``) and no
    more: ``asap`` and ``stat`` say that time presses, which a program that read the notes cannot
    know (R4, request-priority).

    Parameters
    ----------
    band
        The published band of a scored patient; ``None`` of a suspected one.
    assessment
        Reference to the RiskAssessment.
    """
    if band is None or estimate.probability is None:
        priority, text = "urgent", "Revisar la sospecha escrita"
        description = f"Revisar: {_lower(rationale(estimate, band))}"
    else:
        priority, text = "routine", "Revisar la estimación de riesgo"
        description = (
            f"Revisar: riesgo {band.name_es} de insuficiencia cardíaca en "
            f"{horizon_es(estimate.horizon_days)} ({percentage_es(estimate.probability)}"
            f"{_interval_es(estimate)})."
        )
    return keyed(
        "Task",
        (estimate.patient_id, METHOD_CODE),
        {
            "meta": run.meta,
            "status": "requested",
            "intent": "proposal",
            "priority": priority,
            "code": codeable(text, coding(TASK_CODE, "approve")),
            "description": description,
            "focus": assessment,
            "for": reference(estimate.patient_id, "Patient"),
            "authoredOn": estimate.index_date.isoformat(),
            "requester": run.model,
        },
        run.vocabulary.urls.identifiers(RESULT),
    )


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
