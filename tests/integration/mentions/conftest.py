"""A tiny encoder and a tiny mention model, trained once for the tests of this folder."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from clinical_nlp.neural.tagger.network import HeadShape
from clinical_nlp.training.encoder.pretrain import pretrain
from clinical_nlp.training.encoder.recipe import (
    MaskingRecipe,
    PretrainingRecipe,
    ShapeRecipe,
    VectorsRecipe,
)
from clinical_nlp.training.ner.recipe import (
    CorpusRecipe,
    FitRecipe,
    MentionsRecipe,
    SplitRecipe,
)

_FRAMES = (
    ("Paciente con {D}.", "DISEASE"),
    ("Refiere {S} desde ayer.", "SYMPTOM"),
    ("Se realiza {P} sin incidencias.", "PROCEDURE"),
    ("En tratamiento con {M}.", "MEDICATION"),
)
_WORDS = {
    "DISEASE": ("diabetes mellitus", "neumonía", "fibrilación auricular"),
    "SYMPTOM": ("disnea de esfuerzo", "tos", "dolor torácico"),
    "PROCEDURE": ("ecocardiograma", "radiografía de tórax", "TAC"),
    "MEDICATION": ("bisoprolol", "ácido acetilsalicílico", "furosemida"),
}


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    torch.set_num_threads(1)


def documents(count: int, seed: int) -> list[dict[str, object]]:
    """Invented documents whose mentions a tiny model can learn."""
    draw = random.Random(seed)
    rows: list[dict[str, object]] = []
    for number in range(count):
        text, entities = "", []
        for _ in range(6):
            frame, label = draw.choice(_FRAMES)
            word = draw.choice(_WORDS[label])
            before = frame[: frame.index("{")]
            start = len(text) + len(before)
            entities.append({"label": label, "start": start, "end": start + len(word)})
            text += before + word + frame[frame.index("}") + 1 :] + " "
        rows.append({"id": f"d{seed}-{number}", "text": text, "entities": entities})
    return rows


@dataclass(frozen=True)
class Bench:
    """A folder with a tiny encoder and a corpus, and a recipe over them."""

    folder: Path
    encoder_recipe: PretrainingRecipe
    recipe: MentionsRecipe


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    folder = tmp_path_factory.mktemp("bench")
    rows = documents(60, seed=1)
    for name, part in (("all.jsonl", rows), ("three.jsonl", documents(20, seed=2))):
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in part), "utf-8")
    recipe = PretrainingRecipe(
        "tiny",
        "all.jsonl",
        ShapeRecipe(300, 2, 16, 2, 16, 16, 2, 64),
        VectorsRecipe(3, 0.75, 0.03, 0),
        MaskingRecipe(24, 4, 4, 8, 2, 2, 1e-3, 1e-3, 0.0, 0.0, "float32", 0),
    )
    pretrain(recipe, folder / "all.jsonl", folder / "encoder", folder / "work")
    mentions = MentionsRecipe(
        "tiny",
        str(folder / "encoder"),
        (
            CorpusRecipe("all.jsonl", ("DISEASE", "SYMPTOM", "PROCEDURE", "MEDICATION"), 1, True),
            CorpusRecipe("three.jsonl", ("DISEASE", "SYMPTOM", "PROCEDURE")),
        ),
        SplitRecipe(0.2, 0.1, "tiny"),
        HeadShape(hidden=24, reader=12, shape_width=4, affix_width=8, gap_width=2, dropout=0.1),
        FitRecipe(4, 4, 256, 4, 5e-3, 5e-3, 1e-2, 0.0, 0.0, 0.02, 0.7, "float32", 0),
    )
    return Bench(folder, recipe, mentions)


@pytest.fixture(scope="session")
def tiny_model(bench: Bench) -> Path:
    """Folder of a tiny mention model that has learnt the invented documents."""
    from clinical_nlp.training.ner.shipping import write_mention_folder
    from clinical_nlp.training.ner.train import train_mentions

    trained = train_mentions(bench.recipe, base_folder=bench.folder, work=bench.folder / "run")
    assert trained.measures is not None
    assert trained.measures.strict["micro"].f1 > 0.8
    write_mention_folder(trained, bench.folder / "mentions")
    return bench.folder / "mentions"


@pytest.fixture
def toml() -> Callable[[Bench, Path], Path]:
    """Writes a bench's mention recipe as the TOML file that the command reads."""

    def write(bench: Bench, path: Path) -> Path:
        recipe = bench.recipe.as_dict()
        lines = [f'name = "tiny"\nencoder = "{bench.folder / "encoder"}"']
        for corpus in recipe["corpora"]:
            lines.append("[[corpora]]")
            corpus["path"] = str(bench.folder / corpus["path"])
            corpus["labels"] = list(corpus["labels"])
            lines += [f"{key} = {json.dumps(value)}" for key, value in corpus.items()]
        for part in ("split", "head", "fit"):
            lines.append(f"[{part}]")
            lines += [f"{key} = {json.dumps(value)}" for key, value in recipe[part].items()]
        path.write_text("\n".join(lines) + "\n", "utf-8")
        return path

    return write
