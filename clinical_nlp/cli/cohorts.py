"""Exports as training data: what ``train`` and ``recalibrate`` both open."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from spacy.language import Language

    from clinical_nlp.risk.model_artifacts import ModelArtifacts
    from clinical_nlp.training.risk.arrays import Vector
    from clinical_nlp.training.risk.dataset import Cohort
    from clinical_nlp.training.risk.recipe import CohortRecipe
    from clinical_nlp.training.risk.sources import PatientStream
    from fhir_adapters.reading.concept_map import ConceptMap


def export_cohort(
    exports: list[Path],
    recipe: CohortRecipe,
    nlp: Language,
    console: Console,
    concept_maps: list[Path] | None = None,
) -> Cohort:
    """Read exports, and the notes of the patients that the recipe samples.

    What is recognised of their codes is printed before any note is read.
    """
    from clinical_nlp.cli.codes import load_concept_maps, print_codes
    from clinical_nlp.lexicon import load_lexicon
    from clinical_nlp.risk.code_report import report_codes
    from clinical_nlp.training.risk.dataset import read_cohort

    lexicon, translation = load_lexicon(), load_concept_maps(concept_maps)
    with (
        opened_exports(exports, recipe, console, translation) as stream,
        patients_bar(console, stream.patients) as advance,
    ):
        codes = report_codes(stream.coded_events(), lexicon, translation.digest)
        print_codes(console, codes)
        cohort = read_cohort(stream.records, nlp, lexicon, stream.days, recipe, advance)
    cohort.codes, cohort.places = codes, stream.places
    return cohort


def export_probabilities(
    exports: list[Path],
    parts: ModelArtifacts,
    nlp: Language,
    console: Console,
    concept_maps: list[Path] | None = None,
) -> Vector:
    """Probability of everybody at risk on each export's day, as the batch would score them."""
    import numpy as np

    from clinical_nlp.cli.codes import load_concept_maps
    from clinical_nlp.records import ModelReference
    from clinical_nlp.risk.index_day import find_index_day
    from clinical_nlp.risk.model import RiskModel
    from clinical_nlp.training.risk.dataset import read_notes
    from fhir_adapters.reading import BulkExport

    model, translation = (
        RiskModel(parts, ModelReference("", "", "", "")),
        load_concept_maps(concept_maps),
    )
    found: list[float] = []
    for folder in exports:
        with BulkExport(folder, concept_map=translation) as source:
            summary = source.scan(lambda read: None)
            day = find_index_day(summary.days).day
            if day is None:
                continue
            with patients_bar(console, summary.patients) as advance:
                for record in source.records():
                    (estimate,) = model.estimate([(record, read_notes(record, nlp))], day)
                    if estimate.probability is not None:
                        found.append(estimate.probability)
                    advance(1)
    return np.array(found, dtype=np.float64)


@contextmanager
def opened_exports(
    exports: list[Path],
    recipe: CohortRecipe,
    console: Console,
    concept_map: ConceptMap | None = None,
) -> Iterator[PatientStream]:
    """Open and scan exports; their patients are read inside the context."""
    from clinical_nlp.training.risk.sources import scan_sources
    from fhir_adapters.reading import BulkExport

    with ExitStack() as stack:
        sources = [
            stack.enter_context(BulkExport(folder, concept_map=concept_map)) for folder in exports
        ]
        with console.status("Reading the export ..."):
            stream = scan_sources(sources, recipe)
        yield stream


@contextmanager
def patients_bar(console: Console, total: int) -> Iterator[Callable[[int], None]]:
    """Draw a bar of patients; yield what advances it."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = ("[bold]patients", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("patients", total=total)
        yield lambda done: bar.advance(task, done)
