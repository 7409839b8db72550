"""Examples of like length side by side, as tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from clinical_nlp.neural.tagger.labels import LABELS, TAGS
from clinical_nlp.neural.tagger.word_features import FEATURES
from clinical_nlp.training.ner.corpus import Example

if TYPE_CHECKING:
    from torch import Tensor

#: Lengths are blurred by so many pieces when examples are sorted, so that the batches of two
#: epochs differ.
_BLUR = 4

_ONE_HOT = np.eye(len(TAGS), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Batch:
    """Tensors of a step: the tagger's four, then the truth.

    Attributes
    ----------
    inputs
        Ids, mask [B, L], first and last pieces [B, W, 2], features [B, W, 5]; all int64.
    targets
        Probability of each tag, float [B, W, labels, tags].
    known
        float [B, labels]: 1 where a layer was annotated or teachers were asked.
    certain
        bool [B, labels]: annotated.
    """

    inputs: tuple[Tensor, Tensor, Tensor, Tensor]
    targets: Tensor
    known: Tensor
    certain: Tensor

    @property
    def is_word(self) -> Tensor:
        """Bool [B, W]."""
        return self.inputs[2][..., 0] > 0


def grouped(
    examples: Sequence[Example], most: int, random: np.random.Generator | None = None
) -> list[list[int]]:
    """Indices of examples in groups of at most ``most`` pieces, padding counted.

    Parameters
    ----------
    random
        Blurs the order of lengths and shuffles the groups; without it they run from short
        to long.
    """
    lengths = np.array([len(example.ids) for example in examples], dtype=np.float64)
    blurred = lengths if random is None else lengths + random.random(len(lengths)) * _BLUR
    groups: list[list[int]] = [[]]
    longest = 0
    for index in np.argsort(blurred, kind="stable").tolist():
        longest = max(longest, int(lengths[index]))
        if groups[-1] and longest * (len(groups[-1]) + 1) > most:
            groups.append([])
            longest = int(lengths[index])
        groups[-1].append(index)
    if random is not None:
        random.shuffle(groups)
    return groups


def make_batch(examples: Sequence[Example], pad: int) -> Batch:
    """Lay examples side by side, padded at their ends."""
    import torch

    rows = len(examples)
    pieces = max(len(example.ids) for example in examples)
    words = max(len(example.places) for example in examples)
    ids = np.full((rows, pieces), pad, dtype=np.int64)
    mask = np.zeros((rows, pieces), dtype=np.int64)
    places = np.zeros((rows, words, 2), dtype=np.int64)
    features = np.zeros((rows, words, FEATURES), dtype=np.int64)
    targets = np.zeros((rows, words, len(LABELS), len(TAGS)), dtype=np.float32)
    for row, example in enumerate(examples):
        ids[row, : len(example.ids)] = example.ids
        mask[row, : len(example.ids)] = 1
        places[row, : len(example.places)] = example.places
        features[row, : len(example.places)] = example.features
        spelt = _ONE_HOT[example.tags]
        if example.beliefs is not None:
            spelt = np.where(example.known[None, :, None], spelt, example.beliefs)
        targets[row, : len(example.places)] = spelt
    certain = np.stack([example.known for example in examples])
    asked = np.array([[example.beliefs is not None] for example in examples])
    inputs = tuple(map(torch.from_numpy, (ids, mask, places, features)))
    return Batch(
        inputs,  # type: ignore[arg-type]
        torch.from_numpy(targets),
        torch.from_numpy((certain | asked).astype(np.float32)),
        torch.from_numpy(certain),
    )


def blurred(
    batch: Batch,
    share: float,
    mask_id: int,
    special: npt.NDArray[np.int64],
    random: np.random.Generator,
) -> Batch:
    """Hide a share of the pieces and of the affixes, so that neither is relied on alone.

    Parameters
    ----------
    share
        Of pieces and of affixes.
    mask_id
        What a hidden piece becomes.
    special
        Ids that are never hidden.
    random
        Draws what is hidden.
    """
    import torch

    ids, mask, places, features = (tensor.numpy().copy() for tensor in batch.inputs)
    hidden = (random.random(ids.shape) < share) & ~np.isin(ids, special)
    ids[hidden] = mask_id
    affixes = features[..., 1:4]
    affixes[random.random(affixes.shape) < share] = 0
    inputs = tuple(map(torch.from_numpy, (ids, mask, places, features)))
    return replace(batch, inputs=inputs)  # type: ignore[arg-type]
