"""First vectors of the pieces: a factorised table of who stands beside whom.

Masked language modelling from random vectors spends its first epochs on learning which
pieces are alike. The singular vectors of the positive pointwise mutual information of
neighbouring pieces know that after a minute of counting [1]_.

References
----------
.. [1] Levy & Goldberg, "Neural word embedding as implicit matrix factorization", NeurIPS 2014.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float32]


def first_vectors(
    stream: Ints, pieces: int, width: int, *, window: int, smoothing: float, seed: int
) -> Floats:
    """Vectors of pieces from their neighbours.

    Parameters
    ----------
    stream
        Pieces in a row, int32 [n].
    pieces
        Size of the vocabulary.
    width
        Of the vectors.
    window, smoothing
        See :class:`~clinical_nlp.training.encoder.recipe.VectorsRecipe`.
    seed
        Of the randomised factorisation.

    Returns
    -------
    array
        float32 [pieces, width], of standard deviation 1; a piece that the stream lacks has
        zeros.
    """
    from scipy import sparse
    from sklearn.utils.extmath import randomized_svd

    table = sparse.csr_matrix((pieces, pieces), dtype=np.float32)
    for distance in range(1, window + 1):
        left, right = stream[:-distance], stream[distance:]
        weight = np.full(len(left), 1.0 / distance, dtype=np.float32)
        table = table + sparse.coo_matrix((weight, (left, right)), shape=table.shape).tocsr()
    counts = (table + table.T).tocoo()
    total = np.asarray(counts.tocsr().sum(axis=1)).ravel() + 1e-6
    share = total**smoothing
    share /= share.sum()
    information = np.log(counts.data / (total[counts.row] * share[counts.col]))
    kept = information > 0
    positive = sparse.csr_matrix(
        (information[kept], (counts.row[kept], counts.col[kept])), shape=table.shape
    )
    left_vectors, strengths, _ = randomized_svd(positive, width, n_iter=3, random_state=seed)
    vectors = left_vectors * np.sqrt(strengths)
    scaled: Floats = (vectors / vectors.std()).astype(np.float32)
    return scaled
