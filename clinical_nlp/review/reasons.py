"""The estimate and its reasons, with links to the evidence in notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from clinical_nlp.records import Concept, EstimateStatus, Evidence, Reason, RiskEstimate
from clinical_nlp.review.markup import Html, anchor, band_chip, day_or_none, escape, state_chip
from clinical_nlp.risk.bands import load_bands
from clinical_nlp.spanish import months_of, percent_es

# Most links of a reason; the rest are counted.
_MAX_LINKS = 8


def show_reasons(estimate: RiskEstimate, concepts: Mapping[str, Concept]) -> Html:
    """Show a patient's estimate and its reasons.

    Parameters
    ----------
    estimate
        The batch's estimate.
    concepts
        The lexicon's concepts by key, for their Spanish names.
    """
    parts = [f"<p>Estado: {state_chip(estimate.status)}</p>", _headline(estimate)]
    if estimate.reasons:
        strongest = max(abs(reason.contribution) for reason in estimate.reasons)
        items = "".join(_reason(reason, strongest, concepts) for reason in estimate.reasons)
        parts.append(f"<ol class='cnr-reasons'>{items}</ol>")
    parts.append(_list("Qué valorar", _advice(estimate)))
    parts.append(_list("Qué ayudaría a precisar", estimate.missing))
    parts.append(
        f"<p class='cnr-small'>Modelo {escape(estimate.model.uri)}, "
        f"{day_or_none(estimate.index_date)}. Resultado preliminar de una herramienta de "
        "investigación: no diagnostica ni descarta.</p>"
    )
    return Html("".join(parts))


def _advice(estimate: RiskEstimate) -> tuple[str, ...]:
    """What to consider: of this record where it is said, else what holds for the whole band."""
    if estimate.advice or estimate.band is None:
        return estimate.advice
    return (load_bands()[estimate.band].mitigation_es,)


def _list(heading: str, texts: Sequence[str]) -> str:
    items = "".join(f"<li>{escape(text)}</li>" for text in texts)
    return f"<h4>{heading}</h4><ul>{items}</ul>" if items else ""


def _headline(estimate: RiskEstimate) -> str:
    if estimate.status is EstimateStatus.DIAGNOSED:
        return (
            "<p class='cnr-headline'><b>Insuficiencia cardíaca ya diagnosticada</b> "
            "según la historia: no se estima el riesgo de un diagnóstico nuevo.</p>"
        )
    if estimate.status is EstimateStatus.SUSPECTED:
        return (
            "<p class='cnr-headline'><b>Sospecha escrita de insuficiencia cardíaca</b>, sin "
            "prueba concluyente: lo dice la historia, y no se da ninguna probabilidad.</p>"
        )
    if estimate.probability is None:
        return (
            "<p class='cnr-headline'><b>Sin estimación.</b> "
            f"{escape(estimate.abstention or '')}</p>"
        )
    return _scored(estimate, estimate.probability)


def _scored(estimate: RiskEstimate, probability: float) -> str:
    band = ""
    if estimate.band is not None:
        band = " " + band_chip(load_bands()[estimate.band], "riesgo ")
    usual = ""
    if estimate.usual is not None:
        usual = (
            f" Lo habitual a su edad y sexo: <b class='cnr-usual'>{percent_es(estimate.usual)}</b>."
        )
    said = "".join(
        f"<p class='cnr-{name}'>{escape(text)}</p>"
        for name, text in (("frequency", estimate.frequency), ("interval", estimate.uncertainty))
        if text
    )
    return (
        f"<p class='cnr-headline'><b>{percent_es(probability)}</b> de probabilidad "
        f"estimada de un diagnóstico de insuficiencia cardíaca en los próximos "
        f"{months_of(estimate.horizon_days)} meses{band}.{usual}</p>{said}"
    )


def _reason(reason: Reason, strongest: float, concepts: Mapping[str, Concept]) -> str:
    text = f"<span class='cnr-why'>{escape(reason.text)}{_links(reason.evidence, concepts)}</span>"
    if reason.contribution == 0:  # stated, not weighed: a diagnosis, a suspicion
        return f"<li class='cnr-plain'>{text}</li>"
    direction, label = ("up", "▲ sube") if reason.contribution > 0 else ("down", "▼ baja")
    width = 100 * abs(reason.contribution) / strongest
    return (
        f"<li><span class='cnr-{direction}'>{label}</span>"
        f"<span class='cnr-meter' aria-hidden='true'>"
        f"<i class='cnr-{direction}-bar' style='width:{width:.0f}%'></i></span>{text}</li>"
    )


def _links(evidence: Sequence[Evidence], concepts: Mapping[str, Concept]) -> str:
    if not evidence:
        return ""
    # The sentence of a reason with a single concept names it already.
    several = len({piece.concept for piece in evidence}) > 1
    shown = [_link(piece, concepts if several else None) for piece in evidence[:_MAX_LINKS]]
    if len(evidence) > _MAX_LINKS:
        shown.append(f"y {len(evidence) - _MAX_LINKS} más")
    return f"<small>{' · '.join(shown)}</small>"


def _link(evidence: Evidence, concepts: Mapping[str, Concept] | None) -> str:
    words = day_or_none(evidence.day)
    if concepts is not None:
        concept = concepts.get(evidence.concept)
        words = f"{escape(concept.name_es if concept else evidence.concept)}, {words}"
    if evidence.start is None:  # a structured resource, without text to link to
        return f"{words} ({escape(evidence.source)})"
    return f"<a href='#{anchor(evidence.source, evidence.start)}'>{words}</a>"
