import codecs

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fhir_adapters.reading.defects import Defect, Unusable
from fhir_adapters.reading.text.decoding import decode_text

NOTE = "Disnea de esfuerzo, ñu, «no» edemas. Diagnóstico: ICC.\r\nTA 130/80"
CODECS = ("utf-8", "utf-8-sig", "utf-16", "cp1252", "latin-1", "iso8859-15", "cp850", "mac-roman")
WORDS = st.sampled_from(
    """
    Disnea de esfuerzo año Exploración física ingurgitación yugular más edemas está Última él
    PACIENTE CARDÍACA FIBRILACIÓN AÑOS DIAGNÓSTICO Índice Óptimo Ángel ECG rítmico según pingüino
    ¿Tos? ¡Ojo! 2º 1ª «sin» FEVI 38% 130/80 mañana vía Niña corazón NT-proBNP presión també però
    """.split()  # noqa: SIM905 - as text, as it is written
)
#: What a Spanish note is written with, in a single-byte charset.
SPANISH = st.lists(WORDS, min_size=1, max_size=30).flatmap(
    lambda words: st.sampled_from([" ", "\n", "\r\n", ", "]).map(lambda gap: gap.join(words))
)


@pytest.mark.parametrize("charset", ["utf-8", "UTF8", "windows-1252", "ISO-8859-1", None])
@pytest.mark.parametrize("written", ["utf-8", "cp1252", "latin-1"])
def test_decode_text_wrong_or_missing_charset_is_corrected(charset, written):
    assert decode_text(NOTE.encode(written), charset) == (NOTE, None)


def test_decode_text_latin_9_keeps_euro_sign():
    assert decode_text("5 €, ñ".encode("iso8859-15"), "iso-8859-15") == ("5 €, ñ", None)


def test_decode_text_latin_1_is_read_as_windows_1252():
    assert decode_text(b"\x93ni\xf1o\x94 \x80", "iso-8859-1")[0] == "“niño” €"


@pytest.mark.parametrize(
    ("bom", "charset"),
    [
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
    ],
)
@pytest.mark.parametrize("declared", [None, "windows-1252"])
def test_decode_text_byte_order_mark_decides_and_is_removed(bom, charset, declared):
    assert decode_text(bom + NOTE.encode(charset), declared) == (NOTE, None)


def test_decode_text_declared_utf_16_is_used():
    assert decode_text(NOTE.encode("utf-16-le"), "utf-16-le") == (NOTE, None)


def test_decode_text_damaged_utf_8_replaces_broken_bytes():
    data = NOTE.encode() + b"\xc3"
    assert decode_text(data, "utf-8")[0] == NOTE + "\ufffd"


@pytest.mark.parametrize(
    "charset", ["x-klingon", "base64", "rot13", "idna", "unicode_escape", "\0"]
)
def test_decode_text_unknown_charset_raises_unless_utf_8(charset):
    assert decode_text(NOTE.encode(), charset) == (NOTE, Defect.CHARSET_IGNORED)
    with pytest.raises(Unusable) as error:
        decode_text(NOTE.encode("cp1252"), charset)
    assert error.value.defect is Defect.UNKNOWN_CHARSET


@pytest.mark.parametrize("data", [b"\0\1\2\3" * 50, b"\0" * 40, b"\xff\0\xd8" * 9])
def test_decode_text_binary_data_raises_not_text(data):
    with pytest.raises(Unusable) as error:
        decode_text(data, None)
    assert error.value.defect is Defect.NOT_TEXT


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be", "utf-32-le"])
def test_decode_text_undeclared_wide_charset_is_read(codec):
    assert decode_text(NOTE.encode(codec), None) == (NOTE, None)


@pytest.mark.parametrize("declared", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("written", ["utf-8", "cp1252", "cp850", "ascii"])
def test_decode_text_utf_16_declared_over_narrow_bytes_is_not_believed(declared, written):
    text = NOTE if written != "ascii" else "TA 130/80"
    text = text.replace("«", "").replace("»", "")
    assert decode_text(text.encode(written), declared) == (text, None)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("¡Ç¡Ç¡".encode("cp1252"), "¡Ç¡Ç¡"),
        ("«SÍ» refiere".encode("cp1252"), "«SÍ» refiere"),
        ("disnea\xa0de\xa0esfuerzo".encode("cp1252"), "disnea\xa0de\xa0esfuerzo"),
        ("Está más cansada".encode("cp850"), "Está más cansada"),
        ("MARÍA ESTÁ BIEN".encode("cp850"), "MARÍA ESTÁ BIEN"),
        ("exploración".encode("mac-roman"), "exploración"),
        ("l’edema".encode("cp1252"), "l’edema"),
        ("50–60 % “normal”…".encode("cp1252"), "50–60 % “normal”…"),
        # Parts of two systems in one file
        (
            "Años: sí\n".encode() + "Explorac. física\n".encode("cp1252"),
            "Años: sí\nExplorac. física\n",
        ),
        # Halves of a pair in UTF-8, one by one; a broken-off UTF-16
        (b"Bien \xed\xa0\xbd\xed\xb8\x80", "Bien 😀"),
        (b"sola \xed\xa0\xbd", "sola \ufffd"),
        (codecs.BOM_UTF16_LE + "Tos".encode("utf-16-le") + b"\x61", "Tos"),
        (codecs.BOM_UTF16_LE + "a".encode("utf-16-le") + b"\x3d\xd8", "a\ufffd"),
    ],
)
def test_decode_text_reads_what_was_written(data, text):
    assert decode_text(data, None) == (text, None)


@given(st.text())
def test_decode_text_utf_8_is_exact(text):
    data = text.encode()
    assume(not text.startswith(("\ufeff", "\ufffe")) and text.count("\0") * 10 <= len(data))
    assert decode_text(data, None) == (text, None)


@given(SPANISH, st.sampled_from(CODECS), st.sampled_from([None, "utf-8", "iso-8859-1", "utf-16"]))
def test_decode_text_spanish_is_exact_in_any_codec(text, codec, declared):
    assert decode_text(text.encode(codec), declared) == (text, None)


@given(st.binary(max_size=200), st.sampled_from([None, "utf-8", "latin-1", "utf-16", "zz"]))
def test_decode_text_any_bytes_give_text_or_defect(data, charset):
    try:
        text, _ = decode_text(data, charset)
    except Unusable:
        return
    text.encode("utf-8")
