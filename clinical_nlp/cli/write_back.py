"""``clinical-nlp write-back`` and ``retract``: results to a FHIR server, and back from it."""

from __future__ import annotations

import json
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer
from rich.console import Console

from clinical_nlp.errors import UsageError

if TYPE_CHECKING:
    from fhir_adapters.server.sync import Delivery
    from fhir_adapters.server.transport import FhirClient

_OUT = typer.Argument(metavar="OUT", help="Folder that 'batch' wrote with --out.")
_SERVER = typer.Option("--server", metavar="URL", help="Base URL of the FHIR R4 server.")
_LEDGER = typer.Option(
    "--ledger",
    metavar="FILE",
    help="What was written to this server (default: ledger-HOST.sqlite here). Keep it: without "
    "it nothing can be taken back.",
    show_default=False,
)
_TOKEN = typer.Option(
    "--token-file", metavar="FILE", help="File with the bearer token.", show_default=False
)
_DRY = typer.Option("--dry-run", help="Count what would be sent; send nothing.")
_WORKERS = typer.Option("--workers", min=1, max=32, help="Requests under way at a time.")
_MODEL = typer.Option(
    "--model", metavar="NAME/VERSION", help="Risk model, as hf-risk/3.", show_default=False
)
_READER = typer.Option(
    "--reader", metavar="DIGEST", help="Pipeline that read the notes.", show_default=False
)
_ACCEPT_DROP = typer.Option(
    "--accept-drop",
    help="Take back however much is gone from the export: without it more than a tenth stops.",
)
_YES = typer.Option("--yes", help="Take back; without it only count.")


def write_back(
    out: Annotated[Path, _OUT],
    server: Annotated[str, _SERVER],
    ledger: Annotated[Path | None, _LEDGER] = None,
    token_file: Annotated[Path | None, _TOKEN] = None,
    dry_run: Annotated[bool, _DRY] = False,
    workers: Annotated[int, _WORKERS] = 4,
    accept_drop: Annotated[bool, _ACCEPT_DROP] = False,
) -> None:
    """Bring a FHIR server in step with the night in OUT.

    Sends only what is new or changed since the last time, by the ledger of that server. What
    someone else changed or deleted there is left as it is and listed in delivered.json; only a
    Task that they finished opens again, with what they added, when the state or band rises. What
    tonight no longer says becomes entered-in-error (a Task: cancelled), with a Provenance that
    says why. What the server refuses is listed by its codes; the patient's other resources go in.
    A run that is cut off continues when the command is run again.

    Exit code 3: some resources were refused.

    Example: clinical-nlp write-back out --server https://fhir.example/r4 --token-file token
    """
    # Imported here: 'clinical-nlp --help' must not wait for httpx.
    from clinical_nlp.artifacts import open_private, output_errors
    from fhir_adapters.server.ledger import Ledger
    from fhir_adapters.server.night import Night
    from fhir_adapters.server.sync import WriteBack

    console, night = Console(stderr=True, highlight=False), Night(out)
    with _client(server, token_file) as client, Ledger(_path(ledger, server), server) as kept:
        if dry_run:
            planned = WriteBack(client, kept).plan(night)
            typer.echo(_planned(planned))
            return
        with console.status("Writing back ...") as status:
            done = [0]

            def progress(number: int) -> None:
                done[0] += number
                status.update(f"Writing back ... {done[0]:,} resources dealt with")

            delivery = WriteBack(client, kept, workers, progress).send(night, accept_drop)
    report = json.dumps(delivery.to_json(), indent=1, ensure_ascii=False)
    with output_errors("delivered.json"), open_private(night.folder / "delivered.json") as file:
        file.write((report + "\n").encode())
    typer.echo(_summary(delivery))
    if delivery.refused:
        console.print(
            f"[yellow]{len(delivery.refused)} resources were refused: their codes are in "
            "delivered.json."
        )
        raise typer.Exit(3)


def retract(
    server: Annotated[str, _SERVER],
    model: Annotated[str | None, _MODEL] = None,
    reader: Annotated[str | None, _READER] = None,
    ledger: Annotated[Path | None, _LEDGER] = None,
    token_file: Annotated[Path | None, _TOKEN] = None,
    yes: Annotated[bool, _YES] = False,
) -> None:
    """Take back all that one version of the risk model, or of the reader, wrote.

    What it wrote last becomes entered-in-error, its Tasks cancelled, with a Provenance; what
    someone else has changed since is left. Counts first; --yes takes back.

    Example: clinical-nlp retract --model hf-risk/3 --server https://fhir.example/r4 --yes
    """
    from fhir_adapters.server.ledger import Ledger
    from fhir_adapters.server.sync import WriteBack, retract_version

    if (model is None) == (reader is None):
        raise UsageError("E134", "say what to take back: give either --model or --reader")
    with _client(server, token_file) as client, Ledger(_path(ledger, server), server) as kept:
        rows = kept.written_by(model, reader)
        if not yes:
            typer.echo(f"{len(rows)} resources would be taken back. Run again with --yes.")
            return
        delivery = retract_version(WriteBack(client, kept), kept, rows)
    typer.echo(_summary(delivery))


def _client(server: str, token_file: Path | None) -> FhirClient:
    from fhir_adapters.server.transport import FhirClient

    parts = urlsplit(server)
    is_url = parts.scheme in ("http", "https") and parts.hostname
    if not is_url or parts.username is not None or parts.password is not None:
        raise UsageError(
            "E135",
            "--server is no base URL of a FHIR server: give one such as https://fhir.example/r4, "
            "and the token in a file with --token-file",
        )
    token: Callable[[], str] | None = None
    if token_file is not None:
        if parts.scheme == "http" and not _is_this_machine(str(parts.hostname)):
            raise UsageError(
                "E137",
                "--server is not https, so that the token could be read on its way: give the "
                "https URL of the server",
            )
        path = token_file  # read again when the server no longer takes the last one

        def token() -> str:
            try:
                return path.read_text("utf-8").strip()
            except (OSError, UnicodeDecodeError):
                raise UsageError(
                    "E136", "the token file cannot be read: give a text file with --token-file"
                ) from None

    return FhirClient(server, token)


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _path(ledger: Path | None, server: str) -> Path:
    parts = urlsplit(server)
    place = f"{parts.hostname}-{parts.port}" if parts.port else f"{parts.hostname}"
    return ledger or Path(f"ledger-{place}.sqlite")


def _planned(plan: Delivery) -> str:
    gone = sum(plan.retracted.values())
    return (
        f"{plan.total('new')} new, {plan.total('changed')} changed, "
        f"{plan.total('unchanged')} unchanged, {plan.total('theirs')} changed by others, "
        f"{gone} to be taken back. Nothing was sent."
    )


def _summary(delivery: Delivery) -> str:
    return (
        f"{delivery.total('created')} created, {delivery.total('updated')} updated, "
        f"{delivery.total('found')} found as sent before, {delivery.total('unchanged')} unchanged, "
        f"{sum(delivery.retracted.values())} taken back, {len(delivery.touched)} left to others, "
        f"{len(delivery.refused)} refused."
    )
