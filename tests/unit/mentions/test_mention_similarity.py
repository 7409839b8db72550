"""Likeness of phrases to a small catalogue, the catalogue written out, and links put on a doc."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st

from clinical_nlp.lexicon import load_lexicon
from clinical_nlp.pipeline.document import get_findings, get_mentions, set_findings, set_mentions
from clinical_nlp.pipeline.mentions.knowledge import LinkKnowledge, catalogue_phrases
from clinical_nlp.pipeline.mentions.linking import Taken, put_links
from clinical_nlp.pipeline.mentions.similarity import Catalogue, Known, Nearest
from clinical_nlp.records import Finding, Mention

PHRASES = (
    Known("fibrilacion auricular", "atrial_fibrillation", "risk_factor", term=1),
    Known("furosemida", "furosemide", "drug", term=2),
    Known("edema maleolar", "ankle_edema", "sign", term=3),
    Known("hinchazon tobillo", "ankle_edema", "sign", term=4),
    Known("edema macular", "", "", term=5),
    Known("eupneico", "dyspnea", "symptom", negated=True, term=6),
)
CLINICAL = ("risk_factor", "sign", "symptom")


class TwoAxes:
    """Ankles and legs point one way, everything else the other."""

    def __call__(self, phrases: Sequence[Sequence[str]]) -> list[np.ndarray]:
        ankle = {"tobillo", "maleolar", "tobillera"}
        return [
            np.array([[1, 0] if w in ankle else [0, 1] for w in p], np.float32) for p in phrases
        ]


def nearest(catalogue: Catalogue, text: str, categories: Sequence[str] = CLINICAL) -> Nearest:
    return catalogue.nearest([text], [categories])[0]


def test_letters_find_a_misspelling() -> None:
    found = nearest(Catalogue(PHRASES, None, 0.0), "fibrilazion auricular")
    assert found.known.concept == "atrial_fibrillation"
    assert 0.6 < found.score < 1
    assert found.margin > 0.4


def test_a_category_that_may_not_be_meant_is_no_rival() -> None:
    catalogue = Catalogue(PHRASES, None, 0.0)
    assert nearest(catalogue, "furosemida", ("drug",)).known.concept == "furosemide"
    assert nearest(catalogue, "furosemida").known.concept != "furosemide"


def test_what_names_no_concept_is_always_a_rival() -> None:
    found = nearest(Catalogue(PHRASES, None, 0.0), "edema macular cistoide")
    assert found.known.concept == ""


def test_the_margin_is_to_another_meaning_and_not_to_another_phrase() -> None:
    phrases = (*PHRASES, Known("edema maleolares", "ankle_edema", "sign", term=7))
    found = nearest(Catalogue(phrases, None, 0.0), "edema maleolar")
    assert found.score == pytest.approx(1, abs=1e-3)
    assert found.margin > 0.3
    both_ways = (*PHRASES, Known("eupneica", "dyspnea", "symptom", term=8))
    assert nearest(Catalogue(both_ways, None, 0.0), "eupneic").margin < 0.1


def test_vectors_find_what_letters_do_not() -> None:
    by_vectors = nearest(Catalogue(PHRASES, TwoAxes(), 1.0), "tobillera")
    assert by_vectors.known.concept == "ankle_edema"
    assert by_vectors.score == pytest.approx(1, abs=1e-3)


def test_vectors_computed_before_are_taken_as_they_are() -> None:
    first = Catalogue(PHRASES, TwoAxes(), 0.5)
    texts = ["tobillo hinchado", "fibrilacion", "furosemidas"]
    categories = [CLINICAL, CLINICAL, ("drug",)]
    same = Catalogue(PHRASES, TwoAxes(), 0.5, first.vectors)
    assert same.nearest(texts, categories) == first.nearest(texts, categories)


def test_a_term_left_out_is_not_its_own_answer() -> None:
    catalogue = Catalogue(PHRASES, None, 0.0)
    found = catalogue.nearest(["edema maleolar"], [CLINICAL], [3])[0]
    assert found.known.term != 3
    assert found.score < 0.9


def test_the_catalogue_is_written_out_in_words() -> None:
    phrases = catalogue_phrases(load_lexicon())
    texts = {(p.text, p.concept) for p in phrases}
    assert ("ortopnea", "orthopnea") in texts
    assert ("dolor pecho", "chest_pain") in texts
    assert all(p.text == p.text.strip() and "c:" not in p.text for p in phrases)
    assert not {p.concept for p in phrases} & {"systolic_bp", "lvef"}
    assert any(p.concept == "" for p in phrases)
    assert any(p.negated for p in phrases if p.concept == "dyspnea")


def test_knowledge_survives_as_plain_values() -> None:
    knowledge = LinkKnowledge.of(load_lexicon(), {"DISEASE": ["sign"]})
    again = LinkKnowledge.from_dict(knowledge.as_dict())
    assert again == knowledge
    assert again.digest == knowledge.digest


places = st.tuples(st.integers(0, 30), st.integers(1, 6)).map(lambda p: (p[0], p[0] + p[1]))


@given(st.lists(places, max_size=6), places)
def test_taken_touches_as_every_pair_would_tell(taken: list, asked: tuple[int, int]) -> None:
    start, end = asked
    assert Taken(taken).touches(start, end) == any(a < end and start < b for a, b in taken)


def test_the_likelier_of_two_that_overlap_becomes_a_finding() -> None:
    doc = spacy.blank("es")("Edema en tobillo derecho y tos.")
    set_findings(doc, [Finding(27, 30, "tos", "cough")])
    set_mentions(
        doc,
        [
            Mention(0, 16, "Edema en tobillo", "SYMPTOM", 0.9),
            Mention(0, 24, "Edema en tobillo derecho", "DISEASE", 0.9),
            Mention(0, 16, "Edema en tobillo", "DISEASE", 0.8),
        ],
    )
    ankle, eye = PHRASES[2], Known("x", "eye_edema", "sign")
    numbers = {(m.end, m.label): n for n, m in enumerate(get_mentions(doc))}
    links = [
        (numbers[16, "SYMPTOM"], Nearest(ankle, 0.9, 0.3)),
        (numbers[24, "DISEASE"], Nearest(eye, 0.8, 0.3)),
        (numbers[16, "DISEASE"], Nearest(ankle, 0.9, 0.3)),
    ]
    put_links(doc, links)
    made = [f for f in get_findings(doc) if f.concept != "cough"]
    assert [(f.start, f.end, f.concept, f.source) for f in made] == [
        (0, 16, "ankle_edema", "similarity:0.900")
    ]
    concepts = {(m.end, m.label): m.concept for m in get_mentions(doc)}
    assert concepts == {
        (16, "SYMPTOM"): "ankle_edema",
        (16, "DISEASE"): "ankle_edema",
        (24, "DISEASE"): None,
    }
