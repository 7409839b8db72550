"""From a recipe to a reader: leave hands out, choose the decision rule, train on all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

import torch
from spacy.language import Language

from clinical_nlp.errors import UsageError
from clinical_nlp.lexicon import load_lexicon
from clinical_nlp.neural.checkpoint import Checkpoint
from clinical_nlp.neural.locate import find_checkpoint
from clinical_nlp.neural.reader.network import ReaderNetwork, ReaderShape
from clinical_nlp.neural.subwords import SubwordAligner
from clinical_nlp.pipeline.assembly import build
from clinical_nlp.pipeline.reader.decision import DecisionRule, Names
from clinical_nlp.pipeline.reader.features import Vocabulary
from clinical_nlp.pipeline.reader.numbers import Measure
from clinical_nlp.training.reader import loop
from clinical_nlp.training.reader.confusions import flag_confusions
from clinical_nlp.training.reader.corpus import (
    ReadNote,
    find_note_files,
    make_examples,
    read_notes,
    read_targets,
)
from clinical_nlp.training.reader.readings import Reading, load_rows, read, save_rows
from clinical_nlp.training.reader.recipe import ReaderRecipe
from clinical_nlp.training.reader.tables import Table, by_hand
from clinical_nlp.training.reader.tuning import tune
from clinical_nlp.training.torch.checkpoints import TrainingCheckpoint
from clinical_nlp.training.torch.epochs import OnEpoch, OnEpochStep, Progress


@dataclass(frozen=True)
class Material:
    """What a recipe trains on, read by the rules.

    Attributes
    ----------
    notes
        Of all hands, and the passages with given targets.
    concepts, sections, cues
        Names in the order of their numbers.
    measures
        The concepts that are measurements.
    encoder
        The checkpoint to start from.
    """

    notes: tuple[ReadNote, ...]
    concepts: tuple[str, ...]
    sections: tuple[str, ...]
    cues: tuple[str, ...]
    measures: Mapping[str, Measure]
    encoder: Checkpoint

    @property
    def vocabulary(self) -> Vocabulary:
        """Numbers of concepts, sections and cues."""
        return Vocabulary.of(self.concepts, self.sections, self.cues)

    @property
    def names(self) -> Names:
        """What the numbers of concepts mean."""
        return Names(self.concepts, self.measures)


@dataclass(frozen=True)
class TrainedReader:
    """A finished training.

    Attributes
    ----------
    progress
        Losses by epoch of the run over all notes.
    rule
        Chosen on the readings of hands left out.
    table
        Scores by hand, each hand left out.
    confusions
        Counts of right and wrong flags on the same readings.
    """

    network: ReaderNetwork
    material: Material
    recipe: ReaderRecipe
    progress: Progress
    rule: DecisionRule
    table: Table
    confusions: Mapping[str, int]


def read_material(recipe: ReaderRecipe, base_folder: Path) -> Material:
    """Read the recipe's notes with the rules alone.

    Raises
    ------
    InputError
        E265, E266, E267: a file cannot be read.
    ModelError
        E44x: the encoder cannot be loaded.
    UsageError
        E132: the folds name a hand without notes, or leave one out.
    """
    nlp = build()
    notes = list(read_notes(find_note_files(recipe.notes, base_folder), nlp))
    _check_folds(recipe, {note.hand for note in notes})
    if recipe.targets is not None:
        notes.extend(read_targets(base_folder / recipe.targets, nlp))
    concepts = tuple(sorted(load_lexicon().concepts))
    encoder = find_checkpoint(recipe.encoder)
    return Material(
        tuple(notes), concepts, _section_keys(nlp), _cue_kinds(nlp), _measures(nlp), encoder
    )


def read_fold(
    recipe: ReaderRecipe,
    material: Material,
    fold: int,
    work: Path,
    *,
    on_step: OnEpochStep = lambda step, steps, loss: None,
    on_epoch: OnEpoch = lambda epoch, loss, score: None,
) -> list[Reading]:
    """Train without the hands of a fold and read their notes; once, then from ``work``.

    Raises
    ------
    ModelError
        E464, E465: see :func:`~clinical_nlp.training.reader.loop.fit`.
    UsageError
        E133: the recipe has no such fold.
    """
    if not 0 <= fold < len(recipe.folds):
        raise UsageError(
            "E133",
            f"the recipe has no fold {fold + 1}: give --fold a number from 1 to "
            f"{len(recipe.folds)}",
        )
    left_out = [note for note in material.notes if _fold_of(recipe, note) == fold]
    saved = work / f"fold-{fold}.npz"
    if not saved.is_file():
        seen = [note for note in material.notes if _fold_of(recipe, note) != fold]
        network, _ = _run(recipe, material, seen, work / f"fold-{fold}", on_step, on_epoch)
        readings = read(network, material.encoder.tokenizer, left_out, material.vocabulary)
        save_rows(readings, saved, _identity(recipe, material, left_out))
    return load_rows(saved, left_out, _identity(recipe, material, left_out))


def train_reader(
    recipe: ReaderRecipe,
    material: Material,
    work: Path,
    *,
    on_step: OnEpochStep = lambda step, steps, loss: None,
    on_epoch: OnEpoch = lambda epoch, loss, score: None,
) -> TrainedReader:
    """Train a reader: a run for each fold, then one over all notes.

    Parameters
    ----------
    work
        Folder of the unfinished training. One that is found there is resumed.
    on_step, on_epoch
        Called after each step and epoch of each run.

    Raises
    ------
    ModelError
        E464, E465: see :func:`~clinical_nlp.training.reader.loop.fit`.
    """
    readings: list[Reading] = []
    for fold in range(len(recipe.folds)):
        readings += read_fold(recipe, material, fold, work, on_step=on_step, on_epoch=on_epoch)
    rule = tune(readings, material.names)
    table = by_hand(readings, rule, material.names)
    network, progress = _run(recipe, material, material.notes, work / "all", on_step, on_epoch)
    confusions = flag_confusions(readings, rule)
    return TrainedReader(network, material, recipe, progress, rule, table, confusions)


def _run(
    recipe: ReaderRecipe,
    material: Material,
    notes: Sequence[ReadNote],
    work: Path,
    on_step: OnEpochStep,
    on_epoch: OnEpoch,
) -> tuple[ReaderNetwork, Progress]:
    torch.manual_seed(recipe.fit.seed)
    tokenizer = material.encoder.tokenizer
    shape = ReaderShape(
        len(material.concepts),
        len(material.sections),
        len(material.cues),
        recipe.head.hidden,
        recipe.head.dropout,
    )
    network = ReaderNetwork(material.encoder.model(), shape).float()
    examples = make_examples(notes, material.vocabulary, SubwordAligner(tokenizer))
    checkpoint = TrainingCheckpoint(work, _identity(recipe, material, notes), loop.SAVE_EVERY)
    progress = loop.fit(
        network, examples, tokenizer, recipe, checkpoint, on_step=on_step, on_epoch=on_epoch
    )
    return network, progress


def _identity(
    recipe: ReaderRecipe, material: Material, notes: Sequence[ReadNote]
) -> dict[str, Any]:
    """What a run depends on: its recipe, its encoder, its notes as the rules read them."""
    read = 0
    for n in notes:
        read = crc32(repr((n.hand, n.id, n.doc.text, n.findings, n.gold)).encode(), read)
    return {"recipe": recipe.as_dict(), "base": material.encoder.digest, "notes": read}


def _fold_of(recipe: ReaderRecipe, note: ReadNote) -> int | None:
    """The fold that leaves a note out; passages with targets by a hash of their document."""
    if not note.has_concepts:
        document = note.id.partition("#")[0]
        return crc32(document.encode()) % len(recipe.folds)
    return next((n for n, fold in enumerate(recipe.folds) if note.hand in fold), None)


def _check_folds(recipe: ReaderRecipe, hands: set[str]) -> None:
    named = {hand for fold in recipe.folds for hand in fold}
    wrong = sorted(named ^ hands)
    if wrong:
        raise UsageError(
            "E132",
            f"the recipe's folds and files of notes do not agree on {', '.join(wrong)}: each hand "
            "(a file's name without its ending) must stand in exactly one fold",
        )


def _section_keys(nlp: Language) -> tuple[str, ...]:
    rules = nlp.get_pipe("es_sections").rules  # type: ignore[attr-defined]
    return tuple(sorted(rules["sections"]))


def _cue_kinds(nlp: Language) -> tuple[str, ...]:
    return tuple(nlp.get_pipe("es_assertion").cue_kinds)  # type: ignore[attr-defined]


def _measures(nlp: Language) -> dict[str, Measure]:
    rules = nlp.get_pipe("hf_measurements").rules  # type: ignore[attr-defined]
    return {
        key: Measure(facts.get("unit"), float(facts["low"]), float(facts["high"]))
        for key, facts in rules["concepts"].items()
    }
