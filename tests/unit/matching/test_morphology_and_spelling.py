"""Stems, verbs, Basque endings and the speller: what a word form is taken for."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from clinical_nlp.matching.morphology import (
    Verbs,
    affective_base,
    basque_bases,
    romance_stem,
)
from clinical_nlp.matching.spelling import Speller, phonetic_form


@pytest.mark.parametrize(
    "forms",
    [
        ("edema", "edemas", "edemes"),
        ("crepitante", "crepitantes", "crepitants"),
        ("palpitacion", "palpitaciones", "palpitacions"),
        ("arritmico", "arritmica", "arritmicos", "arritmics"),
        ("hinchado", "hinchada", "hinchados", "hinchadas"),
        ("ofegat", "ofegada", "ofegats", "ofegades"),
        ("pretibial", "pretibiales", "pretibiais", "pretibials"),
        ("dolor", "dolores"),
    ],
)
def test_romance_stem_inflected_forms_share_it(forms: tuple[str, ...]) -> None:
    assert len({romance_stem(form) for form in forms}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [("cama", "cames"), ("tos", "toso"), ("pie", "peso"), ("ictus", "ictio")],
)
def test_romance_stem_different_words_differ(one: str, other: str) -> None:
    assert romance_stem(one) != romance_stem(other)


def test_affective_base_strips_diminutives_and_superlatives() -> None:
    assert affective_base("mareillo") == "mare"
    assert affective_base("hinchadisima") == "hinchad"
    assert affective_base("edema") is None


@pytest.mark.parametrize(
    ("form", "base"),
    [
        ("ortopnearik", "ortopnea"),
        ("gutxiegitasunaren", "gutxiegitasun"),
        ("adarraren", "adar"),
        ("hanketan", "hanka"),
        ("krepitanterik", "krepitante"),
    ],
)
def test_basque_bases_include_the_base(form: str, base: str) -> None:
    assert base in set(basque_bases(form))


@pytest.fixture
def verbs() -> Verbs:
    return Verbs(
        {
            "dormir": {"stems": ["dorm", "duerm", "durm"]},
            "comer": {"stems": ["com"], "not": ["como"]},
            "ir": {"forms": ["va", "iba"]},
        },
        ["o", "e", "ir", "ió", "iendo", "ido", "er"],
        ["se", "me"],
    )


@pytest.mark.parametrize(
    ("form", "lemmas"),
    [
        ("duerme", ["dormir"]),
        ("durmio", ["dormir"]),
        ("durmiendose", ["dormir"]),
        ("iba", ["ir"]),
        ("come", ["comer"]),
        ("como", []),
        ("dormitorio", []),
    ],
)
def test_lemmas_of_form_gives_its_verbs(verbs: Verbs, form: str, lemmas: list[str]) -> None:
    assert verbs.lemmas_of(form) == lemmas


@pytest.fixture
def speller() -> Speller:
    words = ("ortopnea", "edema", "furosemida", "clortalidona", "distimia", "arritmico", "tobillo")
    return Speller({word: f"s:{word}" for word in words}, ["distonia", "ederas"])


@pytest.mark.parametrize(
    ("written", "word"),
    [
        ("ortpnea", "ortopnea"),
        ("edmas", "edema"),
        ("furosemda", "furosemida"),
        ("furozemida", "furosemida"),
        ("clortaldiona", "clortalidona"),
        ("tobiyo", "tobillo"),
    ],
)
def test_corrections_misspelt_word_gives_the_word(
    speller: Speller, written: str, word: str
) -> None:
    assert speller.corrections(written) == {f"s:{word}"}


@pytest.mark.parametrize("written", ["distonia", "edad", "ic", "tema", "ederas", "cortisona"])
def test_corrections_other_word_gives_nothing(speller: Speller, written: str) -> None:
    assert speller.corrections(written) == frozenset()


def test_completions_truncated_word_gives_the_word() -> None:
    speller = Speller({"arritmico": "s:arritmic", "edema": "s:edem", "casa": "s:casa"}, [])
    assert speller.completions("arritm") == {"s:arritmic"}
    assert speller.completions("arri") == frozenset()  # too short, ends in a vowel
    assert speller.completions("arritmico") == frozenset()


def test_phonetic_form_same_sound_same_form() -> None:
    assert phonetic_form("hinchado") == phonetic_form("inchado")
    assert phonetic_form("tobillo") == phonetic_form("toviyo")
    assert phonetic_form("cianosis") == phonetic_form("zianosis")
    assert phonetic_form("hematico") != phonetic_form("cianotico")


@given(
    word=st.text("aehbvcsiz", min_size=7, max_size=13),
    place=st.integers(0, 13),
    left_out=st.integers(0, 3),
    put_in=st.text("aehbvcsiz", max_size=3),
)
def test_corrections_gives_exactly_the_words_within_the_limit(
    word: str, place: int, left_out: int, put_in: str
) -> None:
    form = word[:place] + put_in + word[place + left_out :]
    assume(len(form) >= 7)
    most = 2 if len(form) >= 11 else 1
    distance = min(OSA.distance(form, word), OSA.distance(phonetic_form(form), phonetic_form(word)))
    near = (
        phonetic_form(form)[:1] == phonetic_form(word)[:1]
        and abs(len(form) - len(word)) <= most >= distance
    )
    # No stem, of which the speller would know the plural too.
    found = Speller({word: "w:it"}, ()).corrections(form)
    assert found == (frozenset({"w:it"}) if near else frozenset())
