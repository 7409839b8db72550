"""The whole pipeline, rules and mentions, on two cores: notes a second, memory, cache.

    python benchmarks/full_pipeline.py EXPORT [EXPORT ...] [--processes 2] [--notes N]

Each setting reads the same notes in fresh processes with one thread each, as the nightly
batch does: every process takes an equal share, and the slowest one's time counts. Every
process reads a few notes first, then forgets them.

Memory is given twice: the sum of the processes' peaks of resident memory, in which what they
share (libraries) counts once for each, and the sum of their proportional shares (PSS) at the
end, in which it counts once. ``--threads`` gives every process more threads, so that one
process of two can be set against two of one.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rule_path import export_texts

if TYPE_CHECKING:
    from spacy.language import Language

WARM_UP = 20

#: Name, whether the mention model runs, its settings.
SETTINGS: tuple[tuple[str, bool, dict[str, Any]], ...] = (
    ("rules alone", False, {}),
    ("rules + mentions", True, {}),
    ("... without the cache", True, {"cache_mib": 0}),
    ("... in float32, without the cache", True, {"cache_mib": 0, "backend": "float32"}),
)


@dataclass(frozen=True, slots=True)
class Measured:
    """What one process measured."""

    seconds: float
    peak_mib: float
    share_mib: float
    hits: int
    misses: int
    mentions: list[tuple[int, int, str]]


def pipeline(mentions: bool, settings: dict[str, Any]) -> Language:
    """The pipeline with the mention model set up for one back end."""
    import clinical_nlp

    nlp = clinical_nlp.load(reader=False)
    if mentions:
        nlp.add_pipe("clinical_mentions", before="es_assertion", config=settings)
    return nlp


def share_mib() -> float:
    """Proportional share of this process in the machine's memory; 0 where Linux is not."""
    rollup = Path("/proc/self/smaps_rollup")
    if not rollup.exists():
        return 0.0
    kib = [line.split()[1] for line in rollup.read_text().splitlines() if line.startswith("Pss:")]
    return int(kib[0]) / 1024


def measure(
    texts: list[str],
    mentions: bool,
    settings: dict[str, Any],
    threads: int,
    start: Any,  # noqa: ANN401 - a barrier's proxy has no public type
) -> Measured:
    """Read the texts; runs alone in its process."""
    import torch

    torch.set_num_threads(threads)
    nlp = pipeline(mentions, settings)
    list(nlp.pipe(texts[-WARM_UP:]))
    engine = nlp.get_pipe("clinical_mentions").engine if mentions else None
    if engine is not None:
        engine.cache.clear()
    start.wait()
    began = perf_counter()
    found: list[tuple[int, int, str]] = []
    for number, doc in enumerate(nlp.pipe(texts)):
        if mentions:
            found += [(number, m.start, m.label) for m in doc._.mentions]
    seconds = perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    # Every process is alive still: what they share is shared.
    start.wait()
    share = share_mib()
    start.wait()
    hits, misses = (engine.cache.hits, engine.cache.misses) if engine is not None else (0, 0)
    return Measured(seconds, peak, share, hits, misses, found)


def run(
    texts: list[str], processes: int, threads: int, mentions: bool, settings: dict[str, Any]
) -> list[Measured]:
    """Share the texts among fresh processes; one Measured each."""
    context = get_context("spawn")
    shares = [texts[number::processes] for number in range(processes)]
    with context.Manager() as manager, context.Pool(processes, maxtasksperchild=1) as pool:
        barrier = manager.Barrier(processes)
        tasks = [(share, mentions, settings, threads, barrier) for share in shares]
        return pool.starmap(measure, tasks, chunksize=1)


def main() -> None:
    """Measure and print a table for each export."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("exports", type=Path, nargs="+", help="FHIR bulk exports with notes")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1, help="of each process (default 1)")
    parser.add_argument("--notes", type=int, help="read only the first N notes of each")
    arguments = parser.parse_args()
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(arguments.threads)
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    console = Console(file=sys.stdout)
    for export in arguments.exports:
        texts = export_texts(export, arguments.notes)
        words = sum(len(text.split()) for text in texts)
        table = Table(
            title=f"{export.name}: {len(texts):,} notes, {words:,} words, "
            f"{arguments.processes} processes of {arguments.threads} threads"
        )
        columns = ("notes/s", "notes/s of 250 words", "hit rate", "peak MiB", "PSS MiB")
        for column in ("setting", *columns):
            table.add_column(column, justify="left" if column == "setting" else "right")
        mentions_of: dict[str, list[list[tuple[int, int, str]]]] = {}
        for name, mentions, settings in SETTINGS:
            parts = run(texts, arguments.processes, arguments.threads, mentions, settings)
            seconds = max(part.seconds for part in parts)
            hits, misses = sum(p.hits for p in parts), sum(p.misses for p in parts)
            mentions_of[name] = [part.mentions for part in parts]
            table.add_row(
                name,
                f"{len(texts) / seconds:.0f}",
                f"{words / 250 / seconds:.0f}",
                f"{hits / (hits + misses):.0%}" if hits else "",
                f"{sum(part.peak_mib for part in parts):.0f}",
                f"{sum(part.share_mib for part in parts):.0f}",
            )
        console.print(table)
        console.print(f"int8 and float32 agree on {agreement(mentions_of):.2%} of the mentions")


def agreement(mentions_of: dict[str, list[list[tuple[int, int, str]]]]) -> float:
    """F1 of the default's mentions against float32's, by note, start and label."""
    ours, exact = (
        {(share, *mention) for share, found in enumerate(mentions_of[name]) for mention in found}
        for name in (SETTINGS[1][0], SETTINGS[3][0])
    )
    return 2 * len(ours & exact) / max(1, len(ours) + len(exact))


if __name__ == "__main__":
    main()
