"""``clinical-nlp recalibrate``: fit a trained model's probabilities to another place."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clinical_nlp.errors import OutputError, UsageError

if TYPE_CHECKING:
    from clinical_nlp.risk.model_artifacts import ModelArtifacts
    from clinical_nlp.training.risk.recalibration import Recalibrated

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
) -> None:
    """Move a model's probabilities to a local prevalence; its ranking stays.

    With exports, the line is fitted on part of their patients and judged on the others. The
    result is a folder like the first, to register and promote like any other.

    Example: clinical-nlp recalibrate models/hf-risk --prevalence 1.8 --out local
    """
    import json

    from clinical_nlp.artifacts import CARD, METRICS, MODEL_FOLDER
    from clinical_nlp.registry.artifact import load_model, save_model
    from clinical_nlp.registry.manifest import PREDICTIONS, verified_digest, write_manifest
    from clinical_nlp.training.risk.recalibration import card_section, to_prevalence
    from clinical_nlp.training.risk.results import as_json, predictions_text

    if (prevalence is None) == (not exports):
        raise UsageError(
            "E126", "give either exports with known outcomes or --prevalence, one of the two"
        )
    if out is None or out.exists():
        raise UsageError("E127", "the result needs a folder of its own: give --out a new one")
    parts = load_model(model / MODEL_FOLDER, verified_digest(model))
    metrics = json.loads((model / METRICS).read_text("utf-8"))
    if prevalence is not None:
        predicted = json.loads((model / PREDICTIONS).read_text("utf-8"))
        result = to_prevalence(parts, prevalence / 100, metrics, predicted)
        described = f"a local prevalence of {prevalence:g}%"
    else:
        recipe_file = config or model / "recipe.toml"
        result = _to_exports(parts, exports or [], recipe_file, metrics, slope)
        described = f"the patients of {len(exports or [])} FHIR export(s)"
    try:
        out.mkdir(parents=True)
        save_model(result.parts, out / MODEL_FOLDER)
        card = (model / CARD).read_text("utf-8")
        (out / CARD).write_text(f"{card}\n{card_section(result, described)}", "utf-8")
        (out / METRICS).write_text(as_json(result.metrics), "utf-8")
        (out / PREDICTIONS).write_text(predictions_text(result.predictions), "utf-8")
        if (model / "recipe.toml").is_file():
            shutil.copyfile(model / "recipe.toml", out / "recipe.toml")
        digest = write_manifest(out)
    except OSError as error:
        raise OutputError(
            "E515",
            f"the recalibrated model cannot be written to '{out}' ({error.strerror}): "
            "give another place with --out",
        ) from None
    typer.echo(f"Recalibrated: slope {result.line[0]:.3f}, intercept {result.line[1]:+.3f}.")
    for name, measures in (("before", result.before), ("after", result.after)):
        if measures:
            typer.echo(
                f"{name}: calibration intercept {measures['calibration_intercept']}, "
                f"slope {measures['calibration_slope']}, ECE {measures['ece']}"
            )
    typer.echo(f"Wrote {out} (digest {digest[:16]}). Next: clinical-nlp registry register {out}")


def _to_exports(
    parts: ModelArtifacts,
    exports: list[Path],
    config: Path,
    metrics: dict[str, object],
    slope: bool,
) -> Recalibrated:
    from rich.console import Console

    import clinical_nlp
    from clinical_nlp.cli.train import cohort_of_exports
    from clinical_nlp.training.config import read_recipe
    from clinical_nlp.training.risk.recalibration import to_cohort
    from clinical_nlp.training.risk.recipe import Recipe

    recipe = read_recipe(config, Recipe)
    cohort = cohort_of_exports(exports, recipe, clinical_nlp.load(), Console(stderr=True))
    return to_cohort(parts, cohort, recipe, metrics, slope)
