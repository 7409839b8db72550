"""``clinical-nlp registry``: what the registry has, and putting a model into it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="List and register risk models in MLflow.", no_args_is_help=True)

_STORE = typer.Option("--tracking-uri", help="MLflow store; sqlite:///mlflow.db where not given.")


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
    tracking_uri: Annotated[str | None, _STORE] = None,
) -> None:
    """Verify a trained model and register it as a new version, without an alias."""
    from clinical_nlp.registry.versions import register_folder

    row = register_folder(folder, description, tracking_uri)
    typer.echo(f"Registered models:/{row.name}/{row.version}, digest {(row.digest or '')[:16]}.")
