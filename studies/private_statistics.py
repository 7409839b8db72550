"""Own statistics beside the libraries that offer the same.

Measures processor time, difference in result and cost of import of four of our functions:
the calibration line (Newton's method), the sign-constrained ridge regression, the
Kaplan-Meier weights of censoring (IPCW), and Shapley values over topics.

Run by hand, in an environment of its own: lifelines 0.30 does not admit pandas 3, and shap
0.51 and scikit-survival 0.28 do not admit the numpy below 2 that spaCy 3.7 needs::

    pip install lifelines scikit-survival shap statsmodels
    python -m studies.private_statistics

Last measured (one core, least of 7 repeats; Intel Xeon, scikit-learn 1.9): calibration line 0.8 ms
against 4.4 (scikit-learn) and 6.6 (statsmodels); ridge regression 8.0 ms against 10.7
(scikit-learn, which has no signs and one penalty); Kaplan-Meier 6 ms against 16 (lifelines) and
15 (scikit-survival, which takes no weights); Shapley values 2.7 ms against 12.7 (shap, as many
evaluations) and 8.9 (its tree explainer). Imports would add 0.4 s and 33 MiB (statsmodels), 0.1 s
and 6 MiB (lifelines), 0.9 s and 106 MiB (shap). All four stay ours: each is more than 10% faster,
and the libraries' results differ in the last bits (1e-13 to 1e-3), which would change shipped
estimates. ADR 034 quotes them.
"""

from __future__ import annotations

import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from clinical_nlp.risk.shapley import PAIRS, shapley
from clinical_nlp.training.risk.calibration import fit_calibration_line
from clinical_nlp.training.risk.follow_up import _uncensored_probability
from clinical_nlp.training.risk.logistic import Prior, fit_sign_constrained

_IMPORT = """
import pathlib, sys, time
import numpy, scipy.optimize, sklearn.linear_model, pandas
resident = lambda: int(pathlib.Path("/proc/self/statm").read_text().split()[1]) / 256
before, start = resident(), time.process_time()
__import__(sys.argv[1], fromlist=["x"])
print(f"{time.process_time() - start:.2f} {resident() - before:.0f}")
"""


@dataclass(frozen=True, slots=True)
class Timing:
    """Processor time of one way to compute something, and how far it is from ours."""

    what: str
    by: str
    milliseconds: float
    difference: float


def compare(what: str, ways: dict[str, Callable[[], Any]], repeats: int = 7) -> list[Timing]:
    """Time each way (the least of some repeats); the first is ours."""
    rows: list[Timing] = []
    reference: Any = None
    for by, compute in ways.items():
        times = []
        for _ in range(repeats):
            start = time.process_time()
            result = np.asarray(compute(), dtype=np.float64)
            times.append(time.process_time() - start)
        reference = result if reference is None else reference
        difference = float(np.abs(result - reference).max())
        rows.append(Timing(what, by, 1000 * min(times), difference))
    return rows


def calibration_line() -> list[Timing]:
    """Intercept and slope of a weighted logistic line, as every bootstrap resample fits it."""
    import statsmodels.api as sm

    rng = np.random.default_rng(1)
    x = rng.normal(-3, 1.5, 4000)
    y = (rng.random(4000) < 1 / (1 + np.exp(-x))).astype(int)
    w = np.where(y == 1, 1.0, 8.3)

    def sklearn(solver: str) -> list[float]:
        model = LogisticRegression(C=np.inf, solver=solver, tol=1e-10, max_iter=1000)
        model.fit(x[:, None], y, sample_weight=w)
        return [model.intercept_[0], model.coef_[0, 0]]

    def statsmodels() -> Any:  # noqa: ANN401  # an array
        family = sm.families.Binomial()
        return sm.GLM(y, sm.add_constant(x), family=family, freq_weights=w).fit().params

    ways = {
        "ours": lambda: fit_calibration_line(y, x, w),
        "scikit-learn, lbfgs": lambda: sklearn("lbfgs"),
        "scikit-learn, newton-cholesky": lambda: sklearn("newton-cholesky"),
        "statsmodels GLM": statsmodels,
    }
    return compare("calibration line, 4,000 examples", ways)


