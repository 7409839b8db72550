import base64

import pytest

from fhir_adapters.reading.attachments import Part, choose, read_attachment, read_data
from fhir_adapters.reading.defects import Defect, LeftOut, Unusable
from fhir_adapters.reading.text.html import html_to_text
from fhir_adapters.reading.text.reading import Format
from fhir_adapters.reading.text.rtf import rtf_to_text

LIMIT = 1000
RTF = (
    rb"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0 Arial;}}"
    rb"\f0 Disnea y tos.\par Sin fiebre, ni\'f1o.}"
)


def attachment(data: bytes, media: str | None = "text/plain") -> dict[str, str]:
    made = {"data": base64.b64encode(data).decode()}
    return made if media is None else made | {"contentType": media}


def read(made: dict) -> Part | None:
    return read_attachment(made, {}, LIMIT)


@pytest.mark.parametrize("media", ["text/plain", None, "application/octet-stream", "TEXT/PLAIN"])
def test_read_data_plain_text_is_decoded(media):
    part = read(attachment("Tos y ñáñaras".encode(), media))
    assert (part.text, part.format) == ("Tos y ñáñaras", Format.PLAIN)


def test_read_data_declared_charset_is_used():
    part = read(attachment("5 €".encode("iso8859-15"), 'text/plain; charset="ISO-8859-15"'))
    assert part.text == "5 €"


def test_html_to_text_keeps_lines_and_drops_scripts():
    page = (
        "<html><head><title>Informe</title><style>p{}</style></head><body><h1>Motivo</h1>"
        "<p>Disnea   de\n esfuerzo<br>y tos.</p><script>alert(1)</script><!-- nota -->"
        "<table><tr><td>TA</td><td>130/80</td></tr><tr><td>FC</td><td>88</td></tr></table>"
        "<ul><li>Uno</li><li>Dos &amp; tres</li></ul></body></html>"
    )
    part = read(attachment(page.encode(), "text/html"))
    assert part.text == (
        "Motivo\n\nDisnea de esfuerzo\ny tos.\n\nTA | 130/80\nFC | 88\n- Uno\n- Dos & tres"
    )


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("<div>a</div><div>b</div>", "a\nb"),
        ("<div>a</div> <br/> <div>b</div>", "a\n\nb"),
        ("a<br><br>b<br>", "a\n\nb"),
        ("a<br><br><br><br>b", "a\n\nb"),
        ("<p>a</p>\n\n<p>b</p>", "a\n\nb"),
        ("<b>dis</b>nea <i>de</i> <u>esfuerzo</u>", "disnea de esfuerzo"),
        ("2 < 3 & 4 &gt; 1 &aacute;", "2 < 3 & 4 > 1 á"),
        ("<div>a<div>b<p>c", "a\nb\n\nc"),
        ("</div></p>a</script>", "a"),
        ("<svg><g>x</g></svg>z<script/>", "z"),
        ("<![CDATA[TA 13/8]]>", "TA 13/8"),
        ("<script>nunca cerrado", ""),
        ("", ""),
    ],
)
def test_html_to_text_blocks_become_lines(page, text):
    assert html_to_text(page) == text


def test_html_to_text_pre_keeps_white_space():
    part = read(attachment(b"<div>a\nb<pre>TA  13/8\n  FC  80</pre>c</div>", "text/html"))
    assert part.text == "a b\n\nTA  13/8\n  FC  80\n\nc"


@pytest.mark.parametrize(
    "page",
    [
        b'<?xml version="1.0" encoding="ISO-8859-1"?><html><body>ni\xf1o</body></html>',
        b'<html><head><meta charset="windows-1252"></head><body>ni\xf1o</body></html>',
    ],
)
def test_read_data_charset_in_markup_is_used(page):
    assert read(attachment(page, "application/xhtml+xml")).text == "niño"


def test_html_to_text_deep_nesting_is_read():
    depth = 20_000
    page = b"<div>" * depth + b"tos" + b"</div>" * depth
    assert read_data(page, "text/html").text == "tos"


def test_rtf_to_text_decodes_escapes():
    part = read(attachment(RTF, "application/rtf"))
    assert part.text.strip() == "Disnea y tos.\nSin fiebre, niño."


