"""The perturbation of the embeddings that raises the loss most."""

from __future__ import annotations

import pytest
import torch

from clinical_nlp.training.torch.fgm import adversarial_perturbation


def table_with(gradient: torch.Tensor | None) -> torch.nn.Parameter:
    table = torch.nn.Parameter(torch.linspace(-1, 1, 12).view(4, 3).clone())
    table.grad = gradient
    return table


def test_perturbation_has_norm_epsilon_along_the_gradient() -> None:
    gradient = torch.zeros(4, 3)
    gradient[1] = torch.tensor([3.0, 0.0, -4.0])
    table = table_with(gradient)
    before = table.detach().clone()
    with adversarial_perturbation(table, 0.5):
        move = table.detach() - before
        torch.testing.assert_close(move[1], torch.tensor([0.3, 0.0, -0.4]))
        assert not move[[0, 2, 3]].any()
    assert torch.equal(table, before)


def test_perturbation_raises_the_loss() -> None:
    table = torch.nn.Parameter(torch.eye(3))

    def loss() -> torch.Tensor:
        return torch.nn.functional.cross_entropy(table, torch.tensor([1, 2, 0]))

    loss().backward()
    with adversarial_perturbation(table, 0.1):
        worse = loss()
    assert worse > loss()


@pytest.mark.parametrize(
    "gradient", [None, torch.zeros(4, 3), torch.full((4, 3), torch.inf)], ids=["none", "0", "inf"]
)
def test_perturbation_without_a_finite_gradient_moves_nothing(
    gradient: torch.Tensor | None,
) -> None:
    table = table_with(gradient)
    before = table.detach().clone()
    with adversarial_perturbation(table, 1.0):
        assert torch.equal(table, before)
    assert torch.equal(table, before)


def test_perturbation_after_an_error_restores_the_embeddings() -> None:
    table = table_with(torch.ones(4, 3))
    before = table.detach().clone()
    with pytest.raises(ZeroDivisionError), adversarial_perturbation(table, 1.0):
        raise ZeroDivisionError
    assert torch.equal(table, before)
