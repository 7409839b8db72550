"""Terms, compiled and matched by the automaton."""

from __future__ import annotations

import pytest

from clinical_nlp.errors import PipelineError
from clinical_nlp.matching.automaton import GAP, LINK, Automaton
from clinical_nlp.matching.morphology import Verbs
from clinical_nlp.matching.vocabulary import NUMBER, Vocabulary


@pytest.fixture
def vocabulary() -> Vocabulary:
    lists = {"pillow": ["almohada", "cojín grande"], "link": ["de", "con", "leve"]}
    words = {"classes": lists | {"glue": ["de", "con"]}}
    return Vocabulary(words, Verbs({"dormir": {}}, [], []))


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


def test_term_matches_with_link_words_between(vocabulary: Vocabulary) -> None:
    assert ends(vocabulary, "disnea de esfuerzo", DISNEA, ESFUERZO) == [2]
    assert ends(vocabulary, "disnea de esfuerzo", DISNEA, LEVE, DE, ESFUERZO) == [4]
    assert ends(vocabulary, "disnea de esfuerzo", DISNEA, {GAP}, ESFUERZO) == []


def test_term_allows_at_most_four_links(vocabulary: Vocabulary) -> None:
    assert ends(vocabulary, "disnea esfuerzo", DISNEA, *[LEVE] * 4, ESFUERZO) == [6]
    assert ends(vocabulary, "disnea esfuerzo", DISNEA, *[LEVE] * 5, ESFUERZO) == []


def test_term_never_ends_on_a_link_or_gap(vocabulary: Vocabulary) -> None:
    assert ends(vocabulary, "disnea", DISNEA, LEVE) == [1]
    assert ends(vocabulary, "disnea [*2]", DISNEA, {GAP}, {GAP}) == [1]


def test_start_gap_opens_only_in_notes_with_a_closing_word(vocabulary: Vocabulary) -> None:
    term = "[*2] disnea [esfuerzo]"
    assert ends(vocabulary, term, {GAP}, {GAP}, DISNEA, ESFUERZO) == [3, 4]
    assert ends(vocabulary, term, {GAP}, {GAP}, {GAP}, DISNEA) == []
    automaton = Automaton([vocabulary.compile(term, "es")])
    word, ending = (automaton.word_class(frozenset(symbols)) for symbols in ({GAP}, DISNEA))
    assert automaton.step(automaton.start([word, word]), word) is None
    assert automaton.step(automaton.start([word, ending]), word) is not None


def test_terms_with_a_common_prefix_keep_their_own_ends(vocabulary: Vocabulary) -> None:
    terms = ["disnea", "disnea de esfuerzo", "disnea (de esfuerzo|leve)", "(disnea|ortopnea)"]
    automaton = Automaton([vocabulary.compile(term, "es") for term in terms])
    disnea, esfuerzo = (automaton.word_class(frozenset(symbols)) for symbols in (DISNEA, ESFUERZO))
    begun = automaton.step(automaton.start([disnea, esfuerzo]), disnea)
    assert begun is not None and begun.accepted == (0, 3)
    ended = automaton.step(begun, esfuerzo)
    assert ended is not None and ended.accepted == (1, 2)


def test_term_with_choice_option_number_or_list_matches(vocabulary: Vocabulary) -> None:
    almohada = {"s:almohad", "c:pillow", GAP}
    dos = {NUMBER, "w:2", GAP}
    assert ends(vocabulary, "# {pillow}", dos, almohada) == [2]
    assert ends(vocabulary, "# {pillow}", dos, {"s:cojin", GAP}, {"s:grand", GAP}) == [3]
    assert ends(vocabulary, "(disnea|ortopnea) [esfuerzo]", DISNEA, ESFUERZO) == [1, 2]
    assert ends(vocabulary, "(disnea|ortopnea)", {"s:ortopne", GAP}) == [1]


def test_term_with_verb_matches_its_pronouns(vocabulary: Vocabulary) -> None:
    se, ha, dormido = {"c:pronoun"}, {"c:auxiliary"}, {"v:dormir"}
    assert ends(vocabulary, "<dormir>", se, ha, dormido) == [3]
    assert ends(vocabulary, "no <dormir>", {"s:no"}, se, dormido) == [3]


def test_term_with_abbreviation_or_exact_form_matches_only_it(vocabulary: Vocabulary) -> None:
    assert ends(vocabulary, "HTA", {"w:hta"}) == [1]
    assert ends(vocabulary, "=gota", {"w:gota"}) == [1]
    assert ends(vocabulary, "=gota", {"s:gota"}) == []
    assert ends(vocabulary, "DM2", {"w:dm"}, {"w:2"}) == [2]
    assert ends(vocabulary, "disnea", {"e:disnea"}, language="eu") == [1]


def test_term_with_glue_alone_in_a_choice_requires_it(vocabulary: Vocabulary) -> None:
    assert ends(vocabulary, "disnea (de|esfuerzo)", DISNEA) == []
    assert ends(vocabulary, "disnea (de|esfuerzo)", DISNEA, DE) == [2]
    assert ends(vocabulary, "disnea [de]", DISNEA, DE) == [1]


@pytest.mark.parametrize("term", ["", "(disnea", "disnea)", "[disnea)", "<volar>", "{bird}"])
def test_compile_broken_term_raises_e314(vocabulary: Vocabulary, term: str) -> None:
    with pytest.raises(PipelineError) as caught:
        vocabulary.compile(term, "es")
    assert caught.value.code == "E314"
