"""``clinical-nlp train pretrain | distil``: encoders from their recipes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

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


def pretrain(
    config: Annotated[Path, typer.Option("--config", help="The recipe (TOML).")] = Path(
        "models/es-clinical-encoder/recipe.toml"
    ),
    text: Text = None,
    out: Out = None,
    work: Work = None,
    steps: Steps = None,
    compiled: Annotated[
        bool,
        typer.Option("--compile", help="Compile the model: twice as fast; needs a C++ compiler."),
    ] = False,
    threads: Threads = None,
    tracking_uri: TrackingUri = None,
) -> None:
    """Train tokenizer and encoder from scratch on unlabelled text.

    Rerun the command to resume an interrupted run.
    """
    from clinical_nlp.registry.encoder_runs import log_encoder
    from clinical_nlp.registry.energy import measured
    from clinical_nlp.training.config import read_recipe
    from clinical_nlp.training.encoder.pretrain import pretrain as run
    from clinical_nlp.training.encoder.recipe import PretrainingRecipe

    recipe = read_recipe(config, PretrainingRecipe)
    if steps is not None:
        recipe = recipe.replace(masking=recipe.masking.shortened(steps))
    folder = config.parent if out is None else out
    use_threads(threads)
    with measured() as energy, progress_bar("steps", recipe.masking.steps) as (progress, task):
        made = run(
            recipe,
            text or config.parent / recipe.text,
            folder,
            work or folder / ".unfinished",
            on_step=lambda step, loss: progress.update(
                task, completed=step, description=f"loss {loss:.3f}"
            ),
            compiled=compiled,
        )
    mlflow_run = log_encoder(
        folder,
        made.digest,
        parameters=recipe.flat(),
        losses=made.losses,
        energy=energy.report(),
        tracking_uri=tracking_uri,
    )
    typer.echo(f"Loss of the last steps: {made.final_loss:.3f} nats per masked token.")
    typer.echo(f"Wrote {folder} (digest {made.digest[:16]}); MLflow run {mlflow_run}.")


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
        str | None, typer.Option("--revision", help="Hub revision of the teacher.")
    ] = None,
    online: Annotated[
        bool, typer.Option("--online", help="Download the teacher if it is not on this machine.")
    ] = False,
    threads: Threads = None,
    tracking_uri: TrackingUri = None,
) -> None:
    """Distil a large encoder into one with the shipped architecture.

    Rerun the command to resume an interrupted run.
    """
    from clinical_nlp.registry.encoder_runs import log_encoder
    from clinical_nlp.registry.energy import measured
    from clinical_nlp.training.config import read_recipe
    from clinical_nlp.training.encoder.distil import distil as run
    from clinical_nlp.training.encoder.recipe import DistilRecipe
    from clinical_nlp.training.sentences import load_sentence_pipeline

    recipe = read_recipe(config, DistilRecipe)
    if steps is not None:
        recipe = recipe.replace(steps=steps)
    folder = config.parent if out is None else out
    use_threads(threads)
    with measured() as energy, progress_bar("steps", recipe.steps) as (progress, task):
        made = run(
            recipe,
            teacher,
            text or config.parent / recipe.text,
            folder,
            work or folder / ".unfinished",
            load_sentence_pipeline(),
            revision=revision,
            offline=not online,
            on_step=lambda step, loss: progress.update(
                task, completed=step, description=f"distance {loss:.3f}"
            ),
        )
    mlflow_run = log_encoder(
        folder,
        made.digest,
        parameters=recipe.flat(),
        losses=made.losses,
        energy=energy.report(),
        tracking_uri=tracking_uri,
    )
    typer.echo(f"Distance of the last step: {made.losses[-1]:.3f} (1 - cosine).")
    typer.echo(f"Wrote {folder} (digest {made.digest[:16]}); MLflow run {mlflow_run}.")
