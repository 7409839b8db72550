"""Notes with their findings marked, by how each was said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from clinical_nlp.records import FLAGS, Concept, Finding, NoteFindings
from clinical_nlp.review.markup import Html, anchor, day_or_none, escape
from clinical_nlp.review.output import ChangedNote
from clinical_nlp.spanish import measurement_es

#: Spanish name and short label of each way to say a finding. The label is printed beside
#: the words: colour alone would leave out who cannot tell colours apart.
ASSERTIONS: Mapping[str, tuple[str, str]] = {
    "affirmed": ("afirmado", ""),
    "negated": ("negado", "no"),
    "uncertain": ("dudoso", "¿?"),
    "historical": ("antecedente", "ant."),
    "family": ("familiar", "fam."),
    "hypothetical": ("hipotético", "hip."),
}
# Which colour a finding with several flags takes: whose it is comes before whether it is.
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
        Notes to warn about.
    """
    warnings = "".join(
        f"<p class='cnr-warning'>El texto de la nota {escape(note.key)} no es el que leyó el "
        f"programa: sus {note.findings} hallazgos no se marcan. Vuelva a ejecutar el lote.</p>"
        for note in changed
    )
    cards = "".join(_card(note, concepts) for note in notes)
    # A box of its own that scrolls: a long history must not bury the rest of the page.
    box = f"<div class='cnr-notes' tabindex='0' aria-label='Notas'>{cards}</div>"
    return Html(legend() + warnings + (box if cards else "<p>El paciente no tiene notas.</p>"))


def legend() -> str:
    """Return the key to the marks."""
    items = "".join(
        f"<li><mark class='cnr-{kind}'>{name}{_label(label)}</mark></li>"
        for kind, (name, label) in ASSERTIONS.items()
    )
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

    Findings may overlap: the text is cut wherever one begins or ends, and a piece takes
    the colour of the shortest finding over it and the titles of all.
    """
    text, findings = note_findings.note.text, note_findings.findings
    cuts = sorted({0, len(text), *(f.start for f in findings), *(f.end for f in findings)})
    waiting = sorted(findings, key=lambda f: f.start)
    over: list[Finding] = []
    pieces = []
    for start, end in pairwise(cuts):
        over = [f for f in over if f.end > start]
        while waiting and waiting[0].start <= start:
            over.append(waiting.pop(0))
        piece = escape(text[start:end])
        pieces.append(_mark(note_findings.note.key, piece, start, end, over, concepts))
    return "".join(pieces)


def _mark(
    key: str,
    piece: str,
    start: int,
    end: int,
    over: Sequence[Finding],
    concepts: Mapping[str, Concept],
) -> str:
    if not over:
        return piece
    inner = min(over, key=lambda f: (f.end - f.start, f.concept))
    kind = assertion(inner)
    title = escape("; ".join(describe(f, concepts) for f in over))
    # Links lead to where a finding begins, and its label stands where it ends.
    name = f" id='{anchor(key, start)}'" if any(f.start == start for f in over) else ""
    label = _label(ASSERTIONS[kind][1]) if inner.end == end else ""
    return f"<mark class='cnr-{kind}'{name} title='{title}'>{piece}{label}</mark>"


def assertion(finding: Finding) -> str:
    """Return the key of :data:`ASSERTIONS` that a finding is drawn as."""
    said = dict(zip(FLAGS, finding.flags, strict=True))
    return next((flag for flag in _PRECEDENCE if said[flag]), "affirmed")


def describe(finding: Finding, concepts: Mapping[str, Concept]) -> str:
    """Return a finding in words: its concept, value and how it was said."""
    concept = concepts.get(finding.concept)
    words = concept.name_es if concept else finding.concept
    if finding.value is not None:
        words += f" {measurement_es(finding.value, finding.comparator, finding.unit)}"
    said = [
        ASSERTIONS[flag][0] for flag, is_set in zip(FLAGS, finding.flags, strict=True) if is_set
    ]
    return f"{words}: {', '.join(said or [ASSERTIONS['affirmed'][0]])}"


def _label(label: str) -> str:
    return f"<sup>{label}</sup>" if label else ""
