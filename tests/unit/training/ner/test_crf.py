"""The loss against a sum over every sequence of tags, and what is not annotated."""

from __future__ import annotations

from itertools import pairwise, product

import torch

from clinical_nlp.neural.tagger.labels import ALLOWED, LABELS, MAY_START, MAY_STOP, TAGS
from clinical_nlp.training.ner.crf import LinearChainCRF


def legal(tags: tuple[int, ...]) -> bool:
    pairs = pairwise(tags)
    return MAY_START[tags[0]] and MAY_STOP[tags[-1]] and all(ALLOWED[a, b] for a, b in pairs)


def test_loss_equals_an_exhaustive_sum_over_all_tag_sequences() -> None:
    torch.manual_seed(0)
    crf = LinearChainCRF()
    torch.nn.init.normal_(crf.transitions)
    emissions = torch.randn(1, 3, len(LABELS) * len(TAGS))
    gold = torch.tensor([[[1, 0, 4, 0], [3, 1, 0, 0], [0, 3, 4, 0]]])
    loss = crf(emissions, gold, torch.ones(1, 3, dtype=torch.bool), torch.ones(1, len(LABELS)))
    scores = emissions.view(3, len(LABELS), len(TAGS))
    expected = torch.zeros(())
    for layer in range(len(LABELS)):
        sums = {
            tags: sum(scores[i, layer, t] for i, t in enumerate(tags))
            + sum(crf.transitions[layer, a, b] for a, b in pairwise(tags))
            for tags in product(range(len(TAGS)), repeat=3)
            if legal(tags)
        }
        total = torch.logsumexp(torch.stack(list(sums.values())), 0)
        expected = expected + total - sums[tuple(gold[0, :, layer].tolist())]
    assert torch.allclose(loss, expected, rtol=1e-4)


def test_loss_of_a_layer_without_annotation_has_no_gradient() -> None:
    crf = LinearChainCRF()
    emissions = torch.randn(2, 4, len(LABELS) * len(TAGS), requires_grad=True)
    tags = torch.zeros(2, 4, len(LABELS), dtype=torch.int64)
    known = torch.ones(2, len(LABELS))
    known[:, LABELS.index("MEDICATION")] = 0
    crf(emissions, tags, torch.ones(2, 4, dtype=torch.bool), known).backward()
    gradient = emissions.grad.view(2, 4, len(LABELS), len(TAGS)).abs().sum((0, 1, 3))
    assert gradient[LABELS.index("MEDICATION")] == 0
    assert (gradient[:3] > 0).all()


def test_loss_with_padding_equals_loss_without() -> None:
    crf = LinearChainCRF()
    emissions = torch.randn(1, 5, len(LABELS) * len(TAGS))
    tags = torch.zeros(1, 5, len(LABELS), dtype=torch.int64)
    known = torch.ones(1, len(LABELS))
    is_word = torch.tensor([[True, True, True, False, False]])
    padded = crf(emissions, tags, is_word, known)
    bare = crf(emissions[:, :3], tags[:, :3], is_word[:, :3], known)
    assert torch.allclose(padded, bare)
