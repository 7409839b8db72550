"""Notes with their findings marked by assertion."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from clinical_nlp.records import FLAGS, Concept, Finding, NoteFindings
from clinical_nlp.review.markup import Html, anchor, day_or_none, escape
from clinical_nlp.review.output import ChangedNote
from clinical_nlp.spanish import measurement_es

#: Spanish name and short label of each assertion. The label is printed beside the words,
#: for readers who cannot tell the colours apart.
ASSERTIONS: Mapping[str, tuple[str, str]] = {
    "affirmed": ("afirmado", ""),
    "negated": ("negado", "no"),
    "uncertain": ("dudoso", "¿?"),
    "historical": ("antecedente", "ant."),
    "family": ("familiar", "fam."),
    "hypothetical": ("hipotético", "hip."),
}
# Flag that gives the colour of a finding with several flags, first one first.
_PRECEDENCE = ("family", "hypothetical", "negated", "historical", "uncertain")


def show_notes(
    notes: Iterable[NoteFindings],
    concepts: Mapping[str, Concept],
    changed: Sequence[ChangedNote] = (),
) -> Html:
    """Show notes with their findings marked.

    Parameters
    ----------
    notes
        Notes whose text has been checked against the findings'
        (:meth:`~clinical_nlp.review.output.BatchOutput.on_notes`).
    concepts
        The lexicon's concepts by key, for their Spanish names.
    changed
        Notes whose findings cannot be shown.
    """
    warnings = "".join(
        f"<p class='cnr-warning'>El texto de la nota {escape(note.key)} no es el que leyó el "
        f"programa: sus {note.findings} hallazgos no se marcan. Vuelva a ejecutar el lote.</p>"
        for note in changed
    )
    cards = "".join(_card(note, concepts) for note in notes)
    # A scrolling box: a long history must not push the rest of the page away.
    box = f"<div class='cnr-notes' tabindex='0' aria-label='Notas'>{cards}</div>"
    return Html(legend() + warnings + (box if cards else "<p>El paciente no tiene notas.</p>"))


def legend() -> str:
    """Return the legend of the marks."""
    items = "".join(
        f"<li><mark class='cnr-{kind}'>{name}{_label(label)}</mark></li>"
        for kind, (name, label) in ASSERTIONS.items()
    )
    items += f"<li><mark class='cnr-doubtful'>lectura dudosa{_label('duda')}</mark></li>"
    return f"<ul class='cnr-legend' aria-label='Leyenda'>{items}</ul>"


def _card(note_findings: NoteFindings, concepts: Mapping[str, Concept]) -> str:
    note = note_findings.note
    day = day_or_none(note.written.date() if note.written else None)
    count = len(note_findings.findings)
    return (
        f"<article class='cnr-note'><header><b>{day}</b> <span>{escape(note.key)}</span>"
        f"<span>{count} hallazgo{'' if count == 1 else 's'}</span></header>"
        f"<div class='cnr-text'>{highlight(note_findings, concepts)}</div></article>"
    )


def highlight(note_findings: NoteFindings, concepts: Mapping[str, Concept]) -> str:
    """Return a note's text as HTML with a ``<mark>`` around every finding.

    Findings may overlap. The text is cut wherever one begins or ends; a piece has the
    colour of the shortest finding that covers it and the titles of all.
    """
    text, findings = note_findings.note.text, note_findings.findings
    cuts = sorted({0, len(text), *(f.start for f in findings), *(f.end for f in findings)})
    upcoming = sorted(findings, key=lambda f: f.start)
    covering: list[Finding] = []
    pieces = []
    for start, end in pairwise(cuts):
        covering = [f for f in covering if f.end > start]
        while upcoming and upcoming[0].start <= start:
            covering.append(upcoming.pop(0))
        piece = escape(text[start:end])
        pieces.append(_mark(note_findings.note.key, piece, start, end, covering, concepts))
    return "".join(pieces)


def _mark(
    key: str,
    piece: str,
    start: int,
    end: int,
    covering: Sequence[Finding],
    concepts: Mapping[str, Concept],
) -> str:
    if not covering:
        return piece
    inner = min(covering, key=lambda f: (f.end - f.start, f.concept))
    kind = assertion(inner)
    title = escape("; ".join(describe(f, concepts) for f in covering))
    # Links lead to the start of a finding; its label is at the end.
    name = f" id='{anchor(key, start)}'" if any(f.start == start for f in covering) else ""
    label = _label(ASSERTIONS[kind][1]) if inner.end == end else ""
    if inner.doubtful:
        kind += " cnr-doubtful"
        label += _label("duda") if inner.end == end else ""
    return f"<mark class='cnr-{kind}'{name} title='{title}'>{piece}{label}</mark>"


def assertion(finding: Finding) -> str:
    """Return the key of :data:`ASSERTIONS` that gives a finding its colour."""
    return next((flag for flag in _PRECEDENCE if getattr(finding, flag)), "affirmed")


def describe(finding: Finding, concepts: Mapping[str, Concept]) -> str:
    """Return a finding's concept, value and assertion in Spanish."""
    concept = concepts.get(finding.concept)
    words = concept.name_es if concept else finding.concept
    if finding.value is not None:
        words += f" {measurement_es(finding.value, finding.comparator, finding.unit)}"
    flags = [flag for flag in FLAGS if getattr(finding, flag)] or ["affirmed"]
    words = f"{words}: {', '.join(ASSERTIONS[flag][0] for flag in flags)}"
    if finding.probability is None:
        return words
    doubt = " (lectura dudosa)" if finding.doubtful else ""
    return f"{words}; seguridad {round(100 * finding.probability)} %{doubt}"


def _label(label: str) -> str:
    return f"<sup>{label}</sup>" if label else ""
