"""The mention tagger for inference on a CPU: the same emissions, in less time and memory.

The encoder is :class:`~clinical_nlp.neural.modernbert.ModernBertForInference`, run on few rows
at a time. The layers above it run on the words of many segments at once, packed without padding.

A segment's emissions do not depend on its batch, to the last bit: a cache, another batch size
or another number of processes change no score. Each segment is padded by its own length only,
and products have a least number of rows (:mod:`clinical_nlp.neural.batch_invariant`). The width
of the LSTMs must be a multiple of 32: torch computes the end of a longer vector otherwise.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional

from clinical_nlp.neural.batch_invariant import BatchInvariantLinear
from clinical_nlp.neural.modernbert import copy_for_inference
from clinical_nlp.neural.tagger.lstm import PackedBiLSTM
from clinical_nlp.neural.tagger.network import MentionTagger, embed
from clinical_nlp.neural.word_vectors import encode_words


class InferenceTagger(nn.Module):
    """A :class:`~clinical_nlp.neural.tagger.network.MentionTagger` prepared for inference.

    Parameters
    ----------
    tagger
        Trained; it is not changed.
    """

    #: Not quantised: its inputs differ in size from column to column, so that one scale a row
    #: loses more precision than in other layers, and it costs little.
    kept_exact = ("feature_projection",)

    def __init__(self, tagger: MentionTagger) -> None:
        super().__init__()
        self.encoder = copy_for_inference(tagger.encoder)
        self.shape_embedding = copy.deepcopy(tagger.shape_embedding)
        self.affix_embedding = copy.deepcopy(tagger.affix_embedding)
        self.gap_embedding = copy.deepcopy(tagger.gap_embedding)
        self.subword_projection = BatchInvariantLinear.of(tagger.subword_projection)
        self.feature_projection = BatchInvariantLinear.of(tagger.feature_projection)
        self.norm = copy.deepcopy(tagger.norm)
        self.classifier = BatchInvariantLinear.of(tagger.classifier)
        self.lstm: PackedBiLSTM | None = None
        if tagger.forward_lstm is not None and tagger.backward_lstm is not None:
            self.lstm = PackedBiLSTM(tagger.forward_lstm, tagger.backward_lstm)

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, word_bounds: Tensor, features: Tensor
    ) -> Tensor:
        """Return emissions as the tagger does; rows of padding are zero."""
        is_word = word_bounds[..., 0] > 0
        subwords = encode_words(self.encoder, input_ids, attention_mask, word_bounds)
        states = self.subword_projection(subwords)
        embedded = embed(
            features[is_word], self.shape_embedding, self.affix_embedding, self.gap_embedding
        )
        states = states.add_(self.feature_projection(embedded))
        states = self.norm(functional.gelu(states))
        if self.lstm is not None:
            states = torch.cat((self.lstm(states, is_word.sum(dim=1)), states), dim=-1)
        packed = self.classifier(states)
        emissions: Tensor = packed.new_zeros((*is_word.shape, packed.shape[-1]))
        emissions[is_word] = packed
        return emissions
