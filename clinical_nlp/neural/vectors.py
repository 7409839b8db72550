"""An encoder without a head, as a module of the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class WordVectors(nn.Module):
    """Vectors of the last layer at the first piece of each word.

    The first piece represents its word as in Devlin et al. 2019 (BERT, NAACL, section 5.3).

    Parameters
    ----------
    encoder
        A headless transformers model.
    """

    def __init__(self, encoder: PreTrainedModel) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, ids: Tensor, mask: Tensor, word_bounds: Tensor, features: Tensor) -> Tensor:
        """Vectors of the words, float [B, W, hidden]; ``features`` are not used."""
        hidden: Tensor = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        first = word_bounds[..., :1]
        return hidden.gather(1, first.expand(-1, -1, hidden.shape[-1]))
