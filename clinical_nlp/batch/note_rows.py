"""Notes as JSON rows: what ``extract`` and ``assert`` make of one row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from spacy.language import Language

from clinical_nlp.pipeline.assertion import EsAssertion
from clinical_nlp.pipeline.document import get_findings, get_mentions
from clinical_nlp.pipeline.reader import EsReader
from clinical_nlp.records import FLAGS
from clinical_nlp.records.codec import finding_row, mention_row

_Field = TypeVar("_Field")
RowMaker = Callable[[Language, dict[str, Any]], dict[str, Any]]


class InvalidRow(Exception):
    """A row is not a JSON object with the fields that its command needs."""


def extract_row(nlp: Language, row: dict[str, Any]) -> dict[str, Any]:
    """Return the row's id with the findings and mentions of its text.

    Raises
    ------
    InvalidRow
        ``id`` or ``text`` is missing, or the text is not a string.
    """
    identifier, doc = row_id(row), nlp(field(row, "text", str))
    return {
        "id": identifier,
        "findings": [finding_row(finding) for finding in get_findings(doc)],
        "mentions": [mention_row(mention) for mention in get_mentions(doc)],
    }


def assert_row(nlp: Language, row: dict[str, Any]) -> dict[str, Any]:
    """Return the row's id and its targets, with the five assertion flags filled in.

    Raises
    ------
    InvalidRow
        ``id``, ``text`` or ``targets`` is missing, or a target is not a span of the text.
    """
    identifier, text = row_id(row), field(row, "text", str)
    targets = field(row, "targets", list)
    try:
        spans = [(int(target["start"]), int(target["end"])) for target in targets]
    except (KeyError, TypeError, ValueError):
        raise InvalidRow from None
    if any(not 0 <= start < end <= len(text) for start, end in spans):
        raise InvalidRow
    component = nlp.get_pipe("es_assertion")
    if not isinstance(component, EsAssertion):
        raise TypeError("es_assertion")
    doc = nlp.make_doc(text)
    for name, part in nlp.pipeline:
        # The reader takes the rules' flags as input, not its own.
        doc = doc if name in ("es_assertion", "es_reader") else part(doc)
    flags = [tuple(getattr(said, f) for f in FLAGS) for said in component.flags(doc, spans)]
    if nlp.has_pipe("es_reader"):
        reader = nlp.get_pipe("es_reader")
        if not isinstance(reader, EsReader):
            raise TypeError("es_reader")
        flags = reader.flags(doc, list(zip(spans, flags, strict=True)))
    return {
        "id": identifier,
        "targets": [
            {**target, **dict(zip(FLAGS, of_target, strict=True))}
            for target, of_target in zip(targets, flags, strict=True)
        ],
    }


def row_id(row: dict[str, Any]) -> Any:  # noqa: ANN401 - any JSON value is returned as it came
    """Return a row's ``id``, whatever JSON value it is."""
    if "id" not in row:
        raise InvalidRow
    return row["id"]


def field(row: dict[str, Any], name: str, kind: type[_Field]) -> _Field:
    """Return a field that must be of a type."""
    value = row.get(name)
    if not isinstance(value, kind):
        raise InvalidRow
    return value
