"""A small corpus of marked notes, and a recipe that trains a tiny reader on it."""

from __future__ import annotations

import random
from pathlib import Path

_FRAMES = (
    ("Refiere {{%s|%s}} desde ayer.", ""),
    ("%s nunca.", "neg"),
    ("Su padre tuvo {{%s|%s|fam}}.", "fam"),
    ("Si aparece {{%s|%s|hyp}}, que vuelva.", "hyp"),
)
_FINDINGS = (("disnea", "dyspnea"), ("tos", "cough"), ("ortopnea", "orthopnea"))


def write_notes(path: Path, notes: int, seed: int) -> None:
    """Write a file of marked notes; "nunca" denies what stands before it."""
    draw = random.Random(seed)
    rows = []
    for number in range(notes):
        lines = []
        for _ in range(3):
            frame, flag = draw.choice(_FRAMES)
            words, concept = draw.choice(_FINDINGS)
            mark = "{{" + f"{words.capitalize()}|{concept}|neg" + "}}"
            lines.append(frame % mark if flag == "neg" else frame % (words, concept))
        rows.append(f"=== {path.stem}-{number} | invented | es\n{' '.join(lines)}\n")
    path.write_text("\n".join(rows), "utf-8")


def write_reader_recipe(folder: Path, encoder: Path) -> Path:
    """Write two hands and a recipe that leaves out one, then the other."""
    (folder / "corpus").mkdir(exist_ok=True)
    write_notes(folder / "corpus" / "a.txt", 24, 1)
    write_notes(folder / "corpus" / "b.txt", 24, 2)
    recipe = folder / "recipe.toml"
    recipe.write_text(
        f'''name = "tiny"
encoder = "{encoder}"
notes = ["corpus/*.txt"]
folds = [["a"], ["b"]]
[head]
hidden = 16
dropout = 0.1
[drop]
pieces = 0.05
target = 0.05
finding = 0.1
flags = 0.1
concept = 0.1
segment = 0.05
[fit]
epochs = 3
batch_pieces = 256
warm_up = 2
matrix_rate = 5e-3
embedding_rate = 5e-3
head_rate = 1e-2
matrix_decay = 0.0
other_decay = 0.0
concept_weight = 0.5
target_weight = 0.5
target_share = 1.0
masked_weight = 0.1
fgm_epsilon = 0.5
average_from = 0.8
precision = "float32"
seed = 0
''',
        "utf-8",
    )
    return recipe
