"""A new encoder of a recipe's shape, with its initial embeddings."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from transformers import ModernBertConfig, ModernBertForMaskedLM

from clinical_nlp.training.encoder.initial_embeddings import cooccurrence_embeddings
from clinical_nlp.training.encoder.recipe import PretrainingRecipe
from clinical_nlp.training.encoder.tokenizer import FIRST, LAST, PAD, SPECIAL


def build_encoder(
    recipe: PretrainingRecipe, stream: npt.NDArray[np.int32], vocabulary: int
) -> ModernBertForMaskedLM:
    """Build a ModernBERT with a masked-language-modelling head.

    Parameters
    ----------
    stream
        Token ids of the whole text, int32 [tokens].
    vocabulary
        Size of the vocabulary. Special tokens keep random embeddings.
    """
    shape, vectors = recipe.shape, recipe.vectors
    embeddings = cooccurrence_embeddings(
        stream,
        vocabulary,
        shape.hidden,
        window=vectors.window,
        smoothing=vectors.smoothing,
        seed=vectors.seed,
    )
    config = ModernBertConfig(
        vocab_size=vocabulary,
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
    torch.manual_seed(recipe.masking.seed)
    model: ModernBertForMaskedLM = ModernBertForMaskedLM(config)
    with torch.no_grad():
        table: torch.Tensor = model.get_input_embeddings().weight  # type: ignore[assignment]
        table[len(SPECIAL) :] = torch.from_numpy(vectors.scale * embeddings[len(SPECIAL) :])
    return model
