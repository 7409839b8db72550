"""Memory against the number of notes read, up to a million, each with words of its own.

    python benchmarks/memory.py [--notes 1000000] [--processes 1] [--plot memory.png]

A note is a sentence of a simulated patient and what makes real notes differ: names, numbers of
record and referral, and a misspelt word. About eight of its words were never read before.
They are read as the nightly batch reads them. Resident memory is the operating system's
(/proc, Linux), of this process and of each worker; growth is the slope of a straight line through
the second half. ``--keep`` never starts a new vocabulary, as before; ``--digest`` prints a hash
of all findings, which must not depend on it.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import re
import statistics
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

from rich.console import Console

from clinical_nlp.batch.extraction import NoteReader, NoteReading, load_pipeline
from clinical_nlp.pipeline.tokenizer import tokenizer
from clinical_nlp.simulation import load_parameters, simulate_patients

BATCH = 256
_SYLLABLES = tuple(
    c + v for c in "bcdfghjlmnñprstvz" for v in ("a", "e", "i", "o", "u", "an", "er")
)


def sentences(patients: int, seed: int) -> list[str]:
    """Distinct sentences of simulated patients' notes."""
    found: dict[str, None] = {}
    for patient in simulate_patients(patients, seed, load_parameters()):
        for note in patient.record.notes:
            found.update(dict.fromkeys(re.split(r"(?<=[.;])\s+|\n+", note.text)))
    return [sentence for sentence in found if 10 < len(sentence) < 100]


def note_of(taken: list[str], chosen: random.Random) -> str:
    """A sentence and the words that only this note has."""
    words = chosen.choice(taken).split(" ")
    at = chosen.randrange(len(words))
    words[at] += "".join(chosen.choices("aeionrs", k=2)) + chosen.choice("kxwq")
    names = ["".join(chosen.choices(_SYLLABLES, k=4)).capitalize() for _ in range(4)]
    return (
        f"{names[0]} {names[1]}, NHC {chosen.randrange(10**8)}. {' '.join(words)} Volante "
        f"{chosen.randrange(10**6)}/{chosen.randrange(10**6)}. Dr. {names[2]} {names[3]}."
    )


def batches(count: int, taken: list[str], seed: int) -> Iterator[list[str]]:
    """Batches of notes, the same for the same seed."""
    chosen = random.Random(seed)
    for start in range(0, count, BATCH):
        yield [note_of(taken, chosen) for _ in range(min(BATCH, count - start))]


def resident() -> list[float]:
    """Resident MiB of this process and of its readers."""
    own = os.getpid()
    mine = Path(f"/proc/{own}/task/{own}/children").read_text().split()
    readers = [pid for pid in mine if "resource_tracker" not in _command(pid)]
    return [_resident(str(own)), *map(_resident, readers)]


def _command(pid: str) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")


def _resident(pid: str) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def slope(points: list[tuple[int, float]]) -> float:
    """Bytes a note, by least squares through the second half."""
    x, y = zip(*points[len(points) // 2 :], strict=True)
    return float(statistics.linear_regression(x, y).slope) * 2**20


def draw(points: list[tuple[int, float]], path: Path) -> None:
    """Total memory against notes."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot as plt

    figure, axis = plt.subplots(figsize=(7, 3.2), layout="constrained")
    axis.plot([n / 1000 for n, _ in points], [mib for _, mib in points], color="#1f5f8b")
    axis.set_xlabel("thousand notes read")
    axis.set_ylabel("resident memory, MiB")
    axis.set_ylim(bottom=0)
    axis.grid(alpha=0.3)
    figure.savefig(path, dpi=110)


def main() -> None:
    """Read, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--notes", type=int, default=1_000_000)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--patients", type=int, default=300, help="simulated, for the sentences")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="one vocabulary for all notes")
    parser.add_argument("--digest", action="store_true", help="print a hash of all findings")
    parser.add_argument("--plot", type=Path, help="where the picture goes (PNG)")
    given = parser.parse_args()
    if given.keep:
        if given.processes > 1:
            parser.error("--keep is for one process")
        tokenizer.MOST_WORDS = 2**62
    taken, nlp = sentences(given.patients, given.seed), load_pipeline(mentions=False)
    every, read, seconds = max(BATCH, given.notes // 200), 0, 0.0
    points: list[tuple[int, float]] = []
    digest = hashlib.sha256()
    by_process: list[float] = []
    console = Console(width=100)
    with NoteReader(nlp, given.processes) as reader:
        outcomes, began = reader.read(batches(given.notes, taken, given.seed)), perf_counter()
        for outcome in outcomes:
            read += len(outcome)
            if given.digest:
                found = [o.findings for o in outcome if isinstance(o, NoteReading)]
                digest.update(repr(found).encode())
            if not points or read - points[-1][0] >= every or read == given.notes:
                by_process = resident()
                points.append((read, sum(by_process)))
                if len(points) % 20 == 1 or read == given.notes:
                    console.print(f"{read:>9,} notes  {sum(by_process):>6,.0f} MiB resident")
        seconds = perf_counter() - began
    console.print(f"growth in the second half: {slope(points):,.0f} bytes a note")
    console.print(f"at the end, by process: {', '.join(f'{mib:,.0f} MiB' for mib in by_process)}")
    console.print(f"{read / seconds:,.0f} notes a second")
    if given.digest:
        console.print(f"findings: {digest.hexdigest()[:16]}")
    if given.plot:
        draw(points, given.plot)


if __name__ == "__main__":
    main()
