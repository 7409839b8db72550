"""The training loss: one linear-chain conditional random field for each label's layer.

References
----------
Lafferty et al., "Conditional random fields", ICML 2001.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from clinical_nlp.neural.tagger.labels import ALLOWED, LABELS, MAY_START, MAY_STOP, TAGS
from clinical_nlp.neural.tagger.viterbi import NEVER


class LinearChainCRF(nn.Module):
    """Negative log-likelihood of tags, all labels at once.

    Attributes
    ----------
    transitions
        Learnt scores, float [labels, tags, tags].
    forbidden_transitions, start_transitions, end_transitions
        Fixed: 0 where the BIOES notation allows a tag after another, first or last, and a
        large negative number elsewhere.
    """

    forbidden_transitions: Tensor
    start_transitions: Tensor
    end_transitions: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.transitions = nn.Parameter(torch.zeros(len(LABELS), len(TAGS), len(TAGS)))
        for name, allowed in (
            ("forbidden_transitions", ALLOWED),
            ("start_transitions", MAY_START),
            ("end_transitions", MAY_STOP),
        ):
            scores = torch.where(torch.from_numpy(allowed), 0.0, float(NEVER))
            self.register_buffer(name, scores, persistent=False)

    def forward(self, emissions: Tensor, tags: Tensor, is_word: Tensor, known: Tensor) -> Tensor:
        """Sum of the negative log-likelihoods of a batch's layers, in nats.

        Parameters
        ----------
        emissions
            float [B, W, labels x tags].
        tags
            int64 [B, W, labels].
        is_word
            bool [B, W]; the first word of every sentence is one.
        known
            float [B, labels]: 1 where a layer was annotated, 0 where it counts nothing.
        """
        batch, words = is_word.shape
        scores = emissions.float().view(batch, words, len(LABELS), len(TAGS))
        transitions = (self.transitions + self.forbidden_transitions).expand(batch, -1, -1, -1)
        log_partition = self._log_partition(scores, transitions, is_word)
        one_hot = nn.functional.one_hot(tags, len(TAGS)) * is_word[..., None, None].float()
        emitted = (scores * one_hot).sum((1, 3))
        pairs = torch.einsum("bwlt,bwlu->bltu", one_hot[:, :-1], one_hot[:, 1:])
        followed = (pairs * transitions).sum((2, 3))
        return ((log_partition - emitted - followed) * known).sum()

    def _log_partition(self, scores: Tensor, transitions: Tensor, is_word: Tensor) -> Tensor:
        """Logarithm of the sum over all sequences of tags, float [B, labels] (forward pass).

        Parameters
        ----------
        scores
            float [B, W, labels, tags].
        transitions
            float [B, labels, tags, tags].
        """
        total = scores[:, 0] + self.start_transitions
        for place in range(1, scores.shape[1]):
            paths = torch.logsumexp(total.unsqueeze(-1) + transitions, dim=2) + scores[:, place]
            total = torch.where(is_word[:, place, None, None], paths, total)
        return torch.logsumexp(total + self.end_transitions, dim=-1)
