"""``clinical-nlp train pretrain | distil``: encoders from their recipes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clinical_nlp.cli.training_options import (
    Out,
    Steps,
    Text,
    Threads,
    TrackingUri,
    Work,
    progress_bar,
    use_threads,
)

if TYPE_CHECKING:
    from clinical_nlp.training.encoder.recipe import DistilRecipe, PretrainingRecipe
    from clinical_nlp.training.encoder.shipping import TrainedEncoder


def pretrain(
    config: Annotated[Path, typer.Option("--config", help="The recipe (TOML).")] = Path(
        "models/es-clinical-encoder/recipe.toml"
    ),
    text: Text = None,
    out: Out = None,
    work: Work = None,
    steps: Steps = None,
    compiled: Annotated[
        bool, typer.Option("--compile", help="Twice as quick; needs a C++ compiler.")
    ] = False,
    threads: Threads = None,
    tracking_uri: TrackingUri = None,
) -> None:
    """Train tokenizer and encoder from nothing on unlabelled text.

    A run that was killed goes on where it was when the command is given again.
    """
    from clinical_nlp.training.config import read_recipe
    from clinical_nlp.training.encoder.pretrain import pretrain as train
    from clinical_nlp.training.encoder.recipe import PretrainingRecipe

    recipe = read_recipe(config, PretrainingRecipe)
    if steps is not None:
        recipe = recipe.replace(masking=recipe.masking.shortened(steps))
    folder = config.parent if out is None else out
    run = partial(
        train,
        recipe,
        text or config.parent / recipe.text,
        folder,
        work or folder / ".unfinished",
        compiled=compiled,
    )
    _train(
        run,
        recipe,
        (recipe.masking.steps, "loss"),
        lambda made: f"Loss of the last steps: {made.final_loss:.3f} nats a hidden piece.",
        folder,
        threads,
        tracking_uri,
    )


def distil(
    teacher: Annotated[
        str, typer.Option("--teacher", help="The large encoder: folder, shipped name or hub id.")
    ],
    config: Annotated[Path, typer.Option("--config", help="The recipe (TOML).")] = Path(
        "models/es-clinical-encoder/distil.toml"
    ),
    text: Text = None,
    out: Out = None,
    work: Work = None,
    steps: Steps = None,
    revision: Annotated[
        str | None, typer.Option("--revision", help="Revision of a teacher of the hub.")
    ] = None,
    online: Annotated[
        bool, typer.Option("--online", help="Fetch a teacher that is not on this machine.")
    ] = False,
    threads: Threads = None,
    tracking_uri: TrackingUri = None,
) -> None:
    """Make a better encoder of the embedded shape from a large one.

    A run that was killed goes on where it was when the command is given again.
    """
    from clinical_nlp.training.config import read_recipe
    from clinical_nlp.training.encoder.distil import distil as train
    from clinical_nlp.training.encoder.recipe import DistilRecipe
    from clinical_nlp.training.sentences import load_sentence_pipeline

    recipe = read_recipe(config, DistilRecipe)
    if steps is not None:
        recipe = recipe.replace(steps=steps)
    folder = config.parent if out is None else out
    run = partial(
        train,
        recipe,
        teacher,
        text or config.parent / recipe.text,
        folder,
        work or folder / ".unfinished",
        load_sentence_pipeline(),
        revision=revision,
        offline=not online,
    )
    _train(
        run,
        recipe,
        (recipe.steps, "distance"),
        lambda made: f"Distance of the last step: {made.losses[-1]:.3f} (1 - cosine).",
        folder,
        threads,
        tracking_uri,
    )


def _train(
    run: Callable[..., TrainedEncoder],
    recipe: PretrainingRecipe | DistilRecipe,
    bar: tuple[int, str],
    summary: Callable[[TrainedEncoder], str],
    folder: Path,
    threads: int | None,
    tracking_uri: str | None,
) -> None:
    """Train with a progress bar (steps, name of the loss), log the run and sum it up."""
    from clinical_nlp.registry.encoder_runs import log_encoder
    from clinical_nlp.registry.energy import measured

    use_threads(threads)
    steps, name = bar
    with measured() as energy, progress_bar("steps", steps) as (progress, task):
        made = run(
            on_step=lambda step, loss: progress.update(
                task, completed=step, description=f"{name} {loss:.3f}"
            )
        )
    mlflow_run = log_encoder(
        folder,
        made.digest,
        parameters=recipe.flat(),
        losses=made.losses,
        energy=energy.report(),
        tracking_uri=tracking_uri,
    )
    typer.echo(summary(made))
    typer.echo(f"Wrote {folder} (digest {made.digest[:16]}); MLflow run {mlflow_run}.")
