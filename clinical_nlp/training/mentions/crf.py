"""The loss: one linear-chain conditional random field for each label's layer.

References
----------
Lafferty et al., "Conditional random fields", ICML 2001.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from clinical_nlp.pipeline.mentions.decoding import NEVER
from clinical_nlp.pipeline.mentions.labels import ALLOWED, LABELS, MAY_START, MAY_STOP, TAGS


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

    def forward(self, emissions: Tensor, tags: Tensor, is_word: Tensor, known: Tensor) -> Tensor:
        """Sum of the negative log-likelihoods of a batch's layers, in nats.

        Parameters
        ----------
        emissions
            float [B, W, labels x tags].
        tags
            int64 [B, W, labels].
        is_word
            bool [B, W]; the first word of every unit is one.
        known
            bool [B, labels]: layers that were not annotated count nothing.
        """
        batch, words = is_word.shape
        scores = emissions.float().view(batch, words, len(LABELS), len(TAGS))
        steps = self.transitions + self.steps
        total = scores[:, 0] + self.start
        for place in range(1, words):
            paths = torch.logsumexp(total.unsqueeze(-1) + steps, dim=2) + scores[:, place]
            total = torch.where(is_word[:, place].view(batch, 1, 1), paths, total)
        everything = torch.logsumexp(total + self.stop, dim=-1)
        layers = torch.arange(len(LABELS), device=tags.device)
        chosen = scores.gather(-1, tags.unsqueeze(-1)).squeeze(-1)
        followed = steps[layers, tags[:, :-1], tags[:, 1:]]
        gold = (chosen * is_word.unsqueeze(-1)).sum(1)
        gold = gold + (followed * is_word[:, 1:].unsqueeze(-1)).sum(1)
        return ((everything - gold) * known).sum()
