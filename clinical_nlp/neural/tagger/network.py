"""The network of the mention tagger: encoder, word features, two LSTMs, classifier.

The encoder is shallow, and boundaries of mentions depend on the order of neighbouring words:
one LSTM reads a segment from left to right, another from right to left [1]_. The segment is
reversed by a gather over its own length, so that its emissions do not depend on the padding of
its batch.

References
----------
.. [1] Lample et al., "Neural Architectures for Named Entity Recognition", NAACL 2016.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from clinical_nlp.neural.tagger.labels import LABELS, TAGS
from clinical_nlp.neural.tagger.word_features import AFFIX_ROWS, GAPS, SHAPES

if TYPE_CHECKING:
    from transformers import PreTrainedModel


@dataclass(frozen=True, slots=True)
class HeadShape:
    """Sizes of the layers above the encoder.

    Attributes
    ----------
    hidden
        Width of a word's state, made from its subwords and its features.
    reader
        Width of each of the two LSTMs; 0 leaves them out.
    shape_width, affix_width, gap_width
        Widths of the feature embeddings.
    dropout
        Dropout rate in training.
    """

    hidden: int = 192
    reader: int = 96
    shape_width: int = 16
    affix_width: int = 24
    gap_width: int = 4
    dropout: float = 0.3


class MentionTagger(nn.Module):
    """Emissions of every word for every tag of every label.

    Parameters
    ----------
    encoder
        Any encoder of transformers; it is fine-tuned.
    head
        Sizes of the other layers.
    """

    def __init__(self, encoder: PreTrainedModel, head: HeadShape) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = head
        self.shape_embedding = nn.Embedding(SHAPES, head.shape_width)
        self.affix_embedding = nn.Embedding(AFFIX_ROWS, head.affix_width)
        self.gap_embedding = nn.Embedding(GAPS, head.gap_width)
        nn.init.normal_(self.shape_embedding.weight, std=0.3)
        nn.init.normal_(self.affix_embedding.weight, std=0.1)
        features = head.shape_width + 3 * head.affix_width + head.gap_width
        self.subword_projection = nn.Linear(2 * int(encoder.config.hidden_size), head.hidden)
        self.feature_projection = nn.Linear(features, head.hidden, bias=False)
        self.norm = nn.LayerNorm(head.hidden)
        self.forward_lstm: nn.LSTM | None = None
        self.backward_lstm: nn.LSTM | None = None
        if head.reader:
            self.forward_lstm = nn.LSTM(head.hidden, head.reader, batch_first=True)
            self.backward_lstm = nn.LSTM(head.hidden, head.reader, batch_first=True)
        self.classifier = nn.Linear(head.hidden + 2 * head.reader, len(LABELS) * len(TAGS))
        self.dropout = nn.Dropout(head.dropout)

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, word_bounds: Tensor, features: Tensor
    ) -> Tensor:
        """Return emissions, float [B, W, labels x tags].

        Parameters
        ----------
        input_ids, attention_mask
            int64 [B, L]; a segment begins with a special piece.
        word_bounds
            First and last piece of each word, int64 [B, W, 2], padded with 0.
        features
            int64 [B, W, 5]: see :mod:`clinical_nlp.neural.tagger.word_features`.
        """
        pieces = self.encoder(input_ids=input_ids, attention_mask=attention_mask)[0]
        rows = word_bounds.flatten(1).unsqueeze(-1).expand(-1, -1, pieces.shape[-1])
        subwords = pieces.gather(1, rows).view(*word_bounds.shape[:2], -1)
        states = self.subword_projection(self.dropout(subwords))
        embedded = embed(features, self.shape_embedding, self.affix_embedding, self.gap_embedding)
        states = states + self.feature_projection(self.dropout(embedded))
        states = self.dropout(self.norm(functional.gelu(states)))
        if self.forward_lstm is not None and self.backward_lstm is not None:
            reverse = _reversed(word_bounds[..., 0] > 0).unsqueeze(-1)
            ahead = self.forward_lstm(states)[0]
            back = self.backward_lstm(states.gather(1, reverse.expand_as(states)))[0]
            back = back.gather(1, reverse.expand_as(back))
            states = torch.cat((ahead, back, states), dim=-1)
        emissions: Tensor = self.classifier(self.dropout(states))
        return emissions


def embed(features: Tensor, shape: nn.Embedding, affix: nn.Embedding, gap: nn.Embedding) -> Tensor:
    """Embed word features, int64 [..., 5]."""
    affixes = affix(features[..., 1:4]).flatten(-2)
    return torch.cat((shape(features[..., 0]), affixes, gap(features[..., 4])), dim=-1)


def _reversed(is_word: Tensor) -> Tensor:
    """Indices that reverse the words of each segment, int64 [B, W]; padding keeps its place."""
    count = is_word.sum(dim=1, keepdim=True)
    place = torch.arange(is_word.shape[1], device=is_word.device).unsqueeze(0)
    return torch.where(place < count, count - 1 - place, place)
