"""``clinical-nlp train``: make a model from a recipe."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clinical_nlp.cli import train_encoder, train_ner
from clinical_nlp.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress
    from spacy.language import Language

    from clinical_nlp.records import PatientRecord
    from clinical_nlp.risk.model import RiskModel
    from clinical_nlp.training.risk.dataset import Cohort
    from clinical_nlp.training.risk.recipe import Recipe
    from clinical_nlp.training.risk.train import TrainedModel

app = typer.Typer(help="Train a model.", no_args_is_help=True)

_EXPORTS = typer.Argument(
    metavar="[EXPORT]...",
    help="FHIR R4 bulk exports to learn from; the recipe's simulated cohort where none is given.",
    show_default=False,
)
_CONFIG = typer.Option("--config", help="The recipe (TOML).")
_OUT = typer.Option(
    "--out",
    help="Folder for model, card and metrics. Default: the recipe's own folder; "
    "needed with exports.",
    show_default=False,
)
_PATIENTS = typer.Option("--patients", min=1, help="Simulate this many, for a trial.")
_AUDIT = typer.Option(
    "--audit/--no-audit",
    help="Look for leakage, and fail if the outcome can be predicted from what should say nothing.",
)
_STORE = typer.Option("--tracking-uri", help="MLflow store; sqlite:///mlflow.db where not given.")


@app.callback()
def _group() -> None:
    """Train a model."""


@app.command("risk")
def risk(
    exports: Annotated[list[Path] | None, _EXPORTS] = None,
    config: Annotated[Path, _CONFIG] = Path("models/hf-risk/recipe.toml"),
    out: Annotated[Path | None, _OUT] = None,
    patients: Annotated[int | None, _PATIENTS] = None,
    with_audit: Annotated[bool, _AUDIT] = True,
    tracking_uri: Annotated[str | None, _STORE] = None,
) -> None:
    """Train the 12-month heart-failure risk model on exports, or on simulated patients.

    Writes the model, its card, its metrics and its test predictions to a folder and logs the
    run to MLflow. The champion stays what it is: promotion is a decision of its own.

    Example: clinical-nlp train risk export --config recipe.toml --out model
    """
    # Imported here: 'clinical-nlp --help' must not wait for MLflow, torch and spaCy.
    from rich.console import Console

    from clinical_nlp.registry.energy import measured
    from clinical_nlp.registry.tracking import log_run, write_shipped
    from clinical_nlp.training.config import read_recipe
    from clinical_nlp.training.risk.recipe import Recipe

    recipe = read_recipe(config, Recipe)
    if patients is not None:
        recipe = recipe.replace(cohort=recipe.cohort.replace(simulated_patients=patients))
    if exports and out is None:
        raise UsageError(
            "E122",
            "a model trained on exports would replace the one beside the recipe: "
            "give it a folder of its own with --out",
        )
    console = Console(stderr=True)
    rivals = _champion(tracking_uri, console)
    with measured() as energy:
        if exports:
            model = _on_exports(exports, recipe, with_audit, console, rivals)
        else:
            model = _on_simulation(recipe, with_audit, console, rivals)
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

    from clinical_nlp.lexicon import load_lexicon
    from clinical_nlp.simulation import load_parameters, simulate_patients
    from clinical_nlp.training.config import read_recipe
    from clinical_nlp.training.risk.recipe import Recipe
    from clinical_nlp.training.risk.transfer import structured_cohort, transfer_markdown
    from clinical_nlp.training.risk.transfer import transfer as both_ways

    recipe, console, lexicon = read_recipe(config, Recipe), Console(stderr=True), load_lexicon()
    real = recipe.cohort.replace(controls_share=1.0)  # without notes to read, all of them
    if first_day is not None:
        real = real.replace(first_day=first_day.date())
    parameters = load_parameters()
    number = patients or recipe.cohort.simulated_patients
    whole = parameters.without_notes().as_of(parameters.end)  # structured data only
    with _bar(console) as bar:
        task = bar.add_task("simulated", total=number)
        invented = structured_cohort(
            (p.record for p in simulate_patients(number, recipe.cohort.simulation_seed, whole)),
            lexicon,
            (parameters.start, parameters.end),
            recipe.cohort,
            lambda done: bar.advance(task, done),
        )
    with _reading(exports, recipe.replace(cohort=real), console) as (records, days, _):
        exported = structured_cohort(records, lexicon, days, real)
    rows = both_ways(invented, exported, ("simulated", "export"), recipe.fit)
    typer.echo(transfer_markdown(rows), nl=False)


def _champion(tracking_uri: str | None, console: Console) -> dict[str, RiskModel]:
    """The registry's champion by digest, where there is a registry and it can be used.

    It scores this run's test patients, so that promotion can compare the two on them.
    """
    from clinical_nlp.errors import ModelError
    from clinical_nlp.registry import DEFAULT_URI
    from clinical_nlp.registry.champion import verified_parts
    from clinical_nlp.registry.store import store_uri
    from clinical_nlp.risk.model import RiskModel

    store = store_uri(tracking_uri)
    if store.startswith("sqlite:") and not Path(store.removeprefix("sqlite:///")).is_file():
        return {}  # asking would make an empty one
    try:
        reference, parts = verified_parts(store, DEFAULT_URI)
        return {reference.digest: RiskModel(parts, reference)}
    except ModelError as error:
        console.print(f"  no champion to compare with ({error.code})", highlight=False)
        return {}


def _on_simulation(
    recipe: Recipe, with_audit: bool, console: Console, rivals: dict[str, RiskModel]
) -> TrainedModel:
    import clinical_nlp
    from clinical_nlp.training.risk.train import train_on_simulation

    with _bar(console) as bar:
        task = bar.add_task("patients", total=recipe.cohort.simulated_patients)
        return train_on_simulation(
            recipe,
            clinical_nlp.load(),
            lambda done: bar.advance(task, done),
            with_audit,
            lambda step: bar.console.print(f"  {step}", highlight=False),
            rivals,
        )


def _on_exports(
    exports: list[Path],
    recipe: Recipe,
    with_audit: bool,
    console: Console,
    rivals: dict[str, RiskModel],
) -> TrainedModel:
    import clinical_nlp
    from clinical_nlp.pipeline.assembly import fingerprint
    from clinical_nlp.training.risk.train import train

    nlp = clinical_nlp.load()
    cohort = cohort_of_exports(exports, recipe, nlp, console)
    described = f"patients of {len(exports)} FHIR export{'s' if len(exports) > 1 else ''}"
    return train(
        cohort,
        recipe,
        fingerprint(nlp),
        described,
        with_audit,
        lambda step: console.print(f"  {step}", highlight=False),
        rivals,
    )


def cohort_of_exports(
    exports: list[Path], recipe: Recipe, nlp: Language, console: Console
) -> Cohort:
    """Read exports, and the notes of the patients that the recipe samples."""
    from clinical_nlp.lexicon import load_lexicon
    from clinical_nlp.training.risk.dataset import gather

    with _reading(exports, recipe, console) as (records, days, number), _bar(console) as bar:
        task = bar.add_task("patients", total=number)
        return gather(
            records,
            nlp,
            load_lexicon(),
            days,
            recipe.cohort,
            lambda done: bar.advance(task, done),
        )


@contextmanager
def _reading(
    exports: list[Path], recipe: Recipe, console: Console
) -> Iterator[tuple[Iterator[PatientRecord], tuple[date, date], int]]:
    """The exports' patients, first and last day of their data, and how many they are."""
    from fhir_adapters.reading import BulkExport

    with ExitStack() as stack:
        sources = [stack.enter_context(BulkExport(folder)) for folder in exports]
        with console.status("Reading the export ..."):
            summaries = [source.scan(lambda read: None) for source in sources]
        latest = [summary.latest for summary in summaries if summary.latest is not None]

        def records() -> Iterator[PatientRecord]:
            for number, source in enumerate(sources):
                for record in source.records():
                    # Ids of two exports may be the same without being the same person.
                    prefix = "" if len(sources) == 1 else f"{number}/"
                    yield replace(record, id=prefix + record.id)

        days = _days(recipe, max(latest, default=None))
        yield records(), days, sum(summary.patients for summary in summaries)


def _days(recipe: Recipe, latest: date | None) -> tuple[date, date]:
    """First and last day of the data: the recipe's, else what the exports hold."""
    last = recipe.cohort.last_day or latest
    if last is None:
        raise UsageError(
            "E123",
            "the export holds no dated resource, so there is no follow-up to learn from: "
            "give cohort.last_day in the recipe, or an export with dates",
        )
    first = recipe.cohort.first_day or last - timedelta(days=365 * recipe.cohort.record_years)
    return first, last


def _bar(console: Console) -> Progress:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = ("[bold]patients", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console)


app.command("pretrain")(train_encoder.pretrain)
app.command("mentions")(train_ner.mentions)
app.command("distil")(train_encoder.distil)
