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

import shutil
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from spacy.language import Language
from torch import Tensor, nn

from clinical_nlp.neural.checkpoint import Checkpoint
from clinical_nlp.neural.locate import find_checkpoint
from clinical_nlp.neural.segments import Segment, segment
from clinical_nlp.neural.subwords import SubwordAligner
from clinical_nlp.neural.vectors import WordVectors
from clinical_nlp.neural.windows import tensors, windows
from clinical_nlp.training.encoder.recipe import DistilRecipe
from clinical_nlp.training.encoder.shipping import (
    TrainedEncoder,
    loss_facts,
    write_encoder_folder,
)
from clinical_nlp.training.encoder.text import read_texts
from clinical_nlp.training.torch.checkpoints import TrainingCheckpoint
from clinical_nlp.training.torch.optimisers import make_optimisers
from clinical_nlp.training.torch.schedules import linear_decay
from clinical_nlp.training.torch.trainer import OnStep, Trainer

#: Longest sentence, in words; longer ones are tables for the most part and are left out.
_LONGEST = 100

#: Floor of the learning-rate schedule.
_FLOOR = 0.02


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
) -> TrainedEncoder:
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
        recipe,
        embedding_rate=recipe.other_rate,
        head_rate=recipe.other_rate,
    )
    identity = {**recipe.as_dict(), "teacher": large.digest, "base": small.digest}
    losses = Trainer(
        distillation.student,
        optimisers,
        schedule=partial(linear_decay, steps=recipe.steps, warm_up=recipe.warm_up, floor=_FLOOR),
        checkpoint=TrainingCheckpoint(work, identity, save_every),
    ).run_steps(recipe.steps, batches, distillation.loss, on_step)
    facts = {"teacher": large.digest, **loss_facts(losses, "distance")}
    digest = write_encoder_folder(distillation.encoder, small.folder, shipped, facts)
    shutil.rmtree(work, ignore_errors=True)
    return TrainedEncoder(losses, digest)


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
        torch.manual_seed(seed)
        self._teacher = WordVectors(large.model()).eval()
        self.encoder = small.model()
        widths = self.encoder.config.hidden_size, self._teacher.encoder.config.hidden_size
        self._vectors, self._projection = WordVectors(self.encoder), nn.Linear(*widths)
        self.student = nn.ModuleList([self._vectors, self._projection])
        self._aligners = SubwordAligner(large.tokenizer), SubwordAligner(small.tokenizer)

    def loss(self, sentences: Sequence[Segment]) -> Tensor:
        """Mean of 1 - cosine over the words of some sentences."""
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
    read = aligner.read(
        [sentence.text for sentence in sentences],
        [sentence.starts for sentence in sentences],
        [sentence.ends for sentence in sentences],
    )
    whole = [windows(tokens, len(tokens.ids), 0)[0] for tokens in read]
    none = [np.zeros((len(tokens.first), 0), dtype=np.int64) for tokens in read]
    ids, mask, places, _ = map(
        torch.from_numpy, tensors(whole, none, aligner.prefix, aligner.suffix, aligner.pad)
    )
    return ids, mask, places
