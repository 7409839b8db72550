from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from clinical_nlp.batch.drift import Level, compare_batches, drift_html
from clinical_nlp.cli.app import app


def batch(folder, seed=0, patients=800, older=0.0, model="a"):
    """What the batch leaves of patients whose age alone may differ."""
    generator = np.random.default_rng(seed)
    age = generator.normal(65 + older, 10, patients).round()
    folder.mkdir()
    pq.write_table(
        pa.table({"patient_id": [f"secret-{i}" for i in range(patients)], "age": age,
                  "bnp": generator.normal(size=patients)}),
        folder / "features.parquet",
    )  # fmt: skip
    pq.write_table(
        pa.table({"probability": 1 / (1 + np.exp(6 - age / 20)), "notes": [3] * patients,
                  "findings": generator.poisson(9, patients), "status": ["scored"] * patients}),
        folder / "estimates.parquet",
    )  # fmt: skip
    counts = dict.fromkeys(("seen", "with_text", "scored", "worklist"), patients)
    run = {
        "as_of": "2024-06-30",
        "model": {"version": "1", "digest": model},
        "pipeline": "p",
        "worklist_threshold": 0.1,
        "input": {"digest": str(seed)},
        "patients": {**counts, "diagnosed": 0, "abstained": 0},
    }
    (folder / "run.json").write_text(json.dumps(run))
    return folder


def test_compare_batches_of_one_population_is_stable(tmp_path):
    found = compare_batches(batch(tmp_path / "a"), batch(tmp_path / "b", seed=1))
    assert found.level is Level.STABLE


def test_compare_batches_with_older_patients_shifts_age_and_score(tmp_path):
    found = compare_batches(batch(tmp_path / "a"), batch(tmp_path / "b", seed=1, older=8))
    assert found.level is Level.MAJOR
    assert {one.name for one in found.shifts if one.level} == {"age", "probability"}


def test_compare_batches_of_small_batches_ignores_chance(tmp_path):
    """With 60 patients ten bins shift by more than 0.1 without anything having happened."""
    found = compare_batches(
        batch(tmp_path / "a", patients=60), batch(tmp_path / "b", seed=1, patients=60)
    )
    assert found.level is Level.STABLE
    assert max(one.stability.index for one in found.shifts) > 0.1


@pytest.mark.parametrize(("older", "code"), [(0, 0), (4, 8), (9, 9)])
def test_drift_command_exit_code_is_the_level(tmp_path, older, code):
    batch(tmp_path / "a", patients=3000)
    batch(tmp_path / "b", seed=1, patients=3000, older=older)
    page = tmp_path / "drift.html"
    result = CliRunner().invoke(
        app, ["drift", str(tmp_path / "a"), str(tmp_path / "b"), "--report", str(page)]
    )
    assert result.exit_code == code, result.output
    text = page.read_text()
    assert "<table>" in text and "secret" not in text and "<script" not in text


def test_drift_report_names_changed_model(tmp_path):
    found = compare_batches(batch(tmp_path / "a"), batch(tmp_path / "b", model="b"))
    assert any("model changed" in note for note in found.notes)
    assert "model changed" in drift_html(found)


def test_compare_batches_of_other_folder_raises_coded_error(tmp_path):
    from clinical_nlp.errors import InputError

    batch(tmp_path / "a")
    (tmp_path / "b").mkdir()
    with pytest.raises(InputError, match="E273"):
        compare_batches(tmp_path / "a", tmp_path / "b")
    with pytest.raises(InputError, match="E274"):
        compare_batches(tmp_path / "a", batch(tmp_path / "c", patients=10))
