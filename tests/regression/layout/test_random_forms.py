"""Random forms: every label, answer, layout and language gives the right flag.

The labels are findings as clinicians name them in each language; the answers are those of
published forms. A form must mean the same wherever in a note it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.language import Language

from clinical_nlp.pipeline.document import get_findings

LABELS = {
    "es": ("Disnea", "Ortopnea", "Síncope", "Palpitaciones", "Crepitantes", "Hepatomegalia"),
    "ca": ("Dispnea", "Ortopnea", "Síncope", "Palpitacions", "Crepitants", "Hepatomegàlia"),
    "gl": ("Disnea", "Ortopnea", "Síncope", "Palpitacións", "Crepitantes", "Hepatomegalia"),
    "eu": ("Disnea", "Ortopnea", "Sinkopea", "Palpitazioak", "Krepitanteak", "Hepatomegalia"),
}
ANSWERS = {
    "es": {
        True: ("Sí", "SI", "sí", "S", "+", "++", "presente"),
        False: ("No", "NO", "N", "-", "0"),
    },
    "ca": {True: ("Sí", "present"), False: ("No", "absent", "0")},
    "gl": {True: ("Si", "presente"), False: ("Non", "ausente", "0")},
    "eu": {True: ("Bai", "BAI"), False: ("Ez", "EZ")},
}
UNANSWERED = ("N/A", "no explorado", "____", "sin datos", "no procede", "ver previo")
BOXES = (("[x]", "[ ]"), ("(X)", "( )"), ("☒", "☐"), ("☑", "☐"), ("■", "□"), ("●", "○"))
Row = tuple[str, str]
Layout = Callable[[Sequence[Row]], str]


def lines(join: str) -> Layout:
    return lambda rows: "\n".join(f"{label}{join}{answer}" for label, answer in rows)


FIELDS: dict[str, Layout] = {
    "colon": lines(": "),
    "equals": lines(" = "),
    "leaders": lines(" .......... "),
    "arrow": lines(" -> "),
    "bullets": lambda rows: "\n".join(f"- {label}: {answer}" for label, answer in rows),
    "numbers": lambda rows: "\n".join(
        f"{n}. {label}: {answer}" for n, (label, answer) in enumerate(rows, 1)
    ),
    "pipes": lambda rows: "\n".join(f"| {label} | {answer} |" for label, answer in rows),
    "tabs": lines("\t"),
    "blanks": lambda rows: "\n".join(f"{label:<20}{answer}" for label, answer in rows),
    "one line": lambda rows: "   ".join(f"{label}: {answer}" for label, answer in rows),
    "semicolons": lambda rows: "; ".join(f"{label}: {answer}" for label, answer in rows),
    "questions": lambda rows: "\n".join(f"¿{label}? {answer}" for label, answer in rows),
    "replies": lambda rows: "\n".join(f"¿{label}?\nR: {answer}" for label, answer in rows),
    "two lines": lambda rows: "\n".join(f"{label}\n{answer}" for label, answer in rows),
    "spaced": lambda rows: "\n\n".join(f"{label}\n\n{answer}" for label, answer in rows),
    "header row": lambda rows: "\n".join(" | ".join(cells) for cells in zip(*rows, strict=True)),
    "definitions": lambda rows: "\n\n".join(f"{label}: {answer}" for label, answer in rows),
}
#: Before and after a form; none of it names a finding.
AROUND = ("", "Acude sola a la consulta.\n\n", "Revisión anual, se rellena el protocolo:\n")


@st.composite
def forms(draw: st.DrawFn) -> tuple[list[tuple[str, bool | None]], str]:
    """A form as text, and for each label what its answer says (``None``: nothing)."""
    language = draw(st.sampled_from(sorted(LABELS)))
    labels = draw(st.permutations(LABELS[language]))[: draw(st.integers(2, 5))]
    said = [draw(st.sampled_from((True, False, None))) for _ in labels]
    rows = [
        (
            label,
            draw(st.sampled_from(UNANSWERED if yes is None else ANSWERS[language][yes])),
        )
        for label, yes in zip(labels, said, strict=True)
    ]
    name = draw(st.sampled_from(sorted(FIELDS)))
    return list(zip(labels, said, strict=True)), FIELDS[name](rows)


@st.composite
def boxes(draw: st.DrawFn) -> tuple[list[tuple[str, bool | None]], str]:
    """A form of check boxes."""
    language = draw(st.sampled_from(sorted(LABELS)))
    labels = draw(st.permutations(LABELS[language]))[: draw(st.integers(2, 5))]
    said: list[bool] = [draw(st.booleans()) for _ in labels]
    on, off = draw(st.sampled_from(BOXES))
    style = draw(st.sampled_from(("before", "after", "pairs", "pairs after")))
    yes, no = ANSWERS[language][True][0], ANSWERS[language][False][0]
    if not any(said) and style in ("before", "after"):
        said[0] = True  # a form that nobody filled in says nothing
    rows = []
    for label, checked in zip(labels, said, strict=True):
        box, other = (on, off) if checked else (off, on)
        rows.append(
            {
                "before": f"{box} {label}",
                "after": f"{label} {box}",
                "pairs": f"{label}: {box} {yes} {other} {no}",
                "pairs after": f"{label}: {yes} {box} {no} {other}",
            }[style]
        )
    if draw(st.booleans()) and {on, off} & {"●", "■"} and all(said):
        rows.append(f"{off} Otros")
    return list(zip(labels, said, strict=True)), draw(st.sampled_from(("\n", "   "))).join(rows)


def check(nlp: Language, form: tuple[list[tuple[str, bool | None]], str], around: Row) -> None:
    rows, text = form
    note = f"{around[0]}{text}\n{around[1]}"
    found = {f.text.casefold(): f.flags for f in get_findings(nlp(note)) if f.value is None}
    expected = {
        label.casefold(): (not yes, False, False, False, False)
        for label, yes in rows
        if yes is not None
    }
    assert found == expected, note


@settings(deadline=None, max_examples=300)
@given(form=forms(), before=st.sampled_from(AROUND), after=st.sampled_from(AROUND))
def test_answered_labels_have_the_flag_of_their_answer(
    nlp: Language, form: tuple[list[tuple[str, bool | None]], str], before: str, after: str
) -> None:
    check(nlp, form, (before, after))


@settings(deadline=None, max_examples=300)
@given(form=boxes(), before=st.sampled_from(AROUND), after=st.sampled_from(AROUND))
def test_checked_labels_are_affirmed_and_unchecked_ones_denied(
    nlp: Language, form: tuple[list[tuple[str, bool | None]], str], before: str, after: str
) -> None:
    check(nlp, form, (before, after))
