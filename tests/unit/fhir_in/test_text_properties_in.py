"""Any tree of markup keeps its visible text in order, and nothing else."""

from __future__ import annotations

import re
import time
from html import escape, unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_adapters.reading.attachments import read_data
from fhir_adapters.reading.defects import Unusable
from fhir_adapters.reading.text.html import html_to_text
from fhir_adapters.reading.text.rtf import rtf_to_text

SEEN = st.sampled_from(
    ["disnea_", "ortopnea_", "niño_", "FC_", "88_", "<120_", "tos_", "&_", "sí_"]
)
HIDDEN = st.sampled_from(["oculto", "tachado", "borrado"])
TAGS = st.sampled_from(
    [
        "p",
        "div",
        "b",
        "li",
        "ul",
        "td",
        "table",
        "tr",
        "h2",
        "dl",
        "dt",
        "dd",
        "span",
        "pre",
        "label",
    ]
)
UNREAD = st.sampled_from(
    [
        "<s>{}</s>",
        "<p style='display:none'>{}</p>",
        "<span hidden>{}</span>",
        "<!--{}-->",
        "<script>{}</script>",
        "<del>{}</del>",
        "<div style='text-decoration:line-through'><b>{}</b></div>",
        "<select><option>{}</option></select>",
    ]
)

html_trees = st.recursive(
    st.one_of(
        SEEN.map(lambda word: escape(word) + " "),
        st.builds(lambda form, word: form.format(word), UNREAD, HIDDEN),
    ),
    lambda inner: st.builds(
        lambda tag, parts: f"<{tag}>{''.join(parts)}</{tag}>", TAGS, st.lists(inner, max_size=4)
    ),
    max_leaves=25,
)
rtf_trees = st.recursive(
    st.one_of(
        SEEN.map(lambda word: "".join(c if c.isascii() else f"\\u{ord(c)}?" for c in word) + " "),
        st.builds(
            lambda form, word: form % word,
            st.sampled_from(["{\\strike %s}", "{\\v %s}", "{\\*\\x %s}", "{\\deleted %s}"]),
            HIDDEN,
        ),
        st.sampled_from(["\\par ", "\\tab ", "\\b ", "\\line ", "\\pard ", "\\u-10179?\\u-8704?"]),
    ),
    lambda inner: st.builds(
        lambda form, parts: form % "".join(parts),
        st.sampled_from(
            [
                "{%s}",
                "{\\b %s}",
                "\\pard\\par %s\\par ",
                "\\par\\trowd\\cellx1\\cellx2\\pard\\intbl %s\\cell fin_\\cell\\row\\pard ",
                '{\\field{\\*\\fldinst HYPERLINK "x"}{\\fldrslt %s}}',
            ]
        ),
        st.lists(inner, max_size=4),
    ),
    max_leaves=25,
)
_WORD = re.compile(r"[\wñí<>&]+_")


@given(st.lists(html_trees, max_size=5))
def test_html_keeps_seen_text_in_order_and_no_other(trees):
    page = "".join(trees)
    text = html_to_text(page)
    shown = re.sub(r"(oculto|tachado|borrado)", "", page)
    words = [unescape(word) for word in re.findall(r"([^\s<>_]+_)", shown)]
    assert re.findall(r"([^\s|]+?_)", text) == words
    assert not re.search("oculto|tachado|borrado", text)


@given(st.lists(rtf_trees, max_size=5))
def test_rtf_keeps_seen_text_in_order_and_no_other(trees):
    source = "".join(trees)
    text = rtf_to_text(("{\\rtf1\\ansi " + source + "}").encode("latin-1"))
    written = source.replace("\\u241?", "ñ").replace("\\u237?", "í")
    assert re.findall(r"([^\s|😀]+_)", text) == re.findall(r"(?<=[\s}{?])?([\wñí<&]+_)", written)
    assert not re.search("oculto|tachado|borrado|HYPERLINK", text)
    assert text.count("😀") == source.count("\\u-10179?")


@given(st.text(), st.sampled_from(["text/html", "text/plain", "text/rtf", None]))
def test_any_text_gives_valid_unicode_or_a_defect(text, media):
    try:
        part = read_data(text.encode("utf-8"), media)
    except Unusable:
        return
    part.text.encode("utf-8")


BROKEN = [
    *[
        "<p>",
        "<table>",
        "<tr>",
        "<td>",
        "</td>",
        "</table>",
        "<li>",
        "</ul>",
        "<ul>",
        "<dl>",
        "<dt>",
        "<dd>",
        "</dl>",
        "<s>",
    ],
    *[
        "<select>",
        "</select>",
        "<label>",
        "</label>",
        "<pre>",
        "</pre>",
        "<textarea>",
        "<head>",
        "<body>",
        "a",
        "<",
        "&",
    ],
    *[
        "<!--",
        "-->",
        "{\\rtf1",
        "\\u-10179?",
        "}",
        "\\cell",
        "\\nestcell",
        "\\row",
        "\\itap9",
        "\\trowd",
        "\\intbl",
    ],
    *[
        "\\bin3",
        "{\\fonttbl",
        "\\f9",
        "&#55357;",
        "<h1>",
        "</h1>",
        "</div>",
        "<div>",
        "{\\*\\x",
        "{\\listtext",
    ],
    *[
        "</s>",
        "<br>",
        "\\'f",
        "<td colspan=99999>",
        "<td rowspan=9>",
        "<option selected>",
        "<p class=x>",
    ],
    *["<input type=checkbox>", "<style> .x{display:none} </style>", "<input id=a type=radio>"],
]


@given(st.lists(st.sampled_from(BROKEN), max_size=40).map(" ".join), st.booleans())
def test_broken_markup_gives_valid_unicode(markup, rtf):
    text = rtf_to_text(markup.encode()) if rtf else html_to_text(markup)
    text.encode("utf-8")


@pytest.mark.parametrize(
    "markup",
    [
        "<div>" * 200_000,
        "<table><tr><td>" * 60_000,
        "<p><li>" * 100_000,
        "<div></x>" * 100_000,
        "<dl><dt>a<dd>" * 60_000,
        "<ul><li>" * 100_000 + "tos",
        "<b>" * 100_000 + "</i></b>" * 100_000,
        "<td>a" * 60_000,
        "<label for=a>x</label><input type=checkbox id=a>" * 20_000,
        "<p style='" * 50_000,
    ],
)
def test_html_deep_or_long_takes_linear_time(markup):
    start = time.process_time()
    html_to_text(markup)
    assert time.process_time() - start < 20


@pytest.mark.parametrize(
    "source", [b"{" * 500_000, b"}" * 500_000, b"\\itap8 a\\itap0 b " * 30_000]
)
def test_rtf_deep_or_long_takes_linear_time(source):
    start = time.process_time()
    rtf_to_text(source)
    assert time.process_time() - start < 20
