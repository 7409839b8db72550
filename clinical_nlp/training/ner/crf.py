"""The loss: one linear-chain conditional random field for each label's layer.

References
----------
Lafferty et al., "Conditional random fields", ICML 2001.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from clinical_nlp.neural.tagger.labels import ALLOWED, LABELS, MAY_START, MAY_STOP, TAGS
from clinical_nlp.neural.tagger.viterbi import NEVER


class LayeredCrf(nn.Module):
    """Negative log-likelihood of tags, all labels at once.

    Attributes
    ----------
    transitions
        Learnt, float [labels, tags, tags]; what the notation forbids is added on top.
    """

    def __init__(self) -> None:
        super().__init__()
        self.transitions = nn.Parameter(torch.zeros(len(LABELS), len(TAGS), len(TAGS)))
        never = float(NEVER)
        for name, allowed in (("steps", ALLOWED), ("start", MAY_START), ("stop", MAY_STOP)):
            barrier = torch.where(torch.from_numpy(allowed), 0.0, never)
            self.register_buffer(name, barrier, persistent=False)
        self.steps: Tensor
        self.start: Tensor
        self.stop: Tensor

    def forward(
        self,
        emissions: Tensor,
        targets: Tensor,
        is_word: Tensor,
        known: Tensor,
        certain: Tensor | None = None,
    ) -> Tensor:
        """Sum of the cross-entropies of a batch's layers, in nats.

        Where a layer was annotated, that is the negative log-likelihood of its tags. Where
        teachers were asked instead, it is the expectation of that under their beliefs, less
        what the transitions are worth to them: the gradient for the emissions is that of the
        whole distribution [1]_, and transitions are learnt from annotated layers alone.

        Parameters
        ----------
        emissions
            float [B, W, labels x tags].
        targets
            Probability of each tag, float [B, W, labels, tags]; 0 or 1 where annotated.
        is_word
            bool [B, W]; the first word of every unit is one.
        known
            Number [B, labels]: layers that nobody knows count nothing.
        certain
            bool [B, labels]: annotated layers; all, where not given.

        References
        ----------
        .. [1] Wang et al., "Structure-level knowledge distillation for multilingual sequence
           labeling", ACL 2020 (posterior distillation).
        """
        batch, words = is_word.shape
        scores = emissions.float().view(batch, words, len(LABELS), len(TAGS))
        steps = (self.transitions + self.steps).expand(batch, -1, -1, -1)
        if certain is None:
            certain = torch.ones(batch, len(LABELS), dtype=torch.bool)
        steps = torch.where(certain[..., None, None], steps, steps.detach())
        everything = self._partition(scores, steps, is_word)
        targets = targets * is_word[..., None, None]
        chosen = (scores * targets).sum((1, 3))
        pairs = torch.einsum("bwlt,bwlu->bltu", targets[:, :-1], targets[:, 1:])
        followed = (pairs * steps).sum((2, 3)) * certain
        return ((everything - chosen - followed) * known).sum()

    def beliefs(self, emissions: Tensor, is_word: Tensor) -> Tensor:
        """Probability of each tag of each word, given its unit; float [B, W, labels, tags].

        They are the derivatives of the logarithm of the partition function.
        """
        batch, words = is_word.shape
        with torch.enable_grad():
            scores = emissions.detach().float().view(batch, words, len(LABELS), len(TAGS))
            scores.requires_grad_()
            steps = (self.transitions.detach() + self.steps).expand(batch, -1, -1, -1)
            whole = self._partition(scores, steps, is_word).sum()
            return torch.autograd.grad(whole, scores)[0]

    def _partition(self, scores: Tensor, steps: Tensor, is_word: Tensor) -> Tensor:
        """Logarithm of the sum over all sequences of tags; float [B, labels].

        Parameters
        ----------
        scores
            float [B, W, labels, tags].
        steps
            float [B, labels, tags, tags].
        """
        total = scores[:, 0] + self.start
        for place in range(1, scores.shape[1]):
            paths = torch.logsumexp(total.unsqueeze(-1) + steps, dim=2) + scores[:, place]
            total = torch.where(is_word[:, place, None, None], paths, total)
        return torch.logsumexp(total + self.stop, dim=-1)
