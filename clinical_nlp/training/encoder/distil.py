"""Distils any encoder into a small one: the student learns the teacher's word vectors.

Teacher and student have tokenizers of their own, so they are compared word by word, at the
first token of each word. A linear projection maps the student's vectors to the teacher's
width [1]_; it is thrown away afterwards. The student keeps its shape and its tokenizer, so
models on top of it can be trained again.

References
----------
.. [1] Reimers & Gurevych, "Making monolingual sentence embeddings multilingual using
   knowledge distillation", EMNLP 2020, here for words instead of sentences.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from clinical_nlp.artifacts import METRICS, MODEL_FOLDER, replace_folder, write_manifest
from clinical_nlp.neural.locate import find_checkpoint
from clinical_nlp.neural.segments import Segment, segment
from clinical_nlp.neural.subwords import SubwordAligner
from clinical_nlp.neural.vectors import WordVectors
from clinical_nlp.training.encoder.pretrain import FIRST_STEPS, LAST_STEPS
from clinical_nlp.training.encoder.recipe import DistilRecipe
from clinical_nlp.training.encoder.text import read_texts
from clinical_nlp.training.torch.checkpoints import TrainingCheckpoint
from clinical_nlp.training.torch.optimisers import make_optimisers
from clinical_nlp.training.torch.schedules import linear_decay
from clinical_nlp.training.torch.trainer import OnStep, Trainer

if TYPE_CHECKING:
    from spacy.language import Language
    from torch import Tensor
    from transformers import PreTrainedModel

    from clinical_nlp.neural.checkpoint import Checkpoint

#: Longest sentence, in words; longer ones are tables for the most part and are left out.
_LONGEST = 100

#: Floor of the learning-rate schedule.
_FLOOR = 0.02


@dataclass(frozen=True)
class Distilled:
    """A finished run: the loss (1 - cosine) of every step, and the digest of the model."""

    losses: list[float]
    digest: str


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
    on_step: OnStep = lambda step, loss: None,
    save_every: int = 100,
) -> Distilled:
    """Train a student on a teacher and write it to ``shipped/model``.

    Parameters
    ----------
    teacher
        Shipped name, folder or hub id of any encoder.
    text
        Unlabelled text, JSON lines.
    shipped
        Folder of the student.
    work
        Folder of the unfinished run. A run that is found there is resumed.
    nlp
        Gives words and sentences.
    revision, offline
        See :func:`clinical_nlp.neural.locate.find_checkpoint`.
    on_step, save_every
        As in :func:`~clinical_nlp.training.encoder.pretrain.pretrain`.

    Raises
    ------
    InputError
        E265: the text cannot be read.
    ModelError
        E44x: teacher or student cannot be loaded. E464, E465: as in pretraining.
    """
    large = find_checkpoint(teacher, revision=revision, offline=offline)
    small = find_checkpoint(recipe.student)
    distillation = _Distillation(large, small, recipe.seed)
    sentences = _sentences(read_texts(text), nlp)

    def batches(first: int) -> Iterator[list[Segment]]:
        for step in range(first, recipe.steps):
            random = np.random.default_rng((recipe.seed, step))
            yield [sentences[i] for i in random.integers(0, len(sentences), recipe.batch)]

    optimisers = make_optimisers(
        distillation.encoder,
        distillation.student,
        matrix_rate=recipe.matrix_rate,
        embedding_rate=recipe.other_rate,
        head_rate=recipe.other_rate,
        matrix_decay=recipe.matrix_decay,
        other_decay=recipe.other_decay,
    )
    identity = {**recipe.as_dict(), "teacher": large.digest, "base": small.digest}
    losses = Trainer(
        distillation.student,
        optimisers,
        schedule=partial(linear_decay, steps=recipe.steps, warm_up=recipe.warm_up, floor=_FLOOR),
        checkpoint=TrainingCheckpoint(work, identity, save_every),
    ).run_steps(recipe.steps, batches, distillation.loss, on_step)
    _write_model(distillation.encoder, small.folder, shipped / MODEL_FOLDER)
    digest = _write_facts(shipped, losses, large.digest)
    shutil.rmtree(work, ignore_errors=True)
    return Distilled(losses, digest)


class _Distillation:
    """Teacher, student, and the loss between their word vectors.

    Attributes
    ----------
    encoder
        The student's.
    student
        Everything that is trained: the student's encoder and the projection.
    """

    def __init__(self, large: Checkpoint, small: Checkpoint, seed: int) -> None:
        import torch
        from torch import nn

        torch.manual_seed(seed)
        self._teacher = WordVectors(large.model()).eval()
        self.encoder = small.model()
        widths = self.encoder.config.hidden_size, self._teacher.encoder.config.hidden_size
        self._vectors, self._projection = WordVectors(self.encoder), nn.Linear(*widths)
        self.student = nn.ModuleList([self._vectors, self._projection])
        self._aligners = SubwordAligner(large.tokenizer), SubwordAligner(small.tokenizer)

    def loss(self, sentences: Sequence[Segment]) -> Tensor:
        """Mean of 1 - cosine over the words of some sentences."""
        import torch

        with torch.no_grad():
            ids, mask, places = _collate(sentences, self._aligners[0])
            target = self._teacher(ids, mask, places, places)
        ids, mask, places = _collate(sentences, self._aligners[1])
        predicted = self._projection(self._vectors(ids, mask, places, places))
        is_word = places[..., 0] > 0
        return (1 - torch.cosine_similarity(predicted[is_word], target[is_word], dim=-1)).mean()


def _sentences(texts: Sequence[str], nlp: Language) -> list[Segment]:
    return [
        sentence
        for doc in nlp.pipe(texts)
        for sentence in segment(doc, "sentence")
        if len(sentence.tokens) <= _LONGEST
    ]


def _collate(
    sentences: Sequence[Segment], aligner: SubwordAligner
) -> tuple[Tensor, Tensor, Tensor]:
    """Ids, mask [B, L], first and last tokens of the words [B, W, 2], for one tokenizer."""
    import torch

    read = aligner.read(
        [sentence.text for sentence in sentences],
        [sentence.starts for sentence in sentences],
        [sentence.ends for sentence in sentences],
    )
    length = max(len(tokens.ids) for tokens in read) + aligner.framing
    words = max(len(tokens.first) for tokens in read)
    ids = np.full((len(read), length), aligner.pad, dtype=np.int64)
    mask = np.zeros((len(read), length), dtype=np.int64)
    places = np.zeros((len(read), words, 2), dtype=np.int64)
    for row, tokens in enumerate(read):
        framed = [*aligner.prefix, *tokens.ids, *aligner.suffix]
        ids[row, : len(framed)] = framed
        mask[row, : len(framed)] = 1
        ends = np.stack((tokens.first, tokens.last), axis=1)
        places[row, : len(ends)] = ends + len(aligner.prefix)
    return torch.from_numpy(ids), torch.from_numpy(mask), torch.from_numpy(places)


def _write_model(encoder: PreTrainedModel, base: Path, target: Path) -> None:
    with replace_folder(target) as fresh:
        encoder.half()  # type: ignore[no-untyped-call]
        encoder.save_pretrained(fresh)
        for name in ("tokenizer.json", "tokenizer_config.json"):
            shutil.copyfile(base / name, fresh / name)


def _write_facts(shipped: Path, losses: Sequence[float], teacher: str) -> str:
    """Write metrics and manifest; return the model's digest."""
    facts = {
        "teacher": teacher,
        "steps": len(losses),
        "distance_first_steps": round(float(np.mean(losses[:FIRST_STEPS])), 4),
        "distance_last_steps": round(float(np.mean(losses[-LAST_STEPS:])), 4),
    }
    (shipped / METRICS).write_text(json.dumps(facts, indent=2) + "\n", "utf-8")
    return write_manifest(shipped, licence="Apache-2.0")
