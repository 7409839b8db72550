"""The invented notes in models/reader/corpus can be read and use the catalogue's concepts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from clinical_nlp.evaluation.markup import read_marked_notes
from clinical_nlp.lexicon import load_lexicon

FOLDER = Path(__file__).parents[3] / "models" / "reader"
HANDS = sorted((FOLDER / "corpus").glob("*.txt"))
HELD_OUT = sorted((FOLDER / "held_out").glob("*.txt"))


def test_data_card_names_every_hand() -> None:
    rows = (FOLDER / "corpus" / "README.md").read_text("utf-8").splitlines()
    named = {
        name for row in rows if row.startswith("| `") for name in re.findall("`([a-z]+)`", row)
    }
    assert named == {path.stem for path in HANDS}


def test_held_out_hands_are_not_trained_on() -> None:
    assert not {path.stem for path in HELD_OUT} & {path.stem for path in HANDS}


@pytest.mark.parametrize("path", [*HANDS, *HELD_OUT], ids=lambda path: path.stem)
def test_hand_uses_known_concepts_languages_and_unique_ids(path: Path) -> None:
    known = set(load_lexicon().concepts)
    notes = list(read_marked_notes(path.read_text("utf-8")))
    assert len({note.id for note in notes}) == len(notes) >= 40
    assert {note.language for note in notes} <= {"es", "ca", "gl", "eu"}
    assert {a.concept for note in notes for a in note.annotations} <= known
