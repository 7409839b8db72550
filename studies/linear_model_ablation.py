"""What each choice of the linear model is worth, by cross-validation.

``python -m studies.linear_model_ablation --config models/hf-risk/recipe.toml`` reads the
recipe's simulated cohort and compares the logistic regression as it is with others that lack
one of its parts, or have one more, on the training and calibration patients. The test
patients are not looked at.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold

from clinical_nlp.risk.feature_table import FeatureTable, load_features
from clinical_nlp.training.config import read_recipe
from clinical_nlp.training.risk.cohort import part_of
from clinical_nlp.training.risk.dataset import Data, Matrix, by_part
from clinical_nlp.training.risk.fit import fit
from clinical_nlp.training.risk.measures import Vector, log_losses
from clinical_nlp.training.risk.nested import clustered_error
from clinical_nlp.training.risk.recipe import FitRecipe, Recipe
from clinical_nlp.training.risk.sign_constrained import Prior

Variant = tuple[Matrix, Prior]


@dataclass(frozen=True, slots=True)
class Worth:
    """One variant beside the model as it is.

    Parameters
    ----------
    loss, auroc
        Weighted, out of sample, at the strength that does best.
    worse, error
        Loss beyond that of the model as it is, and its standard error over patients.
    oldest
        Observed over expected outcomes at 85 and over.
    """

    name: str
    loss: float
    worse: float
    error: float
    auroc: float
    oldest: float


def variants(data: Data, table: FeatureTable) -> dict[str, Variant]:
    """The model as it is, first, and what it is compared with."""
    names, x, prior = list(table.names), data.features, Prior.of(table)
    evenly = replace(table, topics=tuple(replace(t, missing_penalty=1.0) for t in table.topics))
    bends = {f"{topic.key}_over_{bend}" for topic in table.topics for bend in topic.bends}
    straight = [i for i, name in enumerate(names) if name not in bends]
    who = [i for i, name in enumerate(names) if table.topic_of[name].key in ("age", "male")]
    coded = [i for i, name in enumerate(names) if not name.startswith("note")]
    recent = [i for i, name in enumerate(names) if name.endswith("_recency")]
    age = x[:, names.index("age")]
    kidney = np.minimum(0.0, x[:, names.index("egfr")] - 60)  # NaN where not measured
    return {
        "as it is": (x, prior),
        "age and sex alone": (x[:, who], prior.columns(who)),
        "without the notes' signs, conditions and drugs": (x[:, coded], prior.columns(coded)),
        "a straight line of age": (x[:, straight], prior.columns(straight)),
        "not measured, shrunk as the rest": (x, Prior.of(evenly)),
        "a bend of eGFR at 60": (np.column_stack([x, kidney]), _longer(prior, 1)),
        "each sign's recency times age": (
            np.column_stack([x, x[:, recent] * age[:, None]]),
            _longer(prior, len(recent)),
        ),
    }


def _longer(prior: Prior, more: int) -> Prior:
    """The same for some columns more, which may point either way."""
    return Prior(
        np.append(prior.direction, np.zeros(more, dtype=np.int_)),
        np.append(prior.penalty, np.ones(more)),
    )


def compare(data: Data, table: FeatureTable, recipe: FitRecipe) -> list[Worth]:
    """Cross-validate every variant, patients kept whole."""
    splitter = StratifiedGroupKFold(recipe.folds, shuffle=True, random_state=recipe.seed)
    folds = list(splitter.split(data.features, data.outcome, groups=data.patients))
    old = np.array([(timeline.age or 0) >= 85 for timeline in data.timelines])
    reference: Vector | None = None
    rows = []
    for name, (x, prior) in variants(data, table).items():
        found = []
        for strength in recipe.strengths:
            z = np.zeros(len(data))
            for seen, held in folds:
                model = fit(x[seen], data.outcome[seen], data.weight[seen], strength, prior)
                z[held] = model.decision_function(x[held])
            found.append((float(np.average(log_losses(data.outcome, z), weights=data.weight)), z))
        loss, z = min(found, key=lambda pair: pair[0])
        losses = log_losses(data.outcome, z)
        reference = losses if reference is None else reference
        w, p = data.weight, 1 / (1 + np.exp(-z))
        rows.append(
            Worth(
                name,
                loss,
                float(np.average(losses - reference, weights=w)),
                clustered_error(losses - reference, data),
                float(roc_auc_score(data.outcome, z, sample_weight=w)),
                float((w * data.outcome)[old].sum() / max((w * p)[old].sum(), 1e-9)),
            )
        )
    return rows


def ablation_markdown(rows: list[Worth]) -> str:
    """Return one row a variant."""
    lines = [
        "| logistic regression | log loss | more (standard error) | AUROC "
        "| observed / expected at 85 and over |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {row.name} | {row.loss:.5f} | {row.worse:+.5f} ({row.error:.5f}) | {row.auroc:.3f} "
        f"| {row.oldest:.2f} |"
        for row in rows
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run from the command line."""
    import clinical_nlp
    from clinical_nlp.training.risk.train import simulated_cohort

    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--config", type=Path, default=Path("models/hf-risk/recipe.toml"))
    recipe, table = read_recipe(options.parse_args().config, Recipe), load_features()
    data = simulated_cohort(recipe, clinical_nlp.load()).data(table)
    rows: Mapping[str, np.ndarray] = by_part(  # type: ignore[type-arg]
        data.patients.tolist(), lambda patient: part_of(patient, recipe.split)
    )
    learnt = data.take(np.sort(np.concatenate([rows["train"], rows["calibration"]])))
    print(ablation_markdown(compare(learnt, table, recipe.fit)), end="")


if __name__ == "__main__":
    main()
