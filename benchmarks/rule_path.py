"""Our rule path beside medSpaCy's and EDS-NLP's, on the same notes, in one run.

    python benchmarks/rule_path.py EXPORT --edsnlp OTHER/bin/python [--notes N] [--runs 3]

Each system reads the notes alone in a fresh process on one core, after a warm-up of twenty
notes; the systems take turns, and the medians of the runs are given with their ratio within
this run, so that they hold on another machine. Seconds are the processor's, which other
programs on the machine disturb least. A word is what white space parts; a note has 250.

medSpaCy runs as its documentation has it: PyRuSH sentences, the target matcher with the
catalogue's surface forms, ConText and the sectionizer. Forms that the catalogue marks as
ambiguous ("DE" for disnea de esfuerzo) are left out for both peers, which have no way to
tell them by context (``--ambiguous`` gives them). EDS-NLP wants another spaCy than
medSpaCy: give it an environment of its own (``python -m venv OTHER``, then ``OTHER/bin/pip
install edsnlp``); without ``--edsnlp`` it is left out.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

READERS = Path(__file__).parent / "readers"


def catalogue_forms(path: Path, ambiguous: bool) -> list[tuple[str, str]]:
    """Surface forms of every concept but the measurements, as (concept, form)."""
    with path.open(encoding="utf-8", newline="") as lines:
        return [
            (row["concept_key"], form)
            for row in csv.DictReader(lines)
            if row["category"] != "measurement"
            for form in row["surface_forms_es"].split("|")
            if form and (ambiguous or form not in row["ambiguous_forms"].split("|"))
        ]


def export_texts(folder: Path, limit: int | None) -> list[str]:
    """Notes of an export, in the reader's order."""
    from fhir_adapters.reading import BulkExport

    with BulkExport(folder) as export:
        export.scan(lambda _: None)
        texts = [note.text for record in export.records() for note in record.notes]
    return texts[:limit]


def run(command: list[str], given: str) -> dict[str, float]:
    """Run a reader on one core and return its figures."""
    one_core = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    done = subprocess.run(
        command, input=given, env={**os.environ, **one_core}, capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(f"{command[1]} failed:\n{done.stderr[-2000:]}")
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def main() -> None:
    """Measure the systems in turn and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("export", type=Path, help="folder of a FHIR bulk export with notes")
    parser.add_argument("--notes", type=int, help="read only the first N notes")
    parser.add_argument("--runs", type=int, default=3, help="runs of each system (default 3)")
    parser.add_argument("--edsnlp", help="interpreter of an environment with EDS-NLP")
    parser.add_argument(
        "--catalogue",
        type=Path,
        default=Path("../shared/data/hf_catalogue.csv"),
        help="catalogue of surface forms for the peers' matchers",
    )
    parser.add_argument("--ambiguous", action="store_true", help="give the peers every form")
    arguments = parser.parse_args()
    texts = export_texts(arguments.export, arguments.notes)
    forms = catalogue_forms(arguments.catalogue, arguments.ambiguous)
    given = json.dumps({"texts": texts, "forms": forms})
    systems = {
        "clinical-nlp": [sys.executable, str(READERS / "ours.py")],
        "medSpaCy": [sys.executable, str(READERS / "medspacy_pipeline.py")],
    }
    if arguments.edsnlp:
        reader = str(READERS / "edsnlp_pipeline.py")
        systems["EDS-NLP"] = [arguments.edsnlp, reader]
        systems["EDS-NLP, normalised"] = [arguments.edsnlp, reader, "normalise"]
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in systems}
    for _ in range(arguments.runs):
        for name, command in systems.items():
            runs[name].append(run(command, given))
    words = sum(len(text.split()) for text in texts)
    table = Table(title=f"{len(texts)} notes, {words:,} words; medians of {arguments.runs} runs")
    for column in ("system", "cpu s", "notes/s (250 words)", "ratio", "found", "peak MiB"):
        table.add_column(column, justify="left" if column == "system" else "right")
    median = {
        name: {key: statistics.median(r[key] for r in figures) for key in figures[0]}
        for name, figures in runs.items()
    }
    base = median["medSpaCy"]["cpu_seconds"]
    for name, figures in median.items():
        table.add_row(
            name,
            f"{figures['cpu_seconds']:.1f}",
            f"{words / 250 / figures['cpu_seconds']:.0f}",
            f"{base / figures['cpu_seconds']:.1f}x",
            f"{figures['found']:,.0f}",
            f"{figures['peak_mib']:.0f}",
        )
    Console(file=sys.stdout).print(table)


if __name__ == "__main__":
    main()
