"""The documented table and figures are those of the data and of the shipped model."""

from __future__ import annotations

from pathlib import Path

import pytest

from clinical_nlp.risk.table import features_markdown
from clinical_nlp.risk.topics import load_features

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def page():
    path = ROOT / "docs" / "risk_model.md"
    if not path.is_file():
        pytest.skip("the documentation is not beside the tests")
    return path.read_text("utf-8")


def test_the_documented_features_are_the_models(page):
    assert features_markdown(load_features()) in page


def test_the_documented_figures_are_the_cards(page):
    card = (ROOT / "models" / "hf-risk" / "card.md").read_text("utf-8")
    for model in ("model", "age and sex only", "structured data only", "notes only"):
        row = next(line for line in card.splitlines() if line.startswith(f"| {model} |"))
        assert "|".join(row.split("|")[:6]) + "|" in page
