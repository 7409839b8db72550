"""The documented table and figures are those of the data and of the shipped model."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from clinical_nlp.risk.feature_table import load_features
from clinical_nlp.training.risk.card import results_markdown
from studies.risk_documentation import features_markdown

ROOT = Path(__file__).resolve().parents[3]
REFERENCE = ROOT / "docs" / "reference"


def page(name: str) -> str:
    """Text of a reference page, with the files that it includes."""
    path = REFERENCE / name
    if not path.is_file():
        pytest.skip("the documentation is not beside the tests")
    return re.sub(
        r'^--8<-- "([^"]+)"$',
        lambda match: (ROOT / match[1]).read_text("utf-8"),
        path.read_text("utf-8"),
        flags=re.MULTILINE,
    )


def test_features_page_shows_the_table_of_the_model() -> None:
    assert features_markdown(load_features()) in page("features.md")


def test_results_page_shows_the_figures_of_the_shipped_model() -> None:
    shipped = ROOT / "models" / "hf-risk"
    results = results_markdown(json.loads((shipped / "metrics.json").read_text("utf-8")))
    assert results in page("risk-results.md")
    assert results in (shipped / "card.md").read_text("utf-8")


def test_results_page_names_figures_that_exist() -> None:
    names = re.findall(r"\(\.\./img/(risk-[a-z_]+\.png)\)", page("risk-results.md"))
    assert len(names) == 4
    for name in names:
        assert (ROOT / "docs" / "img" / name).is_file()
