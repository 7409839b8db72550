"""``clinical-nlp train pretrain | mentions | distil``: the neural models from their recipes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_OUT = Annotated[
    Path | None, typer.Option("--out", help="Folder of the model; the recipe's where not given.")
]
_WORK = Annotated[
    Path | None,
    typer.Option("--work", help="Where an unfinished run is kept; <out>/.unfinished otherwise."),
]
_TEXT = Annotated[
    Path | None, typer.Option("--text", help="Unlabelled text (JSON lines), not the recipe's.")
]
_TRACKING = Annotated[
    str | None,
    typer.Option("--tracking-uri", help="MLflow store; sqlite:///mlflow.db where not given."),
]
_THREADS = Annotated[
    int | None, typer.Option("--threads", min=1, help="Processor threads; all where not given.")
]
_STEPS = Annotated[int | None, typer.Option("--steps", min=1, help="Fewer steps, for a trial.")]


def pretrain(
    config: Annotated[Path, typer.Option("--config", help="The recipe (TOML).")] = Path(
        "models/es-clinical-encoder/recipe.toml"
    ),
    text: _TEXT = None,
    out: _OUT = None,
    work: _WORK = None,
    steps: _STEPS = None,
    compiled: Annotated[
        bool, typer.Option("--compile", help="Twice as quick; needs a C++ compiler.")
    ] = False,
    threads: _THREADS = None,
    tracking_uri: _TRACKING = None,
) -> None:
    """Train tokenizer and encoder from nothing on unlabelled text.

    A run that was killed goes on where it was when the command is given again.
    """
    from clinical_nlp.registry.encoder_runs import log_encoder
    from clinical_nlp.registry.energy import measured
    from clinical_nlp.training.encoder.pretrain import pretrain as run
    from clinical_nlp.training.encoder.recipe import read_pretraining_recipe

    recipe = read_pretraining_recipe(config)
    if steps is not None:
        short = replace(
            recipe.masking,
            steps=steps,
            warm_up=min(recipe.masking.warm_up, steps // 2),
            decay=min(recipe.masking.decay, steps // 2),
        )
        recipe = replace(recipe, masking=short)
    folder = config.parent if out is None else out
    _use_threads(threads)
    with measured() as energy, _bar("steps", recipe.masking.steps) as (progress, task):
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
    typer.echo(f"Loss of the last steps: {made.final_loss:.3f} nats a hidden piece.")
    typer.echo(f"Wrote {folder} (digest {made.digest[:16]}); MLflow run {mlflow_run}.")


def mentions(
    config: Annotated[Path, typer.Option("--config", help="The recipe (TOML).")] = Path(
        "models/mentions/recipe.toml"
    ),
    out: _OUT = None,
    work: _WORK = None,
    everything: Annotated[
        bool,
        typer.Option(
            "--everything", help="Train on the held-out documents too; nothing is measured."
        ),
    ] = False,
    encoder: Annotated[
        str | None, typer.Option("--encoder", help="Start from this checkpoint, not the recipe's.")
    ] = None,
    start: Annotated[
        Path | None,
        typer.Option("--start", help="Go on from this mention model (its model folder)."),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option("--epochs", min=1, help="Fewer epochs, for a trial.")
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Another seed.")] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="Another value than the recipe's: fit.word_dropout=0.1; may be repeated."
        ),
    ] = None,
    beliefs: Annotated[
        Path | None,
        typer.Option(
            "--beliefs",
            help="Where the teachers' answers are kept, to be shared by runs; "
            "<work>.beliefs otherwise, which is removed at the end.",
        ),
    ] = None,
    examples: Annotated[
        Path | None,
        typer.Option("--examples", help="Write what went wrong, in words, to this local file."),
    ] = None,
    log_examples: Annotated[
        bool,
        typer.Option(
            "--log-examples",
            help="Log that file to MLflow as well. It quotes the documents: public ones only.",
        ),
    ] = False,
    threads: _THREADS = None,
    tracking_uri: _TRACKING = None,
) -> None:
    """Train the model of mentions on annotated documents.

    Stops early by a part of the documents, measures on another part, and logs parameters,
    measures, learning curves, counts of confusions and the model to MLflow. A run that was
    killed goes on where it was when the command is given again.
    """
    from clinical_nlp.errors import UsageError
    from clinical_nlp.registry.encoder_runs import log_mentions
    from clinical_nlp.registry.energy import measured
    from clinical_nlp.training.ner.recipe import read_mentions_recipe
    from clinical_nlp.training.ner.shipping import write_mention_folder
    from clinical_nlp.training.ner.train import (
        confusion_examples,
        confusions,
        train_mentions,
    )

    if log_examples and examples is None:
        raise UsageError("E130", "--log-examples needs a file to log: name it with --examples")
    recipe = read_mentions_recipe(config, changes or ())
    fit = replace(
        recipe.fit,
        epochs=recipe.fit.epochs if epochs is None else epochs,
        seed=recipe.fit.seed if seed is None else seed,
    )
    recipe = replace(
        recipe,
        encoder=encoder or recipe.encoder,
        fit=fit,
        start=recipe.start if start is None else str(start.absolute()),
    )
    folder = config.parent if out is None else out
    scratch = work or folder / ".unfinished"
    _use_threads(threads)
    with measured() as energy, _bar("preparing", None) as (progress, task):

        def on_epoch(epoch: int, loss: float, score: float | None) -> None:
            told = "" if score is None else f", validation strict F1 {score:.4f}"
            progress.console.print(f"epoch {epoch}: loss {loss:.4f}{told}")

        trained = train_mentions(
            recipe,
            base_folder=config.parent,
            work=scratch,
            beliefs=beliefs,
            everything=everything,
            on_document=lambda done, total: progress.update(
                task, completed=done, total=total, description="the teachers read"
            ),
            on_step=lambda step, total, loss: progress.update(
                task, completed=step, total=total, description=f"loss {loss:.4f}"
            ),
            on_epoch=on_epoch,
        )
    digest = write_mention_folder(trained, folder)
    if examples is not None:
        rows = confusion_examples(trained.pairs)
        examples.write_text(
            "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8"
        )
    mlflow_run = log_mentions(
        folder,
        digest,
        parameters=recipe.flat() | {"everything": everything},
        metrics=trained.measures.flat() if trained.measures else {},
        losses=trained.progress.losses,
        scores=trained.progress.scores,
        confusions=confusions(trained.pairs),
        examples=examples if log_examples else None,
        energy=energy.report(),
        tracking_uri=tracking_uri,
    )
    _remove(scratch)
    _remove(scratch.with_name(f"{scratch.name}.beliefs"))
    if trained.measures:
        for name, value in trained.measures.flat().items():
            typer.echo(f"{name}: F1 {value:.4f}")
    typer.echo(f"Wrote {folder} (digest {digest[:16]}); MLflow run {mlflow_run}.")


def distil(
    teacher: Annotated[
        str, typer.Option("--teacher", help="The large encoder: folder, shipped name or hub id.")
    ],
    config: Annotated[Path, typer.Option("--config", help="The recipe (TOML).")] = Path(
        "models/es-clinical-encoder/distil.toml"
    ),
    text: _TEXT = None,
    out: _OUT = None,
    work: _WORK = None,
    steps: _STEPS = None,
    revision: Annotated[
        str | None, typer.Option("--revision", help="Revision of a teacher of the hub.")
    ] = None,
    online: Annotated[
        bool, typer.Option("--online", help="Fetch a teacher that is not on this machine.")
    ] = False,
    threads: _THREADS = None,
    tracking_uri: _TRACKING = None,
) -> None:
    """Make a better encoder of the embedded shape from a large one.

    A run that was killed goes on where it was when the command is given again.
    """
    from dataclasses import asdict

    from clinical_nlp.registry.encoder_runs import log_encoder
    from clinical_nlp.registry.energy import measured
    from clinical_nlp.training.encoder.distil import distil as run
    from clinical_nlp.training.encoder.distil import read_distil_recipe
    from clinical_nlp.training.ner.train import word_cutter

    recipe = read_distil_recipe(config)
    if steps is not None:
        recipe = replace(recipe, steps=steps)
    folder = config.parent if out is None else out
    _use_threads(threads)
    with measured() as energy, _bar("steps", recipe.steps) as (progress, task):
        made = run(
            recipe,
            teacher,
            text or config.parent / recipe.text,
            folder,
            work or folder / ".unfinished",
            word_cutter(),
            revision=revision,
            offline=not online,
            on_step=lambda step, loss: progress.update(
                task, completed=step, description=f"distance {loss:.3f}"
            ),
        )
    mlflow_run = log_encoder(
        folder,
        made.digest,
        parameters=asdict(recipe) | {"text": Path(recipe.text).name},
        losses=made.losses,
        energy=energy.report(),
        tracking_uri=tracking_uri,
    )
    typer.echo(f"Distance of the last step: {made.losses[-1]:.3f} (1 - cosine).")
    typer.echo(f"Wrote {folder} (digest {made.digest[:16]}); MLflow run {mlflow_run}.")


@contextmanager
def _bar(name: str, total: int | None) -> Iterator[tuple[Progress, TaskID]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as Remaining

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Remaining())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        yield progress, progress.add_task(name, total=total)


def _use_threads(threads: int | None) -> None:
    if threads is not None:
        import torch

        torch.set_num_threads(threads)


def _remove(folder: Path) -> None:
    import shutil

    shutil.rmtree(folder, ignore_errors=True)
