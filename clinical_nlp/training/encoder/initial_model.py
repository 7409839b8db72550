"""A new encoder of a recipe's shape, with its initial embeddings.

Masked language modelling from random embeddings spends its first epochs on learning which
tokens are alike. The singular vectors of the positive pointwise mutual information (PPMI) of
neighbouring tokens hold that after a minute of counting [1]_.

References
----------
.. [1] Levy & Goldberg, "Neural word embedding as implicit matrix factorization", NeurIPS 2014.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from scipy import sparse
from sklearn.utils.extmath import randomized_svd
from transformers import ModernBertConfig, ModernBertForMaskedLM

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


def cooccurrence_embeddings(
    stream: npt.NDArray[np.int32],
    vocabulary: int,
    width: int,
    *,
    window: int,
    smoothing: float,
    seed: int,
) -> npt.NDArray[np.float32]:
    """Embed tokens by their neighbours.

    Parameters
    ----------
    stream
        Token ids of the whole text, int32 [n].
    vocabulary
        Size of the vocabulary.
    width
        Of the embeddings.
    window, smoothing
        See :class:`~clinical_nlp.training.encoder.recipe.VectorsRecipe`.
    seed
        Of the randomised factorisation.

    Returns
    -------
    array
        float32 [vocabulary, width], of standard deviation 1; a token that the stream lacks has
        zeros.
    """
    table = sparse.csr_matrix((vocabulary, vocabulary), dtype=np.float32)
    for distance in range(1, window + 1):
        left, right = stream[:-distance], stream[distance:]
        weight = np.full(len(left), 1.0 / distance, dtype=np.float32)
        table = table + sparse.coo_matrix((weight, (left, right)), shape=table.shape).tocsr()
    counts = (table + table.T).tocoo()
    total = np.asarray(counts.tocsr().sum(axis=1)).ravel() + 1e-6
    share = total**smoothing
    share /= share.sum()
    pmi = np.log(counts.data / (total[counts.row] * share[counts.col]))
    kept = pmi > 0
    ppmi = sparse.csr_matrix((pmi[kept], (counts.row[kept], counts.col[kept])), shape=table.shape)
    left, singular_values, _ = randomized_svd(ppmi, width, n_iter=3, random_state=seed)
    vectors = left * np.sqrt(singular_values)
    scaled: npt.NDArray[np.float32] = (vectors / vectors.std()).astype(np.float32)
    return scaled
