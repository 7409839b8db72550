"""What the reader of recipes says of a recipe that is wrong."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from clinical_nlp.errors import UsageError
from clinical_nlp.training.config import RecipeFile, flatten, read_recipe
from clinical_nlp.training.risk.recipe import Recipe

ROOT = Path(__file__).resolve().parents[3]
RISK = ROOT / "models" / "hf-risk" / "recipe.toml"


def edited(folder: Path, line: str, instead: str) -> Path:
    """The shipped recipe with one line (by its beginning) replaced."""
    text, found = re.subn(rf"(?m)^{re.escape(line)}.*$", instead, RISK.read_text("utf-8"), count=1)
    assert found == 1
    (folder / "recipe.toml").write_text(text, "utf-8")
    return folder / "recipe.toml"


def refusal(path: Path, model: type[RecipeFile] = Recipe, *overrides: str) -> str:
    with pytest.raises(UsageError) as caught:
        read_recipe(path, model, overrides)
    assert str(caught.value).startswith(caught.value.code)
    return str(caught.value)


def test_read_recipe_missing_file_is_e120(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none.toml").startswith("E120")


def test_read_recipe_not_toml_is_e120(tmp_path: Path) -> None:
    (tmp_path / "recipe.toml").write_text("[")
    assert refusal(tmp_path / "recipe.toml").startswith("E120")


@pytest.mark.parametrize(
    ("line", "instead", "said"),
    [
        ("[fit.boosting]", "[fit.bosting]", "did you mean 'fit.boosting'?"),
        ("[split]", "[spilt]", "did you mean 'split'?"),
        ("gap_days", "gap_day = 30", "did you mean 'cohort.gap_days'?"),
        (
            "gap_days",
            "gap_day = 30",
            "allowed: simulated_patients, simulation_seed",
        ),
        ("gap_days", "gap_day = 30", "'cohort.gap_days' is missing"),
        ("gap_days", 'gap_days = "30"', "'cohort.gap_days' must be a valid integer, not '30'"),
        ("gap_days", "gap_days = -1", "'cohort.gap_days' must be greater than or equal to 0"),
        ("lost", 'lost = "gone"', "'cohort.lost' must be 'followed', 'excluded' or 'weighted'"),
        ("strengths", "strengths = [0.1, 0.0]", "'fit.strengths[1]' must be greater than 0"),
        ("families", 'families = ["forest"]', "must be among logistic, boosting, sequence"),
        ("train", "train = 0.9", "must leave a share for the test set"),
        ("[split]", "[other]", "'split' is missing"),
    ],
)
def test_read_recipe_wrong_part_names_key_and_what_is_allowed(
    tmp_path: Path, line: str, instead: str, said: str
) -> None:
    message = refusal(edited(tmp_path, line, instead))
    assert message.startswith("E121")
    assert said in message
    assert "models/hf-risk/recipe.toml" in message


def test_read_recipe_value_for_a_section_is_e121(tmp_path: Path) -> None:
    (tmp_path / "recipe.toml").write_text("cohort = 3")
    assert "'cohort' must be a section, not 3" in refusal(tmp_path / "recipe.toml")


def test_read_recipe_override_replaces_value_of_file() -> None:
    recipe = read_recipe(
        RISK, Recipe, ["cohort.first_day=2020-01-02", "fit.boosting.iterations = 7"]
    )
    assert recipe.cohort.first_day == date(2020, 1, 2)
    assert recipe.fit.boosting.iterations == 7


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("fit.fold=3", "did you mean 'fit.folds'?"),
        ("fat.folds=3", "did you mean 'fit'?"),
        ("fit=3", "'fit' is a section"),
        ("fit.folds.more=3", "'fit.folds' has no keys"),
        ("folds", "it must be one KEY=VALUE"),
        ("a=1\nb=2", "it must be one KEY=VALUE"),
        ("", "it must be one KEY=VALUE"),
    ],
)
def test_read_recipe_override_of_no_key_is_e131(override: str, said: str) -> None:
    message = refusal(RISK, Recipe, override)
    assert message.startswith("E131")
    assert said in message


def test_read_recipe_override_out_of_range_is_e121() -> None:
    message = refusal(RISK, Recipe, "fit.folds=1")
    assert message.startswith("E121")
    assert "'fit.folds' must be greater than or equal to 2, not 1" in message


def test_replace_leaves_the_recipe_as_it_was() -> None:
    recipe = read_recipe(RISK, Recipe)
    changed = recipe.replace(fit=recipe.fit.replace(strengths=(0.3, 0.1)))
    assert changed.fit.strengths == (0.1, 0.3)
    assert recipe.fit.strengths == (0.001, 0.003, 0.01, 0.03, 0.1)
    assert changed.cohort == recipe.cohort


def test_flatten_nested_tables_gives_dotted_keys() -> None:
    assert flatten({"a": {"b": {"c": 1}, "d": [2]}, "e": 3}) == {"a.b.c": 1, "a.d": [2], "e": 3}
