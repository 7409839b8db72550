"""The recipe of a mention model: members, overrides, and what is logged of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from clinical_nlp.errors import UsageError
from clinical_nlp.training.config import read_recipe
from clinical_nlp.training.ner.recipe import MentionsRecipe

SHIPPED = Path(__file__).resolve().parents[4] / "models" / "mentions" / "recipe.toml"


@pytest.mark.parametrize(
    "member",
    [
        "[[members]]\nfit.seed = 2",
        "[[members]]\nhead.hidden = 64",
        '[[members]]\nencoder = "other"',
        "[[members]]\nfit.word_dropout = 1.5",
        "[[members]]\nfit.fgm_epsilon = -1.0",
        "[[members]]\nfit.no_such_thing = 1",
        "[[members]]",
    ],
)
def test_read_recipe_member_that_cannot_be_averaged_is_e121(tmp_path: Path, member: str) -> None:
    text = SHIPPED.read_text("utf-8")
    (tmp_path / "recipe.toml").write_text(f"{text}\n{member}\n")
    with pytest.raises(UsageError, match="E121"):
        read_recipe(tmp_path / "recipe.toml", MentionsRecipe)


def test_read_recipe_shipped_mentions_recipe_is_valid() -> None:
    recipe = read_recipe(SHIPPED, MentionsRecipe)
    assert "MEDICATION" not in recipe.corpora[1].labels
    assert not any("/" in str(value) for value in recipe.flat().values())
    told = [(run.fit.matrix_rate, run.fit.fgm_epsilon) for run in recipe.runs()]
    assert told == [(2e-3, 2.0), (1.5e-3, 1.0)]
    assert recipe.flat()["members.0.fit.matrix_rate"] == 1.5e-3


def test_read_recipe_override_replaces_value() -> None:
    recipe = read_recipe(SHIPPED, MentionsRecipe, ["fit.epochs=9", 'fit.precision = "float32"'])
    assert (recipe.fit.epochs, recipe.fit.precision) == (9, "float32")


@pytest.mark.parametrize("change", ["epochs", "fit.epoch=3", "fat.epochs=3", "fit=3", "a=1\nb=2"])
def test_read_recipe_override_of_no_key_is_e131(change: str) -> None:
    with pytest.raises(UsageError, match="E131"):
        read_recipe(SHIPPED, MentionsRecipe, [change])
