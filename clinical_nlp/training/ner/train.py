"""From a recipe to a mention model: corpora, training, measures on documents held out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from clinical_nlp.errors import UsageError
from clinical_nlp.evaluation.mentions import MentionMeasures, measure
from clinical_nlp.neural.engine import Engine
from clinical_nlp.neural.locate import load_checkpoint
from clinical_nlp.neural.subwords import SubwordAligner
from clinical_nlp.neural.tagger.files import WINDOW
from clinical_nlp.neural.tagger.labels import LABELS
from clinical_nlp.neural.tagger.model import MentionModel, load_mention_model
from clinical_nlp.neural.tagger.network import MentionTagger
from clinical_nlp.neural.tagger.spans import mention_rows
from clinical_nlp.neural.tagger.word_features import FEATURES, doc_features
from clinical_nlp.training.encoder.text import read_texts
from clinical_nlp.training.ner.corpus import (
    Annotated,
    Example,
    PartName,
    Place,
    examples_of,
    read_corpus,
)
from clinical_nlp.training.ner.crf import LayeredCrf
from clinical_nlp.training.ner.loop import OnEpoch, OnStep, Progress, fit
from clinical_nlp.training.ner.model_soup import average
from clinical_nlp.training.ner.recipe import MentionsRecipe
from clinical_nlp.training.ner.teachers import OnDocument, Teachers

if TYPE_CHECKING:
    from spacy.language import Language
    from transformers import PreTrainedTokenizerFast


@dataclass(frozen=True)
class TrainedMentions:
    """A finished run.

    Attributes
    ----------
    model
        What is shipped.
    recipe
        What it was made from.
    progress
        Losses and validation scores by epoch, run after run where there were several.
    documents
        Documents by part.
    measures
        On the held-out documents; ``None`` where every document was trained on.
    pairs
        Held-out documents with the mentions found in them, for confusion tables.
    base
        Digest of the encoder, or of the mention model, that it was trained from.
    """

    model: MentionModel
    recipe: MentionsRecipe
    progress: Progress
    documents: dict[str, int]
    measures: MentionMeasures | None
    pairs: list[tuple[Annotated, list[Place]]]
    base: str


def word_cutter() -> Language:
    """Return the pipeline as far as training needs it: words and sentences."""
    import clinical_nlp

    nlp = clinical_nlp.load()
    nlp.select_pipes(enable=["es_sentences"])
    return nlp


def find_mentions(
    model: MentionModel, documents: Sequence[Annotated], nlp: Language
) -> list[list[Place]]:
    """Read documents as the pipeline reads them; label, start, end of what is found."""
    engine = Engine(
        model.tagger,
        model.tokenizer,
        window=WINDOW,
        decode=model.decoder,
        features=FEATURES,
        backend="float32",
        cache_mib=0,
    )
    docs = [nlp(document.text) for document in documents]
    decoded = engine.run(docs, [doc_features(doc) for doc in docs])
    return [
        [(label, start, end) for start, end, label, _ in mention_rows(doc, rows)]
        for doc, rows in zip(docs, decoded, strict=True)
    ]


def train_mentions(
    recipe: MentionsRecipe,
    *,
    base_folder: Path,
    work: Path,
    beliefs: Path | None = None,
    everything: bool = False,
    on_document: OnDocument = lambda done, documents: None,
    on_step: OnStep = lambda step, steps, loss: None,
    on_epoch: OnEpoch = lambda epoch, loss, score: None,
) -> TrainedMentions:
    """Train a mention model.

    Parameters
    ----------
    recipe
        What to make.
    base_folder
        What paths of the recipe are relative to.
    work
        Folder of the unfinished run; one found there is taken up.
    beliefs
        Folder that the teachers' answers are kept in, if the recipe has teachers; beside
        ``work`` where not given. Runs may share it.
    everything
        Train on the held-out documents too, for all epochs: for the weights that are
        shipped, once the recipe is settled. Nothing is measured then.
    on_document, on_step, on_epoch
        Told of progress: of the teachers' reading, then of the training.

    Raises
    ------
    InputError
        E265, E266: a corpus cannot be read.
    UsageError
        E129: a part of the split is empty.
    ModelError
        E44x: the encoder cannot be loaded. E461, E462: a teacher cannot. E464, E465: see
        :func:`~clinical_nlp.training.ner.loop.fit`.
    """
    documents = [
        document
        for corpus in recipe.corpora
        for document in read_corpus(corpus, base_folder / corpus.path, recipe.split)
    ]
    if everything:
        documents = [replace(document, part="train") for document in documents]
    parts = _parts(documents, recipe, everything)
    nlp = word_cutter()
    runs = recipe.runs()
    lessons: tuple[list[Example], list[Example]] | None = None
    ended: list[_Run] = []
    for number, member in enumerate(runs):
        run = _Run(*_beginning(member, base_folder))
        lessons = lessons or _lessons(
            recipe,
            parts,
            run.tokenizer,
            nlp,
            base_folder,
            beliefs or work.with_name(f"{work.name}.beliefs"),
            on_document,
        )
        run.progress = _fit(
            run,
            member,
            lessons,
            work if len(runs) == 1 else work / str(number),
            {**member.as_dict(), "everything": everything, "base": run.base},
            validate=partial(_score, run, parts["validation"], nlp)
            if parts["validation"]
            else None,
            on_step=partial(_of_all, on_step, number, len(runs)),
            on_epoch=on_epoch,
        )
        ended.append(run)
    first = ended[0]
    average([run.tagger for run in ended])
    average([run.crf for run in ended])
    model = first.as_model()
    test = parts["test"]
    found = find_mentions(model, test, nlp) if test else []
    pairs = list(zip(test, found, strict=True))
    return TrainedMentions(
        model,
        recipe,
        Progress(
            step=sum(run.progress.step for run in ended),
            losses=[loss for run in ended for loss in run.progress.losses],
            scores=[score for run in ended for score in run.progress.scores],
        ),
        {name: len(part) for name, part in parts.items()},
        measure((d.mentions, f) for d, f in pairs) if test else None,
        pairs,
        first.base,
    )


@dataclass
class _Run:
    """What one run trains."""

    tagger: MentionTagger
    crf: LayeredCrf
    tokenizer: PreTrainedTokenizerFast
    base: str
    progress: Progress = field(default_factory=Progress)

    def as_model(self) -> MentionModel:
        transitions = self.crf.transitions.detach().numpy().copy()
        biases = np.zeros(len(LABELS), dtype=np.float32)
        return MentionModel(self.tagger, self.tokenizer, transitions, biases, "")


def _fit(
    run: _Run,
    recipe: MentionsRecipe,
    lessons: tuple[list[Example], list[Example]],
    work: Path,
    identity: dict[str, Any],
    *,
    validate: Callable[[], float] | None,
    on_step: OnStep,
    on_epoch: OnEpoch,
) -> Progress:
    pieces = SubwordAligner(run.tokenizer)
    return fit(
        run.tagger,
        run.crf,
        lessons[0],
        pieces,
        recipe.fit,
        mask_id=int(run.tokenizer.mask_token_id or pieces.pad),
        folder=work,
        identity=identity,
        unlabelled=lessons[1],
        share=recipe.teachers.share if recipe.teachers else 1.0,
        validate=validate,
        on_step=on_step,
        on_epoch=on_epoch,
    )


def _score(run: _Run, documents: Sequence[Annotated], nlp: Language) -> float:
    """Strict F1 of a run's weights as they are."""
    found = find_mentions(run.as_model(), documents, nlp)
    pairs = zip(documents, found, strict=True)
    return measure((d.mentions, f) for d, f in pairs).strict["micro"].f1


