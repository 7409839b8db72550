"""``clinical-nlp evaluate mentions``: strict and character F1 by label."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from clinical_nlp.cli.jsonl import read_rows
from clinical_nlp.errors import InputError
from clinical_nlp.evaluation.mentions import MentionSpan, SpanCounts, score_mentions


def evaluate_mentions(
    gold: Annotated[str, typer.Argument(help="Annotated documents, JSON lines (.gz too).")],
    pred: Annotated[
        str | None,
        typer.Option(
            "--pred", help="Predictions to score; without it the pipeline reads the texts."
        ),
    ] = None,
    backend: Annotated[
        str, typer.Option("--backend", help="How the model runs: auto, float32, bfloat16, int8.")
    ] = "auto",
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print tables for a document.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Score mentions: a strict one has its label and both ends right.

    Gold rows have "id", "text" and "entities" (label, start, end). Beware of documents that
    the model was trained on: the shipped one has seen all of CardioCCC's development part.
    """
    wanted = _spans(gold, "entities")
    texts = {str(row["id"]): row.get("text", "") for _, row in read_rows(gold) if row}
    found = _spans(pred, "mentions") if pred else _read_texts(texts, backend)
    measures = score_mentions((spans, found.get(key, [])) for key, spans in wanted.items())
    tables = {"strict": measures.strict, "character": measures.character}
    if as_json:
        scores = {k: {label: _row(a) for label, a in t.items()} for k, t in tables.items()}
        typer.echo(json.dumps({"documents": len(wanted)} | scores))
        return
    console = Console(highlight=False)
    for kind, table in tables.items():
        if markdown:
            typer.echo(f"| {kind} | precision | recall | F1 | gold | found |")
            typer.echo("| --- |" + " ---: |" * 5)
            for label, counts in table.items():
                typer.echo(f"| {label} | " + " | ".join(_cells(counts)) + " |")
            typer.echo("")
        else:
            console.print(_table(kind, table))
    if not markdown:
        console.print(f"{len(wanted)} documents.")


def _spans(path: str, field: str) -> dict[str, list[MentionSpan]]:
    documents: dict[str, list[MentionSpan]] = {}
    for number, row in read_rows(path):
        try:
            if row is None:
                raise ValueError("row")
            marks = row[field] if field in row else row["mentions"]
            documents[str(row["id"])] = [
                (str(mark["label"]), int(mark["start"]), int(mark["end"])) for mark in marks
            ]
        except (KeyError, TypeError, ValueError):
            raise InputError(
                "E263",
                f"line {number} of '{path}' is no annotated note; each line needs \"id\" and "
                f"\"{field}\" as 'clinical-nlp extract' writes its mentions.",
            ) from None
    if not documents:
        raise InputError("E264", f"'{path}' has no document; give another file.")
    return documents


def _read_texts(texts: dict[str, str], backend: str) -> dict[str, list[MentionSpan]]:
    import clinical_nlp

    nlp = clinical_nlp.load(mentions=True, backend=backend)
    nlp.select_pipes(enable=["es_sentences", "clinical_mentions"])
    docs = nlp.pipe(texts.values())
    return {
        key: [(m.label, m.start, m.end) for m in doc._.mentions]
        for key, doc in zip(texts, docs, strict=True)
    }


def _row(counts: SpanCounts) -> dict[str, Any]:
    return {
        "precision": round(counts.precision, 4),
        "recall": round(counts.recall, 4),
        "f1": round(counts.f1, 4),
        "gold": counts.gold,
        "found": counts.predicted,
    }


def _cells(counts: SpanCounts) -> tuple[str, ...]:
    return (
        f"{counts.precision:.3f}",
        f"{counts.recall:.3f}",
        f"{counts.f1:.3f}",
        str(counts.gold),
        str(counts.predicted),
    )


def _table(kind: str, rows: Mapping[str, SpanCounts]) -> Table:
    table = Table(kind)
    for column in ("precision", "recall", "F1", "gold", "found"):
        table.add_column(column, justify="right")
    for label, counts in rows.items():
        table.add_row(label, *_cells(counts))
    return table
