"""``clinical-nlp models``: what is shipped, what can be fetched, and whether it is whole."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from clinical_nlp.errors import ModelError

app = typer.Typer(
    help="List, fetch and verify models; only 'fetch' ever uses the network.", no_args_is_help=True
)


@app.command("list")
def list_models() -> None:
    """List the shipped models and the encoders that can be fetched, with their licences."""
    from clinical_nlp.artifacts import MODEL_FOLDER, read_manifest, shipped_models
    from clinical_nlp.neural.locate import hub_encoders

    shipped = Table(title="Shipped with the package", title_justify="left", box=None)
    for heading in ("model", "MB", "licence", "digest"):
        shipped.add_column(heading, justify="right" if heading == "MB" else "left")
    for folder in shipped_models():
        manifest = read_manifest(folder)
        files = [p for p in (folder / MODEL_FOLDER).rglob("*") if p.is_file()]
        size = sum(p.stat().st_size for p in files) / 1e6
        licence = str(manifest.get("licence", "Apache-2.0"))
        shipped.add_row(folder.name, f"{size:.1f}", licence, manifest["digest"][:16])
    console = Console(highlight=False, markup=False, soft_wrap=True)
    console.print(shipped)
    typer.echo()
    typer.echo("To be fetched with 'clinical-nlp models fetch ID'")
    for encoder in hub_encoders():
        pin = encoder.revision if encoder.pinned else f"{encoder.revision}, unpinned"
        typer.echo(
            f"  {encoder.id}  {encoder.shape}, {encoder.parameters} parameters, context "
            f"{encoder.context:,}, about {encoder.size_mb} MB, {encoder.licence}, revision {pin}"
        )
        typer.echo(f"      {encoder.why}")


@app.command("fetch")
def fetch(
    model: Annotated[str, typer.Argument(help="Hub id, e.g. BSC-LT/MrBERT-es.")],
    revision: Annotated[
        str | None, typer.Option("--revision", help="Commit, tag or branch; a commit is best.")
    ] = None,
) -> None:
    """Fetch an encoder from the Hugging Face hub and load it once, to see that it is whole.

    Only data is fetched: safetensors, the tokenizer and JSON; never code, never pickle. It
    goes into Hugging Face's own cache (HF_HOME). On a machine without network, fetch it
    elsewhere, copy the folder that this command prints, and give its path as the model.
    """
    from clinical_nlp.neural.checkpoint import Checkpoint
    from clinical_nlp.neural.locate import hub_encoders, hub_folder

    known = {encoder.id: encoder for encoder in hub_encoders()}.get(model)
    wanted = revision or (known.revision if known else None)
    folder = hub_folder(model, revision=wanted, offline=False)
    checkpoint = Checkpoint(model, folder)
    loaded = checkpoint.model()
    _ = checkpoint.tokenizer
    size = sum(parameter.numel() for parameter in loaded.parameters()) / 1e6
    typer.echo(f"Fetched {model}: {size:.0f}M parameters, context {checkpoint.window:,}.")
    typer.echo(f"Folder: {folder}")
    typer.echo(f"Revision: {folder.name}")
    typer.echo(f"Digest: {checkpoint.digest}")
    typer.echo(f"Licence: {known.licence if known else 'see the model card before you use it'}")


@app.command("verify")
def verify(
    model: Annotated[
        str | None, typer.Argument(help="Shipped model, folder or hub id; all shipped if none.")
    ] = None,
) -> None:
    """Check every file of the shipped models against its recorded SHA-256.

    A folder or a hub's encoder has no record here: it is loaded, and its digest is printed
    for you to compare.
    """
    from clinical_nlp.artifacts import changed_files, shipped_models

    shipped = {folder.name: folder for folder in shipped_models()}
    if model is not None and model not in shipped:
        _verify_checkpoint(model)
        return
    broken: list[str] = []
    for name in shipped if model is None else (model,):
        changed = changed_files(shipped[name])
        typer.echo(f"{name}: {'changed: ' + ', '.join(changed) if changed else 'as shipped'}")
        if changed:
            broken.append(name)
    if broken:
        raise ModelError(
            "E412",
            f"{', '.join(broken)} is not what was shipped: install the package again",
        )


def _verify_checkpoint(model: str) -> None:
    from clinical_nlp.neural.engine import Engine, EngineConfig
    from clinical_nlp.neural.locate import find_checkpoint
    from clinical_nlp.neural.vectors import WordVectors

    checkpoint = find_checkpoint(model)
    Engine(
        WordVectors(checkpoint.model()),
        checkpoint.tokenizer,
        EngineConfig(window=min(512, checkpoint.window), backend="float32"),
    )
    typer.echo(f"{model}: loads, and its tokenizer fits; folder {checkpoint.folder}")
    typer.echo(f"Digest: {checkpoint.digest}")
