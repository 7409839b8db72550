"""The nightly batch as its data engineer runs it."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from clinical_nlp.artifacts import published, read_manifest, shipped_folder
from clinical_nlp.records import EstimateStatus

Cli = Callable[..., subprocess.CompletedProcess[str]]

#: Outputs that must be the same bytes for the same input. run.json and report.html tell
#: the time that the run took.
REPEATABLE = (
    "fhir",
    "findings.parquet",
    "mentions.parquet",
    "estimates.parquet",
    "features.parquet",
    "audit.parquet",
    "worklist.csv",
    "quarantine.ndjson",
)


def digests(out: Path) -> dict[str, str]:
    out = published(out)
    files = [p for p in sorted(out.rglob("*")) if p.is_file()]
    return {
        str(p.relative_to(out)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in files
        if p.relative_to(out).parts[0] in REPEATABLE
    }


def all_digests(out: Path) -> dict[str, str]:
    out = published(out)
    return {
        path.relative_to(out).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in out.rglob("*")
        if path.is_file()
    }


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def resources(export: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(export.glob("*.ndjson*")):
        data = path.read_bytes()
        text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8")
        yield from (json.loads(line) for line in text.splitlines() if line.strip())


def test_batch_writes_all_outputs(demo_batch: Path) -> None:
    out = demo_batch / "out"
    names = {p.name for p in out.iterdir() if not p.name.startswith(".")}
    assert names == {
        "fhir",
        "findings.parquet",
        "estimates.parquet",
        "features.parquet",
        "audit.parquet",
        "worklist.csv",
        "report.html",
        "run.json",
        "quarantine.ndjson",
        "current",
        "runs",
    }
    run = json.loads((out / "run.json").read_text())
    assert run["outputs"] == {
        path: digest for path, digest in all_digests(out).items() if path != "run.json"
    }
    assert not (out / ".partial").exists(), "the spool of notes must be gone"


def test_batch_accounts_for_every_line(demo_batch: Path) -> None:
    run = json.loads((demo_batch / "out" / "run.json").read_text())
    seen = {name: counts["seen"] for name, counts in run["input"]["types"].items()}
    assert seen == Counter(r["resourceType"] for r in resources(demo_batch / "export"))
    assert run["input"]["adds_up"]
    assert run["patients"]["seen"] == run["input"]["patients"] == seen["Patient"]
    assert run["notes"]["seen"] == run["input"]["notes"]
    assert sum(run["patients"][state.value] for state in EstimateStatus) == seen["Patient"]


def test_batch_says_which_reader_read(demo_batch: Path) -> None:
    run = json.loads((demo_batch / "out" / "run.json").read_text())
    digest = read_manifest(shipped_folder("reader"))["digest"]
    assert run["reader"] == digest
    report = (demo_batch / "out" / "report.html").read_text("utf-8")
    assert f"<dt>Lector aprendido</dt><dd>huella <code>{digest}</code></dd>" in report
    table = pq.read_table(demo_batch / "out" / "findings.parquet").to_pylist()
    plain = [row for row in table if row["component"] != "measurement"]
    assert plain and all(0 <= row["probability"] <= 1 for row in plain)


def test_batch_writes_one_risk_assessment_per_patient(demo_batch: Path) -> None:
    assessments = rows(demo_batch / "out" / "fhir" / "RiskAssessment.ndjson")
    patients = [r["id"] for r in resources(demo_batch / "export") if r["resourceType"] == "Patient"]
    subjects = [a["subject"]["reference"].removeprefix("Patient/") for a in assessments]
    assert sorted(subjects) == sorted(patients)
    assert {a["status"] for a in assessments} == {"preliminary"}


def test_batch_worklist_is_sorted_and_matches_tasks(demo_batch: Path) -> None:
    out = demo_batch / "out"
    with (out / "worklist.csv").open(encoding="utf-8-sig", newline="") as lines:
        listed = list(csv.DictReader(lines))
    suspected = [row["state"] == "sospecha escrita" for row in listed]
    assert suspected == sorted(suspected, reverse=True), "suspicions come first"
    assert suspected == [row["risk_percent"] == "" for row in listed]
    risks = [float(row["risk_percent"]) for row in listed if row["risk_percent"]]
    assert risks == sorted(risks, reverse=True)
    tasks = rows(out / "fhir" / "Task.ndjson") if listed else []
    assert {t["for"]["reference"] for t in tasks} == {f"Patient/{r['patient_id']}" for r in listed}


def test_batch_of_same_input_writes_same_bytes(demo_batch: Path, tmp_path: Path, cli: Cli) -> None:
    """Also with two processes, and with the export's files renamed and recompressed."""
    export = tmp_path / "export"
    export.mkdir()
    for number, path in enumerate(sorted((demo_batch / "export").glob("*.ndjson*"), reverse=True)):
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        (export / f"{number:02}.ndjson.gz").write_bytes(gzip.compress(data))
    shutil.copy(demo_batch / "mlflow.db", tmp_path)
    if (demo_batch / "mlartifacts").exists():
        shutil.copytree(demo_batch / "mlartifacts", tmp_path / "mlartifacts")
    cli("batch", "export", "--out", "out", "--processes", "2", cwd=tmp_path)
    assert digests(tmp_path / "out") == digests(demo_batch / "out")


