from __future__ import annotations

import html
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinical_nlp.records import Concept, Finding, Note, NoteFindings
from clinical_nlp.review.highlight import assertion, describe, highlight, show_notes
from clinical_nlp.review.markup import anchor, escape
from clinical_nlp.review.output import ChangedNote

CONCEPTS = {
    "dyspnea": Concept("dyspnea", "symptom", {"es": "disnea"}),
    "lvef": Concept("lvef", "measurement", {"es": "FEVI"}, unit="%"),
}


def noted(text: str, *findings: Finding) -> NoteFindings:
    return NoteFindings(Note("DocumentReference/1", "p", text), findings)


class _Text(HTMLParser):
    """Collects the text that a browser would show, labels left out."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.shown, self.tags, self._label = [], [], False

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self._label = tag == "sup"

    def handle_endtag(self, tag):
        self._label = False

    def handle_data(self, data):
        if not self._label:
            self.shown.append(data)


def parse(marked: str) -> _Text:
    parser = _Text()
    parser.feed(marked)
    parser.close()
    return parser


def test_highlight_marks_findings_by_assertion():
    text = "Disnea. Niega disnea."
    marked = highlight(
        noted(text, Finding(0, 6, "Disnea", "dyspnea"), Finding(14, 20, "disnea", "dyspnea", True)),
        CONCEPTS,
    )
    assert marked == (
        f"<mark class='cnr-affirmed' id='{anchor('DocumentReference/1', 0)}' "
        "title='disnea: afirmado'>Disnea</mark>. Niega "
        f"<mark class='cnr-negated' id='{anchor('DocumentReference/1', 14)}' "
        "title='disnea: negado'>disnea<sup>no</sup></mark>."
    )


@pytest.mark.parametrize(("probability", "doubtful"), [(0.59, True), (0.6, False), (0.98, False)])
def test_highlight_marks_doubtful_findings_and_says_how_sure(probability, doubtful):
    found = Finding(0, 6, "Disnea", "dyspnea", source="reader", probability=probability)
    marked = highlight(noted("Disnea.", found), CONCEPTS)
    assert ("cnr-doubtful" in marked) == ("<sup>duda</sup>" in marked) == doubtful
    assert ("(lectura dudosa)" in marked) == doubtful
    assert f"disnea: afirmado; seguridad {round(100 * probability)} %" in marked
    assert "".join(parse(marked).shown) == "Disnea."


def test_highlight_overlapping_findings_keep_text_and_titles():
    text = "disnea de esfuerzo"
    marked = highlight(
        noted(text, Finding(0, 18, text, "lvef"), Finding(7, 18, text[7:], "dyspnea", True)),
        CONCEPTS,
    )
    assert "".join(parse(marked).shown) == text
    assert marked.count("<mark") == 2 and "FEVI: afirmado; disnea: negado" in marked


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "a & b < c > 'd' \"e\"", "\u202eoculto\x00\x1b[31m"]
)
def test_highlight_escapes_patient_text(text):
    shown = highlight(noted(text, Finding(0, 3, text[:3], "dyspnea")), CONCEPTS)
    assert set(parse(shown).tags) == {"mark"}
    assert not re.search("[\x00-\x08\x1b\u202e]", shown)


@settings(max_examples=80)
@given(st.data())
def test_highlight_any_findings_leave_text_unchanged(data):
    text = data.draw(st.text(st.characters(blacklist_categories=("Cc", "Cs", "Cf")), min_size=1))
    place = st.integers(0, len(text))
    spans = data.draw(st.lists(st.tuples(place, place), max_size=5))
    findings = tuple(
        Finding(start, end, text[start:end], "dyspnea", negated=bool(start % 2))
        for start, end in sorted(spans)
        if start < end
    )
    marked = highlight(noted(text, *findings), CONCEPTS)
    assert "".join(parse(marked).shown) == text
    for finding in findings:  # every reason's link has somewhere to go
        assert f"id='{anchor('DocumentReference/1', finding.start)}'" in marked


@pytest.mark.parametrize(
    "flags, kind",
    [
        ({}, "affirmed"),
        ({"negated": True, "family": True}, "family"),
        ({"negated": True, "historical": True}, "negated"),
        ({"uncertain": True}, "uncertain"),
        ({"hypothetical": True, "uncertain": True}, "hypothetical"),
    ],
)
def test_assertion_several_flags_takes_first_in_precedence(flags, kind):
    assert assertion(Finding(0, 1, "x", "dyspnea", **flags)) == kind


def test_describe_measurement_includes_value_and_unit():
    finding = Finding(0, 4, "FEVI", "lvef", value=37.5, unit="%", comparator="<", uncertain=True)
    assert describe(finding, CONCEPTS) == "FEVI <37,5 %: dudoso"


def test_show_notes_changed_note_gives_warning():
    page = str(show_notes([noted("x")], CONCEPTS, [ChangedNote("DocumentReference/<9>", 3)]))
    assert "DocumentReference/&lt;9&gt;" in page and "sus 3 hallazgos no se marcan" in page
    assert "no tiene notas" in str(show_notes([], CONCEPTS))


def test_escape_accepts_any_text():
    assert escape("\ud800") == "?"
    assert html.unescape(escape("ñ\n\tá")) == "ñ\n\tá"
