"""Tables of plain text: pipes, tabs, or columns of blanks over consecutive lines."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from clinical_nlp.pipeline.document_layout import Span
from clinical_nlp.pipeline.layout.lines import Line, cells_of

#: A triangle at the start of a line is a bullet.
PIPES = re.compile(r"[|│┃¦]|(?<=\S)\s*[▸►]")
_PIPE_SIGNS = "|│┃¦▸►"
# What a line without cannot have such a sign; much faster to find.
_MAY_BE_PIPES = re.compile(f"[{_PIPE_SIGNS}]")
SEMICOLONS = re.compile(r";")
DASHES = re.compile(r"\s[—–]\s")
TABS = re.compile(r"\t")
BLANKS = re.compile(r"(?<=\S)[ \u00a0]{2,}(?=\S)")
_RULER = "|:+=–—- \t"
_MOST_NOISE = 0.2  # share of rows that may have text where two columns part
_LEAST_GAP = 2
# Three signs in a row, or with a blank between: a cell's lone sign is an answer.
_RULE = re.compile(r"[-=_–—](?: ?[-=_–—]){2}")
_MOST_COLUMNS = 40
_SHIFT = 2  # code points by which a column may be out of line
_LONGEST_LABEL = 40  # code points of a row without an answer


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive lines that make up a table, before its columns are named.

    Parameters
    ----------
    lines
        Places in the note's lines, rulers left out.
    rows
        For each, a cell (offsets of the note) for each column, ``None`` where empty.
    ruled
        Whether a ruler follows the first line.
    """

    lines: Sequence[int]
    rows: Sequence[tuple[Span | None, ...]]
    ruled: bool


def may_hold(text: str) -> bool:
    """Whether a note may have tables: much faster than to look for them."""
    if "  " in text or "\t" in text or "—" in text or text.count(";") > 1:
        return True
    return _MAY_BE_PIPES.search(text) is not None


def find_blocks(lines: Sequence[Line]) -> Iterator[Block]:
    """Yield the tables of a note, in order."""
    at = 0
    while at < len(lines):
        separator = _separator(lines[at].text)
        if separator is None:
            at += 1
            continue
        end, ruled = at, False
        places: list[int] = []
        starts: set[int] = set()
        while end < len(lines):
            text = lines[end].text
            if _is_ruler(text) and (separator is PIPES or places):
                ruled = ruled or len(places) == 1
            elif places and _heads_answers(lines, end):
                break
            elif _separator(text) is separator:
                places.append(end)
                if separator is BLANKS:
                    starts.update(start for start, _ in cells_of(lines[end], BLANKS))
            elif separator is BLANKS and places and _continues(lines, end, starts):
                places.append(end)
            else:
                break
            end += 1
        if len(places) > 1:
            yield Block(places, _rows([lines[i] for i in places], separator), ruled)
        at = max(end, at + 1)


def _is_ruler(text: str) -> bool:
    """Whether a line is drawn: '---|---'."""
    return not text.strip(_RULER) and bool(_RULE.search(text))


def _continues(lines: Sequence[Line], at: int, starts: set[int]) -> bool:
    """Whether a line with a single cell stands between two rows of the same columns."""
    text = lines[at].text.strip()
    if not 0 < len(text) <= _LONGEST_LABEL or text[-1] in ".:" or at + 1 >= len(lines):
        return False
    following = lines[at + 1]
    if _separator(following.text) is not BLANKS:
        return False
    return all(
        any(abs(start - known) <= _SHIFT for known in starts)
        for start, _ in cells_of(following, BLANKS)[1:]
    )


def _heads_answers(lines: Sequence[Line], at: int) -> bool:
    """Whether a line heads columns of answers, 'Sí  No', with a cross in the line below."""
    if at + 1 >= len(lines) or not re.search(r"(?<!\w)[xX](?!\w)", lines[at + 1].text):
        return False
    return (
        re.search(r"\s(?:s[ií]|s)\s+(?:\|\s*)?(?:no|n)\b", lines[at].text, re.IGNORECASE)
        is not None
    )


def _separator(text: str) -> re.Pattern[str] | None:
    stripped = text.strip()
    if _MAY_BE_PIPES.search(stripped) and PIPES.search(stripped):
        return PIPES if stripped.strip(f"{_PIPE_SIGNS} ") else None
    if "\t" in stripped:
        return TABS
    if "; " not in stripped and "&" not in stripped and stripped.count(";") > 1:
        return SEMICOLONS  # comma-separated values, as Spanish spreadsheets write them
    if "—" in stripped and len(DASHES.findall(stripped)) > 1:
        return DASHES
    return BLANKS if "  " in stripped and BLANKS.search(stripped) else None


