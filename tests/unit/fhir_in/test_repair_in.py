"""What was decoded wrongly is mended, and nothing else is changed."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_adapters.reading.text.repair import looks_broken, repair, well_formed
from fhir_adapters.reading.text.sniff import is_fragment


@given(st.text(alphabet=st.characters(exclude_categories=[])))
def test_well_formed_is_valid_and_keeps_pairs(text):
    joined = well_formed(text)
    joined.encode("utf-8")
    if not re.search("[\ud800-\udfff]", text):
        assert joined == text


@given(st.text("abcz ÁÉÍÓÚÜÑáéíóúüñ¿¡ºª·çÇ«»“”‘’–…½²±≥€ﬁＴ0123.,:;()/\r\n\t", max_size=200))
def test_repair_leaves_what_was_written(text):
    assert repair(text) == re.sub("\r(?!\n)", "\n", text)


@pytest.mark.parametrize(
    "text",
    [
        "Exploración física: años, sí. Niño «estable», “así”, 2º, 1ª, 38 ºC, ½, ≥ 40 %, µg·L",
        "INSUFICIENCIA CARDÍACA. ÁNGEL ÑÍGUEZ ÉL ¿CÓMO? ¡SÍ!",
        "pressió, insuficiència, l’edema, avaluació, col·laboració, ñ, ç",
        "Bihotzeko gutxiegitasuna; doença; coração NÃO; São João",
        "TA 130⁄80 – FC 88 … 😀 🫀 ☐ ☒ ☑ → ↑",
    ],
)
def test_repair_leaves_clean_text(text):
    assert repair(text) == text
    assert not looks_broken(text)


@given(
    st.lists(
        st.sampled_from(
            [
                "niño",
                "corazón",
                "ñ",
                "sí",
                "está",
                "Última",
                "año",
                "«sin»",
                "2º",
                "½",
                "…",
                "“a”",
                "😀",
            ]
        )
    )
    .filter(len)
    .map(" ".join),
    st.sampled_from(["latin-1", "cp1252"]),
)
def test_repair_undoes_utf8_read_as_another_charset(text, codec):
    # Windows-1252 has no character for five bytes; systems keep their codes.
    broken = "".join(
        bytes([byte]).decode(codec if byte not in b"\x81\x8d\x8f\x90\x9d" else "latin-1")
        for byte in text.encode()
    )
    assert repair(broken) == text


@pytest.mark.parametrize(
    "text",
    [
        "p<0,05 y r>0,3",
        "<NOMBRE> acude",
        "FEVI <40> %",
        "a<b y c>d",
        "<3 meses >",
        "<-- ayer -->",
        "i<p>j",
    ],
)
def test_is_fragment_leaves_signs_of_plain_text(text):
    assert not is_fragment(text)


@pytest.mark.parametrize(
    "text",
    [
        "Disnea<br>Tos",
        "a <BR/> b",
        "<b>Motivo</b>: tos",
        "<p>Tos</p>",
        "Tos <span style='x'>seca</span>",
        "<img src=x> Tos",
        "<ul><li>tos</ul>",
    ],
)
def test_is_fragment_knows_html(text):
    assert is_fragment(text)
