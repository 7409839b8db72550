"""``clinical-nlp evaluate``: the accuracy tables, with intervals and the errors behind them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

import clinical_nlp
from clinical_nlp.cli.evaluate_mentions import evaluate_mentions
from clinical_nlp.cli.evaluate_options import (
    AsJson,
    Errors,
    Gold,
    Language,
    Markdown,
    PartOfNotes,
    Predictions,
    Reader,
    print_table,
)
from clinical_nlp.cli.jsonl import read_rows
from clinical_nlp.errors import InputError
from clinical_nlp.evaluation import coded_evidence
from clinical_nlp.evaluation.annotated_notes import (
    AnnotatedNote,
    finding_note,
    parse_notes,
    select_notes,
    target_note,
)
from clinical_nlp.evaluation.finding_scores import (
    WRONGLY_FLAGGED,
    Disagreement,
    Tables,
    score_assertion,
    score_findings,
)
from clinical_nlp.evaluation.markup import read_marked_notes
from clinical_nlp.evaluation.measures import Score
from clinical_nlp.evaluation.splits import Half, Part

_COLUMNS = ("precision", "recall", "F1", "95% interval", "gold", "found")

app = typer.Typer(
    help=(
        "Measure the reading against notes that people annotated: findings (what is found, and "
        "how it is asserted), assertion (the flags of given spans) or mentions (diseases, "
        "symptoms, procedures, medications)."
    ),
    no_args_is_help=True,
)


@app.command("findings")
def evaluate_findings(
    gold: Gold,
    pred: Predictions = None,
    part: PartOfNotes = Part.ALL,
    lang: Language = None,
    errors: Errors = None,
    markdown: Markdown = False,
    as_json: AsJson = False,
    reader: Reader = True,
    concepts: Annotated[bool, typer.Option("--concepts", help="A row a concept, too.")] = False,
) -> None:
    """Score the catalogue findings of notes: by measure, category and, if asked, concept."""
    from clinical_nlp.lexicon import load_lexicon

    notes = select_notes(_read(gold, targets=False).values(), gold, part, lang)
    predicted = _read(pred, targets=False) if pred else _extract(notes, reader)
    categories = {key: concept.category for key, concept in load_lexicon().concepts.items()}
    tables, disagreements = score_findings(notes, predicted, categories, by_concept=concepts)
    _report(tables, disagreements, notes, errors, markdown, as_json)


@app.command("assertion")
def evaluate_assertion(
    gold: Gold,
    pred: Predictions = None,
    part: PartOfNotes = Part.ALL,
    lang: Language = None,
    errors: Errors = None,
    markdown: Markdown = False,
    as_json: AsJson = False,
    reader: Reader = True,
) -> None:
    """Score the assertion flags of given targets; only the flags that the gold names count."""
    notes = select_notes(_read(gold, targets=True).values(), gold, part, lang)
    predicted = _read(pred, targets=True) if pred else _assert(notes, reader)
    tables, disagreements = score_assertion(notes, predicted)
    _report(tables, disagreements, notes, errors, markdown, as_json)


@app.command("codes")
def evaluate_codes(
    gold: Annotated[str, typer.Argument(help="Coded cases, JSON lines: id, text, codes.")],
    half: Annotated[
        Half, typer.Option("--half", help="All cases, those for tuning, or the others.")
    ] = Half.ALL,
    markdown: Markdown = False,
    as_json: AsJson = False,
    reader: Reader = True,
) -> None:
    """Score how much of the evidence that coders marked the findings cover, by ICD-10 family."""
    from clinical_nlp.lexicon import load_lexicon
    from clinical_nlp.pipeline.document import get_findings

    concepts_of = coded_evidence.families(load_lexicon().concepts.values())
    nlp = clinical_nlp.load(reader=reader)
    counts = []
    for case in coded_evidence.parse_cases(read_rows(gold), gold, half):
        findings = [(f.start, f.end, f.concept) for f in get_findings(nlp(case.text))]
        counts.append(coded_evidence.found_in(case, findings, concepts_of))
    recalls = coded_evidence.recall_all(counts)
    if as_json:
        typer.echo(json.dumps({"cases": len(counts)} | {k: asdict(r) for k, r in recalls.items()}))
        return
    rows = coded_evidence.recall_rows(recalls, concepts_of)
    print_table(coded_evidence.COLUMNS, rows, markdown, texts=2)
    if not markdown:
        Console(highlight=False).print(
            f"{len(counts)} cases; recall with 95% bootstrap intervals over cases."
        )


app.command("mentions")(evaluate_mentions)


def _read(path: str, targets: bool) -> dict[str, AnnotatedNote]:
    if targets or not path.endswith(".txt"):
        return parse_notes(read_rows(path), path, targets)
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(
            "E261", f"'{path}' cannot be read ({error.strerror}): check its name and rights."
        ) from None
    return {note.id: note for note in read_marked_notes(text)}


def _extract(notes: Iterable[AnnotatedNote], reader: bool) -> dict[str, AnnotatedNote]:
    from clinical_nlp.batch.note_rows import extract_row

    nlp = clinical_nlp.load(reader=reader)
    rows = (extract_row(nlp, {"id": note.id, "text": note.text}) for note in notes)
    return {row["id"]: finding_note(row) for row in rows}


def _assert(notes: Iterable[AnnotatedNote], reader: bool) -> dict[str, AnnotatedNote]:
    from clinical_nlp.batch.note_rows import assert_row

    nlp = clinical_nlp.load(reader=reader)
    predicted = {}
    for note in notes:
        targets = [{"start": a.start, "end": a.end} for a in note.annotations]
        row = assert_row(nlp, {"id": note.id, "text": note.text, "targets": targets})
        predicted[note.id] = target_note(row)
    return predicted


def _report(
    tables: Tables,
    disagreements: list[Disagreement],
    notes: list[AnnotatedNote],
    errors: Path | None,
    markdown: bool,
    as_json: bool,
) -> None:
    """Print the tables, and write the page of errors where one is asked for."""
    if as_json:
        scores = {t: {k: asdict(s) for k, s in rows.items()} for t, rows in tables.items()}
        typer.echo(json.dumps({"notes": len(notes)} | scores))
    else:
        for heading, scores_by_name in tables.items():
            rows = [(name, *_cells(name, score)) for name, score in scores_by_name.items()]
            print_table((heading, *_COLUMNS), rows, markdown)
            if markdown:
                typer.echo()
        if not markdown:
            Console(highlight=False).print(
                f"{len(notes)} notes; F1 with 95% bootstrap intervals over notes."
            )
    if errors is not None:
        from clinical_nlp.evaluation.error_page import render_errors

        page = render_errors(disagreements, {note.id: note.text for note in notes})
        errors.write_text(page, encoding="utf-8")
        Console(stderr=True).print(f"{len(disagreements)} errors to browse in {errors}")


def _cells(name: str, score: Score) -> tuple[str, ...]:
    if name == WRONGLY_FLAGGED:  # a share, not a detection
        return ("", f"{score.recall:.3f}", "", "", str(score.gold), str(score.predicted))
    return (
        f"{score.precision:.3f}",
        f"{score.recall:.3f}",
        f"{score.f1:.3f}",
        f"{score.low:.3f}–{score.high:.3f}",
        str(score.gold),
        str(score.predicted),
    )
