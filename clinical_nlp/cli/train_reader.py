"""``clinical-nlp train reader``: a reader from its recipe."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clinical_nlp.cli.training_options import (
    Out,
    Threads,
    TrackingUri,
    Work,
    progress_bar,
    use_threads,
)

if TYPE_CHECKING:
    from clinical_nlp.training.reader.recipe import ReaderRecipe
    from clinical_nlp.training.reader.train import TrainedReader

_Config = Annotated[Path, typer.Option("--config", help="The recipe (TOML).")]
_Encoder = Annotated[
    str | None,
    typer.Option(
        "--encoder",
        help="Encoder to start from: a shipped one's name, a folder, or a hub id such as "
        "BSC-LT/MrBERT-es. Default: the recipe's.",
        show_default=False,
    ),
]
_Epochs = Annotated[
    int | None, typer.Option("--epochs", min=1, help="Number of epochs (for a quick run).")
]
_Seed = Annotated[
    int | None, typer.Option("--seed", min=0, help="Random seed, instead of the recipe's.")
]
_Fold = Annotated[
    int | None,
    typer.Option(
        "--fold",
        min=1,
        help="Train and read this fold of hands only and stop, so that several can run side by "
        "side; the whole command then takes what they left in --work.",
        show_default=False,
    ),
]
_Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", help="Override a value of the recipe: fit.epochs=4; may be repeated."),
]


def reader(
    config: _Config = Path("models/reader/recipe.toml"),
    out: Out = None,
    work: Work = None,
    encoder: _Encoder = None,
    epochs: _Epochs = None,
    seed: _Seed = None,
    fold: _Fold = None,
    overrides: _Overrides = None,
    threads: Threads = None,
    tracking_uri: TrackingUri = None,
) -> None:
    """Train the learned reader on annotated notes, leaving writers out to measure it.

    A run for each fold of the recipe leaves the notes of some writers ("hands") out and reads
    them: these readings choose the thresholds between rules and reader and are the table of
    results. A last run learns from all notes and is what is written. Parameters, learning
    curves, scores by hand, counts of confused flags and the model are logged to MLflow. Rerun
    the command to resume an interrupted run.

    Example: clinical-nlp train reader --encoder BSC-LT/MrBERT-es --out my-reader
    """
    from clinical_nlp.registry.encoder_runs import log_reader
    from clinical_nlp.registry.energy import measured
    from clinical_nlp.training.config import read_recipe
    from clinical_nlp.training.reader.recipe import ReaderRecipe
    from clinical_nlp.training.reader.shipping import flat_metrics, write_reader_folder

    recipe = read_recipe(config, ReaderRecipe, overrides or ())
    recipe = recipe.replace(
        encoder=encoder or recipe.encoder,
        fit=recipe.fit.replace(
            epochs=epochs or recipe.fit.epochs, seed=recipe.fit.seed if seed is None else seed
        ),
    )
    folder = config.parent if out is None else out
    scratch = work or folder / ".unfinished"
    use_threads(threads)
    with measured() as energy:
        trained = _train(recipe, config.parent, scratch, fold)
    if trained is None:
        typer.echo(f"Fold {fold} is read; run the command without --fold when all are.")
        return
    digest = write_reader_folder(trained, folder)
    mlflow_run = log_reader(
        folder,
        digest,
        parameters=recipe.flat(),
        metrics=flat_metrics(trained),
        losses=trained.progress.losses,
        confusions=trained.confusions,
        energy=energy.report(),
        tracking_uri=tracking_uri,
    )
    shutil.rmtree(scratch, ignore_errors=True)
    for hand, scores in trained.table.items():
        by_rules, by_reader = scores["rules"], scores["reader"]
        parts = (
            f"{measure} {by_rules[measure]:.3f} -> {by_reader[measure]:.3f}"
            for measure in ("findings", "flags", "facts", "negated", "uncertain")
            if measure in by_reader
        )
        typer.echo(f"{hand}: {', '.join(parts)}")
    typer.echo(f"Wrote {folder} (digest {digest[:16]}); MLflow run {mlflow_run}.")


def _train(recipe: ReaderRecipe, base: Path, work: Path, fold: int | None) -> TrainedReader | None:
    """Train with a progress bar; ``None`` where only a fold was asked for."""
    from clinical_nlp.training.reader.train import read_fold, read_material, train_reader

    with progress_bar("reading the notes with the rules", None) as (progress, task):
        material = read_material(recipe, base)

        def on_epoch(epoch: int, loss: float, score: float | None) -> None:
            progress.console.print(f"epoch {epoch}: loss {loss:.4f}")

        def on_step(step: int, total: int, loss: float) -> None:
            progress.update(task, completed=step, total=total, description=f"loss {loss:.4f}")

        if fold is not None:
            read_fold(recipe, material, fold - 1, work, on_step=on_step, on_epoch=on_epoch)
            return None
        return train_reader(recipe, material, work, on_step=on_step, on_epoch=on_epoch)
