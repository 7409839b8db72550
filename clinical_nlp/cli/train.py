"""``clinical-nlp train``: make a model from a recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clinical_nlp.cli import train_mentions

app = typer.Typer(help="Train a model.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Train a model."""


@app.command("risk")
def risk(
    config: Annotated[Path, typer.Option("--config", help="The recipe (TOML).")] = Path(
        "models/hf-risk/recipe.toml"
    ),
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", help="Folder for model, card and metrics; the recipe's where not given."
        ),
    ] = None,
    patients: Annotated[
        int | None, typer.Option("--patients", min=1, help="Simulate this many, for a trial.")
    ] = None,
    tracking_uri: Annotated[
        str | None,
        typer.Option("--tracking-uri", help="MLflow store; sqlite:///mlflow.db where not given."),
    ] = None,
) -> None:
    """Train the 12-month heart-failure risk model on the recipe's simulated cohort.

    Writes the model, its card and its metrics to a folder and logs the run to MLflow. The
    champion stays what it is: promotion is a decision of its own.
    """
    from dataclasses import replace

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    import clinical_nlp
    from clinical_nlp.registry.tracking import log_run, write_shipped
    from clinical_nlp.training.recipe import read_recipe
    from clinical_nlp.training.train import train_on_simulation

    recipe = read_recipe(config)
    if patients is not None:
        recipe = replace(recipe, cohort=replace(recipe.cohort, simulated_patients=patients))
    console = Console(stderr=True)
    columns = ("[bold]patients", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("patients", total=recipe.cohort.simulated_patients)
        model = train_on_simulation(
            recipe, clinical_nlp.load(), lambda done: bar.advance(task, done)
        )
    folder = config.parent if out is None else out
    digest = write_shipped(model, folder)
    run = log_run(model, folder, digest, tracking_uri)
    for name, measures in model.measures.items():
        typer.echo(
            f"{name}: AUROC {measures['auroc']}, calibration slope {measures['calibration_slope']}"
        )
    typer.echo(f"Wrote {folder} (digest {digest[:16]}); MLflow run {run}.")
    typer.echo(f"Read {folder / 'card.md'} before anything else.")


app.command("pretrain")(train_mentions.pretrain)
app.command("mentions")(train_mentions.mentions)
app.command("distil")(train_mentions.distil)
