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
    help="FHIR R4 bulk exports with known outcomes to fit to; or give --prevalence.",
    show_default=False,
)
_OUT = typer.Option("--out", metavar="DIR", help="New folder for the result.", show_default=False)
_PREVALENCE = typer.Option(
    "--prevalence",
    min=0.0,
    max=100.0,
    metavar="PERCENT",
    help="Local share of first diagnoses in 12 months, where no export tells it.",
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

    With exports, the line is fitted on part of their patients and judged on the others. The
    result is a folder like the first, to register and promote like any other.

    Example: clinical-nlp recalibrate models/hf-risk --prevalence 1.8 --out local
    """
    # Imported here: 'clinical-nlp --help' must not wait for torch and spaCy.
    from rich.console import Console

    from clinical_nlp.batch.extraction import load_pipeline
    from clinical_nlp.cli.cohorts import export_cohort
    from clinical_nlp.registry.recalibrated import TrainedFolder, write_recalibrated
    from clinical_nlp.training.config import read_recipe
    from clinical_nlp.training.risk.recalibration import (
        recalibrate_on_cohort,
        recalibrate_to_prevalence,
    )
    from clinical_nlp.training.risk.recipe import Recipe

    if (prevalence is None) == (not exports):
        raise UsageError(
            "E126", "give either exports with known outcomes or --prevalence, one of the two"
        )
    if out is None or out.exists():
        raise UsageError("E127", "the result needs a separate folder: give --out a new one")
    source = TrainedFolder.read(model)
    if prevalence is not None:
        description = f"a local prevalence of {prevalence:g}%"
        result = recalibrate_to_prevalence(
            source.parts, prevalence / 100, source.metrics, source.predictions()
        )
    else:
        recipe, paths = read_recipe(config or source.recipe, Recipe), exports or []
        description = f"the patients of {len(paths)} FHIR export(s)"
        nlp, console = load_pipeline(mentions=False), Console(stderr=True)
        cohort = export_cohort(paths, recipe.cohort, nlp, console, concept_map)
        result = recalibrate_on_cohort(source.parts, cohort, recipe, source.metrics, slope)
    digest = write_recalibrated(result, source, out, description)
    typer.echo(f"Recalibrated: slope {result.line[0]:.3f}, intercept {result.line[1]:+.3f}.")
    for name, measures in (("before", result.before), ("after", result.after)):
        if measures:
            typer.echo(
                f"{name}: calibration intercept {measures['calibration_intercept']}, "
                f"slope {measures['calibration_slope']}, ECE {measures['ece']}"
            )
    typer.echo(f"Wrote {out} (digest {digest[:16]}). Next: clinical-nlp registry register {out}")