def _of_all(on_step: OnStep, number: int, runs: int, step: int, steps: int, loss: float) -> None:
    """Tell a run's step as one of all runs' steps."""
    on_step(number * steps + step, runs * steps, loss)


def _beginning(
    recipe: MentionsRecipe, base_folder: Path
) -> tuple[MentionTagger, LayeredCrf, PreTrainedTokenizerFast, str]:
    """What training begins with, its tokenizer, and the digest of where it comes from."""
    import torch

    torch.manual_seed(recipe.fit.seed)
    crf = LayeredCrf()
    if recipe.start is None:
        checkpoint = load_checkpoint(recipe.encoder)
        tagger = MentionTagger(checkpoint.model(), recipe.head)
        return tagger, crf, checkpoint.tokenizer, checkpoint.digest
    model = load_mention_model(base_folder / recipe.start)
    with torch.no_grad():
        crf.transitions.copy_(torch.from_numpy(model.transitions))
    head = replace(model.tagger.head, dropout=recipe.head.dropout)
    tagger = MentionTagger(model.tagger.encoder, head)
    tagger.load_state_dict(model.tagger.state_dict())
    return tagger, crf, model.tokenizer, model.digest


def _lessons(
    recipe: MentionsRecipe,
    parts: dict[PartName, list[Annotated]],
    tokenizer: PreTrainedTokenizerFast,
    nlp: Language,
    base_folder: Path,
    store: Path,
    on_document: OnDocument,
) -> tuple[list[Example], list[Example]]:
    """Examples that somebody annotated, and those that only the teachers know."""
    pieces = SubwordAligner(tokenizer)
    if recipe.teachers is None:
        return examples_of(parts["train"], nlp, pieces), []
    folders = [base_folder / model for model in recipe.teachers.models]
    teachers = Teachers.load(folders, recipe.fit.precision)
    whole = [d for d in parts["train"] if set(d.labels) >= set(LABELS)]
    partly = [d for d in parts["train"] if not set(d.labels) >= set(LABELS)]
    asked = teachers.examples(partly, nlp, tokenizer, store, on_document=on_document)
    annotated = [*examples_of(whole, nlp, pieces), *asked]
    # What is measured on must not be learnt from, be it without its annotation; and what
    # somebody annotated need not be asked.
    apart = examples_of([*parts["validation"], *parts["test"]], nlp, pieces)
    known = frozenset(example.text for example in (*annotated, *apart))
    texts = [
        Annotated(str(number), text, frozenset(), (), 1, "train")
        for number, text in enumerate(read_texts(base_folder / recipe.teachers.text))
    ]
    unlabelled = teachers.examples(
        texts, nlp, tokenizer, store, without=known, on_document=on_document
    )
    return annotated, unlabelled


