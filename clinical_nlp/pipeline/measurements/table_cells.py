"""The cells of a table as words: labels with their measurement and unit, cells with values."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

from clinical_nlp.pipeline.document_layout import Span
from clinical_nlp.pipeline.measurements.measurement_rules import (
    PRESSURE,
    UNNAMED_PRESSURE,
    MeasurementRules,
    Name,
)
from clinical_nlp.pipeline.measurements.text import BRACKETS, Words

_JOINS = frozenset({"/", "-", "–", ",", "y", "+", "|", "&"})
_SIGNS = frozenset({":", ".", "*", "=", "•", "·", "-", "–", "[", "]", "(", ")"})


class Clip(Words):
    """The words of one cell: readers see nothing before or behind it.

    Parameters
    ----------
    words
        The whole text.
    first, end
        The words of the cell, ``end`` exclusive.
    """

    def __init__(self, words: Words, first: int, end: int) -> None:
        self.__dict__.update(words.__dict__)
        self.first, self.size = first, end

    def at(self, position: int) -> str:
        """Return the norm of a word; empty outside the cell."""
        return self.norms[position] if self.first <= position < self.size else ""

    def before(self, position: int, count: int) -> list[str]:
        """Return the words of the cell before this one, nearest first."""
        return super().before(position, min(count, position - self.first))


@dataclass(frozen=True, slots=True)
class Label:
    """What a label or header names.

    Parameters
    ----------
    names
        The names in it, each with the other meanings that it may have; empty where it names
        no measurement.
    unit
        Words of its unit.
    told
        Whether it says something else that a value may depend on: 'Carga PAS', 'Umbral'.
    end
        Place of the number that stands in the same cell, else the cell's end.
    """

    names: tuple[tuple[Name, ...], ...] = ()
    unit: tuple[str, ...] = ()
    told: bool = False
    end: int = 0


class Cells:
    """Reads labels, and finds the words of cells.

    Parameters
    ----------
    words
        The text.
    """

    def __init__(self, rules: MeasurementRules, words: Words) -> None:
        self._rules, self._words = rules, words
        doc = words.doc
        self._starts = [doc[token].idx for token in words.tokens]

    def clip(self, span: Span | None) -> Clip | None:
        """Return the words of a cell; ``None`` where it is empty."""
        if span is None:
            return None
        first, end = bisect_left(self._starts, span[0]), bisect_left(self._starts, span[1])
        return Clip(self._words, first, end) if first < end else None

    def starts_with_number(self, cell: Clip) -> bool:
        """Whether a number opens the cell, with a comparator before it or none."""
        place = cell.first
        place += self._rules.comparators.at(cell, place)[0]
        place += cell.at(place) in ("~", "≈", "%", "±")
        return cell.at(place)[:1].isdigit()

    def is_occasion(self, cell: Clip) -> bool:
        """Whether a cell only says when or how: a day, a time, 'mañana', '1a toma'."""
        rules = self._rules
        known = (rules.between, rules.series, rules.taken_at, rules.days, rules.months)
        words = [norm for norm in cell.norms[cell.first : cell.size] if norm.isalpha()]
        return all(any(norm in some for some in known) for norm in words)

    def label(self, cell: Clip) -> Label:
        """Return what a label names: 'Peso (kg)', 'K / Cr', 'TnT us ng/L'."""
        rules = self._rules
        names = self._by_unit(cell)
        if names:
            return Label(tuple(names), end=cell.size)
        unit: tuple[str, ...] = ()
        told, place = False, cell.first
        while place < cell.size:
            norm = cell.norms[place]
            length, entries = rules.names.at(cell, place)
            if length and not (names and norm in rules.between):
                named = tuple(entry for entry in entries if not entry.needs_link)
                if not named or told:
                    return Label(told=True, end=cell.size)
                if any(entry.is_other for entry in named):
                    return Label(told=True, end=cell.size)
                if not names or not _same(names[-1], named):
                    names.append(named)
                place += length
                continue
            length, forms = rules.units.at(cell, place)
            if length and names and (norm != "l" or cell.at(place - 1) in ("(", "[")):
                unit, place = unit or forms[0], place + length
                continue
            if norm[0].isdigit() and names:
                return Label(tuple(names), unit, told=False, end=place)
            close = cell.closing_bracket(place, cell.size)
            if close and not self._holds_unit(cell, place + 1, close):
                place = close + 1
                continue
            code = norm[0].isdigit() or norm == "^"  # '2160-0^Creatinina'
            told = told or not (code or norm in _SIGNS or norm in _JOINS or self._is_known(norm))
            place += 1
        return Label(tuple(names), unit, told=told and not names, end=cell.size)

    def _by_unit(self, cell: Clip) -> list[tuple[Name, ...]]:
        """Return what a header of a unit alone names: 'kg', 'lpm', 'mmHg'."""
        length, keys = self._rules.standalone.at(cell, cell.first)
        if not length or cell.first + length != cell.size:
            return []
        key = PRESSURE if keys[0] == UNNAMED_PRESSURE else keys[0]
        return [(Name(key),)]

    def _is_known(self, norm: str) -> bool:
        rules = self._rules
        known = (rules.between, rules.days, rules.months, rules.series, BRACKETS)
        return any(norm in some for some in known)

    def _holds_unit(self, cell: Clip, place: int, close: int) -> bool:
        return self._rules.units.at(cell, place)[0] >= close - place > 0


def _same(first: tuple[Name, ...], second: tuple[Name, ...]) -> bool:
    """Whether two names in a row are one measurement: 'TA (tension arterial)'."""
    return bool({name.concept for name in first} & {name.concept for name in second})


def of_pressure(names: tuple[tuple[Name, ...], ...]) -> bool:
    """Whether a label names the blood pressure as a whole."""
    return len(names) == 1 and any(name.concept == PRESSURE for name in names[0])
