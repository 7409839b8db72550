from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score
from small_models import CARD, small_predictions

from clinical_nlp.errors import ModelError
from clinical_nlp.registry.gate import auroc, card_checks, read_limits, run_checks
from clinical_nlp.registry.predictions import (
    pair_with_champion,
    parse_predictions,
    read_predictions,
)


@pytest.fixture(scope="module")
def limits(tmp_path_factory):
    from importlib import resources

    text = resources.files("clinical_nlp.registry").joinpath("gate.toml").read_text("utf-8")
    path = tmp_path_factory.mktemp("gate") / "gate.toml"
    path.write_text(text.replace("resamples = 400", "resamples = 30"), "utf-8")
    return read_limits(path)


def evidence(noise=0.8, seed=0, **changes):
    told = small_predictions(noise, seed)
    told["columns"].update(changes)
    return parse_predictions(told)


def failed(checks):
    return {check.name for check in checks if not check.passed}


@given(
    st.lists(
        st.tuples(st.integers(0, 1), st.sampled_from((0.1, 0.2, 0.5)), st.floats(0.5, 9)),
        min_size=2,
        max_size=40,
    ).filter(lambda rows: len({outcome for outcome, _, _ in rows}) == 2)
)
def test_auroc_equals_scikit_learn(rows):
    outcome, probability, weight = (np.array(column) for column in zip(*rows, strict=True))
    expected = roc_auc_score(outcome, probability, sample_weight=weight)
    assert auroc(outcome, probability, weight) == pytest.approx(expected)


def test_gate_passes_good_challenger_against_fair_champion(limits):
    challenger = evidence(0.7, 1)
    pairs = pair_with_champion(challenger, evidence(1.2, 0), "d")
    assert failed(run_checks(challenger, CARD, pairs, limits)) == set()


def test_gate_passes_model_against_itself(limits):
    one = evidence()
    assert failed(run_checks(one, CARD, pair_with_champion(one, one, "d"), limits)) == set()


def test_gate_fails_overconfident_model_on_calibration_slope(limits):
    fine = evidence()
    z = np.log(fine.probability / (1 - fine.probability))
    sure = evidence(probability=(1 / (1 + np.exp(-(2 * z + 3)))).tolist())
    assert "calibration slope" in failed(run_checks(sure, CARD, None, limits))


def test_gate_fails_doubled_risks_on_calibration_intercept(limits):
    high = evidence(probability=np.minimum(2 * evidence().probability, 0.99).tolist())
    assert "calibration intercept" in failed(run_checks(high, CARD, None, limits))


def test_gate_fails_model_that_is_worse_for_one_sex(limits):
    """Better for everyone else, so that discrimination as a whole does not show it."""
    good, fair = evidence(0.4, 1), evidence(1.0, 0)
    women = good.groups["sex"] == "female"
    shuffled = good.probability.copy()
    shuffled[women] = np.random.default_rng(0).permutation(shuffled[women])
    unfair = evidence(0.4, 1, probability=shuffled.tolist())
    assert "sex: female" in failed(
        run_checks(unfair, CARD, pair_with_champion(unfair, fair, "d"), limits)
    )


def test_gate_fails_implausibly_good_model_as_leak(limits):
    one = evidence()
    leak = evidence(probability=(0.02 + 0.9 * one.outcome).tolist())
    assert "discrimination is plausible" in failed(run_checks(leak, CARD, None, limits))


def test_gate_without_shared_patients_fails_comparison(limits):
    told = small_predictions()
    told["cohort"] = "1" * 64
    one = evidence()
    assert failed(
        run_checks(one, CARD, pair_with_champion(one, parse_predictions(told), "d"), limits)
    ) == {"same test patients"}
    assert "same test patients" in failed(
        run_checks(one, CARD, pair_with_champion(one, None, "d"), limits)
    )


def test_pairing_uses_champion_probabilities_recorded_by_challenger():
    told = small_predictions()
    told["rivals"] = {"d": [0.1] * len(told["columns"]["outcome"])}
    pairs = pair_with_champion(parse_predictions(told), None, "d")
    assert pairs.shared == 1 and pairs.champion.tolist() == [0.1] * len(pairs.rows)


@pytest.mark.parametrize("cohort", ["", "1" * 64])
def test_pairing_of_other_rows_is_none(cohort):
    one, told = evidence(), small_predictions()
    other = parse_predictions({**told, "cohort": cohort})
    assert len(pair_with_champion(one, other, "d").rows) == 0
    assert len(pair_with_champion(other, one, "d").rows) == 0


def test_parse_predictions_reads_files_with_keys_and_pairs_them_with_none():
    told = small_predictions()
    told.pop("cohort")
    columns = told["columns"]
    keyed = {**columns, "index": [f"{i:016x}" for i in range(len(columns["outcome"]))]}
    old = parse_predictions({**told, "salt_digest": "0" * 64, "columns": keyed})
    assert set(old.groups) == {"sex"}
    assert len(pair_with_champion(evidence(), old, "d").rows) == 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda card: card.replace("## Energy\n\nWords.", ""), "energy"),
        (lambda card: card.replace("## Limits\n\nWords.", "## Limits\n"), "limits"),
        (lambda card: card + "\nTODO: subgroups", "unfinished"),
        (lambda card: "", "intended use"),
    ],
)
def test_card_check_of_incomplete_card_fails(limits, change, said):
    (check,) = card_checks(change(CARD), limits)
    assert not check.passed and said in check.detail


def test_card_check_counts_text_under_subsections(limits):
    card = CARD.replace("## Limits\n\nWords.", "## Limits\n\n### Of the data\n\nWords.")
    assert card_checks(card, limits)[0].passed


@pytest.mark.parametrize("text", ["", "[]", '{"columns": {}}', "{"])
def test_read_predictions_of_bad_file_raises_e434(tmp_path, text):
    path = tmp_path / "predictions.json"
    path.write_text(text)
    with pytest.raises(ModelError, match="E434"):
        read_predictions(path)


@pytest.mark.parametrize("text", ["", "[pairs]\nmin_outcomes = 1\n", "x ="])
def test_read_limits_of_bad_file_raises_e433(tmp_path, text):
    path = tmp_path / "gate.toml"
    path.write_text(text)
    with pytest.raises(ModelError, match="E433"):
        read_limits(path)
