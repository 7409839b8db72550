"""``--reader`` and ``--no-reader`` on the command line, and what the outputs say of it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from clinical_nlp.artifacts import read_manifest, shipped_folder
from clinical_nlp.batch.extraction import load_pipeline
from clinical_nlp.batch.models import BatchModels
from clinical_nlp.pipeline.assembly import fingerprint

Cli = Callable[..., subprocess.CompletedProcess[str]]

TEXT = "Refiere disnea de esfuerzo. No ortopnea. TA 130/80."
ROW = json.dumps({"id": 1, "text": TEXT}) + "\n"


def extracted(cli: Cli, cwd: Path, *options: str) -> list[dict[str, Any]]:
    done = cli("extract", "-", "-", "--no-mentions", *options, cwd=cwd, stdin=ROW)
    return list(json.loads(done.stdout)["findings"])


def test_extract_says_who_decided_only_with_the_reader(cli: Cli, tmp_path: Path) -> None:
    read, by_rules = extracted(cli, tmp_path), extracted(cli, tmp_path, "--no-reader")
    assert all(f.keys() >= {"source", "probability"} for f in read if "value" not in f)
    assert all(not f.keys() & {"source", "probability"} for f in by_rules)
    assert {f["concept"] for f in by_rules} >= {"dyspnea_on_exertion", "orthopnea"}


def test_assert_without_the_reader_gives_the_flags_of_the_rules(cli: Cli, tmp_path: Path) -> None:
    start = TEXT.index("ortopnea")
    row = {"id": 1, "text": TEXT, "targets": [{"start": start, "end": start + 8}]}
    for options in ((), ("--no-reader",)):
        done = cli("assert", "-", "-", *options, cwd=tmp_path, stdin=json.dumps(row) + "\n")
        (target,) = json.loads(done.stdout)["targets"]
        assert target["negated"] and not target["family"]


def test_evaluate_reads_with_the_rules_alone_if_asked(cli: Cli, tmp_path: Path) -> None:
    note = "=== n1 | x | es\nRefiere {{disnea|dyspnea}}, no {{ortopnea|orthopnea|neg}}.\n"
    (tmp_path / "notes.txt").write_text(note, "utf-8")
    for options in ((), ("--no-reader",)):
        done = cli("evaluate", "findings", "notes.txt", "--json", *options, cwd=tmp_path)
        assert json.loads(done.stdout)


def test_batch_knows_the_digest_of_its_reader() -> None:
    shipped: Any = None  # the risk model is not asked
    nlp = load_pipeline(mentions=False)
    models = BatchModels(nlp, False, True, fingerprint(nlp), shipped)
    assert models.reader_digest == read_manifest(shipped_folder("reader"))["digest"]
    by_rules = load_pipeline(mentions=False, reader=False)
    without = BatchModels(by_rules, False, False, fingerprint(by_rules), shipped)
    assert without.reader_digest is None
    assert without.pipeline != models.pipeline


def test_models_list_names_the_reader_and_its_licence(cli: Cli, tmp_path: Path) -> None:
    lines = cli("models", "list", cwd=tmp_path).stdout.splitlines()
    (line,) = [line for line in lines if line.split()[:1] == ["reader"]]
    assert "CC-BY-SA-4.0" in line
    assert read_manifest(shipped_folder("reader"))["digest"][:16] in line


def test_confused_flags_are_logged_as_counts(reader_bench: Path) -> None:
    (logged,) = (reader_bench / "mlartifacts").rglob("confusions.json")
    counts = json.loads(logged.read_text("utf-8"))
    assert {key.split()[0] for key in counts} == {"rules", "reader"}
    assert all(isinstance(count, int) for count in counts.values())
    both = [sum(n for key, n in counts.items() if key.startswith(who)) for who in ("ru", "re")]
    assert both[0] == both[1] > 0
