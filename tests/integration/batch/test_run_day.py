"""The day of a run, and how a run says that its results as a whole are doubtful."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Here = Callable[..., int]


@pytest.fixture
def export(tmp_path: Path, demo_batch: Path) -> Path:
    """A copy of the demonstration export, to be made dirty."""
    shutil.copytree(demo_batch / "export", tmp_path / "export")
    return tmp_path / "export"


def record(out: Path) -> dict[str, Any]:
    return json.loads((out / "run.json").read_text())  # type: ignore[no-any-return]


def someone(export: Path) -> str:
    (path,) = export.glob("Patient.ndjson*")
    data = path.read_bytes()
    line = (gzip.decompress(data) if path.suffix == ".gz" else data).splitlines()[0]
    return str(json.loads(line)["id"])


def add(export: Path, kind: str, **fields: Any) -> None:
    """Add a resource of the first patient."""
    subject = {"reference": f"Patient/{someone(export)}"}
    number = len(list(export.glob("zz*")))
    line = {"resourceType": kind, "id": f"zz{number}", "subject": subject, **fields}
    (export / f"zz{number}.ndjson").write_text(json.dumps(line) + "\n")


DRUG = {"coding": [{"system": "http://www.whocc.no/atc", "code": "C03CA01"}]}
WEIGHT = {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]}


def prescription(end: str, start: str = "2024-03-01") -> dict[str, Any]:
    return {
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": DRUG,
        "authoredOn": start,
        "dispenseRequest": {"validityPeriod": {"start": start, "end": end}},
    }


def weight(day: str) -> dict[str, Any]:
    quantity = {"value": 70, "code": "kg"}
    return {"status": "final", "code": WEIGHT, "effectiveDateTime": day, "valueQuantity": quantity}


@pytest.mark.parametrize(
    ("kind", "fields", "not_believed", "code"),
    [
        ("MedicationRequest", prescription("2026-03-31"), 0, 0),
        ("MedicationRequest", prescription("2204-03-31"), 0, 0),
        ("Encounter", {"status": "in-progress", "class": {"code": "HH"},
                       "period": {"start": "2024-03-01", "end": "2026-01-01"}}, 0, 0),
        ("Condition", {"code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10",
                                            "code": "I10"}]},
                       "onsetDateTime": "2019-03-01", "abatementDateTime": "2026-02-01"}, 0, 0),
        ("Observation", weight("2026-03-02"), 1, 0),
        ("MedicationRequest", prescription("2026-09-01", start="2026-03-01"), 1, 0),
        ("Encounter", {"status": "finished", "class": {"code": "AMB"},
                       "period": {"start": "2026-02-03", "end": "2026-02-03"}}, 1, 0),
        ("Observation", weight("1924-03-02"), 0, 0),
        ("Observation", weight("2204-03-02"), 0, 3),  # after today: in quarantine
    ],
    ids=["end-of-prescription", "end-in-2204", "end-of-stay", "end-of-problem", "value",
         "start-of-prescription", "visit", "past", "future"],
)  # fmt: skip
def test_one_date_does_not_move_the_day(
    tmp_path: Path,
    demo_batch: Path,
    export: Path,
    here: Here,
    capsys: pytest.CaptureFixture[str],
    kind: str,
    fields: dict[str, Any],
    not_believed: int,
    code: int,
) -> None:
    add(export, kind, **fields)
    assert here("batch", "export", "--out", "out", "--quiet") == code
    clean, dirty = record(demo_batch / "out"), record(tmp_path / "out")
    assert dirty["as_of"] == clean["as_of"]
    assert dirty["patients"]["worklist"] >= clean["patients"]["worklist"] > 0
    assert len(dirty["input"]["days_not_believed"]) == not_believed
    assert [alert["code"] for alert in dirty["alerts"]] == ["E281"] * not_believed
    assert ("E281" in capsys.readouterr().err) == bool(not_believed)
    assert ("E281" in (tmp_path / "out" / "report.html").read_text("utf-8")) == bool(not_believed)


def test_wrong_day_ends_with_its_own_code_and_writes_everything(
    tmp_path: Path,
    demo_batch: Path,
    export: Path,
    here: Here,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert here("batch", "export", "--out", "out", "--quiet") == 0
    assert here("batch", "export", "--out", "out", "--quiet", "--as-of", "2027-01-01") == 8
    told = capsys.readouterr().err
    assert "Warning: E282" in told and "Warning: E283" in told
    assert {p.name for p in (demo_batch / "out").iterdir()} == {
        p.name for p in (tmp_path / "out").iterdir()
    }
    run = record(tmp_path / "out")
    assert run["as_of"] == "2027-01-01", "a day that is given is believed"
    assert [alert["code"] for alert in run["alerts"]] == ["E282", "E283"]


def test_empty_worklist_goes_before_quarantine(tmp_path: Path, export: Path, here: Here) -> None:
    (export / "bad.ndjson").write_text("null\n")
    assert here("batch", "export", "--out", "out", "--quiet", "--threshold", "100") == 8
    run = record(tmp_path / "out")
    assert sum(run["quarantined"].values()) == 1
    assert run["patients"]["worklist"] == run["patients"]["suspected"], "nobody is at risk"
