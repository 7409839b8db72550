"""What must not change what the shipped reader says: accents, case, forms, wraps, blanks.

Sentence ends are an input, and the rules find them: a line that begins with
"cardíaca:" looks like a label. So findings are the same in any case, and probabilities, to the
last digit, where the sentences are.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

import pytest
from spacy.language import Language
from spacy.tokens import Doc

import clinical_nlp

NOTES = (
    "Refiere disnea de esfuerzo desde hace un mes. HTA nunca. El marido, con dos stents.",
    "MC: se cansa al subir la cuesta.\nEF: TA 138/84, sin edemas, campos libres de crepitantes.",
    "No ortopnea ni edemas. Si aparece fiebre, acudir a urgencias. Tto: furosemida 40 mg.",
    "Padre con infarto. Posible insuficiencia cardíaca: se pide NT-proBNP. FC 92.",
    "Tos nunca. Ahogo ya no. Con dos cucharadas ya no le cabe más.",
)


def _without_accents(text: str) -> str:
    parted = unicodedata.normalize("NFD", text)
    return unicodedata.normalize("NFC", "".join(c for c in parted if c != "\u0301"))


def _for_blank(wider: str) -> Callable[[str], str]:
    """Replace one blank, in the middle of a sentence: between two words in small letters."""

    def change(text: str) -> str:
        places = (
            i
            for i, c in enumerate(text)
            if c == " " and text[i - 1].islower() and text[i + 1].islower()
        )
        at = next(places)
        return text[:at] + wider + text[at + 1 :]

    return change


CHANGES: dict[str, Callable[[str], str]] = {
    "accents": _without_accents,
    "capitals": str.upper,
    "small letters": str.lower,
    "NFD": lambda text: unicodedata.normalize("NFD", text),
    "wrap": _for_blank("\n"),
    "wrap of Windows": _for_blank("\r\n"),
    "two blanks": _for_blank("  "),
    "hard blank": _for_blank("\u00a0"),
}


@pytest.fixture(scope="module")
def nlp() -> Language:
    return clinical_nlp.load(backend="float32")


def facts(doc: Doc) -> list[tuple[object, ...]]:
    return [(f.concept, f.flags, f.value, f.source) for f in doc._.findings]


def sentences(doc: Doc) -> list[int]:
    """Number of words of each sentence."""
    return [sum(not token.is_space for token in sentence) for sentence in doc.sents]


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("text", NOTES, ids=range(len(NOTES)))
def test_reading_is_invariant(nlp: Language, text: str, change: Callable[[str], str]) -> None:
    doc, changed = nlp(text), nlp(change(text))
    assert facts(doc)
    assert facts(changed) == facts(doc)
    # Double blanks may make an answer of a form, whose flag is the rules' and has no probability.
    items = len(doc._.layout.items), len(changed._.layout.items)
    if sentences(changed) == sentences(doc) and items[0] == items[1]:
        assert [f.probability for f in changed._.findings] == [
            f.probability for f in doc._.findings
        ]


def test_most_changes_leave_the_sentences(nlp: Language) -> None:
    """So that the comparison of probabilities compares something."""
    same = [
        sentences(nlp(change(text))) == sentences(nlp(text))
        for text in NOTES
        for change in CHANGES.values()
    ]
    assert sum(same) >= 0.75 * len(same)
