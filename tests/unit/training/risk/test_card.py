from __future__ import annotations

import json

import pytest

from clinical_nlp.artifacts import METRICS, shipped_folder
from clinical_nlp.training.risk.card import results_markdown


@pytest.fixture
def metrics():
    return json.loads((shipped_folder("hf-risk") / METRICS).read_text("utf-8"))


def test_results_of_a_score_that_nobody_has_are_not_estimable(metrics):
    """A cohort without blood pressure or kidney function has no PREVENT score."""
    row = metrics["baselines"][0]
    metrics["baselines"][0] = {"name": row["name"], "covered": 0.0, "outcomes": 0}
    page = results_markdown(metrics)
    assert f"| {row['name']} | 0.0%, 0 outcomes | not estimable | not estimable |" in page


def test_results_of_the_shipped_model_are_all_estimable(metrics):
    assert "not estimable" not in results_markdown(metrics)
