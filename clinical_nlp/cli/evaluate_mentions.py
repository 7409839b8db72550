"""``clinical-nlp evaluate mentions``: strict and character F1 by label."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.console import Console

import clinical_nlp
from clinical_nlp.cli.evaluate_options import AsJson, Markdown, print_table
from clinical_nlp.cli.jsonl import read_rows
from clinical_nlp.errors import InputError
from clinical_nlp.evaluation.annotated_notes import parse_rows
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
    markdown: Markdown = False,
    as_json: AsJson = False,
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
        scores = {k: {label: a.rounded() for label, a in t.items()} for k, t in tables.items()}
        typer.echo(json.dumps({"documents": len(wanted)} | scores))
        return
    for kind, table in tables.items():
        rows = [(label, *_cells(counts)) for label, counts in table.items()]
        print_table((kind, "precision", "recall", "F1", "gold", "found"), rows, markdown)
        if markdown:
            typer.echo()
    if not markdown:
        Console(highlight=False).print(f"{len(wanted)} documents.")


def _spans(path: str, field: str) -> dict[str, list[MentionSpan]]:
    def parse(row: Mapping[str, Any]) -> tuple[str, list[MentionSpan]]:
        mentions = row[field] if field in row else row["mentions"]
        return str(row["id"]), [(str(m["label"]), int(m["start"]), int(m["end"])) for m in mentions]

    expected = (
        f'annotated note; each line needs "id" and "{field}" as \'clinical-nlp extract\' '
        "writes its mentions"
    )
    documents = dict(parse_rows(read_rows(path), parse, path, expected))
    if not documents:
        raise InputError("E264", f"'{path}' has no document; give another file.")
    return documents


def _read_texts(texts: dict[str, str], backend: str) -> dict[str, list[MentionSpan]]:
    nlp = clinical_nlp.load(reader=False, mentions=True, backend=backend)
    nlp.select_pipes(enable=["es_sentences", "clinical_mentions"])
    docs = nlp.pipe(texts.values())
    return {
        key: [(m.label, m.start, m.end) for m in doc._.mentions]
        for key, doc in zip(texts, docs, strict=True)
    }


def _cells(counts: SpanCounts) -> tuple[str, ...]:
    measures = (counts.precision, counts.recall, counts.f1)
    return (*(f"{value:.3f}" for value in measures), str(counts.gold), str(counts.predicted))
