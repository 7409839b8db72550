"""``clinical-nlp train mentions``: a mention model from its recipe."""

from __future__ import annotations

import json
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
from clinical_nlp.errors import UsageError

if TYPE_CHECKING:
    from clinical_nlp.training.ner.recipe import MentionsRecipe
    from clinical_nlp.training.ner.train import TrainedMentions


_Config = Annotated[Path, typer.Option("--config", help="The recipe (TOML).")]
_Everything = Annotated[
    bool,
    typer.Option("--everything", help="Train on the held-out documents too; nothing is evaluated."),
]
_Encoder = Annotated[
    str | None,
    typer.Option("--encoder", help="Encoder checkpoint to start from, instead of the recipe's."),
]
_Start = Annotated[
    Path | None,
    typer.Option("--start", help="Continue from this mention model (its model folder)."),
]
_Epochs = Annotated[
    int | None, typer.Option("--epochs", min=1, help="Number of epochs (for a quick run).")
]
_Seed = Annotated[
    int | None, typer.Option("--seed", min=0, help="Random seed, instead of the recipe's.")
]
_Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set", help="Override a value of the recipe: fit.word_dropout=0.1; may be repeated."
    ),
]
_Examples = Annotated[
    Path | None,
    typer.Option("--examples", help="Write the errors with their text to this local file."),
]
_LogExamples = Annotated[
    bool,
    typer.Option(
        "--log-examples",
        help="Also log that file to MLflow. It quotes the documents: use with public ones only.",
    ),
]


def mentions(
    config: _Config = Path("models/mentions/recipe.toml"),
    out: Out = None,
    work: Work = None,
    everything: _Everything = False,
    encoder: _Encoder = None,
    start: _Start = None,
    epochs: _Epochs = None,
    seed: _Seed = None,
    overrides: _Overrides = None,
    examples: _Examples = None,
    log_examples: _LogExamples = False,
    threads: Threads = None,
    tracking_uri: TrackingUri = None,
) -> None:
    """Train the model of mentions on annotated documents.

    Stops early on the validation documents, evaluates on the held-out ones, and logs
    parameters, measures, learning curves, confusion counts and the model to MLflow. Rerun the
    command to resume an interrupted run.
    """
    from clinical_nlp.registry.encoder_runs import log_mentions
    from clinical_nlp.registry.energy import measured
    from clinical_nlp.training.config import read_recipe
    from clinical_nlp.training.ner.confusions import confusion_examples, confusions
    from clinical_nlp.training.ner.recipe import MentionsRecipe
    from clinical_nlp.training.ner.shipping import write_mention_folder

    if log_examples and examples is None:
        raise UsageError("E130", "--log-examples needs a file to log: name it with --examples")
    recipe = read_recipe(config, MentionsRecipe, overrides or ())
    recipe = recipe.replace(
        encoder=encoder or recipe.encoder,
        fit=recipe.fit.replace(
            epochs=epochs or recipe.fit.epochs, seed=recipe.fit.seed if seed is None else seed
        ),
        start=recipe.start if start is None else str(start.absolute()),
    )
    folder = config.parent if out is None else out
    scratch = work or folder / ".unfinished"
    use_threads(threads)
    with measured() as energy:
        trained = _train(recipe, config.parent, scratch, everything)
    digest = write_mention_folder(trained, folder)
    if examples is not None:
        rows = (json.dumps(row, ensure_ascii=False) for row in confusion_examples(trained.pairs))
        examples.write_text("".join(f"{row}\n" for row in rows), "utf-8")
    metrics = trained.measures.flat() if trained.measures else {}
    mlflow_run = log_mentions(
        folder,
        digest,
        parameters=recipe.flat() | {"everything": everything},
        metrics=metrics,
        losses=trained.progress.losses,
        scores=trained.progress.scores,
        confusions=confusions(trained.pairs),
        examples=examples if log_examples else None,
        energy=energy.report(),
        tracking_uri=tracking_uri,
    )
    shutil.rmtree(scratch, ignore_errors=True)
    for name, value in metrics.items():
        typer.echo(f"{name}: F1 {value:.4f}")
    typer.echo(f"Wrote {folder} (digest {digest[:16]}); MLflow run {mlflow_run}.")


def _train(recipe: MentionsRecipe, base: Path, work: Path, everything: bool) -> TrainedMentions:
    """Train with a progress bar."""
    from clinical_nlp.training.ner.train import train_mentions

    with progress_bar("preparing", None) as (progress, task):

        def on_epoch(epoch: int, loss: float, score: float | None) -> None:
            validation = "" if score is None else f", validation strict F1 {score:.4f}"
            progress.console.print(f"epoch {epoch}: loss {loss:.4f}{validation}")

        return train_mentions(
            recipe,
            base_folder=base,
            work=work,
            everything=everything,
            on_step=lambda step, total, loss: progress.update(
                task, completed=step, total=total, description=f"loss {loss:.4f}"
            ),
            on_epoch=on_epoch,
        )
