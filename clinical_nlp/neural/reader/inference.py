"""The reader for inference on a CPU: the same logits, in less time, whatever the batch."""

from __future__ import annotations

import copy

from torch import Tensor, nn
from torch.nn import functional

from clinical_nlp.neural.batch_invariant import BatchInvariantLinear
from clinical_nlp.neural.modernbert import copy_for_inference
from clinical_nlp.neural.reader.network import ReaderNetwork
from clinical_nlp.neural.word_vectors import encode_words


class InferenceReader(nn.Module):
    """A :class:`~clinical_nlp.neural.reader.network.ReaderNetwork` prepared for inference.

    Parameters
    ----------
    network
        Trained; it is not changed.
    """

    def __init__(self, network: ReaderNetwork) -> None:
        super().__init__()
        self.encoder = copy_for_inference(network.encoder)
        self.word_features = copy.deepcopy(network.word_features)
        self.projection = BatchInvariantLinear.of(network.projection)
        self.classifier = BatchInvariantLinear.of(network.classifier)

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, word_bounds: Tensor, features: Tensor
    ) -> Tensor:
        """Return logits as the network does; rows of padding are zero."""
        words = encode_words(
            self.encoder, input_ids, attention_mask, word_bounds, self.word_features(features)
        )
        packed = self.classifier(functional.gelu(self.projection(words)))
        is_word = word_bounds[..., 0] > 0
        logits: Tensor = packed.new_zeros((*is_word.shape, packed.shape[-1]))
        logits[is_word] = packed
        return logits
