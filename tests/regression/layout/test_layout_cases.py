"""Every marked finding of the layout cases is found with its flags, and no other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from spacy.language import Language

from clinical_nlp.evaluation.annotated_notes import AnnotatedNote
from clinical_nlp.evaluation.markup import read_marked_notes
from clinical_nlp.pipeline.document import get_findings
from clinical_nlp.records import FLAGS

HERE = Path(__file__).parent


def cases() -> Iterator[AnnotatedNote]:
    for file in sorted(HERE.glob("*.txt")):
        yield from read_marked_notes(file.read_text(encoding="utf-8"))


def short(flags: dict[str, bool]) -> str:
    return ",".join(flag for flag in FLAGS if flags[flag])


@pytest.mark.parametrize("note", cases(), ids=lambda note: note.id)
def test_case_has_the_marked_findings_and_flags(note: AnnotatedNote, nlp: Language) -> None:
    expected = [
        (note.text[m.start : m.end], m.concept, short(dict(m.flags)))
        for m in note.annotations
        if m.value is None
    ]
    found = [
        (f.text, f.concept, short(dict(zip(FLAGS, f.flags, strict=True))))
        for f in get_findings(nlp(note.text))
        if f.value is None
    ]
    assert found == expected
