"""``clinical-nlp extract`` and ``clinical-nlp assert``: notes in, findings or flags out."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.console import Console

import clinical_nlp
from clinical_nlp.cli.jsonl import open_lines, read_rows, write_row
from clinical_nlp.errors import EXIT_QUARANTINED, ClinicalNlpError
from clinical_nlp.records import FLAGS, Finding, Mention

if TYPE_CHECKING:  # spaCy takes seconds to import: commands import it when they run
    from spacy.language import Language

_IN = typer.Argument(metavar="IN.jsonl", help="Rows to read; .gz too, '-' for standard input.")
_OUT = typer.Argument(metavar="OUT.jsonl", help="Rows to write; .gz too, '-' for standard output.")

_Field = TypeVar("_Field")
RowMaker = Callable[["Language", dict[str, Any]], dict[str, Any]]


def extract(
    source: Annotated[str, _IN],
    target: Annotated[str, _OUT],
    mentions: Annotated[
        bool, typer.Option("--mentions/--no-mentions", help="Mark mentions with the model, too.")
    ] = True,
    backend: Annotated[
        str, typer.Option("--backend", help="How the model runs: auto, float32, bfloat16, int8.")
    ] = "auto",
) -> None:
    """Find the catalogue's concepts in notes, and mentions of any disease or treatment.

    Each input row is a JSON object with "id" and "text" (and "lang", if you like). Each
    output row has the same "id" and its "findings": place (start, end, in Unicode code
    points), text, concept, value and unit of a measurement, the five assertion flags and
    the section; and its "mentions": place, label (DISEASE, SYMPTOM, PROCEDURE, MEDICATION)
    and score. --no-mentions leaves them empty, and is several times as quick.

    Example: echo '{"id": 1, "text": "No disnea. TA 13/8"}' | clinical-nlp extract - -
    """
    nlp = clinical_nlp.load(mentions=mentions, backend=backend)
    _convert(source, target, nlp, _extract_row)


def assert_(source: Annotated[str, _IN], target: Annotated[str, _OUT]) -> None:
    """Say how given spans of a note are asserted.

    Each input row is a JSON object with "id", "text" and "targets": a list of
    {"start", "end"} in Unicode code points. Each output row has the same targets with
    negated, uncertain, historical, family and hypothetical filled in.

    Example:
    echo '{"id": 1, "text": "Niega tos", "targets": [{"start": 6, "end": 9}]}'
    | clinical-nlp assert - -
    """
    _convert(source, target, clinical_nlp.load(), assert_row)


def _convert(source: str, target: str, nlp: Language, make: RowMaker) -> None:
    bad = 0
    complaints = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
    with open_lines(target, "w") as lines:
        for number, row in read_rows(source):
            try:
                if row is None:
                    raise _UnfitRow
                made = make(nlp, row)
            except ClinicalNlpError:
                raise
            except _UnfitRow:
                bad += 1
                complaints.print(
                    f"E262 line {number} was left out: it is no JSON object with the fields "
                    "this command needs; see its --help."
                )
            except Exception as error:  # noqa: BLE001 - a note that fails must stop no other
                bad += 1
                # The error's message may quote the note: its kind alone is told.
                complaints.print(
                    f"E268 line {number} was left out: reading it failed "
                    f"({type(error).__name__}); run it again alone, and report it if it fails."
                )
            else:
                write_row(lines, made)
    if bad:
        raise typer.Exit(EXIT_QUARANTINED)


class _UnfitRow(Exception):
    """A row lacks what its command needs."""


def _field(row: dict[str, Any], name: str, kind: type[_Field]) -> _Field:
    value = row.get(name)
    if not isinstance(value, kind):
        raise _UnfitRow
    return value


def _identifier(row: dict[str, Any]) -> Any:  # noqa: ANN401 - whatever JSON holds comes back
    if "id" not in row:
        raise _UnfitRow
    return row["id"]


def _extract_row(nlp: Language, row: dict[str, Any]) -> dict[str, Any]:
    identifier, doc = _identifier(row), nlp(_field(row, "text", str))
    return {
        "id": identifier,
        "findings": [finding_row(finding) for finding in doc._.findings],
        "mentions": [mention_row(mention) for mention in doc._.mentions],
    }


def mention_row(mention: Mention) -> dict[str, Any]:
    """Return a mention as ``extract`` writes it; the concept only where it is linked."""
    row: dict[str, Any] = {
        "start": mention.start,
        "end": mention.end,
        "label": mention.label,
        "score": mention.score,
    }
    if mention.concept is not None:
        row["concept"] = mention.concept
    return row


def finding_row(finding: Finding) -> dict[str, Any]:
    """Return a finding as ``extract`` writes it; value and unit only where there is one."""
    row: dict[str, Any] = {
        "start": finding.start,
        "end": finding.end,
        "text": finding.text,
        "concept": finding.concept,
    }
    if finding.value is not None:
        row |= {"value": finding.value, "unit": finding.unit}
    row |= dict(zip(FLAGS, finding.flags, strict=True))
    row["section"] = finding.section
    return row


def assert_row(nlp: Language, row: dict[str, Any]) -> dict[str, Any]:
    """Return a row of targets with their five flags filled in, as ``assert`` writes it."""
    identifier, text = _identifier(row), _field(row, "text", str)
    targets = _field(row, "targets", list)
    from clinical_nlp.pipeline.assertion import EsAssertion

    try:
        spans = [(int(target["start"]), int(target["end"])) for target in targets]
    except (KeyError, TypeError, ValueError):
        raise _UnfitRow from None
    if any(not 0 <= start < end <= len(text) for start, end in spans):
        raise _UnfitRow
    detector = nlp.get_pipe("es_assertion")
    if not isinstance(detector, EsAssertion):
        raise TypeError("es_assertion")
    doc = nlp(text)
    flags = detector.flags(doc, spans)
    return {
        "id": identifier,
        "targets": [
            {**target, **{name: getattr(assertion, name) for name in FLAGS}}
            for target, assertion in zip(targets, flags, strict=True)
        ],
    }
