"""The drift report, in Markdown and as an HTML page: counts and shares, no patient."""

from __future__ import annotations

from importlib import resources
from typing import Any

from jinja2 import Environment, StrictUndefined
from markdown_it import MarkdownIt

from clinical_nlp.batch.drift.compare import Drift, Level, settings

_WORDS = {Level.STABLE: "stable", Level.MODERATE: "moderate shift", Level.MAJOR: "major shift"}

#: Stable features listed; the rest are counted.
_SHOWN = 10

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;margin:1rem 0}td,th{padding:.25rem .75rem;border-bottom:"
    "1px solid #ccc;text-align:left}"
)


def drift_markdown(drift: Drift) -> str:
    """Return the report in Markdown."""
    template = resources.files("clinical_nlp.batch.drift").joinpath("drift.md.j2")
    shifted = [shift for shift in drift.shifts if shift.level]
    stable = [shift for shift in drift.shifts if not shift.level]
    # Markdown, not HTML: escaping would spoil it; drift_html escapes what it is given.
    environment = Environment(undefined=StrictUndefined, autoescape=False)  # noqa: S701
    text = environment.from_string(template.read_text("utf-8")).render(
        drift=drift,
        rows=_rows(drift),
        verdict=_verdict(drift),
        shown=[*shifted, *stable[:_SHOWN]],
        hidden=max(len(stable) - _SHOWN, 0),
        words=_WORDS,
        moderate=settings()["moderate"],
        major=settings()["major"],
    )
    return text.rstrip() + "\n"


def drift_html(drift: Drift) -> str:
    """Return the report as one page that fetches nothing."""
    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(drift_markdown(drift))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>Drift between two batches</title><style>{_STYLE}</style></head>"
        f"<body>\n{body}</body></html>\n"
    )


def _verdict(drift: Drift) -> str:
    if drift.level is Level.STABLE:
        return "No shift beyond chance."
    worst = [shift.name for shift in drift.shifts if shift.level is drift.level]
    names = ", ".join(worst[:5])
    more = f" and {len(worst) - 5} more" if len(worst) > 5 else ""
    return f"A {_WORDS[drift.level]} in {names}{more}."


def _rows(drift: Drift) -> list[tuple[str, str, str]]:
    def shares(run: Any, name: str) -> str:  # noqa: ANN401  # JSON
        patients = {"suspected": 0} | run["patients"]  # runs of earlier versions count none
        return f"{patients[name]} ({100 * patients[name] / max(patients['seen'], 1):.1f}%)"

    runs = (drift.before, drift.after)
    rows = [("patients", *(str(run["patients"]["seen"]) for run in runs))]
    for name in ("with_text", "scored", "diagnosed", "suspected", "abstained", "worklist"):
        rows.append((name.replace("_", " "), *(shares(run, name) for run in runs)))
    rows.append(("model version", *(str(run["model"]["version"]) for run in runs)))
    rows.append(("model digest", *(str(run["model"]["digest"])[:16] for run in runs)))
    return [(label, before, after) for label, before, after in rows]
