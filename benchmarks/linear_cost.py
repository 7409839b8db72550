"""Cost against length of a note and number of notes, up to a million words and 100,000 notes.

    python benchmarks/linear_cost.py EXPORT [--plot docs/img/linear_cost.png]

Notes are made of the export's sentences, drawn at random; the cache of results is off, so
that what is measured is the reading. One process, one thread. A straight line of slope 1 on
the plot is a cost that grows as its load.
"""

from __future__ import annotations

import argparse
import random
import resource
import sys
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

import torch
from full_pipeline import pipeline
from rich.console import Console
from rich.table import Table
from rule_path import export_texts
from spacy.language import Language

LENGTHS = (100, 1_000, 10_000, 100_000, 1_000_000)
COUNTS = (10, 100, 1_000, 10_000, 100_000)
SENTENCES_A_NOTE = 1


def note_of(sentences: Sequence[str], words: int, chosen: random.Random) -> str:
    """A note of that many words, out of whole sentences but the last."""
    taken: list[str] = []
    while len(taken) < words:
        taken += chosen.choice(sentences).split()
    return " ".join(taken[:words])


def seconds_of(nlp: Language, texts: Sequence[str]) -> float:
    """Read the texts and forget them."""
    began = perf_counter()
    for _ in nlp.pipe(texts):
        pass
    return perf_counter() - began


def draw(lengths: dict[int, float], counts: dict[int, float], words: int, path: Path) -> None:
    """Both curves on doubly logarithmic axes, each beside the line of constant cost."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    panels = ((lengths, "words in one note"), (counts, f"notes of about {words} words"))
    for axis, (measured, label) in zip(axes, panels, strict=True):
        x, y = list(measured), list(measured.values())
        middle = len(x) // 2
        axis.loglog(x, y, "o-", color="#1f5f8b", label="measured")
        ideal = [y[middle] * value / x[middle] for value in x]
        axis.loglog(x, ideal, "--", color="#999999", label="in proportion")
        axis.set_xlabel(label)
        axis.set_ylabel("seconds")
        axis.grid(alpha=0.3)
        axis.legend(frameon=False)
    figure.savefig(path, dpi=110)


def main() -> None:
    """Measure, print, draw."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("export", type=Path, help="folder of a FHIR bulk export with notes")
    parser.add_argument("--plot", type=Path, help="where the picture goes (PNG)")
    parser.add_argument("--most-words", type=int, default=LENGTHS[-1])
    parser.add_argument("--most-notes", type=int, default=COUNTS[-1])
    parser.add_argument("--rules-alone", action="store_true", help="leave the mention model out")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    nlp = pipeline(not arguments.rules_alone, {"cache_mib": 0})
    sentences = [
        sentence.text
        for doc in nlp.pipe(export_texts(arguments.export, 200))
        for sentence in doc.sents
        if sentence.text.strip()
    ]
    chosen = random.Random(7)
    lengths = {
        words: seconds_of(nlp, [note_of(sentences, words, chosen)])
        for words in LENGTHS
        if words <= arguments.most_words
    }
    counts: dict[int, float] = {}
    size = 0.0
    for count in COUNTS:
        if count <= arguments.most_notes:
            texts = [" ".join(chosen.choices(sentences, k=SENTENCES_A_NOTE)) for _ in range(count)]
            size = sum(len(text.split()) for text in texts) / count
            counts[count] = seconds_of(nlp, texts)
    table = Table(title="seconds, one process, one thread, no cache")
    for column in ("load", "seconds", "microseconds a word"):
        table.add_column(column, justify="right")
    for words, taken in lengths.items():
        table.add_row(f"one note of {words:,} words", f"{taken:.2f}", f"{1e6 * taken / words:.0f}")
    for count, taken in counts.items():
        each = 1e6 * taken / count / size
        table.add_row(f"{count:,} notes of {size:.0f} words", f"{taken:.2f}", f"{each:.0f}")
    console = Console(file=sys.stdout)
    console.print(table)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    console.print(f"peak memory {peak:.0f} MiB")
    if arguments.plot:
        draw(lengths, counts, round(size), arguments.plot)


if __name__ == "__main__":
    main()
