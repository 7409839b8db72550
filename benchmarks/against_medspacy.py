"""Our pipeline and medSpaCy's own, on the same notes, in one run.

    python benchmarks/against_medspacy.py EXPORT [--notes N] [--catalogue CSV]

medSpaCy runs as its documentation has it: PyRuSH sentences, the target matcher with the
catalogue's surface forms, ConText and the sectionizer, on the tokenizer that
``medspacy.load`` builds. The forms that the catalogue marks as ambiguous
("DE" for disnea de esfuerzo) are left out for medSpaCy, which has no way to tell them by
context: with them, most of what it finds are prepositions (``--ambiguous`` shows it).
Each system reads the notes alone in a fresh process, one core, after a warm-up of twenty
notes; times are ratios within this run, so that they hold on another machine.
"""

from __future__ import annotations

import argparse
import csv
import multiprocessing
import resource
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from rich.console import Console
from rich.table import Table

WARM_UP = 20


@dataclass(frozen=True, slots=True)
class Measured:
    """One system's figures over all notes."""

    seconds: float
    peak_mib: float
    found: int
    words: int

    @property
    def notes_per_second(self) -> float:
        """Notes of 250 words a second."""
        return self.words / 250 / self.seconds


def _measure(find: Callable[[str], int], texts: list[str]) -> Measured:
    for text in texts[:WARM_UP]:
        find(text)
    began = perf_counter()
    found = sum(find(text) for text in texts)
    seconds = perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Measured(seconds, peak, found, sum(len(text.split()) for text in texts))


def measure_ours(texts: list[str], _: list[tuple[str, str]]) -> Measured:
    """Read with ``clinical_nlp.load()``; measurements do not count as found."""
    import clinical_nlp

    nlp = clinical_nlp.load()

    def find(text: str) -> int:
        return sum(finding.value is None for finding in nlp(text)._.findings)

    return _measure(find, texts)


def measure_medspacy(texts: list[str], forms: list[tuple[str, str]]) -> Measured:
    """Read with medSpaCy's own components and the catalogue's forms."""
    from loguru import logger

    logger.remove()  # PyRuSH logs every token of the note
    import medspacy
    from medspacy.ner import TargetRule

    nlp = medspacy.load(
        medspacy_enable=[
            "medspacy_tokenizer",
            "medspacy_pyrush",
            "medspacy_target_matcher",
            "medspacy_context",
            "medspacy_sectionizer",
        ]
    )
    nlp.get_pipe("medspacy_target_matcher").add(
        [TargetRule(literal=form, category=concept) for concept, form in forms]
    )

    def find(text: str) -> int:
        return len(nlp(text).ents)

    return _measure(find, texts)


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


def main() -> None:
    """Measure both and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("export", type=Path, help="folder of a FHIR bulk export with notes")
    parser.add_argument("--notes", type=int, help="read only the first N notes")
    parser.add_argument(
        "--catalogue",
        type=Path,
        default=Path("../shared/data/hf_catalogue.csv"),
        help="catalogue of surface forms for medSpaCy's target matcher",
    )
    parser.add_argument("--ambiguous", action="store_true", help="give medSpaCy every form")
    arguments = parser.parse_args()
    texts = export_texts(arguments.export, arguments.notes)
    forms = catalogue_forms(arguments.catalogue, arguments.ambiguous)
    systems = {"clinical-nlp": measure_ours, "medSpaCy": measure_medspacy}
    results: dict[str, Measured] = {}
    for name, measure in systems.items():
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            results[name] = pool.apply(measure, (texts, forms))
    table = Table(title=f"{len(texts)} notes, {sum(len(t.split()) for t in texts):,} words")
    for column in ("system", "seconds", "notes/s (250 words)", "ratio", "findings", "peak MiB"):
        table.add_column(column, justify="left" if column == "system" else "right")
    base = results["medSpaCy"].notes_per_second
    for name, measured in results.items():
        table.add_row(
            name,
            f"{measured.seconds:.1f}",
            f"{measured.notes_per_second:.0f}",
            f"{measured.notes_per_second / base:.1f}x",
            f"{measured.found:,}",
            f"{measured.peak_mib:.0f}",
        )
    Console(file=sys.stdout).print(table)


if __name__ == "__main__":
    main()
