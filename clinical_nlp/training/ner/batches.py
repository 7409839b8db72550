"""Training examples as padded batches of similar length."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from clinical_nlp.neural.subwords import SubwordAligner
from clinical_nlp.neural.tagger.labels import LABELS
from clinical_nlp.neural.tagger.word_features import FEATURES
from clinical_nlp.training.ner.corpus import Example
from clinical_nlp.training.ner.recipe import FitRecipe
from clinical_nlp.training.torch.length_groups import group_by_length

#: Random tokens added to lengths before sorting, so that two epochs have different batches.
_LENGTH_JITTER = 4


@dataclass(frozen=True, slots=True)
class Batch:
    """Tensors of a step.

    Attributes
    ----------
    inputs
        The tagger's: ids, mask [B, L], first and last tokens [B, W, 2], features [B, W, 5];
        all int64.
    tags
        int64 [B, W, labels].
    known
        float [B, labels]: 1 where a layer was annotated.
    """

    inputs: tuple[Tensor, Tensor, Tensor, Tensor]
    tags: Tensor
    known: Tensor

    @property
    def is_word(self) -> Tensor:
        """Bool [B, W]."""
        return self.inputs[2][..., 0] > 0


def training_batches(
    examples: Sequence[Example],
    tokenizer: PreTrainedTokenizerFast,
    recipe: FitRecipe,
    epoch: int,
    first: int,
) -> Iterator[Batch]:
    """Yield the batches of an epoch from the ``first`` on.

    They depend on the seed, the epoch and the batch's number alone, so that a resumed run sees
    the batches that it would have seen.
    """
    aligner = SubwordAligner(tokenizer)
    special = np.array([*aligner.prefix, *aligner.suffix, aligner.pad], dtype=np.int64)
    mask_id = int(tokenizer.mask_token_id or aligner.pad)
    order = np.random.default_rng((recipe.seed, epoch))
    groups = group_by_length(
        [len(example.ids) for example in examples],
        recipe.batch_pieces,
        order,
        jitter=_LENGTH_JITTER,
    )
    for place in range(first, len(groups)):
        batch = collate([examples[index] for index in groups[place]], aligner.pad)
        random = np.random.default_rng((recipe.seed, epoch, place))
        yield drop_words(batch, recipe.word_dropout, mask_id, special, random)


def collate(examples: Sequence[Example], pad: int) -> Batch:
    """Pad examples to one length and stack them."""
    rows = len(examples)
    length = max(len(example.ids) for example in examples)
    words = max(len(example.places) for example in examples)
    ids = np.full((rows, length), pad, dtype=np.int64)
    mask = np.zeros((rows, length), dtype=np.int64)
    places = np.zeros((rows, words, 2), dtype=np.int64)
    features = np.zeros((rows, words, FEATURES), dtype=np.int64)
    tags = np.zeros((rows, words, len(LABELS)), dtype=np.int64)
    for row, example in enumerate(examples):
        ids[row, : len(example.ids)] = example.ids
        mask[row, : len(example.ids)] = 1
        places[row, : len(example.places)] = example.places
        features[row, : len(example.places)] = example.features
        tags[row, : len(example.places)] = example.tags
    known = np.stack([example.known for example in examples]).astype(np.float32)
    inputs = tuple(map(torch.from_numpy, (ids, mask, places, features)))
    return Batch(inputs, torch.from_numpy(tags), torch.from_numpy(known))  # type: ignore[arg-type]


def drop_words(
    batch: Batch,
    share: float,
    mask_id: int,
    special: npt.NDArray[np.int64],
    random: np.random.Generator,
) -> Batch:
    """Mask a share of the tokens and of the affixes, so that the tagger relies on neither alone.

    Parameters
    ----------
    mask_id
        Token that replaces a masked one.
    special
        Ids that are never masked.
    """
    ids, mask, places, features = (tensor.numpy().copy() for tensor in batch.inputs)
    ids[(random.random(ids.shape) < share) & ~np.isin(ids, special)] = mask_id
    affixes = features[..., 1:4]
    affixes[random.random(affixes.shape) < share] = 0
    inputs = tuple(map(torch.from_numpy, (ids, mask, places, features)))
    return replace(batch, inputs=inputs)  # type: ignore[arg-type]
