"""What a night costs that changes little: the first one, an unchanged one, and 1% changed.

    python benchmarks/nightly_state.py [--patients 2000] [--processes 1]

Simulates an export, runs ``clinical-nlp batch --state`` over it three times, the last time with a
new note for each hundredth patient, and prints seconds (loading the models among them) and their
share of the first night. The results of the last two are held against runs without a state.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

from rich.console import Console
from rich.table import Table

from clinical_nlp.artifacts import published

_NEW = "Disnea de esfuerzo desde hace dos semanas. Edemas. TA 152/88."


def cli(folder: Path, *arguments: str) -> float:
    """Run the program; return its seconds."""
    began = perf_counter()
    command = [str(Path(sys.executable).with_name("clinical-nlp")), *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 3, 8):
        raise SystemExit(done.stderr)
    return perf_counter() - began


def add_notes(export: Path, share: int) -> int:
    """Add a note of the export's last day to each ``share``-th patient who has one."""
    last: dict[str, dict[str, Any]] = {}
    for path in sorted(export.glob("DocumentReference*")):
        data = path.read_bytes()
        lines = (gzip.decompress(data) if path.suffix == ".gz" else data).splitlines()
        for line in lines:
            document = json.loads(line)
            last[document["subject"]["reference"]] = document
    new = []
    for number, document in enumerate(last[key] for key in sorted(last)):
        if number % share == 0:
            text = f"{_NEW} Ref. {number}."
            data_64 = base64.b64encode(text.encode()).decode()
            content = [{"attachment": {"contentType": "text/plain", "data": data_64}}]
            new.append({**document, "id": f"{document['id']}-new", "content": content})
    text = "".join(json.dumps(document) + "\n" for document in new)
    (export / "DocumentReference.new.ndjson").write_text(text, "utf-8")
    return len(new)


def outputs(folder: Path) -> dict[str, str]:
    """SHA-256 of the outputs that do not name the time."""
    run = json.loads((published(folder) / "run.json").read_text("utf-8"))
    digests: dict[str, str] = run["outputs"]
    return {name: digest for name, digest in digests.items() if name != "report.html"}


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=2000)
    parser.add_argument("--processes", type=int, default=1)
    given = parser.parse_args()
    options = ("--quiet", "--processes", str(given.processes))
    table = Table("night", "seconds", "of the first", "notes read", "patients reused")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        cli(folder, "simulate", "--patients", str(given.patients), "--seed", "3", "export")
        cli(folder, "simulate", "--patients", "2", "--seed", "3", "warm")
        cli(folder, "batch", "warm", "--out", "warm-out", "--quiet")  # the registry's first run
        first = 0.0
        for night in ("first", "unchanged", "1% changed"):
            if night == "1% changed":
                add_notes(folder / "export", 100)
            seconds = cli(folder, "batch", "export", "--out", "out", "--state", "state", *options)
            first = first or seconds
            state = json.loads((folder / "out" / "run.json").read_text("utf-8"))["state"]
            counts = (str(state["notes_read"]), str(state["patients_reused"]))
            table.add_row(night, f"{seconds:.1f}", f"{seconds / first:.1%}", *counts)
            if night != "first":
                cli(folder, "batch", "export", "--out", "plain", *options)
                if outputs(folder / "out") != outputs(folder / "plain"):
                    raise SystemExit(f"{night}: the results differ from those without a state")
    Console().print(table)


if __name__ == "__main__":
    main()
