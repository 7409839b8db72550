"""``clinical-nlp evaluate``: the accuracy tables, with intervals and the errors behind them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
import typer.main
from rich.console import Console
from rich.table import Table
from typer.core import TyperGroup

from clinical_nlp.cli.evaluate_codes import evaluate_codes
from clinical_nlp.cli.evaluate_options import (
    AsJson,
    Errors,
    Gold,
    Language,
    Markdown,
    PartOfNotes,
    Predictions,
)
from clinical_nlp.cli.jsonl import read_rows
from clinical_nlp.errors import InputError
from clinical_nlp.evaluation import assertion, findings
from clinical_nlp.evaluation.findings import NoteComparison
from clinical_nlp.evaluation.markup import read_marked_notes
from clinical_nlp.evaluation.measures import Score, score_all
from clinical_nlp.evaluation.parts import Part
from clinical_nlp.evaluation.rows import MarkedNote, finding_note, target_note

if TYPE_CHECKING:
    from typer._click.core import Command, Context  # Typer's own copy; it re-exports neither

_MENTIONS = "mentions"


class _Group(TyperGroup):
    """Imports the command that needs torch when it is asked for: that takes seconds.

    No other command of the program, nor its help, shall wait for it.
    """

    def list_commands(self, ctx: Context) -> list[str]:
        return [*super().list_commands(ctx), _MENTIONS]

    def get_command(self, ctx: Context, cmd_name: str) -> Command | None:
        if cmd_name != _MENTIONS:
            return super().get_command(ctx, cmd_name)
        from clinical_nlp.cli.evaluate_mentions import evaluate_mentions

        alone = typer.Typer(add_completion=False)
        alone.command(_MENTIONS)(evaluate_mentions)
        return typer.main.get_command(alone)


app = typer.Typer(
    cls=_Group,
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
    concepts: Annotated[bool, typer.Option("--concepts", help="A row a concept, too.")] = False,
) -> None:
    """Score the catalogue findings of notes: by measure, category and, if asked, concept."""
    notes = _notes(gold, part, lang, targets=False)
    predicted = _read(pred, targets=False) if pred else _extract(notes)
    compared = [findings.compare(note, predicted.get(note.id)) for note in notes]
    tables = {"measure": score_all([c.measures for c in compared])}
    category_of = _categories()
    tables["category"] = score_all(
        [findings.by_category(c.concepts, category_of) for c in compared]
    )
    if concepts:
        tables["concept"] = score_all([c.concepts for c in compared], samples=200)
    _report(tables, compared, notes, errors, markdown, as_json)


@app.command("assertion")
def evaluate_assertion(
    gold: Gold,
    pred: Predictions = None,
    part: PartOfNotes = Part.ALL,
    lang: Language = None,
    errors: Errors = None,
    markdown: Markdown = False,
    as_json: AsJson = False,
) -> None:
    """Score the assertion flags of given targets; only the flags that the gold names count."""
    notes = _notes(gold, part, lang, targets=True)
    predicted = _read(pred, targets=True) if pred else _assert(notes)
    compared = [assertion.compare(note, predicted.get(note.id)) for note in notes]
    _report(
        {"measure": score_all([c.measures for c in compared])},
        compared,
        notes,
        errors,
        markdown,
        as_json,
    )


app.command("codes")(evaluate_codes)


def _read(path: str, targets: bool) -> dict[str, MarkedNote]:
    if path.endswith(".txt") and not targets:
        try:
            text = Path(path).read_text(encoding="utf-8-sig")
        except OSError as error:
            raise InputError(
                "E261", f"'{path}' cannot be read ({error.strerror}): check its name and rights."
            ) from None
        return {note.id: note for note in read_marked_notes(text)}
    notes: dict[str, MarkedNote] = {}
    for number, row in read_rows(path):
        try:
            if row is None:
                raise ValueError("row")
            note = target_note(row) if targets else finding_note(row)
        except (KeyError, TypeError, ValueError):
            fields = '"targets"' if targets else '"findings"'
            raise InputError(
                "E263",
                f"line {number} of '{path}' is no annotated note; each line needs \"id\" and "
                f"{fields} as 'clinical-nlp extract' writes them.",
            ) from None
        notes[note.id] = note
    return notes


def _notes(path: str, part: Part, lang: str | None, targets: bool) -> list[MarkedNote]:
    wanted = set(lang.split(",")) if lang else None
    notes = [
        note
        for note in _read(path, targets).values()
        if part.holds(note.id) and (wanted is None or note.language in wanted)
    ]
    if not notes:
        raise InputError(
            "E264", f"'{path}' has no note of the part and language asked for; widen them."
        )
    return notes


def _extract(notes: list[MarkedNote]) -> dict[str, MarkedNote]:
    import clinical_nlp
    from clinical_nlp.pipeline.document import get_findings
    from clinical_nlp.records.codec import finding_row

    nlp = clinical_nlp.load()
    return {
        note.id: finding_note(
            {"id": note.id, "findings": [finding_row(f) for f in get_findings(nlp(note.text))]}
        )
        for note in notes
    }


def _assert(notes: list[MarkedNote]) -> dict[str, MarkedNote]:
    import clinical_nlp
    from clinical_nlp.batch.note_rows import assert_row

    nlp = clinical_nlp.load()
    return {
        note.id: target_note(
            assert_row(
                nlp,
                {
                    "id": note.id,
                    "text": note.text,
                    "targets": [{"start": m.start, "end": m.end} for m in note.marks],
                },
            )
        )
        for note in notes
    }


def _categories() -> dict[str, str]:
    from clinical_nlp.lexicon import load_lexicon

    return {key: concept.category for key, concept in load_lexicon().concepts.items()}


def _report(
    tables: Mapping[str, Mapping[str, Score]],
    compared: list[NoteComparison],
    notes: list[MarkedNote],
    errors: Path | None,
    markdown: bool,
    as_json: bool,
) -> None:
    console = Console(highlight=False)
    if as_json:
        scores = {t: {k: asdict(s) for k, s in rows.items()} for t, rows in tables.items()}
        typer.echo(json.dumps({"notes": len(notes)} | scores))
    elif markdown:
        for heading, rows in tables.items():
            typer.echo(_markdown(heading, rows) + "\n")
    else:
        for heading, rows in tables.items():
            console.print(_table(heading, rows))
        console.print(f"{len(notes)} notes; F1 with 95% bootstrap intervals over notes.")
    if errors:
        from clinical_nlp.evaluation.error_page import render_errors

        disagreements = [d for c in compared for d in c.disagreements]
        page = render_errors(disagreements, {note.id: note.text for note in notes})
        errors.write_text(page, encoding="utf-8")
        Console(stderr=True).print(f"{len(disagreements)} errors to browse in {errors}")


_COLUMNS = ("precision", "recall", "F1", "95% interval", "gold", "found")


def _cells(name: str, score: Score) -> tuple[str, ...]:
    if name == "affirmed wrongly flagged":  # a share, not a detection
        return ("", f"{score.recall:.3f}", "", "", str(score.gold), str(score.predicted))
    return (
        f"{score.precision:.3f}",
        f"{score.recall:.3f}",
        f"{score.f1:.3f}",
        f"{score.low:.3f}–{score.high:.3f}",
        str(score.gold),
        str(score.predicted),
    )


def _table(heading: str, rows: Mapping[str, Score]) -> Table:
    table = Table(heading)
    for column in _COLUMNS:
        table.add_column(column, justify="right")
    for name, score in rows.items():
        table.add_row(name, *_cells(name, score))
    return table


def _markdown(heading: str, rows: Mapping[str, Score]) -> str:
    lines = [
        f"| {heading} | " + " | ".join(_COLUMNS) + " |",
        "| --- |" + " ---: |" * len(_COLUMNS),
    ]
    lines += [f"| {name} | " + " | ".join(_cells(name, s)) + " |" for name, s in rows.items()]
    return "\n".join(lines)
