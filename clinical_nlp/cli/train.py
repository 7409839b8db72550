"""``clinical-nlp train``: make a model from a recipe."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from clinical_nlp.cli import train_encoder, train_ner, train_reader
from clinical_nlp.cli.codes import CONCEPT_MAP
from clinical_nlp.errors import ModelError, UsageError

app = typer.Typer(help="Train a model.", no_args_is_help=True)

_EXPORTS = typer.Argument(
    metavar="[EXPORT]...",
    help="FHIR R4 bulk exports to train on (default: the recipe's simulated cohort).",
    show_default=False,
)
_CONFIG = typer.Option("--config", help="The recipe (TOML).")
_OUT = typer.Option(
    "--out",
    help="Folder for model, card and metrics. Default: the recipe's own folder; "
    "needed with exports.",
    show_default=False,
)
_PATIENTS = typer.Option(
    "--patients", min=1, help="Number of patients to simulate (for a quick run)."
)
_LEAKAGE_CHECKS = typer.Option(
    "--leakage-checks/--no-leakage-checks",
    "--audit/--no-audit",
    help="Run leakage checks; fail if non-informative inputs predict the outcome.",
)
_STORE = typer.Option("--tracking-uri", help="MLflow store (default: sqlite:///mlflow.db).")


@app.callback()
def _group() -> None:
    """Train a model."""


@app.command("risk")
def risk(
    exports: Annotated[list[Path] | None, _EXPORTS] = None,
    config: Annotated[Path, _CONFIG] = Path("models/hf-risk/recipe.toml"),
    out: Annotated[Path | None, _OUT] = None,
    patients: Annotated[int | None, _PATIENTS] = None,
    leakage_checks: Annotated[bool, _LEAKAGE_CHECKS] = True,
    tracking_uri: Annotated[str | None, _STORE] = None,
    concept_map: Annotated[list[Path] | None, CONCEPT_MAP] = None,
) -> None:
    """Train the 12-month heart-failure risk model on exports, or on simulated patients.

    Writes the model, its card, its metrics and its test predictions to a folder and logs the
    run to MLflow. Does not promote the model; use `registry promote`.

    Example: clinical-nlp train risk export --config recipe.toml --out model
    """
    # Imported here: 'clinical-nlp --help' must not wait for MLflow, torch and spaCy.
    from rich.console import Console

    from clinical_nlp.batch.extraction import load_pipeline
    from clinical_nlp.cli.cohorts import export_cohort, patients_bar
    from clinical_nlp.pipeline.assembly import fingerprint
    from clinical_nlp.registry.champion import load_champion_for_comparison
    from clinical_nlp.registry.energy import measured
    from clinical_nlp.registry.tracking import log_run, write_shipped
    from clinical_nlp.training.config import read_recipe
    from clinical_nlp.training.risk.recipe import Recipe
    from clinical_nlp.training.risk.sources import SIMULATED, simulated_cohort
    from clinical_nlp.training.risk.train import train

    recipe = read_recipe(config, Recipe)
    if patients is not None:
        recipe = recipe.replace(cohort=recipe.cohort.replace(simulated_patients=patients))
    if exports and out is None:
        raise UsageError(
            "E122",
            "a model trained on exports would replace the one beside the recipe: "
            "give another folder with --out",
        )
    console = Console(stderr=True, highlight=False)
    try:
        baseline_models = load_champion_for_comparison(tracking_uri)
    except ModelError as error:
        console.print(f"  no champion to compare with ({error.code})")
        baseline_models = {}
    with measured() as energy:
        nlp = load_pipeline(mentions=False)  # as the nightly batch reads
        if exports:
            cohort = export_cohort(exports, recipe.cohort, nlp, console, concept_map)
            description = f"patients of {len(exports)} FHIR export{'s' if len(exports) > 1 else ''}"
        else:
            with patients_bar(console, recipe.cohort.simulated_patients) as advance:
                cohort = simulated_cohort(recipe.cohort, nlp, advance)
            description = SIMULATED
        model = train(
            cohort,
            recipe,
            fingerprint(nlp),
            description,
            leakage_checks,
            lambda step: console.print(f"  {step}"),
            baseline_models,
        )
    folder = config.parent if out is None else out
    used = energy.report()
    digest = write_shipped(model, folder, used)
    run = log_run(model, folder, digest, tracking_uri, used)
    for name, measures in model.metrics["test"].items():
        auroc = measures["auroc"]
        typer.echo(
            f"{name}: AUROC {auroc['value']:.3f} ({auroc['low']:.3f} to {auroc['high']:.3f})"
        )
    typer.echo(f"Chosen: {model.metrics['family']}.")
    typer.echo(f"Wrote {folder} (digest {digest[:16]}); MLflow run {run}.")
    typer.echo(f"Read {folder / 'card.md'} before anything else.")


@app.command("transfer")
def transfer(
    exports: Annotated[list[Path], typer.Argument(metavar="EXPORT...", help="FHIR R4 exports.")],
    config: Annotated[Path, _CONFIG] = Path("models/hf-risk/recipe.toml"),
    patients: Annotated[int | None, _PATIENTS] = None,
    first_day: Annotated[
        datetime | None,
        typer.Option(
            "--first-day",
            formats=["%Y-%m-%d"],
            help="First day of the exports' data. Default: the recipe's.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Train on simulated patients and test on exports, and the other way round.

    Structured data only. Prints a table; writes nothing.

    Example: clinical-nlp train transfer synthea-export --first-day 2000-01-01
    """
    from rich.console import Console

    from clinical_nlp.cli.cohorts import opened_exports, patients_bar
    from clinical_nlp.training.config import read_recipe
    from clinical_nlp.training.risk.recipe import Recipe
    from clinical_nlp.training.risk.transfer import (
        simulated_structured_cohort,
        structured_cohort,
        transfer_between,
        transfer_markdown,
    )

    recipe, console = read_recipe(config, Recipe), Console(stderr=True)
    # Without notes to read, every patient of the exports is taken.
    exported_recipe = recipe.cohort.replace(controls_share=1.0)
    if first_day is not None:
        exported_recipe = exported_recipe.replace(first_day=first_day.date())
    number = patients or recipe.cohort.simulated_patients
    with patients_bar(console, number) as advance:
        simulated = simulated_structured_cohort(number, recipe.cohort, advance)
    with opened_exports(exports, exported_recipe, console) as stream:
        exported = structured_cohort(stream.records, stream.days, exported_recipe)
    results = transfer_between(simulated, exported, ("simulated", "export"), recipe.fit)
    typer.echo(transfer_markdown(results), nl=False)


app.command("pretrain")(train_encoder.pretrain)
app.command("mentions")(train_ner.mentions)
app.command("reader")(train_reader.reader)
app.command("distil")(train_encoder.distil)
