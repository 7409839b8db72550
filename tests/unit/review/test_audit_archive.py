from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from clinical_nlp.cli.app import app
from clinical_nlp.errors import InputError
from clinical_nlp.review.archive import REVIEWS, add_review, archive_batch, reviews


@pytest.fixture
def archive(tmp_path):
    """An archive with one batch of two estimates."""
    out = tmp_path / "out"
    out.mkdir()
    rows = {"estimate_id": ["e1", "e2"], "patient_id": ["a", "b"], "probability": [0.2, None]}
    pq.write_table(pa.table(rows), out / "audit.parquet")
    (out / "run.json").write_text('{"as_of": "2024-06-30"}')
    archive_batch(out, tmp_path / "archive")
    return tmp_path / "archive"


def test_archive_batch_stores_batch_once_and_read_only(archive, tmp_path):
    again = archive_batch(tmp_path / "out", archive)
    assert [path for path in archive.iterdir() if path.is_dir()] == [again]
    assert (again / "audit.parquet").stat().st_mode & 0o777 == 0o400


def test_review_is_listed_with_its_estimate(archive):
    def run(*arguments):
        result = CliRunner().invoke(app, ["audit", *arguments])
        assert result.exit_code == 0, result.output
        return result.output

    run("review", str(archive), "e1", "--by", "Dra. Gil", "--decision", "agree", "--why", "echo")
    run("review", str(archive), "e2", "--by", "Dr. Paz", "--decision", "disagree", "--why", "x")
    shown = json.loads(run("show", str(archive), "e1"))
    assert shown["patient_id"] == "a"
    assert [(r["by"], r["decision"]) for r in shown["reviews"]] == [("Dra. Gil", "agree")]


def test_add_review_unknown_estimate_raises_e275(archive):
    with pytest.raises(InputError, match="E275"):
        add_review(archive, "e3", "ana", "agree", "because")


@pytest.mark.parametrize("change", ["edit", "remove"])
def test_reviews_changed_line_raises_e275(archive, change):
    for why in ("one", "two", "three"):
        add_review(archive, "e1", "ana", "agree", why)
    lines = (archive / REVIEWS).read_text().splitlines(keepends=True)
    if change == "edit":
        lines[1] = lines[1].replace("two", "ten")
    else:
        del lines[1]
    (archive / REVIEWS).write_text("".join(lines))
    with pytest.raises(InputError, match="E275"):
        reviews(archive)
    with pytest.raises(InputError, match="E275"):
        add_review(archive, "e1", "ana", "agree", "four")
