"""Vectors of words from an encoder on a CPU, the same to the last bit in every batch.

Each segment is padded by its own length only, so that a cache, another batch size or another
number of processes change nothing; products have a least number of rows
(:mod:`clinical_nlp.neural.batch_invariant`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional

if TYPE_CHECKING:
    from torch import nn

#: Pieces that the encoder reads at once: a layer's output then stays in the processor's cache
#: for the next layer.
_PIECES = 1024

#: A segment is padded to a multiple of so many pieces.
_PAD_TO = 4


def encode_words(
    encoder: nn.Module,
    input_ids: Tensor,
    attention_mask: Tensor,
    word_bounds: Tensor,
    added: Tensor | None = None,
) -> Tensor:
    """Vectors of each word's first and last piece, packed, float [words, 2 x hidden].

    Parameters
    ----------
    encoder
        In evaluation mode.
    input_ids, attention_mask
        int64 [B, L], rows of similar length side by side.
    word_bounds
        First and last piece of each word, int64 [B, W, 2], padded with 0.
    added
        What is added to the embedding of each word's first piece, float [B, W, hidden].
    """
    is_word = word_bounds[..., 0] > 0
    lengths = [-(-n // _PAD_TO) * _PAD_TO for n in attention_mask.sum(dim=1).tolist()]
    missing = max(lengths) - input_ids.shape[1]
    if missing > 0:
        input_ids = functional.pad(input_ids, (0, missing))
        attention_mask = functional.pad(attention_mask, (0, missing))
    parts: list[Tensor] = []
    begin = 0
    while begin < len(lengths):
        # Neighbours of the same length: the engine sorts segments by length.
        length, end = lengths[begin], begin + 1
        while (
            end < len(lengths) and lengths[end] == length and (end + 1 - begin) * length <= _PIECES
        ):
            end += 1
        rows = slice(begin, end)
        ids, mask = input_ids[rows, :length], attention_mask[rows, :length]
        if added is None:
            pieces = encoder(input_ids=ids, attention_mask=mask)[0]
        else:
            embedded = embed_pieces(encoder, ids, word_bounds[rows], added[rows])
            pieces = encoder(inputs_embeds=embedded, attention_mask=mask)[0]
        row = torch.arange(end - begin, device=word_bounds.device).view(-1, 1, 1)
        bounds = (word_bounds[rows] + row * length)[is_word[rows]]
        vectors = pieces.flatten(0, 1).index_select(0, bounds.flatten())
        parts.append(vectors.view(len(bounds), -1))
        begin = end
    return torch.cat(parts)


def embed_pieces(encoder: nn.Module, ids: Tensor, word_bounds: Tensor, added: Tensor) -> Tensor:
    """Embeddings of pieces, float [B, L, hidden], with each word's vector added to its first piece.

    Parameters
    ----------
    ids
        int64 [B, L].
    word_bounds, added
        As for :func:`encode_words`; rows of padding must be zero in ``added``.
    """
    pieces = encoder.get_input_embeddings()(ids)  # type: ignore[operator]
    at = word_bounds[..., :1].expand_as(added)
    embedded: Tensor = pieces.scatter_add(1, at, added.to(pieces.dtype))
    return embedded
