"""``clinical-nlp recalibrate``: fit a trained model's probabilities to another place."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clinical_nlp.cli.codes import CONCEPT_MAP
from clinical_nlp.errors import UsageError

_FOLDER = typer.Argument(
    help="Folder written by 'clinical-nlp train risk'.", metavar="MODEL", show_default=False
)
_EXPORTS = typer.Argument(
    metavar="[EXPORT]...",
    help="FHIR R4 bulk exports to fit to: their outcomes or, with --prevalence, their mean.",
    show_default=False,
)
_OUT = typer.Option("--out", metavar="DIR", help="New folder for the result.", show_default=False)
_PREVALENCE = typer.Option(
    "--prevalence",
    min=0.0,
    max=100.0,
    metavar="PERCENT",
    help="Local share of first diagnoses in 12 months; the mean estimate becomes this, on the "
    "exports or, without one, on the patients of the training.",
    show_default=False,
)
_SLOPE = typer.Option("--slope", help="Fit a slope too; takes 100 outcomes or more.")
_CONFIG = typer.Option(
    "--config",
    help="Recipe with the windows and the split. Default: the model's own recipe.toml.",
    show_default=False,
)


def recalibrate(
    model: Annotated[Path, _FOLDER],
    exports: Annotated[list[Path] | None, _EXPORTS] = None,
    out: Annotated[Path | None, _OUT] = None,
    prevalence: Annotated[float | None, _PREVALENCE] = None,
    slope: Annotated[bool, _SLOPE] = False,
    config: Annotated[Path | None, _CONFIG] = None,
    concept_map: Annotated[list[Path] | None, CONCEPT_MAP] = None,
) -> None:
    """Move a model's probabilities to a local prevalence; its ranking stays.

    With exports, the line is fitted on the outcomes of part of their patients and judged on the
    others. With --prevalence no outcome is needed: the intercept is moved so that the mean
    estimate of the patients at risk is that share. The result is a folder like the first, to
    register and promote like any other.

    Example: clinical-nlp recalibrate models/hf-risk --prevalence 1.8 --out local
    """
    # Imported here: 'clinical-nlp --help' must not wait for torch and spaCy.
    from rich.console import Console

    from clinical_nlp.batch.extraction import load_pipeline
    from clinical_nlp.cli.cohorts import export_cohort, export_probabilities
    from clinical_nlp.registry.recalibrated import TrainedFolder, write_recalibrated
    from clinical_nlp.training.config import read_recipe
    from clinical_nlp.training.risk.recalibration import (
        recalibrate_on_cohort,
        recalibrate_to_prevalence,
    )
    from clinical_nlp.training.risk.recipe import Recipe

    paths = exports or []
    if prevalence is None and not paths:
        raise UsageError(
            "E126",
            "there is nothing to recalibrate to: give exports with outcomes, or --prevalence",
        )
    if out is None or out.exists():
        raise UsageError("E127", "the result needs a separate folder: give --out a new one")
    source = TrainedFolder.read(model)
    console = Console(stderr=True, highlight=False)
    if prevalence is not None:
        description = f"a local prevalence of {prevalence:g}%"
        local = None
        if paths:
            description += f" among the patients at risk of {len(paths)} FHIR export(s)"
            nlp = load_pipeline(mentions=False)
            local = export_probabilities(paths, source.parts, nlp, console, concept_map)
        result = recalibrate_to_prevalence(
            source.parts,
            prevalence / 100,
            source.metrics,
            source.predictions(),
            source.digest,
            local,
        )
    else:
        recipe = read_recipe(config or source.recipe, Recipe)
        description = f"the patients of {len(paths)} FHIR export(s)"
        nlp = load_pipeline(mentions=False)
        cohort = export_cohort(paths, recipe.cohort, nlp, console, concept_map)
        result = recalibrate_on_cohort(
            source.parts, cohort, recipe, source.metrics, slope, source.digest
        )
    digest = write_recalibrated(result, source, out, description)
    typer.echo(f"Recalibrated: slope {result.line[0]:.3f}, intercept {result.line[1]:+.3f}.")
    for name, measures in (("before", result.before), ("after", result.after)):
        if measures:
            typer.echo(
                f"{name}: calibration intercept {measures['calibration_intercept']}, "
                f"slope {measures['calibration_slope']}, ECE {measures['ece']}"
            )
    typer.echo(f"Wrote {out} (digest {digest[:16]}). Next: clinical-nlp registry register {out}")
