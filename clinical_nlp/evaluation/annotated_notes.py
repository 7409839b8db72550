"""Notes with gold or predicted annotations, as read from JSON lines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from clinical_nlp.errors import InputError
from clinical_nlp.evaluation.splits import Part
from clinical_nlp.records import FLAGS

_Parsed = TypeVar("_Parsed")

#: Line number and JSON object of each line; ``None`` if a line is not a JSON object.
Rows = Iterable[tuple[int, Mapping[str, Any] | None]]


@dataclass(frozen=True, slots=True)
class Annotation:
    """An annotated span: a finding, or a target whose assertion is evaluated.

    ``value`` is ``None`` except for measurements; ``concept`` is ``None`` for targets.
    ``flags`` holds the flags that the row names, in the order of ``FLAGS``.
    """

    start: int
    end: int
    concept: str | None
    value: float | None
    flags: tuple[tuple[str, bool], ...]

    @classmethod
    def from_row(cls, row: Mapping[str, Any], all_flags: bool) -> Annotation:
        """Read a finding or target; absent flags are false, or left out for targets."""
        names = [name for name in FLAGS if all_flags or name in row]
        return cls(
            int(row["start"]),
            int(row["end"]),
            row.get("concept"),
            row.get("value"),
            tuple((name, bool(row.get(name))) for name in names),
        )

    @property
    def affirmed(self) -> bool:
        """Whether no flag is set."""
        return not any(value for _, value in self.flags)


@dataclass(frozen=True, slots=True)
class AnnotatedNote:
    """A note's id, text, language and annotations."""

    id: str
    text: str
    language: str
    annotations: tuple[Annotation, ...]


def finding_note(row: Mapping[str, Any]) -> AnnotatedNote:
    """Read a row of gold findings or of ``clinical-nlp extract``."""
    return _note(row, "findings")


def target_note(row: Mapping[str, Any]) -> AnnotatedNote:
    """Read a row of assertion targets."""
    return _note(row, "targets")


def _note(row: Mapping[str, Any], field: str) -> AnnotatedNote:
    annotations = tuple(Annotation.from_row(a, field == "findings") for a in row[field])
    return AnnotatedNote(str(row["id"]), row.get("text", ""), row.get("lang", ""), annotations)


def parse_rows(
    rows: Rows, parse: Callable[[Mapping[str, Any]], _Parsed], path: str, expected: str
) -> list[_Parsed]:
    """Parse the rows of a file.

    Parameters
    ----------
    path, expected
        For the error: name of the file, and what each of its lines should be.

    Raises
    ------
    InputError
        E263: a line lacks a field or has one of another type.
    """
    parsed = []
    for number, row in rows:
        try:
            if row is None:
                raise ValueError("row")
            parsed.append(parse(row))
        except (KeyError, TypeError, ValueError):
            raise InputError(
                "E263", f"line {number} of '{path}' is not a valid {expected}."
            ) from None
    return parsed


def parse_notes(rows: Rows, path: str, targets: bool) -> dict[str, AnnotatedNote]:
    """Parse annotated notes, by id; ``targets`` are assertion targets instead of findings.

    Raises
    ------
    InputError
        E263: a line is not a valid annotated note.
    """
    field = '"targets"' if targets else '"findings"'
    notes = parse_rows(
        rows,
        target_note if targets else finding_note,
        path,
        f"annotated note; each line needs \"id\" and {field} as 'clinical-nlp extract' writes them",
    )
    return {note.id: note for note in notes}


def select_notes(
    notes: Iterable[AnnotatedNote], path: str, part: Part, languages: str | None
) -> list[AnnotatedNote]:
    """Select notes by part and, where given, by comma-separated languages.

    Raises
    ------
    InputError
        E264: no note is left.
    """
    wanted = set(languages.split(",")) if languages else None
    selected = [
        note
        for note in notes
        if part.holds(note.id) and (wanted is None or note.language in wanted)
    ]
    if not selected:
        raise InputError(
            "E264",
            f"'{path}' has no note of the selected part and language; widen --part or --lang.",
        )
    return selected
