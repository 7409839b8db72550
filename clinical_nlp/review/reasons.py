"""The estimate and its reasons, with links to the evidence in notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from clinical_nlp.records import Concept, EstimateStatus, Evidence, Reason, RiskEstimate
from clinical_nlp.review.markup import Html, anchor, band_chip, day_or_none, escape
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
    parts = [_headline(estimate)]
    if estimate.reasons:
        strongest = max(abs(reason.contribution) for reason in estimate.reasons)
        items = "".join(_reason(reason, strongest, concepts) for reason in estimate.reasons)
        parts.append(f"<ol class='cnr-reasons'>{items}</ol>")
    if estimate.missing:
        missing = "".join(f"<li>{escape(text)}</li>" for text in estimate.missing)
        parts.append(f"<h4>Qué ayudaría a precisar</h4><ul>{missing}</ul>")
    parts.append(
        f"<p class='cnr-small'>Modelo {escape(estimate.model.uri)}, "
        f"{day_or_none(estimate.index_date)}. Resultado preliminar de una herramienta de "
        "investigación: no diagnostica ni descarta.</p>"
    )
    return Html("".join(parts))


def _headline(estimate: RiskEstimate) -> str:
    if estimate.status is EstimateStatus.DIAGNOSED:
        return (
            "<p class='cnr-headline'><b>Insuficiencia cardíaca ya diagnosticada</b> "
            "según la historia: no se estima el riesgo de un diagnóstico nuevo.</p>"
        )
    if estimate.probability is None:
        return (
            "<p class='cnr-headline'><b>Sin estimación.</b> "
            f"{escape(estimate.abstention or '')}</p>"
        )
    band, advice = "", ""
    if estimate.band is not None:
        published = load_bands()[estimate.band]
        band = " " + band_chip(published, "riesgo ")
        advice = f"<p>{escape(published.mitigation_es)}</p>"
    interval = ""
    if estimate.uncertainty:
        interval = f"<p class='cnr-interval'>{escape(estimate.uncertainty)}</p>"
    return (
        f"<p class='cnr-headline'><b>{percent_es(estimate.probability)}</b> de probabilidad "
        f"estimada de un diagnóstico de insuficiencia cardíaca en los próximos "
        f"{months_of(estimate.horizon_days)} meses{band}</p>"
        f"{interval}{advice}"
    )


def _reason(reason: Reason, strongest: float, concepts: Mapping[str, Concept]) -> str:
    text = f"<span class='cnr-why'>{escape(reason.text)}{_links(reason.evidence, concepts)}</span>"
    if reason.contribution == 0:  # where a diagnosis is recorded
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