def test_batch_resources_pass_the_validator(demo_batch: Path, shared: Path) -> None:
    validator = shared / "tools" / "fhir-validate" / "fhir-validate"
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    files = sorted((demo_batch / "out" / "fhir").glob("*.ndjson"))
    done = subprocess.run(
        [validator, "--summary", *files], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert " 0 with errors" in done.stdout + done.stderr, "the validator must have run"


def resource(kind: str, **fields: Any) -> dict[str, Any]:
    return {"resourceType": kind, "subject": {"reference": "Patient/p"}, **fields}


def write_export(folder: Path, *lines: str) -> None:
    folder.mkdir()
    patient = {"resourceType": "Patient", "id": "p", "gender": "male", "birthDate": "1950-01-01"}
    condition = resource(
        "Condition",
        id="c",
        code={"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "I10"}]},
        onsetDateTime="2020-01-01",
    )
    whole = [json.dumps(patient), json.dumps(condition), *lines]
    (folder / "export.ndjson").write_text("\n".join(whole) + "\n", encoding="utf-8")


def test_batch_with_bad_line_keeps_the_rest(tmp_path: Path, here: Callable[..., int]) -> None:
    write_export(tmp_path / "export", '{"resourceType": "Condition", ', "null")
    assert here("batch", "export", "--out", "out", "--threshold", "0") == 3
    run = json.loads((tmp_path / "out" / "run.json").read_text())
    assert run["input"]["types"]["Condition"]["used"] == 1
    assert sum(run["quarantined"].values()) == 2
    assert run["patients"]["seen"] == 1


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["nowhere", "--out", "out"], 4, "nowhere"),
        (["empty", "--out", "out"], 4, "ndjson"),
        (["export", "--out", "export"], 2, "E101"),
        (["export", "--out", "mine"], 7, "E501"),
        (["export", "--out", "out", "--model", "models:/nobody@champion"], 6, "E4"),
        (["undated", "--out", "out"], 4, "--as-of"),
        (["nobody", "--out", "out"], 4, "no Patient"),
        (["export", "--out", "out", "--as-of", "yesterday"], 2, "as-of"),
        (["export", "--out", "out", "--processes", "0"], 2, "processes"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else "",
)
def test_batch_fatal_error_has_exit_code_and_sentence(
    tmp_path: Path,
    here: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    says: str,
) -> None:
    write_export(tmp_path / "export")
    (tmp_path / "empty").mkdir()
    (tmp_path / "undated").mkdir()
    (tmp_path / "undated" / "Patient.ndjson").write_text('{"resourceType":"Patient","id":"p"}\n')
    (tmp_path / "nobody").mkdir()
    condition = {"resourceType": "Condition", "id": "c", "subject": {"reference": "Patient/p"}}
    (tmp_path / "nobody" / "Condition.ndjson").write_text(json.dumps(condition) + "\n")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.odt").write_text("x")
    assert here("batch", *arguments) == code
    told = capsys.readouterr().err
    assert says in told
    assert "Traceback" not in told


def test_export_that_was_cut_leaves_the_night_before(
    tmp_path: Path, here: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert here("simulate", "--patients", "8", "--seed", "5", "export") == 0
    everyone = ("--quiet", "--no-reader", "--threshold", "0")
    assert here("batch", "export", "--out", "out", *everyone) == 0
    before = digests(tmp_path / "out")
    for lacking in (tmp_path / "export").glob("DocumentReference*"):
        lacking.unlink()
    assert here("batch", "export", "--out", "out", *everyone) == 9
    assert "DocumentReference" in capsys.readouterr().err
    assert digests(tmp_path / "out") == before
    assert here("batch", "export", "--out", "out", *everyone, "--accept-drop") in (0, 8)
    run = json.loads((tmp_path / "out" / "run.json").read_text())
    assert run["completeness"]["drop_accepted"] and run["input"]["notes"] == 0


def test_batch_with_mentions_writes_mentions_table(
    tmp_path: Path, here: Callable[..., int], cli: Cli
) -> None:
    assert here("simulate", "--patients", "2", "--seed", "5", "export") == 0
    everyone = ("--quiet", "--threshold", "0")  # an empty work list has an exit code of its own
    assert here("batch", "export", "--out", "plain", *everyone) == 0
    assert here("batch", "export", "--out", "one", *everyone, "--mentions") == 0
    cli("batch", "export", "--out", "two", *everyone, "--mentions", "-p", "2", cwd=tmp_path)
    # Mentions that make no findings change nothing else, and neither do processes.
    plain, one, two = (digests(tmp_path / name) for name in ("plain", "one", "two"))
    assert "mentions.parquet" not in plain
    assert one == two
    assert {name: d for name, d in one.items() if name != "mentions.parquet"} == plain
    table = pq.read_table(tmp_path / "one" / "mentions.parquet")
    written = json.loads((tmp_path / "one" / "run.json").read_text())["written"]
    assert table.num_rows == written["mentions.parquet"] > 0
    assert {"text", "lexical_variant"}.isdisjoint(table.column_names)
    rows_of = table.to_pylist()
    assert {row["label"] for row in rows_of} <= {"DISEASE", "SYMPTOM", "PROCEDURE", "MEDICATION"}
    assert any(row["concept"] for row in rows_of)
    patients = [row["patient_id"] for row in rows_of]
    assert patients == sorted(patients)
    # A run without them leaves none of an earlier run's behind.
    assert here("batch", "export", "--out", "one", *everyone) == 0
    assert digests(tmp_path / "one") == plain
