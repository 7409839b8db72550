"""Distils any encoder into a small one: the student learns the teacher's vectors of words.

Teacher and student have tokenizers of their own, so that they are compared word by word, at
the first piece of each: the student's vector, through a map that is thrown away afterwards,
shall point where the teacher's does [1]_. The student keeps its shape and its tokenizer,
and everything that is trained on it can be trained again.

References
----------
.. [1] Reimers & Gurevych, "Making monolingual sentence embeddings multilingual using
   knowledge distillation", EMNLP 2020, here for words instead of sentences.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from clinical_nlp.artifacts import MODEL_FOLDER, replace_folder, write_manifest
from clinical_nlp.errors import ModelError, UsageError
from clinical_nlp.neural.locate import load_checkpoint
from clinical_nlp.neural.segments import Segment, segment
from clinical_nlp.neural.subwords import SubwordAligner
from clinical_nlp.neural.vectors import WordVectors
from clinical_nlp.training.encoder.recipe import read_toml
from clinical_nlp.training.encoder.text import read_texts
from clinical_nlp.training.torch.checkpoints import RunState
from clinical_nlp.training.torch.optimisers import make_optimisers, set_rates

if TYPE_CHECKING:
    from spacy.language import Language
    from torch import Tensor
    from transformers import PreTrainedModel

#: Longest unit, in words: what is longer is left out, being tables for the most part.
_LONGEST = 100


@dataclass(frozen=True, slots=True)
class DistilRecipe:
    """How a student is made.

    Parameters
    ----------
    name
        Of the model.
    student
        Checkpoint that it starts from: shape, tokenizer and first weights.
    text
        Unlabelled text, relative to the recipe.
    steps, batch
        Steps, and sentences of a step.
    warm_up
        Steps over which the learning rate rises; it falls to nothing at the end.
    matrix_rate, other_rate
        Learning rates of the student's matrices (Muon) and of all else (AdamW).
    seed
        Of the order and of the map.
    """

    name: str
    student: str
    text: str
    steps: int
    batch: int
    warm_up: int
    matrix_rate: float
    other_rate: float
    matrix_decay: float
    other_decay: float
    seed: int


@dataclass(frozen=True)
class Distilled:
    """A finished run: 1 - cosine by step, on the words of the step, and the digest."""

    losses: list[float]
    digest: str


def read_distil_recipe(path: Path) -> DistilRecipe:
    """Read the recipe of a student.

    Raises
    ------
    UsageError
        E120: the file cannot be read; E121: a part is missing or out of range.
    """
    try:
        recipe = DistilRecipe(**read_toml(path))
        if recipe.steps < 1 or recipe.batch < 1:
            raise ValueError("steps and batch start at 1")
    except (TypeError, ValueError) as error:
        raise UsageError(
            "E121",
            f"the recipe '{path}' lacks a part or holds a wrong one ({error}): "
            "compare it with models/es-clinical-encoder/distil.toml",
        ) from None
    return recipe


def distil(
    recipe: DistilRecipe,
    teacher: str,
    text: Path,
    shipped: Path,
    work: Path,
    nlp: Language,
    *,
    revision: str | None = None,
    offline: bool = True,
    on_step: Callable[[int, float], None] = lambda step, loss: None,
    save_every: int = 100,
) -> Distilled:
    """Train a student on a teacher and write it to ``shipped/model``.

    Parameters
    ----------
    recipe
        How.
    teacher
        Shipped name, folder or hub id of any encoder.
    text
        Unlabelled text, JSON lines.
    shipped
        Folder of the student.
    work
        Folder of the unfinished run; a run found there is taken up.
    nlp
        Gives words and sentences.
    revision, offline
        See :func:`clinical_nlp.pipeline.encoder.load_checkpoint`.
    on_step, save_every
        As in pretraining.

    Raises
    ------
    InputError
        E265: the text cannot be read.
    ModelError
        E44x: teacher or student cannot be loaded. E464, E465: see
        :func:`clinical_nlp.training.encoder.loop.train_masked`.
    """
    import torch
    from torch import nn

    wise = load_checkpoint(teacher, revision=revision, offline=offline)
    young = load_checkpoint(recipe.student)
    torch.manual_seed(recipe.seed)
    teacher_model, encoder = WordVectors(wise.model()).eval(), young.model()
    widths = encoder.config.hidden_size, teacher_model.encoder.config.hidden_size
    student = nn.ModuleDict({"words": WordVectors(encoder), "map": nn.Linear(*widths)})
    optimisers = make_optimisers(
        encoder,
        student,
        matrix_rate=recipe.matrix_rate,
        embedding_rate=recipe.other_rate,
        head_rate=recipe.other_rate,
        matrix_decay=recipe.matrix_decay,
        other_decay=recipe.other_decay,
    )
    state = RunState(student, optimisers, {})
    identity = {**asdict(recipe), "teacher": wise.digest, "base": young.digest}
    numbers = state.load(work, identity)
    losses: list[float] = [] if numbers is None else list(numbers["losses"])
    sentences = _sentences(read_texts(text), nlp)
    readers = SubwordAligner(wise.tokenizer), SubwordAligner(young.tokenizer)
    student.train()
    for step in range(len(losses), recipe.steps):
        rise, fall = (step + 1) / max(1, recipe.warm_up), 1 - step / recipe.steps
        set_rates(optimisers, min(1.0, rise) * max(0.02, fall))
        random = np.random.default_rng((recipe.seed, step))
        chosen = [sentences[i] for i in random.integers(0, len(sentences), recipe.batch)]
        with torch.no_grad():
            ids, mask, places = _tensors(chosen, readers[0])
            target = teacher_model(ids, mask, places, places)
        ids, mask, places = _tensors(chosen, readers[1])
        guess = student["map"](student["words"](ids, mask, places, places))
        is_word = places[..., 0] > 0
        likeness = torch.cosine_similarity(guess[is_word], target[is_word], dim=-1)
        loss = (1 - likeness).mean()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(student.parameters(), 1.0)
        for optimiser in optimisers:
            optimiser.step()
            optimiser.zero_grad()
        losses.append(loss.item())
        if not np.isfinite(losses[-1]):
            raise ModelError(
                "E465",
                f"the loss of step {step + 1} is no number: lower the learning rates in the "
                "recipe, or set precision to float32; the last saved state is still good",
            )
        on_step(step + 1, losses[-1])
        if len(losses) % save_every == 0:
            state.save(work, {"recipe": identity, "losses": losses})
    digest = _ship(young.folder, encoder, shipped, losses, wise.digest)
    shutil.rmtree(work, ignore_errors=True)
    return Distilled(losses, digest)


def _sentences(texts: Sequence[str], nlp: Language) -> list[Segment]:
    def all_units() -> Iterator[Segment]:
        for doc in nlp.pipe(texts):
            yield from segment(doc, "sentence")

    return [unit for unit in all_units() if len(unit.tokens) <= _LONGEST]


def _tensors(chosen: Sequence[Segment], reader: SubwordAligner) -> tuple[Tensor, Tensor, Tensor]:
    """Ids, mask [B, L], first and last pieces [B, W, 2] of sentences, for one tokenizer."""
    import torch

    read = reader.read(
        [unit.text for unit in chosen],
        [unit.starts for unit in chosen],
        [unit.ends for unit in chosen],
    )
    longest = max(len(pieces.ids) for pieces in read) + reader.framing
    words = max(len(pieces.first) for pieces in read)
    ids = np.full((len(read), longest), reader.pad, dtype=np.int64)
    mask = np.zeros((len(read), longest), dtype=np.int64)
    places = np.zeros((len(read), words, 2), dtype=np.int64)
    for row, pieces in enumerate(read):
        framed = [*reader.prefix, *pieces.ids, *reader.suffix]
        ids[row, : len(framed)] = framed
        mask[row, : len(framed)] = 1
        ends = np.stack((pieces.first, pieces.last), axis=1)
        places[row, : len(ends)] = ends + len(reader.prefix)
    return torch.from_numpy(ids), torch.from_numpy(mask), torch.from_numpy(places)


def _ship(
    base: Path, encoder: PreTrainedModel, shipped: Path, losses: list[float], teacher: str
) -> str:
    with replace_folder(shipped / MODEL_FOLDER) as fresh:
        encoder.half()  # type: ignore[no-untyped-call]
        encoder.save_pretrained(fresh)
        for name in ("tokenizer.json", "tokenizer_config.json"):
            shutil.copyfile(base / name, fresh / name)
    facts = {
        "teacher": teacher,
        "steps": len(losses),
        "distance_first_steps": round(float(np.mean(losses[:20])), 4),
        "distance_last_steps": round(float(np.mean(losses[-50:])), 4),
    }
    (shipped / "metrics.json").write_text(json.dumps(facts, indent=2) + "\n", "utf-8")
    return write_manifest(shipped, licence="Apache-2.0")