def _parts(
    documents: Iterable[Annotated], recipe: MentionsRecipe, everything: bool
) -> dict[PartName, list[Annotated]]:
    parts: dict[PartName, list[Annotated]] = {"train": [], "validation": [], "test": []}
    for document in documents:
        parts[document.part].append(document)
    wanted = {"train": 1.0} | (
        {} if everything else {"validation": recipe.split.validation, "test": recipe.split.test}
    )
    for name, share in wanted.items():
        if share and not parts[name]:  # type: ignore[index]
            raise UsageError(
                "E129",
                f"the split leaves no document for {name}: give more documents, or change the "
                "shares in the recipe",
            )
    return parts


def confusions(pairs: Iterable[tuple[Annotated, Sequence[Place]]]) -> Counter[str]:
    """Count what went wrong, without a word of text.

    Returns
    -------
    Counter
        ``"SYMPTOM missed"``, ``"SYMPTOM false alarm"``, ``"SYMPTOM border"`` (overlaps a
        gold mention of its label), ``"SYMPTOM for DISEASE"`` (same place, other label).
    """
    counts: Counter[str] = Counter()
    for document, found in pairs:
        for kind, _ in _wrong(document, found):
            counts[kind] += 1
    return counts


def _wrong(document: Annotated, found: Sequence[Place]) -> Iterable[tuple[str, Place]]:
    had, gold = set(found), document.mentions
    for place in sorted(had - gold):
        label, start, end = place
        same = {g for g in gold if g[1:] == place[1:] and g not in had}
        if same:
            yield f"{label} for {min(same)[0]}", place
        elif any(g[0] == label and g[1] < end and start < g[2] for g in gold):
            yield f"{label} border", place
        else:
            yield f"{label} false alarm", place
    for place in sorted(gold - had):
        label, start, end = place
        if not any(f[0] == label and f[1] < end and start < f[2] for f in had):
            yield f"{label} missed", place


def confusion_examples(
    pairs: Iterable[tuple[Annotated, Sequence[Place]]], around: int = 40
) -> list[dict[str, Any]]:
    """What went wrong, with the words: patient text where the corpus is private.

    Parameters
    ----------
    around
        Characters to each side.
    """
    return [
        {
            "id": document.id,
            "kind": kind,
            "label": label,
            "start": start,
            "end": end,
            "before": document.text[max(0, start - around) : start],
            "text": document.text[start:end],
            "after": document.text[end : end + around],
        }
        for document, found in pairs
        for kind, (label, start, end) in _wrong(document, found)
    ]
