"""A page to browse errors on: each in its note's context, filtered by kind and concept.

It quotes the gold notes, so it is as private as they are; it is written only where the
user asked for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jinja2 import Environment, PackageLoader

from clinical_nlp.evaluation.findings import Disagreement
from clinical_nlp.evaluation.rows import Mark

_CONTEXT = 90


def render_errors(disagreements: Sequence[Disagreement], texts: Mapping[str, str]) -> str:
    """Render the errors as one self-contained HTML page.

    Parameters
    ----------
    disagreements
        In the order to be shown.
    texts
        Text of each note by id.
    """
    environment = Environment(loader=PackageLoader("clinical_nlp.evaluation"), autoescape=True)
    rows = [_row(d, texts.get(d.note, "")) for d in disagreements]
    return environment.get_template("errors.html").render(
        rows=rows, kinds=sorted({d.kind for d in disagreements})
    )


def _row(disagreement: Disagreement, text: str) -> dict[str, str]:
    mark = disagreement.gold or disagreement.predicted
    if mark is None:
        raise ValueError("a disagreement has a gold or a predicted mark")
    return {
        "note": disagreement.note,
        "kind": disagreement.kind,
        "concept": mark.concept or "",
        "before": text[max(0, mark.start - _CONTEXT) : mark.start],
        "marked": text[mark.start : mark.end],
        "after": text[mark.end : mark.end + _CONTEXT],
        "gold": _said(disagreement.gold),
        "predicted": _said(disagreement.predicted),
    }


def _said(mark: Mark | None) -> str:
    if mark is None:
        return "—"
    if mark.value is not None:
        return f"{mark.value:g}"
    return ", ".join(name for name, value in mark.flags if value) or "affirmed"
