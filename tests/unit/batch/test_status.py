"""What the status says of a night, and with which exit code."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from clinical_nlp.batch.output import OutputFolder, digests_of
from clinical_nlp.batch.status import NightStatus, metrics_text, read_status
from clinical_nlp.cli.app import app
from clinical_nlp.errors import InputError

NOW = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)
RECORD: dict[str, Any] = {
    "as_of": "2026-03-01",
    "finished": "2026-03-02T03:00:00+00:00",
    "alerts": [],
    "quarantined": {},
    "patients": {"seen": 40, "worklist": 3},
    "notes": {"seen": 400},
    "model": {"name": "hf-risk", "version": "3", "source": "registry", "asked": "x"},
    "seconds": {"scan": 1.5},
}


def publish(out: Path, delivered: dict[str, Any] | None = None, **changes: Any) -> None:
    with OutputFolder(out) as output:
        (output.staging / "worklist.csv").write_text("id\n")
        record = RECORD | {"outputs": digests_of(output.staging)} | changes
        (output.staging / "run.json").write_text(json.dumps(record))
        output.publish()
    if delivered is not None:
        (out / "current" / "delivered.json").write_text(json.dumps(delivered))


def test_status_of_a_quiet_night_is_zero(tmp_path: Path) -> None:
    publish(tmp_path / "out")
    found = read_status(tmp_path / "out", NOW, verify=True)
    assert (found.age_hours, found.exit_code, found.damaged) == (4.0, 0, [])
    assert found.delivered is None
    assert found.exit_code_now(max_age_hours=36) == 0


def test_status_of_an_old_night_is_stale_whatever_it_ended_with(tmp_path: Path) -> None:
    publish(tmp_path / "out", quarantined={"E221": 2})
    found = read_status(tmp_path / "out", NOW)
    assert found.exit_code_now(max_age_hours=4) == 3
    assert found.exit_code_now(max_age_hours=3.9) == 10


@pytest.mark.parametrize(
    ("alerts", "quarantined", "code"),
    [
        ([], {"E221": 1}, 3),
        (["E281"], {}, 0),  # mistyped dates: the results stand
        (["E281", "E283"], {"E221": 1}, 8),
        (["E282"], {}, 8),
    ],
)
def test_status_exit_code_is_that_of_the_batch(
    tmp_path: Path, alerts: list[str], quarantined: dict[str, int], code: int
) -> None:
    said = [{"code": alert, "message": "m"} for alert in alerts]
    publish(tmp_path / "out", alerts=said, quarantined=quarantined)
    assert read_status(tmp_path / "out", NOW).exit_code == code


def test_status_shows_a_changed_a_missing_and_an_added_file(tmp_path: Path) -> None:
    publish(tmp_path / "out")
    (tmp_path / "out" / "current" / "worklist.csv").write_text("other\n")
    (tmp_path / "out" / "current" / "extra.csv").write_text("")
    found = read_status(tmp_path / "out", NOW, verify=True)
    assert found.damaged == ["extra.csv", "worklist.csv"]
    assert found.exit_code_now(max_age_hours=36) == 10


def test_status_counts_what_was_written_back_and_hides_keys(tmp_path: Path) -> None:
    report = {
        "resources": {"Task": {"created": 2}, "Observation": {"created": 5, "unchanged": 1}},
        "retracted": {"note-withdrawn": 3},
        "touched": [{"key": "secret-key", "what": "changed"}],
        "refused": [],
    }
    publish(tmp_path / "out", delivered=report)
    found = read_status(tmp_path / "out", NOW, verify=True)
    assert found.delivered == {
        "created": 7,
        "unchanged": 1,
        "retracted": 3,
        "touched": 1,
        "refused": 0,
    }
    assert found.damaged == []  # written after the run
    assert "secret-key" not in json.dumps(found.to_json()) + metrics_text(found)


def test_status_of_the_next_night_is_not_written_back_yet(tmp_path: Path) -> None:
    publish(
        tmp_path / "out", delivered={"resources": {}, "retracted": {}, "touched": [], "refused": []}
    )
    publish(tmp_path / "out")
    assert read_status(tmp_path / "out", NOW).delivered is None


@pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"finished": 3}', "\x00"])
def test_status_without_a_readable_run_is_e273(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "run.json").write_text(content)
    with pytest.raises(InputError, match="E273"):
        read_status(tmp_path, NOW)


@given(st.text(), st.floats(0, 1e6))
def test_metrics_are_one_sample_a_line(name: str, seconds: float) -> None:
    status = NightStatus(
        "", "2026-03-01", NOW.isoformat(), 1, 0, {"seen": 1}, {}, {}, ["E281"],
        {"name": name}, {"scan": seconds}, None,
    )  # fmt: skip
    lines = metrics_text(status).removesuffix("\n").split("\n")
    assert all(line.startswith(("# HELP ", "# TYPE ", "clinical_nlp_")) for line in lines)
    samples = [line for line in lines if not line.startswith("#")]
    assert len({line.rsplit(" ", 1)[0] for line in samples}) == len(samples)
    assert float(samples[-3].rsplit(" ", 1)[1]) in (0, 1)
    assert 'clinical_nlp_patients{state="seen"} 1' in samples


def test_status_command_writes_metrics_and_json(tmp_path: Path) -> None:
    publish(tmp_path / "out", quarantined={"E221": 2})
    prom = tmp_path / "clinical_nlp.prom"
    arguments = ["status", str(tmp_path / "out"), "--json", "--metrics", str(prom)]
    done = CliRunner().invoke(app, [*arguments, "--max-age", "9999999"])
    assert done.exit_code == 3, done.output
    assert json.loads(done.stdout)["quarantined"] == {"E221": 2}
    assert 'clinical_nlp_quarantined{code="E221"} 2\n' in prom.read_text()
    assert prom.stat().st_mode & 0o777 == 0o644
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".new")] == []


def test_status_command_of_an_old_night_ends_with_ten(tmp_path: Path) -> None:
    publish(tmp_path / "out", finished="2020-01-01T00:00:00+00:00")
    done = CliRunner().invoke(app, ["status", str(tmp_path / "out")])
    assert done.exit_code == 10
    assert "older than 36 h" in done.stdout
