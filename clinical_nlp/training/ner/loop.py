"""Training of the tagger, epoch by epoch; a killed run goes on where it was."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from clinical_nlp.errors import ModelError
from clinical_nlp.training.ner.batches import Batch, blurred, grouped, make_batch
from clinical_nlp.training.ner.corpus import Example
from clinical_nlp.training.ner.crf import LayeredCrf
from clinical_nlp.training.ner.fgm import moved
from clinical_nlp.training.ner.recipe import FitRecipe
from clinical_nlp.training.torch.checkpoints import RunState
from clinical_nlp.training.torch.optimisers import make_optimisers, set_rates

if TYPE_CHECKING:
    from torch import Tensor, nn

    from clinical_nlp.neural.subwords import SubwordAligner
    from clinical_nlp.neural.tagger.network import MentionTagger

#: Steps between two states saved within an epoch, and between two additions to the average.
_SAVE_EVERY = 100
_AVERAGE_EVERY = 20
#: Least weight of a newcomer in the average: about the last 20 additions count.
_LEAST_WEIGHT = 0.05


@dataclass
class Progress:
    """Where a run is, and how it went.

    Attributes
    ----------
    step
        Steps done.
    losses
        Mean loss of every epoch that has ended, in nats a word.
    scores
        Validation strict F1 of every epoch that has ended; empty without validation.
    best
        Best of them.
    averaged
        Additions to the average of the weights.
    spent, words
        Loss and words of the epoch under way.
    """

    step: int = 0
    losses: list[float] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    best: float = -1.0
    averaged: int = 0
    spent: float = 0.0
    words: int = 0


#: Called after each step: steps done, steps in all, mean loss of the epoch so far.
OnStep = Callable[[int, int, float], None]
#: Called after each epoch: its number from 1, its loss, its validation F1 (None without).
OnEpoch = Callable[[int, float, float | None], None]


def fit(
    tagger: MentionTagger,
    crf: LayeredCrf,
    examples: Sequence[Example],
    pieces: SubwordAligner,
    recipe: FitRecipe,
    *,
    mask_id: int,
    folder: Path,
    identity: Mapping[str, Any],
    unlabelled: Sequence[Example] = (),
    share: float = 1.0,
    validate: Callable[[], float] | None = None,
    on_step: OnStep = lambda step, steps, loss: None,
    on_epoch: OnEpoch = lambda epoch, loss, score: None,
    compiled: bool = False,
) -> Progress:
    """Train a tagger and its transitions, in place; the best weights are left in them.

    Parameters
    ----------
    tagger, crf
        What is trained.
    examples
        What they are taught with.
    pieces
        The encoder's tokenizer, for padding and special ids.
    recipe
        How long and how fast.
    mask_id
        Piece that stands for a hidden one.
    folder
        Where the run's state is kept; one that lies there is taken up.
    identity
        What must be equal for that.
    unlabelled, share
        Examples with teachers' beliefs, and the share of them that is read in an epoch: every
        so many epochs each of them has been read once.
    validate
        Gives the strict F1 of the weights as they are, in evaluation mode; without it, or
        with a recipe that keeps the last, all epochs are run and the last weights are kept.
    on_step, on_epoch
        Told of progress.
    compiled
        Compile the encoder: quicker on a CPU, but it needs a C++ compiler.

    Raises
    ------
    ModelError
        E464: a saved state does not fit. E465: the loss is no number any more.
    """
    import torch
    from torch import nn

    # For sentences, a third quicker than torch's fused attention, whose backward pass is slow.
    tagger.encoder.set_attn_implementation("eager")
    both = nn.ModuleDict({"tagger": tagger, "crf": crf})
    embeddings = cast("Tensor", tagger.encoder.get_input_embeddings().weight)
    optimisers = make_optimisers(
        tagger.encoder,
        both,
        matrix_rate=recipe.matrix_rate,
        embedding_rate=recipe.embedding_rate,
        head_rate=recipe.head_rate,
        matrix_decay=recipe.matrix_decay,
        other_decay=recipe.other_decay,
    )
    kept: dict[str, Tensor] = {}
    state = RunState(both, optimisers, kept)
    torch.manual_seed(recipe.seed)
    numbers = state.load(folder, identity)
    progress = Progress(**numbers["progress"]) if numbers else Progress()
    special = np.array([*pieces.prefix, *pieces.suffix, pieces.pad], dtype=np.int64)
    turns = max(1, round(1 / share))
    per_epoch = len(grouped([*examples, *unlabelled[::turns]], recipe.batch_pieces))
    steps = per_epoch * recipe.epochs
    run = torch.compile(tagger, dynamic=True) if compiled else tagger

    def taught_by(batch: Batch) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16, enabled=recipe.precision == "bfloat16"):
            emissions = run(*batch.inputs)
        loss: Tensor = crf(emissions, batch.targets, batch.is_word, batch.known, batch.certain)
        return loss

    def save() -> None:
        state.save(folder, {"recipe": dict(identity), "progress": vars(progress)})

    for epoch in range(len(progress.losses), recipe.epochs):
        random = np.random.default_rng((recipe.seed, epoch))
        # Blurring may make a group more or fewer: the schedule counts epochs, not groups.
        taught = [*examples, *unlabelled[epoch % turns :: turns]]
        groups = grouped(taught, recipe.batch_pieces, random)
        done = progress.step - epoch * per_epoch
        both.train()
        for place in range(done, len(groups)):
            at = epoch * per_epoch + min(place, per_epoch - 1)
            set_rates(optimisers, _factor(at, steps, recipe.warm_up))
            drawn = np.random.default_rng((recipe.seed, epoch, place))
            batch = make_batch([taught[index] for index in groups[place]], pieces.pad)
            batch = blurred(batch, recipe.word_dropout, mask_id, special, drawn)
            loss = taught_by(batch)
            words = int(batch.is_word.sum())
            torch.autograd.backward(loss / words)
            if recipe.adversary:
                with moved(embeddings, recipe.adversary):
                    torch.autograd.backward(taught_by(batch) / words)
            torch.nn.utils.clip_grad_norm_(both.parameters(), 1.0)
            for optimiser in optimisers:
                optimiser.step()
                optimiser.zero_grad()
            progress.spent += loss.item()
            progress.words += words
            progress.step = epoch * per_epoch + place + 1
            if not np.isfinite(progress.spent):
                raise ModelError(
                    "E465",
                    f"the loss of step {progress.step} is no number: lower the learning rates "
                    "in the recipe, or set precision to float32; the last saved state is good",
                )
            if at > recipe.average_from * steps and at % _AVERAGE_EVERY == 0:
                _average(both, kept, progress)
            on_step(progress.step, steps, progress.spent / progress.words)
            if progress.step % _SAVE_EVERY == 0:
                save()
        _end_epoch(both, kept, progress, per_epoch, validate, on_epoch, recipe.keep)
        save()
        if recipe.keep == "best" and _stale(progress, recipe.patience):
            break
    _restore(both, kept)
    both.eval()
    return progress


def _factor(step: int, steps: int, warm_up: int) -> float:
    """Share of the full learning rate: a rise, then a straight fall."""
    return min(1.0, (step + 1) / max(1, warm_up)) * max(0.01, 1 - step / steps)


def _average(both: nn.Module, kept: dict[str, Tensor], progress: Progress) -> None:
    """Add the present weights to the average."""
    progress.averaged += 1
    weight = max(1 / progress.averaged, _LEAST_WEIGHT)
    for name, value in both.named_parameters():
        mean = kept.get(f"mean.{name}")
        if mean is None:
            kept[f"mean.{name}"] = value.detach().clone()
        else:
            mean.lerp_(value.detach(), weight)


def _end_epoch(
    both: nn.Module,
    kept: dict[str, Tensor],
    progress: Progress,
    per_epoch: int,
    validate: Callable[[], float] | None,
    on_epoch: OnEpoch,
    keep: str,
) -> None:
    """Measure the epoch on its averaged weights and keep them if they are to be kept."""
    import torch

    progress.losses.append(progress.spent / max(1, progress.words))
    progress.spent, progress.words = 0.0, 0
    progress.step = per_epoch * len(progress.losses)
    score: float | None = None
    live = {name: value.detach().clone() for name, value in both.named_parameters()}
    source = {name: kept.get(f"mean.{name}", value) for name, value in live.items()}
    if validate is not None:
        with torch.no_grad():
            for name, value in both.named_parameters():
                value.copy_(source[name])
            both.eval()
            score = validate()
            for name, value in both.named_parameters():
                value.copy_(live[name])
        progress.scores.append(score)
    if keep == "last" or score is None or score > progress.best:
        progress.best = max(progress.best, -1.0 if score is None else score)
        kept.update({f"best.{name}": value.clone() for name, value in source.items()})
    on_epoch(len(progress.losses), progress.losses[-1], score)


def _restore(both: nn.Module, kept: Mapping[str, Tensor]) -> None:
    import torch

    with torch.no_grad():
        for name, value in both.named_parameters():
            if f"best.{name}" in kept:
                value.copy_(kept[f"best.{name}"])


def _stale(progress: Progress, patience: int) -> bool:
    """Whether the last epochs brought nothing better."""
    if len(progress.scores) <= patience:
        return False
    return max(progress.scores[-patience:]) < progress.best
