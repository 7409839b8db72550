"""From a recipe to a mention model: corpora, training, measures on held-out documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from spacy.language import Language
from torch import nn
from transformers import PreTrainedTokenizerFast

from clinical_nlp.errors import UsageError
from clinical_nlp.evaluation.mentions import MICRO, MentionScores, MentionSpan, score_mentions
from clinical_nlp.neural.engine import Engine, EngineConfig
from clinical_nlp.neural.locate import find_checkpoint
from clinical_nlp.neural.subwords import SubwordAligner
from clinical_nlp.neural.tagger.files import WINDOW
from clinical_nlp.neural.tagger.labels import LABELS
from clinical_nlp.neural.tagger.model import MentionModel, load_mention_model
from clinical_nlp.neural.tagger.network import MentionTagger
from clinical_nlp.neural.tagger.viterbi import mention_rows
from clinical_nlp.neural.tagger.word_features import FEATURES, doc_features
from clinical_nlp.training.ner import loop
from clinical_nlp.training.ner.confusions import Predicted
from clinical_nlp.training.ner.corpus import (
    AnnotatedDocument,
    Example,
    PartName,
    build_training_set,
    read_corpus,
)
from clinical_nlp.training.ner.crf import LinearChainCRF
from clinical_nlp.training.ner.recipe import MentionsRecipe
from clinical_nlp.training.sentences import load_sentence_pipeline
from clinical_nlp.training.torch.checkpoints import TrainingCheckpoint
from clinical_nlp.training.torch.epochs import OnEpoch, OnEpochStep, Progress

Parts = dict[PartName, list[AnnotatedDocument]]


@dataclass(frozen=True)
class TrainedMentions:
    """A finished training.

    Attributes
    ----------
    progress
        Losses and validation scores by epoch, run after run where there were several.
    documents
        Documents by part.
    measures
        On the test documents; ``None`` where every document was trained on.
    pairs
        Test documents with the mentions predicted in them.
    base
        Digest of the encoder, or of the mention model, that training started from.
    """

    model: MentionModel
    recipe: MentionsRecipe
    progress: Progress
    documents: dict[str, int]
    measures: MentionScores | None
    pairs: Sequence[Predicted]
    base: str


@dataclass(frozen=True)
class _Run:
    """The network of one run, its tokenizer, and the digest of where it started."""

    network: loop.TaggerWithCrf
    tokenizer: PreTrainedTokenizerFast
    base: str

    def as_model(self) -> MentionModel:
        transitions = self.network.crf.transitions.detach().numpy().copy()
        biases = np.zeros(len(LABELS), dtype=np.float32)
        return MentionModel(self.network.tagger, self.tokenizer, transitions, biases, "")

    def strict_f1(self, documents: Sequence[AnnotatedDocument], nlp: Language) -> float:
        """Strict F1 of the current weights."""
        found = find_mentions(self.as_model(), documents, nlp)
        pairs = zip(documents, found, strict=True)
        return score_mentions((d.mentions, f) for d, f in pairs).strict[MICRO].f1


def train_mentions(
    recipe: MentionsRecipe,
    *,
    base_folder: Path,
    work: Path,
    everything: bool = False,
    on_step: OnEpochStep = lambda step, steps, loss: None,
    on_epoch: OnEpoch = lambda epoch, loss, score: None,
) -> TrainedMentions:
    """Train a mention model.

    Parameters
    ----------
    base_folder
        What paths of the recipe are relative to.
    work
        Folder of the unfinished training. One that is found there is resumed.
    everything
        Train on validation and test documents too: for the weights that are shipped, once
        the recipe is settled. Nothing is measured then.
    on_step
        Called after each step: steps done and steps in all over all runs, mean loss of the
        epoch.
    on_epoch
        Called after each epoch: its number from 1, its loss, its validation F1.

    Raises
    ------
    InputError
        E265, E266: a corpus cannot be read.
    UsageError
        E129: a part of the split is empty.
    ModelError
        E44x: the encoder cannot be loaded. E464, E465: see
        :func:`~clinical_nlp.training.ner.loop.fit`.
    """
    parts = _split_documents(recipe, base_folder, everything)
    nlp = load_sentence_pipeline()
    recipes = recipe.runs()
    examples: list[Example] = []
    runs, history = [], []
    for number, member in enumerate(recipes):
        run = _start(member, base_folder)
        examples = examples or build_training_set(
            parts["train"], nlp, SubwordAligner(run.tokenizer)
        )
        identity = {**member.as_dict(), "everything": everything, "base": run.base}
        folder = work if len(recipes) == 1 else work / str(number)
        progress = loop.fit(
            run.network,
            examples,
            run.tokenizer,
            member.fit,
            TrainingCheckpoint(folder, identity, loop.SAVE_EVERY),
            evaluate=partial(run.strict_f1, parts["validation"], nlp)
            if parts["validation"]
            else None,
            on_step=partial(_step_of_all, on_step, number, len(recipes)),
            on_epoch=on_epoch,
        )
        runs.append(run)
        history.append(progress)
    _average([run.network for run in runs])
    model = runs[0].as_model()
    pairs = list(zip(parts["test"], find_mentions(model, parts["test"], nlp), strict=True))
    return TrainedMentions(
        model,
        recipe,
        Progress(
            step=sum(progress.step for progress in history),
            losses=[loss for progress in history for loss in progress.losses],
            scores=[score for progress in history for score in progress.scores],
        ),
        {name: len(part) for name, part in parts.items()},
        score_mentions((d.mentions, found) for d, found in pairs) if pairs else None,
        pairs,
        runs[0].base,
    )


def find_mentions(
    model: MentionModel, documents: Sequence[AnnotatedDocument], nlp: Language
) -> list[list[MentionSpan]]:
    """Predict the mentions of documents as the pipeline does."""
    if not documents:
        return []
    engine = Engine(
        model.tagger,
        model.tokenizer,
        EngineConfig(window=WINDOW, features=FEATURES, backend="float32", cache_mib=0),
        decode=model.decoder,
    )
    docs = [nlp(document.text) for document in documents]
    decoded = engine.run(docs, [doc_features(doc) for doc in docs])
    return [
        [(label, start, end) for start, end, label, _ in mention_rows(doc, rows)]
        for doc, rows in zip(docs, decoded, strict=True)
    ]


def _split_documents(recipe: MentionsRecipe, base_folder: Path, everything: bool) -> Parts:
    parts: Parts = {"train": [], "validation": [], "test": []}
    for corpus in recipe.corpora:
        for document in read_corpus(corpus, base_folder / corpus.path, recipe.split):
            part = "train" if everything else document.part
            parts[part].append(replace(document, part=part))
    shares: dict[PartName, float] = {"train": 1.0}
    if not everything:
        shares |= {"validation": recipe.split.validation, "test": recipe.split.test}
    for name, share in shares.items():
        if share and not parts[name]:
            raise UsageError(
                "E129",
                f"the split leaves no document for {name}: give more documents, or change the "
                "shares in the recipe",
            )
    return parts


def _start(recipe: MentionsRecipe, base_folder: Path) -> _Run:
    """The network before training: on a bare encoder, or on a mention model to continue from."""
    torch.manual_seed(recipe.fit.seed)
    crf = LinearChainCRF()
    if recipe.start is None:
        checkpoint = find_checkpoint(recipe.encoder)
        tagger = MentionTagger(checkpoint.model(), recipe.head)
        return _Run(loop.TaggerWithCrf(tagger, crf), checkpoint.tokenizer, checkpoint.digest)
    model = load_mention_model(base_folder / recipe.start)
    with torch.no_grad():
        crf.transitions.copy_(torch.from_numpy(model.transitions))
    head = replace(model.tagger.head, dropout=recipe.head.dropout)
    tagger = MentionTagger(model.tagger.encoder, head)
    tagger.load_state_dict(model.tagger.state_dict())
    return _Run(loop.TaggerWithCrf(tagger, crf), model.tokenizer, model.digest)


def _average(modules: Sequence[nn.Module]) -> None:
    """Give the first of some modules of one shape the mean of all their weights: a model soup.

    Runs that start alike, see the same examples in the same order, and differ in learning rates
    and dropout end in one basin of the loss. The mean of their weights is about as good as the
    best of them, and costs no more to run than one (Wortsman et al., "Model soups", ICML 2022).
    """
    with torch.no_grad():
        others = [dict(module.named_parameters()) for module in modules[1:]]
        for name, weight in modules[0].named_parameters():
            for other in others:
                weight.add_(other[name])
            weight.div_(len(modules))


def _step_of_all(
    on_step: OnEpochStep, number: int, runs: int, step: int, steps: int, loss: float
) -> None:
    """Report a run's step as one of all runs' steps."""
    on_step(number * steps + step, runs * steps, loss)
