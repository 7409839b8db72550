"""What the reader is told of each word."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest
from spacy.language import Language

from clinical_nlp.neural.reader.network import (
    BLANK_LINE,
    FLAGGED,
    MEASURED,
    NEW_LINE,
    NEW_SENTENCE,
    NO_MARK,
    SAME_SENTENCE,
)
from clinical_nlp.pipeline.document import get_findings
from clinical_nlp.pipeline.reader.features import (
    CONCEPT,
    CUE,
    GAP,
    MARK,
    SECTION,
    Vocabulary,
    Words,
    flag_bits,
    of_tokens,
    word_features,
)

VOCABULARY = Vocabulary.of(
    ["dyspnea", "orthopnea", "systolic_bp"],
    ["examination", "family_history"],
    ["FAMILY forward", "NEGATED_EXISTENCE forward"],
)


def features(nlp: Language, text: str):  # type: ignore[no-untyped-def]
    doc = nlp(text)
    words = Words(doc)
    return [doc[int(t)].text for t in words.tokens], word_features(
        doc, words, get_findings(doc), VOCABULARY
    )


def test_rules_findings_are_marked_with_their_flags(nlp: Language) -> None:
    words, rows = features(nlp, "Refiere disnea. No ortopnea. TA 130/80.")
    at = {word: row for word, row in zip(words, rows.tolist(), strict=True)}
    assert at["disnea"][MARK] == FLAGGED
    assert at["disnea"][CONCEPT] == 1
    assert at["ortopnea"][MARK] == FLAGGED + flag_bits((True, False, False, False, False))
    assert at["130"][MARK] == MEASURED
    assert at["130"][CONCEPT] == 3
    assert at["Refiere"][MARK] == NO_MARK
    assert at["No"][CUE] == 2


def test_gaps_tell_sentences_and_lines_apart(nlp: Language) -> None:
    words, rows = features(nlp, "Refiere disnea. Duerme mal.\nExploración: normal.\n\nPlan: nada.")
    gap = dict(zip(words, rows[:, GAP].tolist(), strict=True))
    assert gap["Refiere"] == BLANK_LINE
    assert gap["disnea"] == SAME_SENTENCE
    assert gap["Duerme"] == NEW_SENTENCE
    assert gap["Exploración"] == NEW_LINE
    assert gap["Plan"] == BLANK_LINE


def test_section_of_a_heading_is_told(nlp: Language) -> None:
    words, rows = features(nlp, "Antecedentes familiares: padre con disnea.")
    assert dict(zip(words, rows[:, SECTION].tolist(), strict=True))["disnea"] == 2


@pytest.mark.parametrize(
    "change",
    [
        str.upper,
        lambda text: unicodedata.normalize("NFD", text),
        lambda text: text.replace(" ", "  "),
        lambda text: text.replace("de la tarde", "de\nla tarde"),
    ],
    ids=["case", "decomposed", "spaces", "wraps"],
)
def test_features_stay_under_what_changes_no_word(nlp: Language, change) -> None:  # type: ignore[no-untyped-def]
    text = "No refiere ortopnea ni disnea por las horas de la tarde en reposo. TA 130/80."
    assert np.array_equal(features(nlp, text)[1], features(nlp, change(text))[1])


def test_rows_of_white_space_are_zero(nlp: Language) -> None:
    doc = nlp("Disnea  \n\n ortopnea")
    words = Words(doc)
    rows = of_tokens(doc, words, word_features(doc, words, get_findings(doc), VOCABULARY))
    assert len(rows) == len(doc)
    assert not rows[[token.is_space for token in doc]].any()


def test_empty_note_has_no_words(nlp: Language) -> None:
    doc = nlp("  \n ")
    words = Words(doc)
    assert len(word_features(doc, words, (), VOCABULARY)) == len(words) == 0
