"""The network: an encoder, what is known of each word, two LSTMs, emissions.

One LSTM reads a unit from left to right, the other from right to left [1]_; the encoder is
shallow, and boundaries gain from neighbours in strict order. The reversal is a gather by the
unit's own length, so that a unit's emissions do not depend on the padding of its batch, and
the module can be traced.

References
----------
.. [1] Lample et al., "Neural Architectures for Named Entity Recognition", NAACL 2016.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from clinical_nlp.neural.tagger.labels import LABELS, TAGS
from clinical_nlp.neural.tagger.word_features import AFFIX_ROWS, GAPS, SHAPES

if TYPE_CHECKING:
    from transformers import PreTrainedModel


@dataclass(frozen=True, slots=True)
class HeadShape:
    """Sizes of what stands on the encoder.

    Attributes
    ----------
    hidden
        Width of a word after its encoding and its features have been put together.
    reader
        Width of each of the two LSTMs; 0 leaves them out.
    shape_width, affix_width, gap_width
        Widths of the feature embeddings; an affix width of 0 leaves all features out.
    dropout
        Share of values set to zero in training.
    """

    hidden: int = 192
    reader: int = 96
    shape_width: int = 16
    affix_width: int = 24
    gap_width: int = 4
    dropout: float = 0.3

    def as_dict(self) -> dict[str, Any]:
        """Plain values for ``config.json``."""
        return asdict(self)


class MentionTagger(nn.Module):
    """Emissions of every word for every tag of every label.

    Parameters
    ----------
    encoder
        Any encoder of transformers; it is trained along.
    head
        Sizes of the rest.
    """

    def __init__(self, encoder: PreTrainedModel, head: HeadShape) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = head
        self.shapes = nn.Embedding(SHAPES, head.shape_width)
        self.affixes = nn.Embedding(AFFIX_ROWS, head.affix_width)
        self.gaps = nn.Embedding(GAPS, head.gap_width)
        nn.init.normal_(self.shapes.weight, std=0.3)
        nn.init.normal_(self.affixes.weight, std=0.1)
        told = head.shape_width + 3 * head.affix_width + head.gap_width
        self.ends = nn.Linear(2 * int(encoder.config.hidden_size), head.hidden)
        self.told = nn.Linear(told, head.hidden, bias=False)
        self.norm = nn.LayerNorm(head.hidden)
        self.forwards: nn.LSTM | None = None
        self.backwards: nn.LSTM | None = None
        if head.reader:
            self.forwards = nn.LSTM(head.hidden, head.reader, batch_first=True)
            self.backwards = nn.LSTM(head.hidden, head.reader, batch_first=True)
        self.emit = nn.Linear(head.hidden + 2 * head.reader, len(LABELS) * len(TAGS))
        self.dropout = nn.Dropout(head.dropout)

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, places: Tensor, features: Tensor
    ) -> Tensor:
        """Return emissions, float [B, W, labels x tags].

        Parameters
        ----------
        input_ids, attention_mask
            int64 [B, L]; a unit begins with a special piece.
        places
            First and last piece of each word, int64 [B, W, 2], padded with 0.
        features
            int64 [B, W, 5]: see :mod:`clinical_nlp.neural.tagger.word_features`.
        """
        pieces = self.encoder(input_ids=input_ids, attention_mask=attention_mask)[0]
        rows = places.flatten(1).unsqueeze(-1).expand(-1, -1, pieces.shape[-1])
        ends = pieces.gather(1, rows).view(*places.shape[:2], -1)
        told = torch.cat(
            (
                self.shapes(features[..., 0]),
                self.affixes(features[..., 1:4]).flatten(-2),
                self.gaps(features[..., 4]),
            ),
            dim=-1,
        )
        states = self.ends(self.dropout(ends)) + self.told(self.dropout(told))
        states = self.dropout(self.norm(functional.gelu(states)))
        if self.forwards is not None and self.backwards is not None:
            turn = _turned(places[..., 0] > 0).unsqueeze(-1)
            ahead = self.forwards(states)[0]
            back = self.backwards(states.gather(1, turn.expand_as(states)))[0]
            back = back.gather(1, turn.expand_as(back))
            states = torch.cat((ahead, back, states), dim=-1)
        emissions: Tensor = self.emit(self.dropout(states))
        return emissions


def _turned(is_word: Tensor) -> Tensor:
    """Places of a unit's words in reverse, int64 [B, W]; padding stays where it is."""
    count = is_word.sum(dim=1, keepdim=True)
    place = torch.arange(is_word.shape[1], device=is_word.device).unsqueeze(0)
    return torch.where(place < count, count - 1 - place, place)
