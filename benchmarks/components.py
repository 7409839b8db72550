"""Processor time of each component of the rule path, beside another checkout's.

    python benchmarks/components.py NOTES.jsonl.gz [--against OTHER/.venv/bin/python] [--runs 3]

Each checkout reads the same notes in a process of its own, one chunk in turn, so that both meet the
same load of the machine. The least time of a chunk over the runs counts; printed are
milliseconds a note. Rows of NOTES hold the note in ``text``.
"""

from __future__ import annotations

import argparse
import gzip
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from time import process_time

from rich.console import Console
from rich.table import Table

CHUNK = 40


def texts_of(path: Path) -> list[str]:
    """Read the notes of a file of JSON lines, plain or gzipped."""
    content = path.read_bytes()
    lines = (gzip.decompress(content) if path.suffix == ".gz" else content).splitlines()
    return [json.loads(line)["text"] for line in lines]


def work(path: Path) -> None:
    """Answer each number of a chunk on standard input with the seconds of each component."""
    from clinical_nlp.pipeline.assembly import build

    nlp, texts = build(), texts_of(path)
    for line in sys.stdin:
        seconds: Counter[str] = Counter()
        for text in texts[int(line) : int(line) + CHUNK]:
            began = process_time()
            doc = nlp.make_doc(text)
            seconds["tokenizer"] += process_time() - began  # type: ignore[assignment]
            for name, component in nlp.pipeline:
                began = process_time()
                doc = component(doc)
                seconds[name] += process_time() - began  # type: ignore[assignment]
        print(json.dumps(seconds), flush=True)


class Reader:
    """A process that reads chunks with one checkout's pipeline."""

    def __init__(self, python: str, path: Path) -> None:
        command = [python, "-P", __file__, str(path), "--worker"]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.least: dict[tuple[str, int], float] = {}

    def read(self, chunk: int) -> None:
        """Read a chunk and keep each component's least time over the runs."""
        given, taken = self._process.stdin, self._process.stdout
        assert given is not None and taken is not None  # noqa: S101 - both are pipes
        print(chunk, file=given, flush=True)
        for name, seconds in json.loads(taken.readline()).items():
            key = name, chunk
            self.least[key] = min(seconds, self.least.get(key, seconds))

    def milliseconds(self, notes: int) -> dict[str, float]:
        """Milliseconds a note of each component, and of all."""
        total: Counter[str] = Counter()
        for (name, _), seconds in self.least.items():
            total[name] += 1000 * seconds / notes  # type: ignore[assignment]
        return {**total, "all": sum(total.values())}


def main() -> None:
    """Time the components and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("notes", type=Path)
    parser.add_argument("--against", help="Python of another checkout's environment")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        work(options.notes)
        return
    count = len(texts_of(options.notes))
    pythons = [sys.executable, *([options.against] if options.against else [])]
    readers = [Reader(python, options.notes.resolve()) for python in pythons]
    for _ in range(options.runs):
        for chunk in range(0, count, CHUNK):
            for reader in readers:
                reader.read(chunk)
    rows = [reader.milliseconds(count) for reader in readers]
    table = Table("component", *["here", "other", "ratio"][: 1 if len(rows) == 1 else 3])
    for name in dict.fromkeys(name for row in rows for name in row):
        times = [row.get(name) for row in rows]
        cells = ["–" if time is None else f"{time:.3f}" for time in times]
        if len(times) == 2:
            here, other = times
            cells.append(f"{here / other:.2f}" if here and other else "–")
        table.add_row(name, *cells)
    Console().print(table)


if __name__ == "__main__":
    main()
