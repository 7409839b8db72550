from __future__ import annotations

from datetime import date

import numpy as np

from clinical_nlp.records import Sex
from clinical_nlp.risk.feature_table import load_features
from clinical_nlp.risk.features import feature_matrix
from clinical_nlp.risk.timeline import Timeline
from clinical_nlp.training.risk.dataset import Data
from clinical_nlp.training.risk.recipe import FitRecipe
from studies.linear_model_ablation import ablation_markdown, compare


def test_compare_with_risk_that_levels_off_finds_a_straight_line_of_age_worse():
    """Here risk levels off at 75, so that a straight line of age does worse."""
    table, generator = load_features(), np.random.default_rng(9)
    ages = generator.integers(40, 95, 6000)
    lines = [Timeline(f"p{i}", date(2024, 6, 1), Sex.MALE, date(2024 - a, 1, 1))
             for i, a in enumerate(ages.tolist())]  # fmt: skip
    risk = 1 / (1 + np.exp(-(np.minimum(ages, 75) - 70) / 6))
    people = np.array([line.patient_id for line in lines])
    outcome = (generator.random(6000) < risk).astype(int)
    data = Data(feature_matrix(lines, table), lines, outcome, np.ones(6000), people)
    recipe = FitRecipe(strengths=(0.1,), folds=2, seed=1, bootstrap=1)
    rows = {row.name: row for row in compare(data, table, recipe)}
    assert rows["as it is"].excess == 0 and rows["as it is"].error == 0
    straight = rows["a straight line of age"]
    assert straight.excess > 2 * straight.error > 0
    assert straight.oldest < rows["as it is"].oldest
    assert len(ablation_markdown(list(rows.values())).splitlines()) == 2 + len(rows)
