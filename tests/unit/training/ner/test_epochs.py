"""Which epoch's weights are kept."""

from __future__ import annotations

import pytest
import torch

from clinical_nlp.training.ner.loop import Progress, _end_epoch, _restore, _stale


def kept_weight(scores: list[float], keep: str) -> float:
    """Weight that is left after epochs whose weight is their number, from 1."""
    both = torch.nn.Linear(1, 1, bias=False)
    kept: dict[str, torch.Tensor] = {}
    progress = Progress()
    for epoch, score in enumerate(scores, start=1):
        torch.nn.init.constant_(both.weight, epoch)
        _end_epoch(both, kept, progress, 1, lambda score=score: score, lambda *_: None, keep)
    _restore(both, kept)
    return both.weight.item()


@pytest.mark.parametrize(("keep", "epoch"), [("best", 2), ("last", 3)])
def test_the_best_or_the_last_epoch_is_kept(keep: str, epoch: int) -> None:
    assert kept_weight([0.5, 0.8, 0.7], keep) == epoch


def test_training_is_stale_when_patience_brings_nothing_better() -> None:
    progress = Progress(scores=[0.5, 0.8, 0.7], best=0.8)
    assert _stale(progress, 1)
    assert not _stale(progress, 2)
