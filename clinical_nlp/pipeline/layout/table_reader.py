"""What the columns of a table hold: headers, roles, dates."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from clinical_nlp.matching.norms import normalise_word
from clinical_nlp.pipeline.document_layout import Column, Span, Table
from clinical_nlp.pipeline.layout.answers import Answers
from clinical_nlp.pipeline.layout.tables import Block
from clinical_nlp.pipeline.written_dates import date_in

_NUMBER = re.compile(r"[<>≤≥~]?\s*\d+(?:[.,]\d+)*(?:\s*/\s*\d+(?:[.,]\d+)*)?\s*[%*↑↓HL]{0,3}")
_RANGE = re.compile(
    r"[\[(]?\s*(?:\d+(?:[.,]\d+)*\s*(?:[-–—]|a)\s*\d+(?:[.,]\d+)*|[<>≤≥]\s*=?\s*\d+(?:[.,]\d+)*)\s*[\])]?"
)
_UNIT = re.compile(
    r"(?:[munpµμ]?g|[mdµμ]?[lL]|mm|cm|kg|[umµμ]?(?:UI|IU)|U|mEq|[mnpµμ]?mol|lpm|mmHg|fl|pg|ng|s|h|x?10\^?\d)?"
    r"(?:/\w+(?:/[\d.,]+\s*\w+²?)?)|%|mmHg|lpm|kg|cm|ms|mm"
)
_WORDS = re.compile(r"[^\W_]+(?:/[^\W_]+)?")


class TableReader:
    """Names the columns of tables.

    Parameters
    ----------
    headers
        ``[columns]`` of ``layout.toml``: words of headers by what their column holds.
    answers
        Reader of answers.
    """

    def __init__(self, headers: Mapping[str, Sequence[str]], answers: Answers) -> None:
        self._role_of = {
            normalise_word(word): role
            for role in ("label", "date", "value", "unit", "range")
            for word in headers[role]
        }
        self._times = frozenset(
            normalise_word(word)
            for role in ("earlier", "today", "shift", "relative")
            for word in headers[role]
        )
        self._answers = answers

    def read(self, text: str, block: Block) -> Table:
        """Return the table of a block."""
        rows = [[text[s[0] : s[1]] if (s := cell) else "" for cell in row] for row in block.rows]
        header = 1 if block.ruled or self._has_header(rows) else 0
        columns = tuple(
            self._column(
                number,
                [row[number] for row in rows[header:]],
                rows[0][number] if header else "",
                block.rows[0][number] if header else None,
            )
            for number in range(len(rows[0]))
        )
        dated = next((i for i, column in enumerate(columns) if column.role == "date"), None)
        return Table(
            rows=tuple(block.rows),
            columns=columns,
            header_rows=header,
            row_dates=tuple(
                date_in(row[dated]) if dated is not None and number >= header else None
                for number, row in enumerate(rows)
            ),
        )

    def _filled(self, cell: str) -> bool:
        """Whether a cell holds a value or an answer, as no header does."""
        return bool(_NUMBER.match(cell)) or self._answers.whole(cell) is not None

    def _has_header(self, rows: Sequence[Sequence[str]]) -> bool:
        first, rest = rows[0][1:], rows[1:]
        named = [cell for cell in rows[0] if cell]
        if not named or not any(cell for cell in first):
            return False
        if all(
            self._role(cell) or self._is_time(cell) or date_in(cell, whole=True)
            for cell in first
            if cell
        ):
            return True
        if any(_NUMBER.match(cell) for cell in named):
            return False
        answers = [cell for cell in first if cell and self._answers.whole(cell)]
        filled = [self._filled(cell) for row in rest for cell in row[1:] if cell]
        marks = [cell in "xX" for row in rest for cell in row[1:] if cell]
        if answers:
            return len(answers) > 1 and bool(marks) and any(marks)
        return bool(filled) and sum(filled) * 2 >= len(filled)

    def _is_time(self, header: str) -> bool:
        words = _WORDS.findall(normalise_word(header))
        return " ".join(words) in self._times or (bool(words) and words[0] in self._times)

    def _role(self, header: str) -> str | None:
        words = re.sub(r"[(\[].*?[)\]]", "", header)
        return self._role_of.get(" ".join(_WORDS.findall(normalise_word(words))))

    def _column(self, number: int, cells: Sequence[str], header: str, span: Span | None) -> Column:
        role = self._role(header) if header else None
        date = date_in(header, whole=True) if header else None
        if role is None:
            role = self._role_by_cells(number, [cell for cell in cells if cell])
        return Column(role, span, date)

    def _role_by_cells(self, number: int, cells: Sequence[str]) -> str:
        def most(test: Sequence[bool]) -> bool:
            return bool(test) and sum(test) * 2 > len(test)

        if most([date_in(cell, whole=True) is not None for cell in cells]):
            return "date"
        if number == 0:
            return "label"
        if most([bool(_RANGE.fullmatch(cell)) for cell in cells]):
            return "range"
        if most([bool(_UNIT.fullmatch(cell)) for cell in cells]):
            return "unit"
        if most([self._answers.whole(cell) is not None for cell in cells]):
            digits = [bool(_NUMBER.fullmatch(cell)) for cell in cells]
            return "value" if most(digits) else "answer"
        return "value" if most([bool(_NUMBER.match(cell)) for cell in cells]) else "other"
