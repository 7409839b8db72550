"""A bare encoder as a module of the engine: a word's vector is that of its first piece."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class WordVectors(nn.Module):
    """The encoder's last layer, at the first piece of each word.

    The first piece stands for its word as in Devlin et al. 2019 (BERT, NAACL, section 5.3).

    Parameters
    ----------
    encoder
        A headless transformers model.
    """

    def __init__(self, encoder: PreTrainedModel) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, ids: Tensor, mask: Tensor, places: Tensor, features: Tensor) -> Tensor:
        """Vectors of the words, float [B, W, hidden]; ``features`` are not used."""
        hidden: Tensor = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        first = places[..., :1]
        return hidden.gather(1, first.expand(-1, -1, hidden.shape[-1]))