def _rows(lines: Sequence[Line], separator: re.Pattern[str]) -> list[tuple[Span | None, ...]]:
    cells = [cells_of(line, separator) for line in lines]
    if separator is PIPES:
        # '      | kg | mmHg' under 'Fecha | Peso | TA' has an empty first cell and no edge.
        edged = all(PIPES.match(line.text.lstrip()) for line in lines)
        cells = [_without_edges(line, row, edged) for line, row in zip(lines, cells, strict=True)]
    if separator is BLANKS:
        return _aligned(lines, cells)
    width = max(map(len, cells))
    return [
        tuple(line.span(*row[i]) if i < len(row) else None for i in range(width))
        for line, row in zip(lines, cells, strict=True)
    ]


def _without_edges(line: Line, row: list[tuple[int, int]], edged: bool) -> list[tuple[int, int]]:
    stripped = line.text.strip()
    first = 1 if edged else 0
    last = len(row) - (1 if stripped.endswith(tuple(_PIPE_SIGNS)) and len(row) > first else 0)
    return row[first:last]


def _aligned(
    lines: Sequence[Line], cells: Sequence[list[tuple[int, int]]]
) -> list[tuple[Span | None, ...]]:
    """Give cells parted by blanks their columns by where they stand in the line."""
    columns = _columns_of(cells)
    if not 1 < len(columns) <= _MOST_COLUMNS:
        columns = []
    usual, _ = Counter(map(len, cells)).most_common(1)[0]
    rows_alike = sum(len(row) >= usual for row in cells)
    if usual > max(len(columns), 1) and 2 * rows_alike > len(cells):
        return _counted(lines, cells, usual)
    width = max(len(columns), *map(len, cells)) if not columns else len(columns)
    rows: list[tuple[Span | None, ...]] = []
    for line, row in zip(lines, cells, strict=True):
        found: list[Span | None] = [None] * width
        for number, (start, end) in enumerate(row):
            place = number if not columns or len(row) == width else _nearest(columns, start, end)
            span, known = line.span(start, end), found[place]
            found[place] = span if known is None or span is None else (known[0], span[1])
        rows.append(tuple(found))
    return rows


def _counted(
    lines: Sequence[Line], cells: Sequence[list[tuple[int, int]]], width: int
) -> list[tuple[Span | None, ...]]:
    """Give cells their columns by their number, where a proportional font misaligned them.

    Headers lack that of the labels; other rows with fewer cells go by where these stand.
    """
    full = [row for row in cells if len(row) == width]
    columns = [
        (int(median(row[i][0] for row in full)), int(median(row[i][1] for row in full)))
        for i in range(width)
    ]
    rows: list[tuple[Span | None, ...]] = []
    for number, (line, row) in enumerate(zip(lines, cells, strict=True)):
        found: list[Span | None] = [None] * width
        for place, (start, end) in enumerate(row):
            if number == 0 and len(row) == width - 1:
                column = place + 1
            else:
                column = place if len(row) == width else _nearest(columns, start, end)
            column = min(column, width - 1)
            span, known = line.span(start, end), found[column]
            found[column] = span if known is None or span is None else (known[0], span[1])
        rows.append(tuple(found))
    return rows


def _columns_of(cells: Sequence[list[tuple[int, int]]]) -> list[tuple[int, int]]:
    """Return the stretches of the lines that hold text in more than a few rows."""
    length = max(end for row in cells for _, end in row)
    counts = [0] * (length + 1)
    for row in cells:
        for first, last in row:
            for place in range(first, last):
                counts[place] += 1
    most = int(len(cells) * _MOST_NOISE)
    columns: list[tuple[int, int]] = []
    start: int | None = None
    gap = 0
    for place, count in enumerate([*counts, *[0] * _LEAST_GAP]):
        if count > most:
            start, gap = place if start is None else start, 0
        elif start is not None:
            gap += 1
            if gap == _LEAST_GAP:
                columns.append((start, place - gap + 1))
                start, gap = None, 0
    return columns


def _nearest(columns: Sequence[tuple[int, int]], start: int, end: int) -> int:
    """Return the column that a cell begins with, overlaps most, or else stands nearest to."""
    for number, (left, _) in enumerate(columns):
        if abs(start - left) < _LEAST_GAP:
            return number

    def fit(number: int) -> tuple[int, int]:
        left, right = columns[number]
        return min(end, right) - max(start, left), -number

    return max(range(len(columns)), key=fit)
