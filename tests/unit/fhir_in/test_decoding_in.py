import codecs

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fhir_adapters.reading.decoding import decode_text
from fhir_adapters.reading.defects import Defect, Unusable

NOTE = "Disnea de esfuerzo, ñu, «no» edemas. Diagnóstico: ICC.\r\nTA 130/80"
# What a Spanish note is written with, in a single-byte charset.
SPANISH = st.text("abcxyz ÁÉÍÓÚÜÑáéíóúüñ¿¡ºª·çÇ0123456789.,:;()/\r\n\t", min_size=1)


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


@pytest.mark.parametrize("data", [b"\0\1\2\3" * 50, NOTE.encode("utf-16-le")])
def test_decode_text_binary_data_raises_not_text(data):
    with pytest.raises(Unusable) as error:
        decode_text(data, None)
    assert error.value.defect is Defect.NOT_TEXT


@given(st.text())
def test_decode_text_utf_8_is_exact(text):
    data = text.encode()
    assume(not text.startswith(("\ufeff", "\ufffe")) and text.count("\0") * 10 <= len(data))
    assert decode_text(data, None) == (text, None)


@given(SPANISH, st.sampled_from([None, "windows-1252", "iso-8859-1"]))
def test_decode_text_spanish_windows_1252_is_exact(text, charset):
    data = text.encode("cp1252")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        assert decode_text(data, charset) == (text, None)
    else:  # ASCII, or the one ambiguity: sequences such as "Ã±" that nobody writes
        assume(text.isascii())
        assert decode_text(data, charset) == (text, None)


@given(st.binary(max_size=200), st.sampled_from([None, "utf-8", "latin-1", "utf-16", "zz"]))
def test_decode_text_any_bytes_give_text_or_defect(data, charset):
    try:
        text, _ = decode_text(data, charset)
    except Unusable:
        return
    text.encode("utf-8")
