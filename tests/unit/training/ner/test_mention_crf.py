"""The loss against a sum over every sequence of tags, and what is not annotated."""

from __future__ import annotations

from itertools import pairwise, product

import torch

from clinical_nlp.neural.tagger.labels import ALLOWED, LABELS, MAY_START, MAY_STOP, TAGS
from clinical_nlp.training.ner.crf import LayeredCrf


def legal(tags: tuple[int, ...]) -> bool:
    pairs = pairwise(tags)
    return MAY_START[tags[0]] and MAY_STOP[tags[-1]] and all(ALLOWED[a, b] for a, b in pairs)


def one_hot(tags: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.one_hot(tags, len(TAGS)).float()


def test_the_loss_is_that_of_an_exhaustive_sum() -> None:
    torch.manual_seed(0)
    crf = LayeredCrf()
    torch.nn.init.normal_(crf.transitions)
    emissions = torch.randn(1, 3, len(LABELS) * len(TAGS))
    gold = torch.tensor([[[1, 0, 4, 0], [3, 1, 0, 0], [0, 3, 4, 0]]])
    loss = crf(
        emissions, one_hot(gold), torch.ones(1, 3, dtype=torch.bool), torch.ones(1, len(LABELS))
    )
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


def test_a_layer_that_was_not_annotated_teaches_nothing() -> None:
    crf = LayeredCrf()
    emissions = torch.randn(2, 4, len(LABELS) * len(TAGS), requires_grad=True)
    tags = torch.zeros(2, 4, len(LABELS), dtype=torch.int64)
    known = torch.ones(2, len(LABELS))
    known[:, LABELS.index("MEDICATION")] = 0
    crf(emissions, one_hot(tags), torch.ones(2, 4, dtype=torch.bool), known).backward()
    gradient = emissions.grad.view(2, 4, len(LABELS), len(TAGS)).abs().sum((0, 1, 3))
    assert gradient[LABELS.index("MEDICATION")] == 0
    assert (gradient[:3] > 0).all()


def test_padding_counts_nothing() -> None:
    crf = LayeredCrf()
    emissions = torch.randn(1, 5, len(LABELS) * len(TAGS))
    tags = torch.zeros(1, 5, len(LABELS), dtype=torch.int64)
    known = torch.ones(1, len(LABELS))
    is_word = torch.tensor([[True, True, True, False, False]])
    tags_of = one_hot(tags)
    padded = crf(emissions, tags_of, is_word, known)
    bare = crf(emissions[:, :3], tags_of[:, :3], is_word[:, :3], known)
    assert torch.allclose(padded, bare)


def test_beliefs_are_the_shares_of_an_exhaustive_sum() -> None:
    torch.manual_seed(1)
    crf = LayeredCrf()
    torch.nn.init.normal_(crf.transitions)
    emissions = torch.randn(1, 3, len(LABELS) * len(TAGS))
    believed = crf.beliefs(emissions, torch.ones(1, 3, dtype=torch.bool))
    scores = emissions.view(3, len(LABELS), len(TAGS))
    for layer in range(len(LABELS)):
        weights = torch.zeros(3, len(TAGS))
        for tags in product(range(len(TAGS)), repeat=3):
            if legal(tags):
                worth = sum(scores[i, layer, t] for i, t in enumerate(tags))
                worth = worth + sum(crf.transitions[layer, a, b] for a, b in pairwise(tags))
                for place, tag in enumerate(tags):
                    weights[place, tag] += worth.exp()
        expected = weights / weights.sum(1, keepdim=True)
        assert torch.allclose(believed[0, :, layer], expected, atol=1e-5)


def test_a_student_that_believes_its_teacher_has_nothing_to_learn() -> None:
    torch.manual_seed(2)
    crf = LayeredCrf()
    torch.nn.init.normal_(crf.transitions)
    emissions = torch.randn(2, 4, len(LABELS) * len(TAGS), requires_grad=True)
    is_word = torch.tensor([[True] * 4, [True, True, False, False]])
    believed = crf.beliefs(emissions, is_word)
    known, certain = torch.ones(2, len(LABELS)), torch.zeros(2, len(LABELS), dtype=torch.bool)
    crf(emissions, believed, is_word, known, certain).backward()
    assert emissions.grad.abs().max() < 1e-5
    assert crf.transitions.grad.abs().max() == 0
