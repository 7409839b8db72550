"""``clinical-nlp extract`` and ``clinical-nlp assert``: notes in, findings or flags out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

import clinical_nlp
from clinical_nlp.cli.jsonl import open_lines, read_rows, write_row
from clinical_nlp.errors import EXIT_QUARANTINED, ClinicalNlpError

if TYPE_CHECKING:  # spaCy takes seconds to import: commands import it when they run
    from spacy.language import Language

    from clinical_nlp.batch.note_rows import RowMaker

_IN = typer.Argument(metavar="IN.jsonl", help="Rows to read; .gz too, '-' for standard input.")
_OUT = typer.Argument(metavar="OUT.jsonl", help="Rows to write; .gz too, '-' for standard output.")

_READER = typer.Option(
    "--reader/--no-reader", help="Let the learned reader decide beside the rules."
)


def extract(
    source: Annotated[str, _IN],
    target: Annotated[str, _OUT],
    mentions: Annotated[
        bool, typer.Option("--mentions/--no-mentions", help="Mark mentions with the model, too.")
    ] = True,
    reader: Annotated[bool, _READER] = True,
    backend: Annotated[
        str, typer.Option("--backend", help="How the models run: auto, float32, bfloat16, int8.")
    ] = "auto",
) -> None:
    """Find the catalogue's concepts in notes, and mentions of any disease or treatment.

    Each input row is a JSON object with "id" and "text" (and "lang", if you like). Each
    output row has the same "id" and its "findings": place (start, end, in Unicode code
    points), text, concept, value and unit of a measurement, the five assertion flags, the
    section, who decided and with which probability; and its "mentions": place, label
    (DISEASE, SYMPTOM, PROCEDURE, MEDICATION) and score. --no-mentions leaves them empty;
    --no-mentions --no-reader reads with the rules alone, several times as quick.

    Example: echo '{"id": 1, "text": "No disnea. TA 13/8"}' | clinical-nlp extract - -
    """
    from clinical_nlp.batch.note_rows import extract_row

    nlp = clinical_nlp.load(reader=reader, mentions=mentions, backend=backend)
    _convert(source, target, nlp, extract_row)


def assert_(
    source: Annotated[str, _IN],
    target: Annotated[str, _OUT],
    reader: Annotated[bool, _READER] = True,
) -> None:
    """Say how given spans of a note are asserted.

    Each input row is a JSON object with "id", "text" and "targets": a list of
    {"start", "end"} in Unicode code points. Each output row has the same targets with
    negated, uncertain, historical, family and hypothetical filled in:
    by the rules first, then by the learned reader, which takes their flags as input. --no-reader
    leaves it to the rules alone.

    Example:
    echo '{"id": 1, "text": "Niega tos", "targets": [{"start": 6, "end": 9}]}'
    | clinical-nlp assert - -
    """
    from clinical_nlp.batch.note_rows import assert_row

    _convert(source, target, clinical_nlp.load(reader=reader), assert_row)


def _convert(source: str, target: str, nlp: Language, make: RowMaker) -> None:
    """Write a row for each row read; rows that fail are reported, counted and left out."""
    from clinical_nlp.batch.note_rows import InvalidRow

    left_out = 0
    errors = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
    with open_lines(target, "w") as lines:
        for number, row in read_rows(source):
            try:
                if row is None:
                    raise InvalidRow
                made = make(nlp, row)
            except ClinicalNlpError:
                raise
            except InvalidRow:
                reason = (
                    f"E262 line {number} was left out: it is not a JSON object with the fields "
                    "this command needs; see its --help."
                )
            except Exception as error:  # noqa: BLE001 - one failing note must not stop the others
                # Not the error's message, which may quote the note.
                reason = (
                    f"E268 line {number} was left out: reading it failed "
                    f"({type(error).__name__}); run it again alone, and report it if it fails."
                )
            else:
                write_row(lines, made)
                continue
            left_out += 1
            errors.print(reason)
    if left_out:
        raise typer.Exit(EXIT_QUARANTINED)
