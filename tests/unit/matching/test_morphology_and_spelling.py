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
from clinical_nlp.matching.spelling import Speller, sound


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
def test_inflected_forms_share_a_stem(forms: tuple[str, ...]) -> None:
    assert len({romance_stem(form) for form in forms}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [("cama", "cames"), ("tos", "toso"), ("pie", "peso"), ("ictus", "ictio")],
)
def test_different_words_keep_apart(one: str, other: str) -> None:
    assert romance_stem(one) != romance_stem(other)


def test_diminutives_lose_their_ending() -> None:
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
def test_basque_endings_come_off(form: str, base: str) -> None:
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
def test_verb_forms(verbs: Verbs, form: str, lemmas: list[str]) -> None:
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
def test_slips_are_forgiven(speller: Speller, written: str, word: str) -> None:
    assert speller.corrections(written) == {f"s:{word}"}


@pytest.mark.parametrize("written", ["distonia", "edad", "ic", "tema", "ederas", "cortisona"])
def test_other_words_are_left_alone(speller: Speller, written: str) -> None:
    assert speller.corrections(written) == frozenset()


def test_cut_off_words() -> None:
    speller = Speller({"arritmico": "s:arritmic", "edema": "s:edem", "casa": "s:casa"}, [])
    assert speller.completions("arritm") == {"s:arritmic"}
    assert speller.completions("arri") == frozenset()  # too short, ends in a vowel
    assert speller.completions("arritmico") == frozenset()


def test_what_sounds_alike_is_spelt_alike() -> None:
    assert sound("hinchado") == sound("inchado")
    assert sound("tobillo") == sound("toviyo")
    assert sound("cianosis") == sound("zianosis")
    assert sound("hematico") != sound("cianotico")


@given(
    word=st.text("aehbvcsiz", min_size=7, max_size=13),
    place=st.integers(0, 13),
    left_out=st.integers(0, 3),
    put_in=st.text("aehbvcsiz", max_size=3),
)
def test_all_within_the_slips_and_no_others(
    word: str, place: int, left_out: int, put_in: str
) -> None:
    form = word[:place] + put_in + word[place + left_out :]
    assume(len(form) >= 7)
    most = 2 if len(form) >= 11 else 1
    distance = min(OSA.distance(form, word), OSA.distance(sound(form), sound(word)))
    near = sound(form)[:1] == sound(word)[:1] and abs(len(form) - len(word)) <= most >= distance
    # No stem, of which the speller would know the plural too.
    found = Speller({word: "w:it"}, ()).corrections(form)
    assert found == (frozenset({"w:it"}) if near else frozenset())
