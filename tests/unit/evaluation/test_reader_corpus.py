"""The invented notes in models/reader/corpus can be read and use the catalogue's concepts."""

from __future__ import annotations

from pathlib import Path

import pytest

from clinical_nlp.evaluation.markup import read_marked_notes
from clinical_nlp.lexicon import load_lexicon

FOLDER = Path(__file__).parents[3] / "models" / "reader" / "corpus"
HANDS = sorted(FOLDER.glob("*.txt"))


def test_corpus_has_six_hands() -> None:
    assert [path.stem for path in HANDS] == list("uvwxyz")


@pytest.mark.parametrize("path", HANDS, ids=lambda path: path.stem)
def test_hand_uses_known_concepts_languages_and_unique_ids(path: Path) -> None:
    known = set(load_lexicon().concepts)
    notes = list(read_marked_notes(path.read_text("utf-8")))
    assert len({note.id for note in notes}) == len(notes) >= 90
    assert {note.language for note in notes} <= {"es", "ca", "gl", "eu"}
    assert {a.concept for note in notes for a in note.annotations} <= known
