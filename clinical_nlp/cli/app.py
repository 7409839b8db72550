"""The ``clinical-nlp`` command: its subcommands, and how errors end it."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

import clinical_nlp
from clinical_nlp.errors import ClinicalNlpError
from clinical_nlp.privacy import silence_telemetry

# Before any command imports a library that might call home.
silence_telemetry()

from clinical_nlp.cli import (  # noqa: E402
    audit,
    batch,
    codes,
    config,
    drift,
    evaluate,
    extract,
    lexicon,
    models,
    recalibrate,
    registry,
    simulate,
    status,
    train,
    write_back,
)

#: Exit code of an unforeseen error (EX_SOFTWARE of sysexits.h).
EXIT_UNFORESEEN = 70

app = typer.Typer(
    name="clinical-nlp",
    help=(
        "Finds heart failure early: reads Spanish primary-care notes from a FHIR export, "
        "estimates each patient's risk over 12 months, writes the results back as FHIR.\n\n"
        "A research tool, not a certified medical device. Start with: "
        "clinical-nlp simulate --patients 200 export, then clinical-nlp batch export --out out."
    ),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # its tracebacks print local variables: patient text
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("batch")(batch.batch)
app.command("codes")(codes.codes)
app.command("extract")(extract.extract)
app.command("assert")(extract.assert_)
app.command("simulate")(simulate.simulate)
app.command("drift")(drift.drift)
app.command("status")(status.status)
app.command("write-back")(write_back.write_back)
app.command("retract")(write_back.retract)
app.add_typer(config.app, name="config")
app.add_typer(evaluate.app, name="evaluate")
app.add_typer(train.app, name="train")
app.command("recalibrate")(recalibrate.recalibrate)
app.add_typer(registry.app, name="registry")
app.add_typer(models.app, name="models")
app.add_typer(audit.app, name="audit")
app.add_typer(lexicon.app, name="lexicon")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"clinical-nlp {clinical_nlp.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print it.")
    ] = False,
    file: Annotated[
        Path | None,
        typer.Option("--config", metavar="FILE", help="Options of the nightly commands, as TOML."),
    ] = None,
) -> None:
    """Options of the whole command."""
    if context.invoked_subcommand in config.COMMANDS:
        context.default_map = config.load(context, file)


def _end(number: int, frame: object) -> NoReturn:
    raise SystemExit(128 + number)


def main() -> None:
    """Run the command line; every failure ends in one sentence and its own exit code."""
    os.umask(0o077)  # files are private to the user
    # As an error would: what a run has staged is removed, and its workers are ended.
    signal.signal(signal.SIGTERM, _end)
    errors = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
    try:
        app()
    except ClinicalNlpError as error:
        errors.print(f"clinical-nlp: {error}")
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # The process that read our output ended (``| head``): no error.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except Exception as error:  # noqa: BLE001 - reported without its message, which may hold text
        frame = traceback.extract_tb(error.__traceback__)[-1]
        errors.print(
            f"clinical-nlp: E999 unforeseen {type(error).__name__} at {frame.filename}:"
            f"{frame.lineno} in {frame.name}; the message is withheld because it may quote a "
            "note. Please report this line to the maintainers."
        )
        sys.exit(EXIT_UNFORESEEN)
