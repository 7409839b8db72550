"""``clinical-nlp simulate``: an export of invented patients to try everything on."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer
from rich.console import Console

from clinical_nlp.artifacts import open_private
from clinical_nlp.errors import OutputError, UsageError

if TYPE_CHECKING:
    from clinical_nlp.simulation import AnyParameters

_OUT = typer.Argument(
    metavar="OUT",
    help="A new or empty folder for the export. The truth goes beside it, to OUT.truth.csv.",
    show_default=False,
)
_PATIENTS = typer.Option("--patients", "-n", min=1, metavar="N", help="How many patients.")
_SEED = typer.Option(
    "--seed",
    "-s",
    min=0,
    help="Another seed, another population. The same seed gives the same bytes, "
    "and patient 17 is the same person whatever N is.",
)
_CUT = typer.Option(
    "--cut",
    formats=["%Y-%m-%d"],
    help="Show the record as of this day; what comes later is only in the truth. "
    "Default: 2024-12-31, a year before the simulation ends.",
    show_default=False,
)
_TRUTH = typer.Option(
    "--truth",
    metavar="FILE",
    help="Where the truth goes. Default: OUT.truth.csv, outside the export.",
    show_default=False,
)
_PARAMETERS = typer.Option(
    "--parameters",
    metavar="FILE",
    help="Another population: a TOML file like the shipped "
    "clinical_nlp/simulation/parameters.toml.",
    show_default=False,
)
_SERVICE = typer.Option(
    "--service",
    min=0,
    metavar="SEED",
    help="A health service drawn at random: another incidence, other habits of care, coding and "
    "writing. Default: the shipped one.",
    show_default=False,
)
_MECHANICS = typer.Option(
    "--mechanics",
    help="Which simulator: 'thresholds' (the shipped one), or 'stages', whose disease, care and "
    "words are made another way, to test on what was never trained on.",
)
_QUIET = typer.Option("--quiet", "-q", help="No progress bar and no summary.")


class Mechanics(StrEnum):
    """Which simulator makes the patients."""

    THRESHOLDS = "thresholds"
    STAGES = "stages"


def simulate(
    out: Annotated[Path, _OUT],
    patients: Annotated[int, _PATIENTS] = 200,
    seed: Annotated[int, _SEED] = 1,
    cut: Annotated[datetime | None, _CUT] = None,
    truth: Annotated[Path | None, _TRUTH] = None,
    parameters: Annotated[Path | None, _PARAMETERS] = None,
    service: Annotated[int | None, _SERVICE] = None,
    mechanics: Annotated[Mechanics, _MECHANICS] = Mechanics.THRESHOLDS,
    quiet: Annotated[bool, _QUIET] = False,
) -> None:
    """Write a FHIR R4 export of invented Spanish primary-care patients.

    Nobody in it exists: people, names and numbers are drawn at random from documented
    distributions (docs/explanation/simulation.md). Notes are in Spanish, some in Catalan,
    Galician or Basque, in the styles and with the slips of busy clinicians.

    The export ends on a day (--cut). Who was diagnosed with heart failure in the year
    after it is in the truth file, which 'batch' never reads.

    Example: clinical-nlp simulate --patients 500 --seed 7 export
    """
    # Imported here: 'clinical-nlp --help' must not wait for it.
    from rich.progress import track

    from clinical_nlp.simulation import simulate_patients
    from clinical_nlp.simulation.simulator import TRUTH_COLUMNS, truth_row
    from fhir_adapters.simulated.export import SimulatedExport

    console = Console(stderr=True, quiet=quiet)
    settings = _settings(mechanics, parameters, service)
    if cut is not None:
        settings = settings.as_of(cut.date())
    truth_file = truth or out.with_name(out.name + ".truth.csv")
    people = simulate_patients(patients, seed, settings)
    with SimulatedExport(out) as export, _private(truth_file) as handle:
        table = csv.writer(handle, lineterminator="\n")
        table.writerow(TRUTH_COLUMNS)
        for person in track(
            people,
            description="Simulating patients",
            total=patients,
            console=console,
            disable=quiet or not console.is_terminal,
        ):
            export.write(person.record, person.identity)
            table.writerow(truth_row(person, settings.cut))
        counts = dict(export.counts)
    if not quiet:
        contents = ", ".join(f"{number:,} {kind}" for kind, number in counts.items())
        console.print(f"Export in {out}, as of {settings.cut}: {contents}.", highlight=False)
        console.print(f"Truth in {truth_file} (not part of the export).", highlight=False)
        console.print(f"Next: clinical-nlp batch {out} --out results", highlight=False)


def _settings(mechanics: Mechanics, file: Path | None, service: int | None) -> AnyParameters:
    """Return the parameters that the options name."""
    from clinical_nlp.simulation import (
        draw_service,
        draw_stages_parameters,
        load_parameters,
        load_stages_parameters,
    )

    staged = mechanics is Mechanics.STAGES
    if file is not None and (staged or service is not None):
        other = "--mechanics stages" if staged else "--service"
        raise UsageError("E114", f"{other} and --parameters both name a population: give one.")
    if staged:
        return load_stages_parameters() if service is None else draw_stages_parameters(service)
    return load_parameters(file) if service is None else draw_service(service).parameters()


def _private(path: Path) -> TextIO:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return io.TextIOWrapper(open_private(path), "utf-8", newline="")
    except OSError as error:
        raise OutputError(
            "E514",
            f"the truth '{path}' cannot be written ({error.strerror}): "
            "give another place with --truth.",
        ) from None
