"""Items of tables: which cell answers a row's or a column's label."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from clinical_nlp.matching.norms import normalise_word
from clinical_nlp.pipeline import document_layout as layout
from clinical_nlp.pipeline.document_layout import Span, Table
from clinical_nlp.pipeline.layout.page import Page

_MARK = re.compile(r"[\[(]?\s*[xX✓✔●■*]\s*[\])]?")
_DAY = re.compile(
    r"(?:(?:lu|ma|mi|ju|vi|s[aá]|do|dl|dt|dc|dj|dv|ds|dg)[a-zé]*\.?\s*\d{1,2}|\d{1,2}[/-]\d{1,2}"
    r"(?:[/-]\d{2,4})?|d[ií]a\s*\d+|\d{4}-\d\d-\d\d)\b",
    re.IGNORECASE,
)
_LEAST = 2


class TableItems:
    """Finds the items of tables.

    Parameters
    ----------
    headers
        ``[columns]`` of ``layout.toml``.
    """

    def __init__(self, headers: Mapping[str, Sequence[str]]) -> None:
        def words(*roles: str) -> frozenset[str]:
            return frozenset(normalise_word(word) for role in roles for word in headers[role])

        self._earlier, self._today = words("earlier"), words("today")
        self._shift, self._relative = words("shift"), words("relative")

    def read(self, page: Page, table: Table) -> None:
        """Add the items of a table."""
        names = [self._name(page, column.header) for column in table.columns]
        rows = table.rows[table.header_rows :]
        self._mark_past(page, table, rows)
        options = {i: v for i, n in enumerate(names) if n and (v := page.answers.whole(n))}
        relatives = [i for i, name in enumerate(names) if i and name in self._relative]
        times = [i for i in range(1, len(names)) if self._is_time(table, names, i)]
        if len(options) >= _LEAST:
            self._marked(page, rows, options)
        elif len(relatives) >= _LEAST:
            self._of_relatives(page, rows, relatives)
        elif len(times) >= _LEAST:
            self._over_time(page, table, rows, self._in_order(table, names, times))
        elif table.header_rows and self._by_column(table, rows):
            self._under_headers(page, table, rows)
        else:
            self._in_rows(page, rows, self._answer_column(table))

    @staticmethod
    def _name(page: Page, header: Span | None) -> str:
        if header is None:
            return ""
        text = re.sub(r"[(\[].*?[)\]]", "", page.text[header[0] : header[1]])
        return " ".join(re.findall(r"[^\W_]+(?:/[^\W_]+)?", normalise_word(text)))

    def _is_time(self, table: Table, names: Sequence[str], number: int) -> bool:
        name = names[number]
        known = self._earlier | self._today | self._shift
        first = name.split()[0] if name else ""
        return table.columns[number].date is not None or name in known or first in known

    def _in_order(self, table: Table, names: Sequence[str], times: Sequence[int]) -> list[int]:
        """Return columns of time from the earliest to today's."""
        dates = [table.columns[i].date for i in times]
        ordered = list(times)
        if all(dates) and len({len(date or "") for date in dates}) == 1:
            ordered.sort(key=lambda i: table.columns[i].date or "")
        ordered.sort(key=lambda i: names[i] in self._today or names[i].split()[:1] == ["hoy"])
        return ordered

    @staticmethod
    def _mark_past(page: Page, table: Table, rows: Sequence[tuple[Span | None, ...]]) -> None:
        """Mark the rows of a diary before its last one as past."""
        first = [page.text[row[0][0] : row[0][1]] if row[0] else "" for row in rows]
        if len(rows) < _LEAST or sum(bool(_DAY.match(cell)) for cell in first) * 2 <= len(rows):
            return
        for row in rows[:-1]:
            cells = [cell for cell in row if cell]
            if cells:
                page.past.append((cells[0][0], cells[-1][1]))

    @staticmethod
    def _label(page: Page, row: Sequence[Span | None]) -> tuple[int, Span] | None:
        """Return the column and place of a row's label: its first cell with a word."""
        for number, cell in enumerate(row):
            if cell and re.search(r"[^\W\d_]{2}", page.text[cell[0] : cell[1]]):
                return number, page.trimmed(cell)
        return None

    def _marked(
        self, page: Page, rows: Sequence[tuple[Span | None, ...]], options: Mapping[int, str]
    ) -> None:
        """Columns of answers with a cross in one: 'Sí  No  NC'."""
        for row in rows:
            label = self._label(page, row)
            if label is None or label[0] in options:
                continue
            marked = [
                (i, cell)
                for i in options
                if (cell := row[i]) and _MARK.fullmatch(page.text[cell[0] : cell[1]])
            ]
            if len(marked) == 1:
                page.add(label[1], marked[0][1], options[marked[0][0]])
            elif marked:
                page.add(label[1], marked[0][1], layout.UNCERTAIN)
            elif any(row[i] for i in options):
                self._in_rows(page, [row])  # of another table
            else:
                page.add(label[1], None, layout.UNKNOWN)

    def _of_relatives(
        self, page: Page, rows: Sequence[tuple[Span | None, ...]], columns: Sequence[int]
    ) -> None:
        for row in rows:
            label = self._label(page, row)
            if label is None or label[0] in columns:
                continue
            found = [(cell, self._verdict(page, cell)) for i in columns if (cell := row[i])]
            for wanted in (layout.AFFIRMED, layout.UNCERTAIN, layout.NEGATED, layout.UNKNOWN):
                cell = next((cell for cell, verdict in found if verdict == wanted), None)
                if cell is not None:
                    self._add(page, label[1], cell, wanted, relative=True)
                    break

    def _over_time(
        self,
        page: Page,
        table: Table,
        rows: Sequence[tuple[Span | None, ...]],
        columns: Sequence[int],
    ) -> None:
        """Columns of days: the label has the state of the last day that has one."""
        for row in rows:
            label = self._label(page, row)
            if label is None or label[0] in columns:
                continue
            answered = [(cell, self._verdict(page, cell)) for i in columns if (cell := row[i])]
            known = [pair for pair in answered if pair[1] != layout.UNKNOWN] or answered
            if known and known[-1][1] != layout.FREE:
                self._add(page, label[1], *known[-1])
            dated = [i for i in columns[:-1] if table.columns[i].date]
            page.past.extend(cell for i in dated if (cell := row[i]))

    @staticmethod
    def _by_column(table: Table, rows: Sequence[tuple[Span | None, ...]]) -> bool:
        """Whether the findings are the headers: one row of answers, or one a day."""
        if any(column.role == "label" and column.header for column in table.columns[1:]):
            return False  # 'Fecha | Síntoma | Valor'
        return len(rows) == 1 or table.columns[0].role == "date"

    def _under_headers(
        self, page: Page, table: Table, rows: Sequence[tuple[Span | None, ...]]
    ) -> None:
        """A header row over answers: 'Disnea | Ortopnea' over 'No | Sí'."""
        for number, column in enumerate(table.columns):
            if column.header is None:
                continue
            answers = [(cell, self._verdict(page, cell)) for row in rows if (cell := row[number])]
            closed = [pair for pair in answers if pair[1] != layout.FREE]
            known = [pair for pair in closed if pair[1] != layout.UNKNOWN]
            if closed:
                self._add(page, page.trimmed(column.header), *(known or closed)[-1])

    @staticmethod
    def _answer_column(table: Table) -> int | None:
        """Return the only column of answers, if it is not the first after the labels."""
        roles = [column.role for column in table.columns]
        if not table.header_rows or roles.count("answer") != 1:
            return None
        return roles.index("answer")

    def _in_rows(
        self, page: Page, rows: Sequence[tuple[Span | None, ...]], answers: int | None = None
    ) -> None:
        """Rows that answer themselves: '| Ortopnea | Sí |', 'Ortopnea  ++  +  -'."""
        for row in rows:
            label = self._label(page, row)
            if label is None:
                continue
            if answers is not None and answers > label[0] + 1 and (cell := row[answers]):
                verdict = self._verdict(page, cell)
                if verdict != layout.FREE:
                    self._add(page, label[1], cell, verdict)
                continue
            cells = [cell for cell in row[label[0] + 1 :] if cell]
            verdicts = [self._verdict(page, cell) for cell in cells]
            closed = [i for i, verdict in enumerate(verdicts) if verdict != layout.FREE]
            ringed = [i for i in closed if page.text[cells[i][0]] == "["]
            if len(ringed) == 1 and len(cells) > 1 and closed[:1] == [0]:
                self._add(page, label[1], cells[ringed[0]], verdicts[ringed[0]])
            elif closed[:1] == [0]:
                chosen = self._chosen(page, cells, verdicts, closed)
                self._add(page, label[1], cells[chosen], verdicts[chosen])
                for i in closed[1:]:  # 'Ortopnea | Sí | Edemas | No'
                    if i - 1 not in closed and i - 2 in closed:
                        self._add(page, page.trimmed(cells[i - 1]), cells[i], verdicts[i])

    @staticmethod
    def _chosen(
        page: Page, cells: Sequence[Span], verdicts: Sequence[str], closed: Sequence[int]
    ) -> int:
        """Return the cell that answers a row with several.

        Signs or words alike are the states of several days, the last today's. Figures among
        dashes are doses of a day: any of them is one.
        """
        run = [i for n, i in enumerate(closed) if i == n]
        known = [i for i in run if verdicts[i] != layout.UNKNOWN] or run
        kinds = {_kind(page.text[cells[i][0] : cells[i][1]]) for i in known}
        if "figure" in kinds:
            return next((i for i in known if verdicts[i] == layout.AFFIRMED), known[0])
        return known[-1] if len(kinds) == 1 else known[0]

    @staticmethod
    def _verdict(page: Page, cell: Span) -> str:
        text = page.text[cell[0] : cell[1]].lstrip(" =:")
        if not text:
            return layout.UNKNOWN
        if _MARK.fullmatch(text):
            return page.answers.legend.get(text.strip("[]() "), layout.AFFIRMED)
        answer = page.answers.read(text)
        return answer.verdict if answer else layout.FREE

    @staticmethod
    def _add(page: Page, label: Span, cell: Span, verdict: str, *, relative: bool = False) -> None:
        """Add an item; its answer is what the cell opens with, not a comment behind it."""
        text = page.text[cell[0] : cell[1]]
        opening = len(text) - len(text.lstrip(" =:"))
        answer = page.answers.read(text, opening)
        end = cell[0] + answer.end if answer else cell[1]
        page.add(label, (cell[0], end), verdict, relative=relative)


def _kind(text: str) -> str:
    first = text.lstrip(" =:[(")[:1]
    return "figure" if first.isdigit() or first == "½" else "word" if first.isalpha() else "sign"
