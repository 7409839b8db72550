"""Training examples as padded batches of similar length, parts of them hidden."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from clinical_nlp.neural.reader.files import FEATURES
from clinical_nlp.neural.reader.network import FLAGS_UNKNOWN, MEASURED
from clinical_nlp.neural.subwords import SubwordAligner
from clinical_nlp.pipeline.reader.features import CONCEPT, MARK
from clinical_nlp.training.reader.corpus import UNKNOWN, Example
from clinical_nlp.training.reader.recipe import DropRecipe, FitRecipe
from clinical_nlp.training.torch.length_groups import group_by_length

Ints = npt.NDArray[np.int64]

#: Random pieces added to lengths before sorting, so that two epochs have different batches.
_LENGTH_JITTER = 24


@dataclass(frozen=True, slots=True)
class Batch:
    """Tensors of a step.

    Attributes
    ----------
    inputs
        The network's: ids, mask [B, L], bounds [B, W, 2], features [B, W, 5]; all int64.
    concepts
        int64 [B, W]; -100 where unknown.
    masked
        Ids of the pieces that were masked, -100 elsewhere, int64 [B, L].
    places
        Row, first word and end of each target, int64 [T, 3].
    flags
        float [T, 5]; -1 where not annotated.
    weights
        float [T].
    """

    inputs: tuple[Tensor, Tensor, Tensor, Tensor]
    concepts: Tensor
    masked: Tensor
    places: Tensor
    flags: Tensor
    weights: Tensor


def training_batches(
    examples: Sequence[Example],
    tokenizer: PreTrainedTokenizerFast,
    fit: FitRecipe,
    drop: DropRecipe,
    epoch: int,
    first: int,
) -> Iterator[Batch]:
    """Yield the batches of an epoch from the ``first`` on.

    They depend on the seed, the epoch and the batch's number alone, so that a resumed run sees
    the batches that it would have seen.
    """
    aligner = SubwordAligner(tokenizer)
    mask_id = int(tokenizer.mask_token_id or aligner.pad)
    order = np.random.default_rng((fit.seed, epoch))
    examples = of_epoch(examples, fit.target_share, order)
    groups = group_by_length(
        [len(example.ids) for example in examples], fit.batch_pieces, order, jitter=_LENGTH_JITTER
    )
    for place in range(first, len(groups)):
        random = np.random.default_rng((fit.seed, epoch, place))
        whole = [examples[index] for index in groups[place]]
        hidden = [hide(example, drop, mask_id, random) for example in whole]
        yield collate(hidden, aligner.pad, fit.target_weight, whole)


def of_epoch(
    examples: Sequence[Example], target_share: float, random: np.random.Generator
) -> list[Example]:
    """The examples of an epoch: all with concepts, and a share of those with targets alone."""
    drawn = random.random(len(examples)) < target_share
    return [e for e, kept in zip(examples, drawn.tolist(), strict=True) if kept or has_concepts(e)]


def has_concepts(example: Example) -> bool:
    """Whether concepts were annotated in an example's note."""
    return not bool((example.concepts == UNKNOWN).all())


def hide(example: Example, drop: DropRecipe, mask_id: int, random: np.random.Generator) -> Example:
    """A copy of an example with parts of it hidden."""
    ids, features = example.ids.copy(), example.features.copy()
    inner = np.flatnonzero(random.random(len(ids)) < drop.pieces)
    # The special pieces at both ends stay; half of the segments are left whole.
    if random.random() < 0.5:
        ids[inner[(inner > 0) & (inner < len(ids) - 1)]] = mask_id
    leave_all_out = random.random() < drop.segment
    measured = np.flatnonzero(features[:, MARK] == MEASURED)
    unseen = measured[random.random(len(measured)) < (1.0 if leave_all_out else drop.finding)]
    features[unseen, MARK] = features[unseen, CONCEPT] = 0
    for target in example.targets:
        words = slice(target.first, target.stop)
        if random.random() < drop.target:
            ids[example.bounds[target.first, 0] : example.bounds[target.stop - 1, 1] + 1] = mask_id
        if not target.found_by_rules:
            continue
        if leave_all_out or random.random() < drop.finding:
            features[words, MARK] = features[words, CONCEPT] = 0
            continue
        if random.random() < drop.flags:
            features[words, MARK] = FLAGS_UNKNOWN
        if random.random() < drop.concept:
            features[words, CONCEPT] = 0
    return Example(ids, example.bounds, features, example.concepts, example.targets)


def collate(
    examples: Sequence[Example], pad: int, target_weight: float, whole: Sequence[Example] = ()
) -> Batch:
    """Pad examples to one length and stack them; ``whole`` are the same with nothing hidden."""
    rows = len(examples)
    length = max(len(example.ids) for example in examples)
    words = max(len(example.bounds) for example in examples)
    ids = np.full((rows, length), pad, dtype=np.int64)
    mask = np.zeros((rows, length), dtype=np.int64)
    bounds = np.zeros((rows, words, 2), dtype=np.int64)
    features = np.zeros((rows, words, FEATURES), dtype=np.int64)
    concepts = np.full((rows, words), UNKNOWN, dtype=np.int64)
    for row, example in enumerate(examples):
        ids[row, : len(example.ids)] = example.ids
        mask[row, : len(example.ids)] = 1
        bounds[row, : len(example.bounds)] = example.bounds
        features[row, : len(example.bounds)] = example.features
        concepts[row, : len(example.bounds)] = example.concepts
    masked = np.full_like(ids, UNKNOWN)
    for row, (example, before) in enumerate(zip(examples, whole, strict=False)):
        changed = np.flatnonzero(example.ids != before.ids)
        masked[row, changed] = before.ids[changed]
    targets = [(row, target) for row, e in enumerate(examples) for target in e.targets]
    places = np.array([(row, t.first, t.stop) for row, t in targets], dtype=np.int64)
    flags = np.array([t.flags for _, t in targets], dtype=np.float32)
    weights = [_weight(examples[row], target_weight) for row, _ in targets]
    inputs = tuple(map(torch.from_numpy, (ids, mask, bounds, features)))
    return Batch(
        inputs,  # type: ignore[arg-type]
        torch.from_numpy(concepts),
        torch.from_numpy(masked),
        torch.from_numpy(places.reshape(-1, 3)),
        torch.from_numpy(flags.reshape(-1, 5)),
        torch.tensor(weights, dtype=torch.float32),
    )


def _weight(example: Example, target_weight: float) -> float:
    return 1.0 if has_concepts(example) else target_weight
