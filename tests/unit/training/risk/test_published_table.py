"""The model beside published scores, and the table that tells it."""

from __future__ import annotations

import json
from datetime import date

import numpy as np
import pytest

from clinical_nlp.artifacts import METRICS, shipped_folder
from clinical_nlp.lexicon import load_lexicon
from clinical_nlp.records import Evidence, Sex
from clinical_nlp.risk.feature_table import load_features
from clinical_nlp.risk.features import feature_matrix
from clinical_nlp.risk.timeline import Entry, Origin, Presence, Timeline
from clinical_nlp.training.risk.card import results_markdown
from clinical_nlp.training.risk.dataset import Data
from clinical_nlp.training.risk.published import AGE_AND_SEX, LEFT_OUT, published_scores
from clinical_nlp.training.risk.results import metrics_to_json, to_plain

TABLE = load_features()
DAY = date(2024, 6, 1)
CONCEPTS = load_lexicon().concepts
NAMES = [
    "age and sex, refitted here",
    "PREVENT-HF, 10 years",
    "PCP-HF, 10 years",
    "ARIC HF",
    "ARIC HF with NT-proBNP",
    "Framingham criteria met",
    "NT-proBNP, likely by age",
    "Health ABC HF",
]


def _noted(concept: str, value: float | None = None) -> Entry:
    evidence = Evidence(f"DocumentReference/{concept}", concept, DAY, 0, 3)
    return Entry(concept, DAY, DAY, Origin.NOTE, Presence.PRESENT, evidence, value=value)


def _line(number: int, born: int, *entries: Entry) -> Timeline:
    return Timeline(
        f"p{number}", DAY, Sex.MALE, date(born, 1, 1), entries, note_days=(DAY,),
        contact_days=(DAY,),
    )  # fmt: skip


def _data(lines: list[Timeline], outcome: list[int]) -> Data:
    people = np.array([line.patient_id for line in lines])
    weight = np.ones(len(lines))
    return Data(feature_matrix(lines, TABLE), lines, np.array(outcome), weight, people)


def _scores(data: Data, probability=None, **others) -> list[dict]:
    generator = np.random.default_rng(2)
    model = generator.random(len(data)) if probability is None else probability
    return published_scores(data, {"model": model, **others}, TABLE, CONCEPTS, 20, 1)


def test_published_scores_cover_patients_with_their_inputs_only():
    lines = []
    for i in range(200):
        ill = i % 4 == 0
        entries = [_noted("orthopnea"), _noted("raised_jvp")] if ill else []
        if i % 2 == 0:
            entries.append(_noted("nt_probnp", 900.0 if ill else 60.0))
        lines.append(_line(i, 1940 + i % 20, *entries))
    data = _data(lines, [int(i % 4 == 0) for i in range(200)])
    rows = _scores(data, **{AGE_AND_SEX: np.full(200, 0.1)})
    assert [row["name"] for row in rows] == NAMES
    age, prevent, _, _, _, criteria, peptide, _ = rows
    assert age["covered"] == 1 and age["auroc"].value == 0.5
    assert prevent["covered"] == 0  # no blood pressure, no kidney function
    assert criteria["covered"] == 1 and criteria["sensitivity"] == 1.0
    assert criteria["needed"] == 1.0 and criteria["auroc"].value == 1.0
    assert peptide["covered"] == 0.5 and peptide["auroc"].value == 1.0
    assert peptide["per_1000"] == pytest.approx(250)
    assert peptide["refused"] == [{"reason": "missing: nt probnp", "share": 0.5}]


def _with_prevent_inputs(number: int, sbp: float) -> Timeline:
    values = {"systolic_bp": sbp, "bmi": 27.0, "egfr": 80.0}
    return _line(number, 1964, *(_noted(key, value) for key, value in values.items()))


def test_published_scores_difference_is_paired_and_the_best_rival_is_marked():
    pressures = np.linspace(112, 178, 120)
    lines = [_with_prevent_inputs(i, sbp) for i, sbp in enumerate(pressures)]
    outcome = [int(i % 10 > 10 - i // 12) for i in range(120)]
    data = _data(lines, outcome)
    rows = {row["name"]: row for row in _scores(data, probability=pressures / 200)}
    prevent = rows["PREVENT-HF, 10 years"]
    # The model ranks as PREVENT does: paired, the difference is nothing, whoever is drawn.
    assert prevent["covered"] == 1
    assert (prevent["difference"].low, prevent["difference"].high) == (0, 0)
    assert prevent["model_auroc"] == prevent["auroc"]
    assert prevent["auroc"].low < prevent["auroc"].high
    assert [name for name, row in rows.items() if row["best"]] == ["PREVENT-HF, 10 years"]
    assert rows["Framingham criteria met"]["difference"].value > 0


def test_published_score_that_fails_costs_no_run(monkeypatch):
    def fails(timeline):
        raise ZeroDivisionError

    monkeypatch.setattr("clinical_nlp.training.risk.published.nt_probnp_rule", fails)
    rows = _scores(_data([_line(i, 1950) for i in range(4)], [0, 1, 0, 1]))
    told = next(row for row in rows if row["name"] == "NT-proBNP, likely by age")
    assert told["reason"] == "failed: ZeroDivisionError" and told["covered"] == 0
    assert next(row for row in rows if row["name"] == "Framingham criteria met")["covered"] == 1


def _page(rows: list[dict]) -> str:
    metrics = json.loads((shipped_folder("hf-risk") / METRICS).read_text("utf-8"))
    metrics["baselines"] = json.loads(metrics_to_json(to_plain({"rows": rows})))["rows"]
    return results_markdown(metrics)


def test_table_renders_with_every_score_uncomputable():
    """Nobody has an outcome, a birth date or a measurement."""
    lines = [
        Timeline(f"p{i}", DAY, Sex.UNKNOWN, None, note_days=(DAY,), contact_days=(DAY,))
        for i in range(6)
    ]
    rows = _scores(_data(lines, [0] * 6))
    assert not any(row["best"] for row in rows)
    for row in rows:
        assert row["auroc"] is row["model_auroc"] is row["difference"] is None
        assert row["reason"]
    page = _page(rows)
    assert "The model beside the best" not in page
    pcp_hf = next(line for line in page.splitlines() if line.startswith("| PCP-HF, 10 years |"))
    assert "not in the catalogue: hdl cholesterol; not in the catalogue: qrs duration" in pcp_hf
    assert f"| Health ABC HF | 0.0%, 0 outcomes: {LEFT_OUT['Health ABC HF']} | – | – | – |" in page
    assert "no outcome among the patients that it covers" in page


def test_table_names_the_best_score_and_why_others_give_no_answer():
    pressures = np.linspace(112, 178, 120)
    lines = [_with_prevent_inputs(i, sbp) for i, sbp in enumerate(pressures)]
    lines += [_line(i, 1930) for i in range(120, 160)]
    outcome = [int(i % 10 > 10 - i // 12) for i in range(120)] + [i % 2 for i in range(40)]
    page = _page(_scores(_data(lines, outcome), probability=np.linspace(0, 1, 160)))
    best = "The model beside the best of them, PREVENT-HF, 10 years: 0."
    assert best in page and "on the 75% of the patients that it covers" in page
    assert "- PREVENT-HF, 10 years: missing: bmi 25.0%, " in page
    assert "outside the limits: age 25.0%" in page
