"""What the tagger is told of words, and the concept of a mention."""

from __future__ import annotations

from spacy.language import Language

from clinical_nlp.neural.tagger.word_features import BLANK, NEW_LINE, NO_GAP, doc_features, shape
from clinical_nlp.pipeline.mentions import Linker
from clinical_nlp.records import Finding


def test_shape_differs_by_case_and_kind() -> None:
    words = ("disnea", "Disnea", "DISNEA", "HTA", "T", "pH", "35", "1,5", ",", "€")
    assert len({shape(word) for word in words}) == len(words)


def test_affixes_ignore_accents_and_case(nlp: Language) -> None:
    features = doc_features(nlp.make_doc("neumonía NEUMONIA Neumonía"))
    assert (features[0, 1:4] == features[1, 1:4]).all()
    assert (features[0, 1:4] == features[2, 1:4]).all()
    assert features[0, 0] != features[1, 0]


def test_doc_features_gaps_and_white_space(nlp: Language) -> None:
    doc = nlp.make_doc("FC80  lpm\n\nTA 13/8\r\nfin")
    gaps = {t.text: g for t, g in zip(doc, doc_features(doc)[:, 4], strict=True) if t.text.strip()}
    assert gaps["FC"] == NEW_LINE
    assert gaps["80"] == NO_GAP
    assert gaps["lpm"] == BLANK
    assert gaps["TA"] == NEW_LINE
    assert gaps["13"] == BLANK
    assert gaps["fin"] == NEW_LINE
    blank = [i for i, token in enumerate(doc) if token.is_space]
    assert not doc_features(doc)[blank].any()


def test_doc_features_of_nothing_are_empty(nlp: Language) -> None:
    assert doc_features(nlp.make_doc("")).shape == (0, 5)
    assert not doc_features(nlp.make_doc(" \n ")).any()


def test_linker_returns_the_longest_finding_within() -> None:
    concept_at = Linker([Finding(10, 16, "", "dyspnea"), Finding(0, 8, "", "hypertension")])
    assert concept_at(0, 20) == "hypertension"
    assert concept_at(9, 20) == "dyspnea"
    assert concept_at(11, 20) is None
    assert concept_at(16, 20) is None