def test_rtf_to_text_keeps_text_between_links():
    link = rb'{\field{\*\fldinst{HYPERLINK "http://ehr.example/1"}}{\fldrslt ver eco}}'
    part = read(attachment(rb"{\rtf1 " + link + b" FEVI 35% " + link + b" fin}", "text/rtf"))
    assert part.text == "ver eco FEVI 35% ver eco fin"


@pytest.mark.parametrize(
    "page",
    ["<" * 300_000, "<a " * 100_000, '<a b="' * 50_000, "<!--" * 50_000, "<![" * 100_000],
)
def test_html_to_text_broken_markup_takes_linear_time(page):
    html_to_text(page)  # quadratic, it would take minutes


def test_rtf_to_text_broken_markup_takes_linear_time():
    rtf_to_text(rb"{\rtf1 " + rb'{\field{\*\fldinst{HYPERLINK "' * 20_000)


def test_read_data_markup_declared_plain_is_detected():
    assert read(attachment(RTF)).format is Format.RTF
    assert read(attachment(b"<!DOCTYPE html><html><body>tos</body></html>")).text == "tos"


@pytest.mark.parametrize(
    ("made", "defect"),
    [
        (attachment(b"%PDF-1.7 ...", "application/pdf"), Defect.BAD_FORMAT),
        (attachment(b"%PDF-1.7 ..."), Defect.BAD_FORMAT),
        (attachment(b"x", "image/jpeg"), Defect.BAD_FORMAT),
        (attachment(b"<lab><hb>11</hb></lab>", "application/xml"), Defect.BAD_FORMAT),
        (attachment(b"PK\x03\x04 docx", "text/plain"), Defect.BAD_FORMAT),
        (attachment(base64.b64encode(b"%PDF-1.7 " + b"x" * 30)), Defect.BAD_FORMAT),
        (attachment(b"x" * (LIMIT + 10)), Defect.TOO_LARGE),
        ({"contentType": "text/plain", "data": "no es base64!"}, Defect.BAD_BASE64),
        ({"contentType": "text/plain", "data": "abc"}, Defect.BAD_BASE64),
        ({"contentType": "text/plain", "data": "ñññ="}, Defect.BAD_BASE64),
        ({"url": "https://pacs.example/studies/1"}, Defect.FOREIGN_URL),
        ({"url": "DocumentReference/me"}, Defect.FOREIGN_URL),
        ({"url": "#nothing"}, Defect.NO_BINARY),
    ],
)
def test_read_attachment_unreadable_names_defect(made, defect):
    part = read(made)
    assert (part.text, part.defect) == (None, defect)


def test_read_attachment_wrapped_base64_is_decoded():
    assert read({"contentType": "text/plain", "data": "VG9z\n IHNl Y2E="}).text == "Tos seca"


def test_read_attachment_contained_binary_is_read():
    resource = {"contained": [{"id": "b", "contentType": "text/plain", "data": "VG9z"}]}
    assert read_attachment({"url": "#b"}, resource, LIMIT).text == "Tos"


def test_read_attachment_without_data_or_url_returns_none():
    assert read({"title": "Informe"}) is None


def test_choose_several_formats_takes_best():
    plain, html = Part("Tos", Format.PLAIN), Part("Tos.", Format.HTML)
    pdf = Part(defect=Defect.BAD_FORMAT)
    assert choose([pdf, html, plain]) == ([plain], [])


def test_choose_several_texts_of_one_format_takes_each():
    one, two = Part("Tos", Format.PLAIN), Part("Disnea", Format.PLAIN)
    assert choose([one, two, Part("Tos", Format.PLAIN)]) == ([one, two], [])


def test_choose_reports_unread_part_beside_note():
    good = Part("Tos", Format.PLAIN)
    lost = Part(format=Format.PLAIN, defect=Defect.BAD_BASE64)
    assert choose([lost, good]) == ([good], [lost])


def test_choose_nothing_readable_raises_first_defect():
    with pytest.raises(Unusable) as error:
        choose([Part(defect=Defect.BAD_FORMAT), Part(defect=Defect.BAD_BASE64)])
    assert error.value.defect is Defect.BAD_FORMAT


def test_choose_leaves_out_white_space_and_keeps_emoji():
    with pytest.raises(LeftOut):
        choose([Part(" \n\t\u00a0", Format.PLAIN)])
    assert choose([Part("👍🏽🫀", Format.PLAIN)])[0][0].text == "👍🏽🫀"
