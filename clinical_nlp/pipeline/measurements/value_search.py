"""Search from a name to its number, over the words that may stand between them."""

from __future__ import annotations

from collections.abc import Callable

from clinical_nlp.pipeline.measurements.measurement_rules import (
    PRESSURE,
    Measure,
    MeasurementRules,
    Name,
)
from clinical_nlp.pipeline.measurements.pressure import PressureReader
from clinical_nlp.pipeline.measurements.quantity_reader import Quantity
from clinical_nlp.pipeline.measurements.text import BRACKETS, Words

_MAX_WORDS = 18  # from a name to its number
_MAX_BRACKET_WORDS = 12
_MAX_UNKNOWN_WORDS = 3  # between a name and its number
_CLOSING = frozenset(BRACKETS.values())
_AFTER_NAME = frozenset({".", ";", "?", "¿"})
_MAX_TAG_WORDS = 4
_LEADERS = frozenset({".", "...", "..", "·"})
_PREFIXES = ("pre", "post", "peri", "intra", "sub")


class ValueSearch:
    """Searches the number of a name."""

    def __init__(self, rules: MeasurementRules, pressure: PressureReader) -> None:
        self._rules = rules
        self._pressure = pressure

    def find(
        self,
        words: Words,
        end: int,
        measure: Measure,
        name: Name,
        read: Callable[[int], Quantity | int | None],
    ) -> tuple[Quantity, str | None] | None:
        """Return the first quantity after a name, with its comparator.

        Parameters
        ----------
        end
            Place of the word after the name.
        read
            Reads the number at a place; see :meth:`QuantityReader.scalar`.
        """
        rules = self._rules
        position, comparator, unit_needed = end, None, False
        open_brackets: list[str] = []
        limit = min(words.size, end + _MAX_WORDS)
        while position < limit:
            if words.is_border(position):
                return None
            norm = words.norms[position]
            if (
                norm[0].isdigit()
                or norm in rules.numbers.words
                or norm in measure.alone
                or (norm == "%" and words.at(position + 1)[:1].isdigit())
            ):
                result = read(position)
                if isinstance(result, Quantity):
                    if comparator is not None and self._is_tagged(words, end, result):
                        comparator = None
                    has_unit = result.after > result.end or norm == "%"
                    return (result, comparator) if has_unit or not unit_needed else None
                if result is None:
                    if norm[0].isdigit() or norm not in rules.between:
                        return None
                    result = position + 1
                position = result
                continue
            length, signs = rules.comparators.at(words, position)
            if length:
                comparator, position = signs[0], position + length
            elif norm in BRACKETS:
                close = words.closing_bracket(position, min(limit, position + _MAX_BRACKET_WORDS))
                inside = words.norms[position + 1 : close]
                skipped = close > position + 2 or (bool(inside) and inside[0].isalpha())
                if skipped and _is_number_at(words, close + 1):
                    position = close + 1  # '(0,7-1,2) 1,41': limits of the laboratory
                else:
                    open_brackets.append(BRACKETS[norm])
                    position += 1
            elif norm in _CLOSING:
                closes = bool(open_brackets) and open_brackets.pop() == norm
                if not closes and (position > end or not _is_synonym(words, position)):
                    return None
                position += 1
            elif norm == "," or (position == end and norm in _AFTER_NAME):
                unit_needed = unit_needed or norm == ","
                position += 1
            else:
                position = self._skip_words(words, position, measure, name)
                if not position:
                    return None
        return None

    @staticmethod
    def _is_tagged(words: Words, end: int, value: Quantity) -> bool:
        """Whether a sign before the number is that of a tag: '<peso>78,4', 'FC <72>'."""
        opens = "<" in words.norms[max(0, end - _MAX_TAG_WORDS) : end] and words.is_adjacent(end)
        return (words.at(end) == ">" and opens) or words.at(value.after) == ">"

    def _skip_words(self, words: Words, position: int, measure: Measure, name: Name) -> int:
        """Return the end of words that may precede a number; 0 where there are none."""
        rules, norm = self._rules, words.norms[position]
        if length := rules.phrases.at(words, position)[0]:
            return position + length
        if norm in _LEADERS:  # 'Creatinina ..... 1,2'
            around = words.at(position - 1), words.at(position + 1)
            may_precede = norm != "." or not _LEADERS.isdisjoint(around)
        else:
            may_precede = norm in rules.between or norm in measure.fillers or norm in rules.moves
        if may_precede:
            return position + 1
        labelled = words.is_capital(position) and words.at(position + 1)[:1].isdigit()
        if measure.labelled and labelled:
            return position + 1  # 'GLUCEMIA: AD 120'
        return self._skip_repeated_name(words, position, measure, name) or (
            self._skip_unknown_words(words, position, name)
        )

    def _skip_repeated_name(self, words: Words, position: int, measure: Measure, name: Name) -> int:
        """Return the end of another name of the measurement, or of its unit; else 0."""
        length, names = self._rules.names.at(words, position)
        if length:
            same = any(other.concept == name.concept for other in names)
            return position + length if same else 0
        length, units = self._rules.units.at(words, position)
        if length and units[0] in measure.units:
            return position + length
        return 0

    def _skip_unknown_words(self, words: Words, position: int, name: Name) -> int:
        """Return the end of unknown words that may precede a number; else 0.

        They describe how the value was obtained ('Hb prequirurgica 15,1', 'TA ambulatoria
        135/80', 'pulsi de la vecina: 84'): one adjective of time, words before a colon, or
        words before a pair that can only be a blood pressure.
        """
        rules = self._rules
        end = position
        for _ in range(_MAX_UNKNOWN_WORDS):
            norm = words.at(end)
            names = rules.names.at(words, end)[1]
            named = any(not (other.near or other.after or other.then) for other in names)
            if not norm.isalpha() or named or norm in rules.aims:
                break
            end += 1
        if end == position or words.is_border(end):
            return 0
        first = words.norms[position]
        if end == position + 1 and len(first) > 6 and first.startswith(_PREFIXES):
            return end
        if words.at(end) in (":", "=") and words.at(end + 1)[:1].isdigit():
            return end
        if name.concept == PRESSURE and not name.millimetres and words.at(end)[:1].isdigit():
            reading = self._pressure.pair(words, end, named=False, millimetres=True)
            if reading is not None and self._pressure.is_usual(reading):
                return end
        return 0


def _is_synonym(words: Words, close: int) -> bool:
    """Whether a bracket that closes here explains a word: 'PA (perimetro abdominal) 103'."""
    for place in range(close - 1, max(close - _MAX_BRACKET_WORDS, 0), -1):
        if words.norms[place] in BRACKETS:
            return words.at(place - 1).isalpha() or words.norms[place] == "["
    return False


def _is_number_at(words: Words, position: int) -> bool:
    """Whether a number stands at ``position``, a colon before it allowed."""
    return words.at(position + (words.at(position) == ":"))[:1].isdigit()
