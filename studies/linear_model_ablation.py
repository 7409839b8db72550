"""Ablation of the linear model: what each of its parts is worth, by cross-validation.

Reads the recipe's simulated cohort and compares the logistic regression with variants that
lack one of its parts, or have one more, on the training and calibration patients. The test
patients are not looked at. Run by hand (minutes)::

    python -m studies.linear_model_ablation --config models/hf-risk/recipe.toml

Last measured: log loss 0.05147 as it is, +0.00014 with a straight line of age, +0.00008 with
one penalty for all, +0.00479 with age and sex alone. Quoted in full in
``studies/risk_model.md``.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

from clinical_nlp.risk.feature_table import FeatureTable, load_features
from clinical_nlp.training.config import read_recipe
from clinical_nlp.training.risk.arrays import Matrix, Vector, inverse_logit, log_losses
from clinical_nlp.training.risk.dataset import Data
from clinical_nlp.training.risk.logistic import Prior, fit_logistic
from clinical_nlp.training.risk.model_selection import clustered_error, patient_folds
from clinical_nlp.training.risk.recipe import FitRecipe, Recipe
from clinical_nlp.training.risk.split import rows_by_part

Variant = tuple[Matrix, Prior]


@dataclass(frozen=True, slots=True)
class VariantResult:
    """One variant beside the model as it is.

    Parameters
    ----------
    loss, auroc
        Weighted, out of sample, at the best strength.
    excess, error
        Loss beyond that of the model as it is, and its standard error over patients.
    oldest
        Observed over expected outcomes at 85 and over.
    """

    name: str
    loss: float
    excess: float
    error: float
    auroc: float
    oldest: float


def variants(data: Data, table: FeatureTable) -> dict[str, Variant]:
    """The model as it is, first, and what it is compared with."""
    names, x, prior = list(table.names), data.features, Prior.of(table)
    one_penalty = replace(
        table, topics=tuple(replace(t, missing_penalty=1.0) for t in table.topics)
    )
    bends = {f"{topic.key}_over_{bend}" for topic in table.topics for bend in topic.bends}
    straight = [i for i, name in enumerate(names) if name not in bends]
    age_and_sex = [i for i, name in enumerate(names) if table.topic_of[name].key in ("age", "male")]
    coded = [i for i, name in enumerate(names) if not name.startswith("note")]
    recent = [i for i, name in enumerate(names) if name.endswith("_recency")]
    age = x[:, names.index("age")]
    kidney = np.minimum(0.0, x[:, names.index("egfr")] - 60)  # NaN where not measured
    return {
        "as it is": (x, prior),
        "age and sex alone": (x[:, age_and_sex], prior.columns(age_and_sex)),
        "without the notes' signs, conditions and drugs": (x[:, coded], prior.columns(coded)),
        "a straight line of age": (x[:, straight], prior.columns(straight)),
        "not measured, shrunk as the rest": (x, Prior.of(one_penalty)),
        "a bend of eGFR at 60": (np.column_stack([x, kidney]), _with_free_columns(prior, 1)),
        "each sign's recency times age": (
            np.column_stack([x, x[:, recent] * age[:, None]]),
            _with_free_columns(prior, len(recent)),
        ),
    }


def _with_free_columns(prior: Prior, more: int) -> Prior:
    """The same prior with more columns, of either sign."""
    return Prior(
        np.append(prior.direction, np.zeros(more, dtype=np.int_)),
        np.append(prior.penalty, np.ones(more)),
    )


def compare(data: Data, table: FeatureTable, recipe: FitRecipe) -> list[VariantResult]:
    """Cross-validate every variant, patients kept whole."""
    folds = list(patient_folds(data, recipe.folds, recipe.seed))
    old = np.array([(timeline.age or 0) >= 85 for timeline in data.timelines])
    reference: Vector | None = None
    rows = []
    for name, (x, prior) in variants(data, table).items():
        by_strength = []
        for strength in recipe.strengths:
            z = np.zeros(len(data))
            for train, held_out in folds:
                labels = data.outcome[train], data.weight[train]
                model = fit_logistic(x[train], *labels, strength, prior)
                z[held_out] = model.decision_function(x[held_out])
            loss = float(np.average(log_losses(data.outcome, z), weights=data.weight))
            by_strength.append((loss, z))
        loss, z = min(by_strength, key=lambda pair: pair[0])
        losses = log_losses(data.outcome, z)
        reference = losses if reference is None else reference
        w, p = data.weight, inverse_logit(z)
        rows.append(
            VariantResult(
                name,
                loss,
                float(np.average(losses - reference, weights=w)),
                clustered_error(losses - reference, data),
                float(roc_auc_score(data.outcome, z, sample_weight=w)),
                float((w * data.outcome)[old].sum() / max((w * p)[old].sum(), 1e-9)),
            )
        )
    return rows


def ablation_markdown(rows: list[VariantResult]) -> str:
    """Return a table with one row per variant."""
    lines = [
        "| logistic regression | log loss | more (standard error) | AUROC "
        "| observed / expected at 85 and over |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {row.name} | {row.loss:.5f} | {row.excess:+.5f} ({row.error:.5f}) | {row.auroc:.3f} "
        f"| {row.oldest:.2f} |"
        for row in rows
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run from the command line."""
    import clinical_nlp
    from clinical_nlp.training.risk.sources import simulated_cohort

    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--config", type=Path, default=Path("models/hf-risk/recipe.toml"))
    recipe, table = read_recipe(options.parse_args().config, Recipe), load_features()
    data = simulated_cohort(recipe.cohort, clinical_nlp.load()).data(table)
    rows = rows_by_part(data.patients.tolist(), recipe.split)
    seen = data.take(np.sort(np.concatenate([rows["train"], rows["calibration"]])))
    print(ablation_markdown(compare(seen, table, recipe.fit)), end="")


if __name__ == "__main__":
    main()
