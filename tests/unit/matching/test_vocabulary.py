"""The notation of terms, read by the automaton."""

from __future__ import annotations

import pytest

from clinical_nlp.errors import PipelineError
from clinical_nlp.matching.automaton import GAP, LINK, Automaton
from clinical_nlp.matching.vocabulary import NUMBER, Vocabulary


@pytest.fixture
def vocabulary() -> Vocabulary:
    return Vocabulary(
        verbs=frozenset({"dormir"}),
        classes={"pillow": ["almohada", "cojín grande"], "link": ["de", "con", "leve"]},
        glue=frozenset({"de", "con"}),
    )


def ends(vocabulary: Vocabulary, term: str, *words: set[str], language: str = "es") -> list[int]:
    """Lengths at which the term has ended after reading words with these symbols."""
    automaton = Automaton([vocabulary.compile(term, language)])
    classes = [automaton.word_class(frozenset(symbols)) for symbols in words]
    state, found = automaton.start(classes), []
    for length, word_class in enumerate(classes, 1):
        following = automaton.step(state, word_class)
        if following is None:
            break
        state = following
        if state.accepted:
            found.append(length)
    return found


DISNEA, ESFUERZO = {"s:disne", GAP}, {"s:esfuerz", GAP}
DE, LEVE = {"w:de", LINK, GAP}, {LINK, GAP}


def test_words_with_links_between(vocabulary: Vocabulary) -> None:
    assert ends(vocabulary, "disnea de esfuerzo", DISNEA, ESFUERZO) == [2]
    assert ends(vocabulary, "disnea de esfuerzo", DISNEA, LEVE, DE, ESFUERZO) == [4]
    assert ends(vocabulary, "disnea de esfuerzo", DISNEA, {GAP}, ESFUERZO) == []


def test_links_are_not_endless(vocabulary: Vocabulary) -> None:
    assert ends(vocabulary, "disnea esfuerzo", DISNEA, *[LEVE] * 4, ESFUERZO) == [6]
    assert ends(vocabulary, "disnea esfuerzo", DISNEA, *[LEVE] * 5, ESFUERZO) == []


def test_term_does_not_end_on_a_link_or_a_gap(vocabulary: Vocabulary) -> None:
    assert ends(vocabulary, "disnea", DISNEA, LEVE) == [1]
    assert ends(vocabulary, "disnea [*2]", DISNEA, {GAP}, {GAP}) == [1]


def test_a_gap_opens_a_term_only_in_notes_that_may_end_it(vocabulary: Vocabulary) -> None:
    term = "[*2] disnea [esfuerzo]"
    assert ends(vocabulary, term, {GAP}, {GAP}, DISNEA, ESFUERZO) == [3, 4]
    assert ends(vocabulary, term, {GAP}, {GAP}, {GAP}, DISNEA) == []
    automaton = Automaton([vocabulary.compile(term, "es")])
    word, ending = (automaton.word_class(frozenset(symbols)) for symbols in ({GAP}, DISNEA))
    assert automaton.step(automaton.start([word, word]), word) is None
    assert automaton.step(automaton.start([word, ending]), word) is not None


def test_terms_that_begin_alike_keep_their_own_ends(vocabulary: Vocabulary) -> None:
    terms = ["disnea", "disnea de esfuerzo", "disnea (de esfuerzo|leve)", "(disnea|ortopnea)"]
    automaton = Automaton([vocabulary.compile(term, "es") for term in terms])
    disnea, esfuerzo = (automaton.word_class(frozenset(symbols)) for symbols in (DISNEA, ESFUERZO))
    begun = automaton.step(automaton.start([disnea, esfuerzo]), disnea)
    assert begun is not None and begun.accepted == (0, 3)
    ended = automaton.step(begun, esfuerzo)
    assert ended is not None and ended.accepted == (1, 2)


def test_choices_options_numbers_and_classes(vocabulary: Vocabulary) -> None:
    almohada = {"s:almohad", "c:pillow", GAP}
    dos = {NUMBER, "w:2", GAP}
    assert ends(vocabulary, "# {pillow}", dos, almohada) == [2]
    assert ends(vocabulary, "# {pillow}", dos, {"s:cojin", GAP}, {"s:grand", GAP}) == [3]
    assert ends(vocabulary, "(disnea|ortopnea) [esfuerzo]", DISNEA, ESFUERZO) == [1, 2]
    assert ends(vocabulary, "(disnea|ortopnea)", {"s:ortopne", GAP}) == [1]


def test_verb_takes_its_pronouns(vocabulary: Vocabulary) -> None:
    se, ha, dormido = {"c:pronoun"}, {"c:auxiliary"}, {"v:dormir"}
    assert ends(vocabulary, "<dormir>", se, ha, dormido) == [3]
    assert ends(vocabulary, "no <dormir>", {"s:no"}, se, dormido) == [3]


def test_abbreviations_and_exact_forms(vocabulary: Vocabulary) -> None:
    assert ends(vocabulary, "HTA", {"w:hta"}) == [1]
    assert ends(vocabulary, "=gota", {"w:gota"}) == [1]
    assert ends(vocabulary, "=gota", {"s:gota"}) == []
    assert ends(vocabulary, "DM2", {"w:dm"}, {"w:2"}) == [2]
    assert ends(vocabulary, "disnea", {"e:disnea"}, language="eu") == [1]


def test_glue_that_stands_alone_is_meant(vocabulary: Vocabulary) -> None:
    assert ends(vocabulary, "disnea (de|esfuerzo)", DISNEA) == []
    assert ends(vocabulary, "disnea (de|esfuerzo)", DISNEA, DE) == [2]
    assert ends(vocabulary, "disnea [de]", DISNEA, DE) == [1]


@pytest.mark.parametrize("term", ["", "(disnea", "disnea)", "[disnea)", "<volar>", "{bird}"])
def test_broken_notation_is_named(vocabulary: Vocabulary, term: str) -> None:
    with pytest.raises(PipelineError) as caught:
        vocabulary.compile(term, "es")
    assert caught.value.code == "E314"
