"""``clinical-nlp registry``: which model scores patients, and who decided so."""

from __future__ import annotations

import getpass
import shlex
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="List, register, compare, promote and roll back risk models in MLflow.",
    no_args_is_help=True,
)

_STORE = typer.Option("--tracking-uri", help="MLflow store; default: sqlite:///mlflow.db.")
_BY = typer.Option("--by", help="Who decides; default: your login name.")
_WHY = typer.Option("--why", help="The reason; it is kept.")
_GATE = typer.Option("--gate", help="Margins of the gate (TOML); default: the package's.")


@app.command("list")
def list_versions(tracking_uri: Annotated[str | None, _STORE] = None) -> None:
    """List the versions of the risk model, with their aliases and digests."""
    from clinical_nlp.registry.versions import list_models

    for row in list_models(tracking_uri):
        aliases = f" @{', @'.join(row.aliases)}" if row.aliases else ""
        digest = row.digest[:16] if row.digest else "no digest: it will not be loaded"
        typer.echo(f"{row.name}/{row.version}{aliases}  {digest}  {row.description}")


@app.command("register")
def register(
    folder: Annotated[Path, typer.Argument(help="Folder written by 'clinical-nlp train risk'.")],
    description: Annotated[str, typer.Option("--description", help="What to remember of it.")] = "",
    challenger: Annotated[
        bool, typer.Option(help="Give the new version the alias 'challenger'.")
    ] = True,
    tracking_uri: Annotated[str | None, _STORE] = None,
) -> None:
    """Verify a trained model and register it as a new version, the challenger."""
    from clinical_nlp.registry.store import CHALLENGER
    from clinical_nlp.registry.versions import register_folder

    alias = CHALLENGER if challenger else None
    row = register_folder(folder, description, tracking_uri, alias)
    typer.echo(f"Registered models:/{row.name}/{row.version}, digest {(row.digest or '')[:16]}.")
    typer.echo("Next: clinical-nlp registry compare")


@app.command("compare")
def compare(
    challenger: Annotated[str, typer.Argument(help="Alias, version or models:/ URI.")] = (
        "challenger"
    ),
    champion: Annotated[str, typer.Argument(help="What it is compared with.")] = "champion",
    gate: Annotated[Path | None, _GATE] = None,
    tracking_uri: Annotated[str | None, _STORE] = None,
) -> None:
    """Put two versions side by side and show what the promotion gate would say.

    Exit code 0 whatever the gate would say; nothing is decided or recorded.
    """
    from clinical_nlp.registry.promotion import compare as compare_versions

    comparison = compare_versions(challenger, champion, tracking_uri, gate)
    if comparison.metrics:
        typer.echo(f"{'on its own test patients':26}{'champion':28}challenger")
        typer.echo(f"{'version':26}{comparison.champion or 'none':28}{comparison.challenger}")
        for name, (champion_value, challenger_value) in comparison.metrics.items():
            typer.echo(f"{name:26}{champion_value or '-':28}{challenger_value}")
    for check in comparison.checks:
        typer.echo(f"{'pass' if check.passed else 'FAIL'}  {check.name}: {check.detail}")
    typer.echo("The gate would let it pass." if comparison.passed else "The gate would refuse it.")


@app.command("promote")
def promote(
    why: Annotated[str, _WHY],
    version: Annotated[str, typer.Argument(help="Alias, version or models:/ URI.")] = "challenger",
    by: Annotated[str | None, _BY] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Overrule the gate; that is recorded too.")
    ] = False,
    gate: Annotated[Path | None, _GATE] = None,
    tracking_uri: Annotated[str | None, _STORE] = None,
) -> None:
    """Make a version the champion, if the gate lets it pass; records who and why.

    Exit code 6 where the gate refuses (E406); the refusal is recorded.
    """
    from clinical_nlp.registry.promotion import promote as promote_version

    decision = promote_version(
        version, getpass.getuser() if by is None else by, why, force, tracking_uri, gate
    )
    checks = decision.gate.get("checks", [])
    for check in checks:
        typer.echo(f"{'pass' if check['passed'] else 'FAIL'}  {check['name']}: {check['detail']}")
    forced = " with --force, against the gate" if decision.forced else ""
    typer.echo(
        f"Champion is now version {decision.version}{forced} "
        f"(before: {decision.previous or 'none'}), by {decision.by}."
    )


@app.command("rollback")
def rollback(
    why: Annotated[str, _WHY],
    by: Annotated[str | None, _BY] = None,
    tracking_uri: Annotated[str | None, _STORE] = None,
) -> None:
    """Make the champion's predecessor the champion again; records who and why."""
    from clinical_nlp.registry.promotion import rollback as roll_back

    decision = roll_back(getpass.getuser() if by is None else by, why, tracking_uri)
    typer.echo(
        f"Champion is again version {decision.version} (was: {decision.previous}), "
        f"by {decision.by}."
    )


@app.command("history")
def history(tracking_uri: Annotated[str | None, _STORE] = None) -> None:
    """List every decision on the champion, refusals among them, newest first."""
    from clinical_nlp.registry.promotion import history as read_history

    for decision in read_history(tracking_uri):
        forced = " FORCED" if decision.forced else ""
        typer.echo(
            f"{decision.when[:19]}  {decision.action}{forced} version {decision.version} "
            f"(before: {decision.previous or 'none'}) by {decision.by}: {decision.why}"
        )


@app.command("fetch")
def fetch(
    folder: Annotated[Path, typer.Argument(help="New folder for the MLflow model.")],
    version: Annotated[str, typer.Argument(help="Alias, version or models:/ URI.")] = "champion",
    tracking_uri: Annotated[str | None, _STORE] = None,
) -> None:
    """Copy a version's files into a folder, verified: what 'mlflow models serve -m' takes."""
    from clinical_nlp.registry.champion import fetch_verified

    reference = fetch_verified(version, folder, tracking_uri)
    typer.echo(f"{reference.uri}, digest {reference.digest}, verified, is in {folder}.")
    typer.echo(f"Serve it: {serve_command(folder, reference.digest)}")


def serve_command(folder: Path, digest: str) -> str:
    """Return the shell command that serves a fetched model.

    MLflow starts ``uvicorn`` by its name. Where this environment is not activated, the
    command puts it first on the path.
    """
    environment = Path(sys.executable).parent
    uvicorn = shutil.which("uvicorn")
    activated = uvicorn is not None and Path(uvicorn).parent == environment
    path = "" if activated else f"PATH={shlex.quote(str(environment))}:$PATH "
    return (
        f"{path}CLINICAL_NLP_MODEL_DIGEST={digest[:16]} "
        f"mlflow models serve -m {shlex.quote(str(folder))} --env-manager local"
    )