def ridge_logistic() -> list[Timing]:
    """Ridge logistic regression, one penalty and no signs: what the libraries can do too."""
    rng = np.random.default_rng(2)
    x = rng.normal(size=(6000, 120))
    y = (rng.random(6000) < 1 / (1 + np.exp(3 - x[:, :5].sum(axis=1)))).astype(int)
    w = np.where(y == 1, 0.5, 1.5)
    free = Prior(np.zeros(120, dtype=int), np.ones(120))
    signed = Prior(np.tile([1, -1, 0], 40), np.ones(120))

    def sklearn(solver: str) -> Any:  # noqa: ANN401  # an array
        return LogisticRegression(C=0.01, solver=solver).fit(x, y, sample_weight=w).coef_[0]

    ways = {
        "ours (SciPy's L-BFGS-B)": lambda: fit_sign_constrained(x, y, w, 0.01, free).coef_[0],
        "ours, with signs": lambda: fit_sign_constrained(x, y, w, 0.01, signed).coef_[0],
        "scikit-learn, lbfgs": lambda: sklearn("lbfgs"),
        "scikit-learn, newton-cholesky": lambda: sklearn("newton-cholesky"),
    }
    return compare("ridge logistic, 6,000 by 120", ways)


def censoring_weights() -> list[Timing]:
    """Kaplan-Meier probability of being uncensored before each day, weighted examples."""
    from lifelines import KaplanMeierFitter
    from sksurv.nonparametric import kaplan_meier_estimator

    rng = np.random.default_rng(3)
    days, lost = rng.integers(1, 396, 20000), rng.random(20000) < 0.1
    weight = rng.uniform(0.5, 9, 20000)
    rows = zip(days.tolist(), weight.tolist(), lost.tolist(), strict=True)
    examples: Any = [SimpleNamespace(followed=d, weight=w, lost=c) for d, w, c in rows]

    def ours() -> list[float]:
        probability = _uncensored_probability(examples, lambda example: example.lost)
        return [probability[day] for day in sorted(probability)]

    def lifelines() -> Any:  # noqa: ANN401  # an array
        # Half a day later for the censored: who is followed to a day's end is not at risk.
        fitter = KaplanMeierFitter().fit(days + 0.5 * lost, lost, weights=weight)
        return fitter.predict(np.unique(days) - 0.25).to_numpy()

    def scikit_survival() -> Any:  # noqa: ANN401  # an array
        time_, survival = kaplan_meier_estimator(lost, days + 0.5 * lost)
        places = np.searchsorted(time_, np.unique(days) - 0.25) - 1
        return np.where(places < 0, 1.0, survival[places])

    ways = {
        "ours": ours,
        "lifelines": lifelines,
        "scikit-survival (no weights)": scikit_survival,
    }
    return compare("Kaplan-Meier of censoring, 20,000 examples", ways)


def shapley_values() -> list[Timing]:
    """Shapley values of one patient under a boosted model, as many evaluations each."""
    from shap import KernelExplainer, PermutationExplainer, TreeExplainer

    rng = np.random.default_rng(4)
    x = rng.normal(size=(4000, 45))
    y = (rng.random(4000) < 1 / (1 + np.exp(2 - x[:, 0] * x[:, 1] - x[:, 2]))).astype(int)
    model = HistGradientBoostingClassifier(max_iter=60, max_leaf_nodes=6, random_state=0).fit(x, y)
    patient, reference = x[:1], np.median(x, axis=0)[None]
    evaluations = 2 * PAIRS * (45 + 1)

    def ours() -> Any:  # noqa: ANN401  # an array
        return shapley(lambda m: model.decision_function(np.where(m, patient, reference)), 45)

    def permutation() -> Any:  # noqa: ANN401  # an array
        explainer = PermutationExplainer(model.decision_function, reference, seed=1)
        return explainer(patient, max_evals=evaluations, silent=True).values[0]

    def kernel() -> Any:  # noqa: ANN401  # an array
        explainer = KernelExplainer(model.decision_function, reference, silent=True)
        return explainer.shap_values(patient, nsamples=evaluations, silent=True)[0]

    def tree() -> Any:  # noqa: ANN401  # an array
        return TreeExplainer(model, reference).shap_values(patient)[0]

    ways = {
        "ours": ours,
        "shap, permutation": permutation,
        "shap, kernel": kernel,
        "shap, tree (trees only)": tree,
    }
    return compare("Shapley values, 45 topics, boosting", ways)


def import_cost(module: str) -> str:
    """Processor seconds and MiB of importing a module after what we import anyway."""
    command = [sys.executable, "-c", _IMPORT, module]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603


def main() -> None:
    """Print the tables."""
    warnings.simplefilter("ignore")  # lifelines warns of weights that are not integers
    print("| what | by | ms | largest difference from ours |\n| --- | --- | ---: | ---: |")
    for study in (calibration_line, ridge_logistic, censoring_weights, shapley_values):
        for row in study():
            print(f"| {row.what} | {row.by} | {row.milliseconds:.2f} | {row.difference:.1e} |")
    print("\n| library | import, s | import, MiB |\n| --- | ---: | ---: |")
    for module in ("statsmodels.api", "lifelines", "sksurv.nonparametric", "shap"):
        seconds, memory = import_cost(module).split()
        print(f"| {module.split('.')[0]} | {seconds} | {memory} |")


if __name__ == "__main__":
    main()
