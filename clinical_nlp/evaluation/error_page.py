"""An HTML page of errors in context, filtered by kind and concept.

It quotes the gold notes and is as private as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jinja2 import Environment, PackageLoader

from clinical_nlp.evaluation.annotated_notes import Annotation
from clinical_nlp.evaluation.finding_scores import Disagreement

_CONTEXT = 90


def render_errors(disagreements: Sequence[Disagreement], texts: Mapping[str, str]) -> str:
    """Render the errors as one self-contained HTML page.

    Parameters
    ----------
    disagreements
        In display order.
    texts
        Text of each note by id.
    """
    environment = Environment(loader=PackageLoader("clinical_nlp.evaluation"), autoescape=True)
    rows = [_row(d, texts.get(d.note, "")) for d in disagreements]
    return environment.get_template("errors.html").render(
        rows=rows, kinds=sorted({d.kind for d in disagreements})
    )


def _row(disagreement: Disagreement, text: str) -> dict[str, str]:
    annotation = disagreement.gold or disagreement.predicted
    if annotation is None:
        raise ValueError("a disagreement has a gold or a predicted annotation")
    return {
        "note": disagreement.note,
        "kind": disagreement.kind,
        "concept": annotation.concept or "",
        "before": text[max(0, annotation.start - _CONTEXT) : annotation.start],
        "marked": text[annotation.start : annotation.end],
        "after": text[annotation.end : annotation.end + _CONTEXT],
        "gold": _stated(disagreement.gold),
        "predicted": _stated(disagreement.predicted),
    }


def _stated(annotation: Annotation | None) -> str:
    if annotation is None:
        return "—"
    if annotation.value is not None:
        return f"{annotation.value:g}"
    return ", ".join(name for name, value in annotation.flags if value) or "affirmed"
