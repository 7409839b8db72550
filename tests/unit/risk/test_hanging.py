"""An estimate that hangs on one value is held by the training's range, and says so."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date

import pytest
from small_models import small_parts

from clinical_nlp.errors import ModelError
from clinical_nlp.records import ModelReference
from clinical_nlp.risk.bands import load_bands
from clinical_nlp.risk.feature_table import load_features
from clinical_nlp.risk.hanging import hangs
from clinical_nlp.risk.model import RiskModel
from clinical_nlp.risk.model_artifacts import ModelArtifacts
from clinical_nlp.risk.model_spec import ModelSpec

DAY = date(2024, 6, 1)
TABLE = load_features()
REFERENCE = ModelReference("hf-risk", "1", "models:/hf-risk/1", "d" * 64)
WEIGHT, NT_PROBNP = "29463-7", "33762-6"


def model(bounds=None, **coefficients):
    """A model in which only these features count, with these bounds (by default, wide ones)."""
    parts = small_parts()
    names = list(TABLE.names)
    pipeline = parts.classifier
    pipeline[-1].coef_ = pipeline[-1].coef_ * 0
    pipeline[-1].intercept_ = pipeline[-1].intercept_ * 0
    pipeline[0].statistics_[:] = 0.0
    pipeline[1].mean_[:], pipeline[1].scale_[:] = 0.0, 1.0
    for name, value in coefficients.items():
        pipeline[-1].coef_[0, names.index(name)] = value
    pairs = [(-1e3, 1e3)] * len(names)
    for name, pair in (bounds or {}).items():
        pairs[names.index(name)] = pair
    spec = replace(
        parts.spec, bounds=tuple(pairs), calibration=(1.0, -5.0), reference=(0.0,) * len(names)
    )
    return RiskModel(ModelArtifacts(pipeline, spec), REFERENCE)


@pytest.fixture
def woman(record, event):
    """A woman of 46 by her weights and other values."""

    def make(*weights, nt_probnp=(), lvef=()):
        events = [
            event("observation", "loinc", WEIGHT, day, value=float(kg), unit="kg")
            for day, kg in weights
        ]
        events += [
            event("observation", "loinc", NT_PROBNP, day, value=float(value), unit="pg/mL")
            for day, value in nt_probnp
        ]
        # With an echocardiogram: without one, a raised peptide is a suspicion and is not scored.
        events += [
            event("observation", "loinc", "8806-2", day, value=float(value), unit="%")
            for day, value in lvef
        ]
        visit = event("encounter", "snomed", "185349003", date(2024, 5, 1))
        return record(*events, visit, birth_date=date(1978, 2, 1)), ()

    return make


JANUARY, MARCH = date(2024, 1, 10), date(2024, 3, 11)


def test_weight_that_no_body_gains_never_makes_a_high_risk(woman):
    """+82 kg in two months: 53% in a model that follows the slope wherever it goes."""
    steep = model(weight_trend=1.2, weight=0.4)
    with_it, without = steep.estimate([woman((JANUARY, 70), (MARCH, 152)), woman()], DAY)
    assert with_it.probability == without.probability < load_bands()["raised"].lower
    assert "peso 152 kg (11/03/2024), +82 kg en 2 meses" in with_it.missing[0]
    assert not any(reason.text.startswith("peso") for reason in with_it.reasons)


def test_value_outside_the_training_is_taken_as_the_bound(woman):
    """A gain that a body can make, faster than any training patient's."""
    bounds = {"weight_trend": (-0.2, 0.2)}
    free = model(weight_trend=4.0)
    held = model(bounds, weight_trend=4.0)
    patient = woman((JANUARY, 70), (MARCH, 84))
    (wild,), (tame,) = free.estimate([patient], DAY), held.estimate([patient], DAY)
    assert wild.probability > 0.3
    assert tame.probability == pytest.approx(1 / (1 + math.exp(5 - 0.8)), abs=1e-5)
    assert tame.features[TABLE.names.index("weight_trend")] == 0.2


def test_estimate_that_hangs_on_an_extreme_value_says_so(woman):
    bounds = {"nt_probnp": (math.log(20), math.log(9000))}
    held = model(bounds, nt_probnp=0.4)
    (estimate,) = held.estimate([woman(nt_probnp=[(MARCH, 40_000)], lvef=[(MARCH, 60)])], DAY)
    assert estimate.missing[0] == (
        "la estimación depende de un solo dato, fuera de lo que el modelo vio al entrenarse: "
        "NT-proBNP 40.000 pg/mL (11/03/2024), sin él sería del 0,7\xa0%"
    )


def test_earlier_value_takes_the_place_of_the_extreme_one(woman):
    bounds = {"nt_probnp": (math.log(20), math.log(9000))}
    held = model(bounds, nt_probnp=0.4)
    both = woman(nt_probnp=[(JANUARY, 8_000), (MARCH, 40_000)])
    (estimate,) = held.estimate([both], DAY)
    assert not any("depende" in sentence for sentence in estimate.missing)


def test_extreme_value_that_decides_nothing_is_not_told(woman):
    bounds = {"nt_probnp": (math.log(20), math.log(9000))}
    (estimate,) = model(bounds, nt_probnp=0.01).estimate([woman(nt_probnp=[(MARCH, 40_000)])], DAY)
    assert not any("depende" in sentence for sentence in estimate.missing)


@pytest.mark.parametrize(
    ("with_it", "without", "told"),
    [(0.01, 0.004, True), (0.004, 0.01, True), (0.01, 0.009, False), (0.0, 0.0, False)],
)
def test_hangs_where_another_risk_results(with_it, without, told):
    assert hangs(with_it, without) is told
    threshold = load_bands().worklist_threshold
    assert hangs(threshold, threshold - 1e-6) and hangs(threshold - 1e-6, threshold)


def test_spec_keeps_bounds_and_reads_older_models_without():
    spec = replace(small_parts().spec, bounds=((0.0, 1.0),) * len(TABLE.names))
    metadata = spec.to_metadata()
    assert metadata["bounds"][0] == [0.0, 1.0]
    assert ModelSpec.from_metadata(metadata) == spec
    assert (
        ModelSpec.from_metadata({k: v for k, v in metadata.items() if k != "bounds"}).bounds == ()
    )
    with pytest.raises(ModelError, match="E415"):
        ModelSpec.from_metadata({**metadata, "bounds": [[0.0, 1.0]]})
