"""``clinical-nlp batch``: composes the nightly job from its parts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from clinical_nlp.cli.codes import CONCEPT_MAP, load_concept_maps, print_codes
from clinical_nlp.cli.run_log import RunLog, open_run_log
from clinical_nlp.errors import EXIT_DOUBTFUL, EXIT_QUARANTINED, UsageError

if TYPE_CHECKING:
    from clinical_nlp.batch.models import BatchModels
    from clinical_nlp.batch.run_record import RunOutcome
    from clinical_nlp.records import RunContext
    from fhir_adapters.reading import BulkExport

_EXPORT = typer.Argument(
    metavar="EXPORT",
    help="Folder of a FHIR R4 Bulk Data export: *.ndjson, *.json, compressed or not, or one file.",
    show_default=False,
)
_OUT = typer.Option(
    "--out",
    metavar="DIR",
    help="Folder for the results: new, empty, or holding earlier runs.",
    show_default=False,
)
_AS_OF = typer.Option(
    "--as-of",
    formats=["%Y-%m-%d"],
    metavar="YYYY-MM-DD",
    help="The day the estimates speak of. Default: the export's last day; "
    "a few dates far after all others are not believed.",
    show_default=False,
)
_THRESHOLD = typer.Option(
    "--threshold",
    min=0.0,
    max=100.0,
    metavar="PERCENT",
    help="12-month risk from which a patient enters the work list. "
    "Default: where the published band 'raised' begins.",
    show_default=False,
)
_MODEL = typer.Option(
    "--model", metavar="URI", help="The risk model, as MLflow names it; resolved once a run."
)
_PROCESSES = typer.Option(
    "--processes", "-p", min=1, help="Processes that read notes; 1 reads in this one."
)
_MAX_NOTE = typer.Option(
    "--max-note-mb", min=1, metavar="MB", help="Notes larger than this go to quarantine."
)
_MENTIONS = typer.Option(
    "--mentions", help="Mark mentions with the model, too, and write mentions.parquet."
)
_READER = typer.Option(
    "--reader/--no-reader",
    help="Let the learned reader decide beside the rules; without it several times as fast, and "
    "worse on notes that are not written as the rules expect.",
)
_ACCEPT_DROP = typer.Option(
    "--accept-drop",
    help="Go on though the export holds far less than that of the run in DIR (exit code 9).",
)
_KEEP_NIGHTS = typer.Option(
    "--keep-nights", min=1, metavar="N", help="Runs kept in DIR/runs, with this one."
)
_STATE = typer.Option(
    "--state",
    metavar="DIR",
    help="Folder that keeps findings and results from night to night: only what changed is read "
    "and estimated again, with the same results. Private: it holds words of notes.",
    show_default=False,
)
_LOG = typer.Option(
    "--log",
    metavar="FILE",
    help="Append JSON lines for machines: run id, stages, counts and codes; - is standard error.",
    show_default=False,
)
_SHOW = typer.Option(
    "--show", min=0, metavar="N", help="Print the first N of each part of the work list."
)
_QUIET = typer.Option("--quiet", "-q", help="No progress bar and no summary.")


def batch(
    export: Annotated[Path, _EXPORT],
    out: Annotated[Path, _OUT],
    as_of: Annotated[datetime | None, _AS_OF] = None,
    threshold: Annotated[float | None, _THRESHOLD] = None,
    model: Annotated[str, _MODEL] = "models:/hf-risk@champion",
    processes: Annotated[int, _PROCESSES] = 1,
    max_note_mb: Annotated[int, _MAX_NOTE] = 10,
    mentions: Annotated[bool, _MENTIONS] = False,
    reader: Annotated[bool, _READER] = True,
    show: Annotated[int, _SHOW] = 0,
    quiet: Annotated[bool, _QUIET] = False,
    concept_map: Annotated[list[Path] | None, CONCEPT_MAP] = None,
    accept_drop: Annotated[bool, _ACCEPT_DROP] = False,
    keep_nights: Annotated[int, _KEEP_NIGHTS] = 7,
    state: Annotated[Path | None, _STATE] = None,
    log: Annotated[Path | None, _LOG] = None,
) -> None:
    """Read an export, estimate every patient's risk of heart failure, write the results.

    Writes to DIR: fhir/*.ndjson (RiskAssessment, Observation, Task ... to load back into the
    record), worklist.csv (whom to look at first), report.html (the run on one page),
    findings.parquet, estimates.parquet and features.parquet (for analysis), audit.parquet
    (one record an estimate, to be archived), quarantine.ndjson (what could not be used, and
    why) and run.json (versions, hashes, counts, seconds, energy); with --mentions also
    mentions.parquet.

    Exit codes: 0 everything was read; 3 something is in quarantine; 8 everything is written,
    but the work list is empty or far more patients than in the run before have no estimate;
    2 the command line, 4 the export, 5 the pipeline, 6 the model or its registry, 7 the
    results' folder; 9 the export holds far less than the one before, whose results stay.

    Example: clinical-nlp batch export --out out --processes 2 --show 10
    """
    if out.resolve() == export.resolve():
        raise UsageError(
            "E101", "--out names the export itself; give the results a folder of their own."
        )
    if state is not None and mentions:
        raise UsageError("E138", "--state keeps no mentions: leave out --state or --mentions")
    from fhir_adapters.reading import BulkExport
    from fhir_adapters.reading.files import export_files

    with open_run_log(log, "batch") as run_log:
        export_files(export)  # a wrong path fails now, not after half a minute of loading
        translation = load_concept_maps(concept_map)
        outcome = _run(
            partial(
                BulkExport,
                export,
                max_note_bytes=max_note_mb * 1_000_000,
                concept_map=translation,
            ),
            out,
            concept_map=translation.digest,
            as_of=as_of.date() if as_of else None,
            threshold=None if threshold is None else threshold / 100,
            model_uri=model,
            processes=processes,
            mentions=mentions,
            learned=reader,
            quiet=quiet,
            accept_drop=accept_drop,
            keep_nights=keep_nights,
            state=state,
            run_log=run_log,
        )
        _log_results(run_log, outcome)
        _finish(out, outcome, show, mentions, quiet)


def _log_results(run_log: RunLog, outcome: RunOutcome) -> None:
    """Log what was published: counts and codes."""
    run_log.write(
        "published",
        as_of=outcome.context.as_of.isoformat(),
        model=f"{outcome.context.model.name}/{outcome.context.model.version}",
        patients=dict(outcome.statistics.patients),
        notes=dict(outcome.statistics.notes),
        quarantined=dict(outcome.quarantined),
        alerts=[alert.code for alert in outcome.alerts],
        stage_seconds={stage: round(s, 3) for stage, s in outcome.seconds.items()},
    )


def _finish(out: Path, outcome: RunOutcome, show: int, mentions: bool, quiet: bool) -> None:
    """Print what the run came to, and end with its exit code."""
    quarantined = sum(outcome.quarantined.values())
    if not quiet:
        from clinical_nlp.batch.statistics import summarise

        _print_outputs(out, show, mentions, quarantined)
        typer.echo(f"{summarise(outcome.statistics.patients)}.")
    for alert in outcome.alerts:  # last, and with --quiet too, so that the log has them
        typer.echo(f"Warning: {alert.code} {alert.message}", err=True)
    if any(alert.doubtful for alert in outcome.alerts):
        raise typer.Exit(EXIT_DOUBTFUL)
    if quarantined:
        typer.echo(
            f"Exit code {EXIT_QUARANTINED}: the results are complete but for "
            f"{_resources(quarantined)} in {out / 'quarantine.ndjson'}, which says why of each.",
            err=True,
        )
        raise typer.Exit(EXIT_QUARANTINED)


def _run(
    open_export: Callable[..., BulkExport],  # takes the folder of its temporary database
    out: Path,
    concept_map: str,  # digest
    as_of: date | None,
    threshold: float | None,  # probability, 0..1
    model_uri: str,
    processes: int,
    mentions: bool,
    learned: bool,
    quiet: bool,
    accept_drop: bool,
    keep_nights: int,
    state: Path | None,
    run_log: RunLog,
) -> RunOutcome:
    """Run the batch, publish its results and return its counts."""
    # Imported here: 'clinical-nlp --help' must not wait for MLflow and spaCy.
    from clinical_nlp.batch.alerts import find_alerts, find_earlier_run
    from clinical_nlp.batch.completeness import CompletenessGate
    from clinical_nlp.batch.extraction import NoteReader
    from clinical_nlp.batch.isolation import killed_workers, report_or_notice
    from clinical_nlp.batch.job import Quarantine, run
    from clinical_nlp.batch.models import load_models
    from clinical_nlp.batch.output import RUN_RECORD, OutputFolder, digests_of
    from clinical_nlp.batch.run_record import add_facts, write_run_record
    from clinical_nlp.batch.state.nightly import open_state
    from clinical_nlp.cli.progress import BatchProgress
    from clinical_nlp.lexicon import load_lexicon
    from clinical_nlp.registry.energy import measured
    from clinical_nlp.risk.bands import load_bands
    from clinical_nlp.risk.code_report import report_codes
    from fhir_adapters.writing import FhirSink

    console = Console(stderr=True, quiet=quiet)
    lexicon, bands = load_lexicon(), load_bands()
    concepts = lexicon.concepts
    limit = bands.worklist_threshold if threshold is None else threshold
    codes: dict[str, Any] = {}
    gate = CompletenessGate(out / RUN_RECORD, accept_drop)

    def begin(day: date) -> RunContext:  # before anything is scored
        codes.update(report_codes(source.coded_events(), lexicon, concept_map))
        print_codes(console, codes, shown=5)
        return models.context(day, limit)

    with OutputFolder(out, keep_nights) as output:
        folder = output.staging
        with console.status("Loading the pipeline and the risk model ..."):
            models = load_models(model_uri, mentions, learned)
        _print_warnings(console, models)
        quarantine = Quarantine(folder / "quarantine.ndjson")
        with (
            measured() as energy,
            BatchProgress(console, run_log.stage) as progress,
            open_export(folder) as source,
            NoteReader(models.nlp, processes, mentions, learned) as reader,
            open_state(state, reader, models) as kept,
        ):
            outcome = run(
                source,
                kept.reader,
                models.resolved.model,
                begin,
                lambda context: [
                    FhirSink(folder / "fhir", context, concepts, bands, card=models.resolved.card),
                    *models.sinks(folder, context, concepts, bands),
                ],
                quarantine,
                as_of,
                progress,
                gate.check,
                kept.results,
            )
            kept.finish()
        outcome.codes = codes
        outcome.state = kept.counts()
        outcome.completeness = gate.to_json()
        outcome.alerts = find_alerts(outcome, find_earlier_run(out, outcome.context.as_of))
        add_facts(outcome, models.resolved, energy.report(), processes)
        outcome.reader = models.reader_digest
        if problem := report_or_notice(folder / "report.html", outcome, concepts, bands):
            quarantine.add(problem)
        quarantine.close()
        outcome.quarantined = dict(sorted(quarantine.codes.items()))
        outcome.outputs = digests_of(folder)
        write_run_record(folder / RUN_RECORD, outcome)
        output.publish()
    if outcome.ended_workers:  # with --quiet too, so that the log has it
        typer.echo(f"Warning: {killed_workers(outcome.ended_workers)}", err=True)
    return outcome


def _print_warnings(console: Console, models: BatchModels) -> None:
    if models.resolved.warning is not None:
        # With --quiet too, so that the log has it.
        typer.echo(f"Warning: {models.resolved.warning}", err=True)
    if not models.same_pipeline_as_trained:
        console.print(
            "[yellow]The model was trained on notes read by another version of the "
            "pipeline; train it again, or compare two runs with 'clinical-nlp drift'."
        )
    if not models.bounds_features:
        console.print(
            "[yellow]The model does not hold the range of values that it was trained on, so a "
            "single extreme value can carry an estimate; train it again."
        )


def _resources(count: int) -> str:
    return f"{count} resource{'' if count == 1 else 's'}"


def _print_outputs(out: Path, show: int, mentions: bool, quarantined: int) -> None:
    from clinical_nlp.batch.sinks.worklist_view import print_worklist, read_worklist

    console = Console(highlight=False, markup=False)
    if show:
        print_worklist(console, read_worklist(out / "worklist.csv"), limit=show)
    outputs = {
        "report.html": "the run on one page: open it in a browser",
        "worklist.csv": "whom to look at first",
        "fhir/": "resources to load back into the record",
        "findings.parquet": "one row per finding",
        **({"mentions.parquet": "one row per mention; text omitted"} if mentions else {}),
        "estimates.parquet": "one row per patient",
        "features.parquet": "what the model was given, one row per scored patient",
        "audit.parquet": "one record an estimate, to be archived",
        "quarantine.ndjson": f"{_resources(quarantined)} that could not be used, and why",
        "run.json": "versions, hashes, counts, seconds, energy",
    }
    console.print(f"Results in {out}:")
    for name, content in outputs.items():
        console.print(f"  {name:<20} {content}")
