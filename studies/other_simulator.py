"""Does the model hold on patients of another simulator? Fitted on the one, tested on the other.

Fits on the recipe's mixture of services and tests on patients of the second simulator, whose
disease, care, words and codes are its own. Run by hand (a quarter of an hour, most of it
reading)::

    python -m studies.other_simulator --config models/hf-risk/recipe.toml --patients 12000

The tables are quoted in ``docs/reference/elsewhere.md``.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from clinical_nlp.batch.extraction import load_pipeline
from clinical_nlp.lexicon import load_lexicon
from clinical_nlp.risk.feature_table import load_features
from clinical_nlp.risk.features import bounded
from clinical_nlp.simulation import draw_stages_parameters, load_stages_parameters
from clinical_nlp.training.config import read_recipe
from clinical_nlp.training.risk.bounds import feature_bounds
from clinical_nlp.training.risk.dataset import Cohort, read_cohort
from clinical_nlp.training.risk.elsewhere import elsewhere_markdown, evaluate_elsewhere
from clinical_nlp.training.risk.recipe import CohortRecipe, Recipe
from clinical_nlp.training.risk.sources import simulated_cohort, simulated_records

#: Services of the second simulator, besides its shipped one.
SERVICES = 4


def staged_cohort(recipe: CohortRecipe, patients: int) -> Cohort:
    """Simulate and read the cohort that the model is tested on."""
    shipped = load_stages_parameters()
    services = [shipped, *(draw_stages_parameters(n) for n in range(1, SERVICES + 1))]
    records = simulated_records(recipe.replace(simulated_patients=patients), services)
    days = (shipped.start, shipped.end)
    return read_cohort(records, load_pipeline(mentions=False), load_lexicon(), days, recipe)


def tables(here: Cohort, there: Cohort, recipe: Recipe) -> Sequence[str]:
    """Lines of the two tables, in Markdown."""
    table = load_features()
    fitted = here.data(table)
    bounds = feature_bounds(fitted.features, table)
    fitted = replace(fitted, features=bounded(fitted.features, bounds))
    other = there.data(table)
    head = (
        f"{there.patients} patients, {len(other)} index days, {int(other.outcome.sum())} outcomes"
    )
    return [
        head,
        "",
        *elsewhere_markdown(evaluate_elsewhere(fitted, other, bounds, table, recipe.fit)),
    ]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--config", type=Path, default=Path("models/hf-risk/recipe.toml"))
    parser.add_argument("--patients", type=int, default=12000, help="of the second simulator")
    chosen = parser.parse_args()
    recipe = read_recipe(chosen.config, Recipe)
    here = simulated_cohort(recipe.cohort, load_pipeline(mentions=False))
    there = staged_cohort(recipe.cohort, chosen.patients)
    print("\n".join(tables(here, there, recipe)))


if __name__ == "__main__":
    main()
