"""A new encoder of a recipe's shape, with its first vectors in place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from clinical_nlp.training.encoder.recipe import ShapeRecipe
from clinical_nlp.training.encoder.tokenizer import FIRST, LAST, PAD, SPECIAL

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import ModernBertForMaskedLM


def new_encoder(
    shape: ShapeRecipe, pieces: int, vectors: npt.NDArray[np.float32], *, scale: float, seed: int
) -> ModernBertForMaskedLM:
    """Build a ModernBERT with a masked-word head.

    Parameters
    ----------
    shape
        Its shape.
    pieces
        Size of the tokenizer's vocabulary.
    vectors
        First vectors, float32 [pieces, hidden]; those of special pieces are not taken.
    scale
        Standard deviation that the vectors are given.
    seed
        Of all other weights.
    """
    import torch
    from transformers import ModernBertConfig, ModernBertForMaskedLM

    config = ModernBertConfig(
        vocab_size=pieces,
        hidden_size=shape.hidden,
        intermediate_size=shape.intermediate,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        max_position_embeddings=shape.positions,
        local_attention=shape.local_attention,
        layer_types=[
            "sliding_attention" if layer % shape.global_every else "full_attention"
            for layer in range(shape.layers)
        ],
        pad_token_id=PAD,
        cls_token_id=FIRST,
        bos_token_id=FIRST,
        sep_token_id=LAST,
        eos_token_id=LAST,
    )
    torch.manual_seed(seed)
    model: ModernBertForMaskedLM = ModernBertForMaskedLM(config)
    with torch.no_grad():
        table: Tensor = model.get_input_embeddings().weight  # type: ignore[assignment]
        table[len(SPECIAL) :] = torch.from_numpy(scale * vectors[len(SPECIAL) :])
    return model
