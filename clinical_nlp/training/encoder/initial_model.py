"""A new encoder of a recipe's shape, with its initial embeddings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from clinical_nlp.training.encoder.recipe import ShapeRecipe
from clinical_nlp.training.encoder.tokenizer import FIRST, LAST, PAD, SPECIAL

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import ModernBertForMaskedLM


def build_encoder(
    shape: ShapeRecipe, embeddings: npt.NDArray[np.float32], *, scale: float, seed: int
) -> ModernBertForMaskedLM:
    """Build a ModernBERT with a masked-language-modelling head.

    Parameters
    ----------
    embeddings
        Initial embeddings, float32 [vocabulary, hidden]; special tokens stay random.
    scale
        The embeddings are multiplied by it.
    seed
        Of all other weights.
    """
    import torch
    from transformers import ModernBertConfig, ModernBertForMaskedLM

    config = ModernBertConfig(
        vocab_size=len(embeddings),
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
        table[len(SPECIAL) :] = torch.from_numpy(scale * embeddings[len(SPECIAL) :])
    return model
