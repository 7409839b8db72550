"""The network of the reader: an encoder with the rules' findings as input features, and two heads.

The encoder reads several sentences at once. What the rules know of a word (a finding of theirs
begins or goes on here, with which flags and which concept; a cue; the section; a line break before
it) is embedded and added to the embedding of the word's first piece, so that every layer sees it.
One layer above the encoder gives, for every word, a logit for each of the five flags and logits
for the concepts; those of a span are the means over its words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from clinical_nlp.neural.word_vectors import embed_pieces

if TYPE_CHECKING:
    from transformers import PreTrainedModel

#: Number of assertion flags.
FLAG_COUNT = 5

#: What is before a word: nothing special, a new sentence, a new line, a blank line.
GAPS = 4
SAME_SENTENCE, NEW_SENTENCE, NEW_LINE, BLANK_LINE = range(GAPS)

#: Mark of a word: no finding of the rules; a finding with unknown flags; a finding with the
#: flags whose bits are set in ``mark - FLAGGED``; a measured value.
NO_MARK, FLAGS_UNKNOWN, FLAGGED = 0, 1, 2
MEASURED = FLAGGED + 2**FLAG_COUNT
MARKS = MEASURED + 1


@dataclass(frozen=True, slots=True)
class ReaderShape:
    """Sizes of the layers around the encoder.

    Attributes
    ----------
    concepts, sections, cues
        Number of concepts, of sections and of kinds of cues, without the 0 that means none.
    hidden
        Width of the layer above the encoder.
    dropout
        Dropout rate in training.
    """

    concepts: int
    sections: int
    cues: int
    hidden: int = 256
    dropout: float = 0.2


class ReaderNetwork(nn.Module):
    """Logits of every word: five flags, outside any concept, and each concept.

    Parameters
    ----------
    encoder
        Any encoder of transformers; it is fine-tuned.
    shape
        Sizes of the other layers.
    """

    def __init__(self, encoder: PreTrainedModel, shape: ReaderShape) -> None:
        super().__init__()
        self.encoder = encoder
        self.shape = shape
        width = int(encoder.config.hidden_size)
        self.word_features = WordFeatures(width, shape)
        self.projection = nn.Linear(2 * width, shape.hidden)
        self.classifier = nn.Linear(shape.hidden, FLAG_COUNT + 1 + shape.concepts)
        self.dropout = nn.Dropout(shape.dropout)

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, word_bounds: Tensor, features: Tensor
    ) -> Tensor:
        """Return logits, float [B, W, 5 + 1 + concepts].

        Parameters
        ----------
        input_ids, attention_mask
            int64 [B, L]; a segment begins with a special piece.
        word_bounds
            First and last piece of each word, int64 [B, W, 2], padded with 0.
        features
            int64 [B, W, 5]: line break, mark, concept, section and cue of each word.
        """
        return self.read(self.encode(input_ids, attention_mask, word_bounds, features), word_bounds)

    def encode(
        self, input_ids: Tensor, attention_mask: Tensor, word_bounds: Tensor, features: Tensor
    ) -> Tensor:
        """Vectors of pieces, float [B, L, hidden of the encoder]."""
        embedded = embed_pieces(self.encoder, input_ids, word_bounds, self.word_features(features))
        pieces: Tensor = self.encoder(inputs_embeds=embedded, attention_mask=attention_mask)[0]
        return pieces

    def read(self, pieces: Tensor, word_bounds: Tensor) -> Tensor:
        """Logits of words from the vectors of pieces."""
        rows = word_bounds.flatten(1).unsqueeze(-1).expand(-1, -1, pieces.shape[-1])
        words = pieces.gather(1, rows).view(*word_bounds.shape[:2], -1)
        states = nn.functional.gelu(self.projection(self.dropout(words)))
        logits: Tensor = self.classifier(self.dropout(states))
        return logits


class WordFeatures(nn.Module):
    """Embeds the features of words, int64 [..., 5] to float [..., width]; 0 adds nothing."""

    def __init__(self, width: int, shape: ReaderShape) -> None:
        super().__init__()
        sizes = (GAPS, MARKS, shape.concepts + 1, shape.sections + 1, shape.cues + 1)
        tables = [nn.Embedding(size, width, padding_idx=0) for size in sizes]
        for table in tables:
            nn.init.normal_(table.weight[1:], std=0.02)
        self.tables = nn.ModuleList(tables)

    def forward(self, features: Tensor) -> Tensor:
        """Sum of the embeddings of each word."""
        columns = features.unbind(-1)
        embedded = [table(column) for table, column in zip(self.tables, columns, strict=True)]
        total: Tensor = torch.stack(embedded).sum(0)
        return total
