"""Invented documents, and recipes that train a tiny encoder and a tiny mention model on them."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from clinical_nlp.neural.tagger.labels import LABELS
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


def make_bench(folder: Path) -> Bench:
    """Write the corpora, train the encoder and state the recipe."""
    for name, rows in (("all.jsonl", documents(60, 1)), ("three.jsonl", documents(20, 2))):
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    recipe = PretrainingRecipe(
        name="tiny",
        text="all.jsonl",
        shape=ShapeRecipe(
            vocabulary=300,
            layers=2,
            hidden=16,
            heads=2,
            intermediate=16,
            local_attention=16,
            global_every=2,
            positions=64,
        ),
        vectors=VectorsRecipe(window=3, smoothing=0.75, scale=0.03, seed=0),
        masking=MaskingRecipe(
            length=24,
            batch=4,
            masked=4,
            steps=8,
            warm_up=2,
            decay=2,
            matrix_rate=1e-3,
            other_rate=1e-3,
            matrix_decay=0.0,
            other_decay=0.0,
            precision="float32",
            seed=0,
        ),
    )
    pretrain(recipe, folder / "all.jsonl", folder / "encoder", folder / "work")
    mentions = MentionsRecipe(
        name="tiny",
        encoder=str(folder / "encoder"),
        corpora=(
            CorpusRecipe(path="all.jsonl", labels=LABELS, measured=True),
            CorpusRecipe(path="three.jsonl", labels=LABELS[:3]),
        ),
        split=SplitRecipe(test=0.2, validation=0.1, salt="tiny"),
        head=HeadShape(
            hidden=24, reader=12, shape_width=4, affix_width=8, gap_width=2, dropout=0.1
        ),
        fit=FitRecipe(
            epochs=4,
            patience=4,
            batch_pieces=256,
            warm_up=4,
            matrix_rate=5e-3,
            embedding_rate=5e-3,
            head_rate=1e-2,
            matrix_decay=0.0,
            other_decay=0.0,
            word_dropout=0.02,
            average_from=0.7,
            precision="float32",
            seed=0,
        ),
    )
    return Bench(folder, recipe, mentions)


def write_toml(bench: Bench, path: Path) -> Path:
    """Write a bench's mention recipe as the TOML file that the command reads."""
    recipe = bench.recipe.as_dict()
    lines = [f'name = "tiny"\nencoder = "{bench.folder / "encoder"}"']
    for corpus in recipe["corpora"]:
        lines.append("[[corpora]]")
        corpus["path"] = str(bench.folder / corpus["path"])
        lines += [f"{key} = {json.dumps(value)}" for key, value in corpus.items()]
    for part in ("split", "head", "fit"):
        lines.append(f"[{part}]")
        lines += [f"{key} = {json.dumps(value)}" for key, value in recipe[part].items()]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


class Killed(Exception):
    """Stands for the kill."""


def same(one: dict[str, Tensor], two: dict[str, Tensor]) -> bool:
    """Whether two sets of weights are equal to the last bit."""
    return one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)
