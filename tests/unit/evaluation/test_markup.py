from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical_nlp.errors import InputError
from clinical_nlp.evaluation.markup import read_marked_notes


def test_read_marked_notes_removes_marks_and_keeps_offsets() -> None:
    (note,) = read_marked_notes(
        "written for this test\n=== x-1 | telegráfico | es\nNo {{ortopnea|orthopnea|neg}}.\n"
        "TA {{13|systolic_bp=130}}/{{8|diastolic_bp=80}}\n"
    )
    assert (note.id, note.language, note.text) == ("x-1", "es", "No ortopnea.\nTA 13/8\n")
    first, systolic, diastolic = note.annotations
    assert note.text[first.start : first.end] == "ortopnea"
    assert (first.concept, dict(first.flags)["negated"]) == ("orthopnea", True)
    assert not dict(first.flags)["family"]
    assert [systolic.value, diastolic.value] == [130.0, 80.0]
    assert [note.text[m.start : m.end] for m in (systolic, diastolic)] == ["13", "8"]


def test_read_marked_notes_several_flags_and_id_only_header() -> None:
    (note,) = read_marked_notes("=== x-2\nPadre, ¿{{IC|heart_failure|unc, fam}}?\n")
    assert note.language == ""
    assert [name for name, value in note.annotations[0].flags if value] == ["uncertain", "family"]


@pytest.mark.parametrize(
    "body",
    [
        "{{disnea|dyspnea|negated}}",
        "{{13|systolic_bp=trece}}",
        "{{disnea}}",
        "{{disnea|dyspnea",
        "{{una {{disnea|dyspnea}} más|dyspnea}}",
    ],
)
def test_read_marked_notes_broken_mark_error_names_line_without_text(body: str) -> None:
    with pytest.raises(InputError) as caught:
        list(read_marked_notes(f"=== x-3\nprimera\n{body}\n"))
    assert caught.value.code == "E267"
    assert "line 2" in caught.value.message
    assert "disnea" not in caught.value.message


@given(st.lists(st.text(st.characters(exclude_characters="{}|=\r\n"), min_size=1), min_size=1))
def test_read_marked_notes_any_words_survive(words: list[str]) -> None:
    body = "".join(f"{word}{{{{{word}|dyspnea}}}}" for word in words)
    (note,) = read_marked_notes(f"=== x\n{body}\n")
    assert note.text.strip("\n") == "".join(word * 2 for word in words)
    assert [note.text[m.start : m.end] for m in note.annotations] == words
