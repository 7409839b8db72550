"""The documented table and figures are those of the data and of the shipped model."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from clinical_nlp.risk.table import features_markdown
from clinical_nlp.risk.topics import load_features
from clinical_nlp.training.risk.card import results_markdown

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def page():
    path = ROOT / "docs" / "risk_model.md"
    if not path.is_file():
        pytest.skip("the documentation is not beside the tests")
    return path.read_text("utf-8")


def test_the_documented_features_are_the_models(page):
    assert features_markdown(load_features()) in page


def test_the_documented_figures_are_the_shipped_models(page):
    """``python -m clinical_nlp.training.risk.report models/hf-risk docs`` puts them there."""
    shipped = ROOT / "models" / "hf-risk"
    results = results_markdown(json.loads((shipped / "metrics.json").read_text("utf-8")))
    assert results in page
    assert results in (shipped / "card.md").read_text("utf-8")


def test_the_pages_figures_are_there(page):
    for name in re.findall(r"\(img/(risk-[a-z_]+\.png)\)", page):
        assert (ROOT / "docs" / "img" / name).is_file()
