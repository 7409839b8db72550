"""Initial token embeddings: a factorised table of co-occurrences.

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
from scipy import sparse
from sklearn.utils.extmath import randomized_svd

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float32]


def cooccurrence_embeddings(
    stream: Ints, vocabulary: int, width: int, *, window: int, smoothing: float, seed: int
) -> Floats:
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
    scaled: Floats = (vectors / vectors.std()).astype(np.float32)
    return scaled
