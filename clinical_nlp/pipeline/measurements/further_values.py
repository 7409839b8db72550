"""Further values of the same measurement: 'Cr 1,41 (previa 1,22)', '93,2 → 84,0', series."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from clinical_nlp.pipeline.measurements.measurement_rules import DIASTOLIC, SYSTOLIC, Measure, Name
from clinical_nlp.pipeline.measurements.quantity_reader import Quantity, QuantityReader
from clinical_nlp.pipeline.measurements.text import BRACKETS, Words

#: A further value, if any, and the place after it.
Further: TypeAlias = tuple[Quantity, int] | None

_ARROWS = (
    ("→",), ("->",), ("-", ">"), ("=", ">"), ("-", "-", ">"), (">", ">"), ("⇒",), ("➔",),
    ("←",), ("<-",), ("<", "-"), ("<", "<"),
)  # fmt: skip
_SEPARATORS = frozenset({",", ";", "y", "e", "i", "vs", "/", "·", "•", "|"})
_LISTING = frozenset({",", ";", "y", "e", "i", "-", "–", "/"})
_MAX_WORDS_TO_NUMBER = 8
_MAX_BRACKET_WORDS = 14
_MAX_QUALIFIERS = 5
_AFTER_DAY = frozenset({",", ";", ".", "y", "e", "→", "-", "", ")"})
_STROKES = frozenset({"/", "-", "–"})
_LEAST_ROW = 3  # numbers of a row
_ALIKE = 2.5  # ratio of two values of a list
_CLOSE = 0.1  # relative difference of two values of a list
_LARGEST_DAY = 31


class FurtherValues:
    """Reads the values that follow one of the same measurement."""

    def __init__(self, reader: QuantityReader) -> None:
        self._rules = reader.rules
        self._reader = reader

    def scalars(
        self, words: Words, value: Quantity, measure: Measure, name: Name
    ) -> Iterator[Quantity]:
        """Yield the values of the same measurement that follow ``value``."""
        position = self._reader.references.end(words, value.after, measure) or value.after
        while position < words.size and not words.is_border(position):
            position = self._skip_day(words, position)
            result = (
                self._after_arrow(words, position, measure)
                or self._in_bracket(words, self._bracket_at(words, position, measure), measure)
                or self._compared(words, position, measure)
                or self._changed(words, value, position, measure)
                or self._listed(words, value, position, measure, name)
            )
            if result is None:
                close = self._closing_bracket(words, position)
                if not close:
                    return
                position = close + 1  # '2.300 (enero), 1.800 (marzo)'
                continue
            following, position = result
            yield following

    def in_bracket(self, words: Words, position: int, measure: Measure) -> Quantity | None:
        """Return the value in the bracket at ``position``, with a word such as 'hoy'."""
        close = self._closing_bracket(words, position)
        if not any(self._is_again(norm, measure) for norm in words.norms[position + 1 : close]):
            return None
        result = self._in_bracket(words, position, measure)
        return result[0] if result is not None else None

    def _skip_day(self, words: Words, position: int) -> int:
        """Return the place after 'en 2023', 'en marzo de 2023', said of the value before."""
        if words.at(position) not in self._rules.in_time:
            return position
        end = self._day_end(words, position + 1)
        return end if end and words.at(end) in _AFTER_DAY else position

    def _day_end(self, words: Words, position: int) -> int:
        """Return the end of a date, a year or a month at ``position``; else 0."""
        if words.at(position) in self._rules.months:
            following = position + 1 + (words.at(position + 1) in ("de", "del"))
            year = self._reader.is_date_or_year(words, following)
            return following + 1 if year else position + 1
        date = self._reader.date(words, position)
        if date:
            return date
        return position + 1 if self._reader.is_date_or_year(words, position) else 0

    def _is_again(self, norm: str, measure: Measure) -> bool:
        return norm in self._rules.again or norm in measure.more

    def _after_arrow(self, words: Words, position: int, measure: Measure) -> Further:
        """'93,2 → 84,0', '33 -> actual 51%', '82% basal -> 93'."""
        if words.at(position) == ">" and words.at(position + 1)[:1].isdigit():
            return self._number_within(words, position + 1, measure, expected=True)
        for _ in range(3):
            arrow = next(
                (a for a in _ARROWS if tuple(words.norms[position : position + len(a)]) == a), None
            )
            if arrow is not None:
                return self._number_within(words, position + len(arrow), measure, expected=True)
            norm = words.at(position)
            if norm not in self._rules.between or norm in _SEPARATORS:
                return None
            position += 1
        return None

    def _number_within(
        self,
        words: Words,
        position: int,
        measure: Measure,
        *,
        expected: bool,
        loose: bool = False,
    ) -> Further:
        """Return the next value, and the place after it, within a few leading words.

        ``expected``: whether it is already certain that a value of this measurement follows;
        ``loose``: whether any words may lead to it, as within brackets.
        """
        limit = min(words.size, position + _MAX_WORDS_TO_NUMBER)
        while position < limit and not words.is_border(position):
            norm = words.norms[position]
            if norm[0].isdigit() or (norm == "%" and words.at(position + 1)[:1].isdigit()):
                result = self._number(words, position, measure)
                if isinstance(result, Quantity):
                    expected = expected or self._marked_after(words, result, measure)
                    return (result, result.after) if expected else None
                if result is None:
                    return None
                # 'FEVI en 2018 60%, en 2022 35%'
                expected = expected or self._reader.is_date_or_year(words, position)
                position = result
                continue
            ago = self._time_ago(words, position)  # Catalan 'fa' is also a rhythm
            names = () if ago else self._rules.names.at(words, position)[1]
            if any(self._names_other(n, norm, measure) for n in names):
                return None
            length = self._rules.phrases.at(words, position)[0] or ago
            if length:
                phrase = words.norms[position : position + length]
                expected = (
                    expected or norm in self._rules.ago or (not measure.more.isdisjoint(phrase))
                )
                position += length - 1
            elif self._is_again(norm, measure):
                expected = True
            elif measure.labelled and words.is_capital(position):
                expected = True  # 'L 78,4 M 78,6'
            elif loose and (norm.isalpha() or norm == ","):
                pass  # '(antes del verano 57)'
            elif norm == "," and expected:
                expected = False  # '69,1 lunes, 70,4 hoy', 'hoy 70,2, al alta 71'
            elif norm == "." and self._is_again(words.at(position - 1), measure):
                pass  # '(ant. 69,5)'
            elif norm == "/" and words.at(position - 1) in self._rules.months:
                pass  # '(ene/24: 1,1)'
            elif norm not in self._rules.between and norm not in self._rules.moves:
                return None
            position += 1
        return None

    def _time_ago(self, words: Words, position: int) -> int:
        """Return the number of words of 'hace dos anos', 'fa un mes'; 0 where it is none."""
        if words.at(position) not in self._rules.ago:
            return 0
        number = self._reader.number(words, position + 1)
        if number is None or (words.at(number.end),) not in self._rules.passing_units:
            return 0
        return number.end + 1 - position

    def _names_other(self, name: Name, norm: str, measure: Measure) -> bool:
        """Whether a name before a value is of another measurement: not 'al alta', 'basal'."""
        if measure.key in (SYSTOLIC, DIASTOLIC) and name.concept in (SYSTOLIC, DIASTOLIC):
            return name.concept != measure.key  # 'maxima 170, minima 95'
        return norm not in self._rules.again and name.concept != measure.key

    def _marked_after(self, words: Words, value: Quantity, measure: Measure) -> bool:
        """Whether the words after a value mark it as a further one: '1,2 previa'."""
        if words.at(value.after) == "(" and self._reader.skip_non_value(words, value.after + 1):
            return True
        if words.at(value.after) in self._rules.in_time and self._day_end(words, value.after + 1):
            return True
        return any(self._is_again(norm, measure) for norm in words.after(value.after, 2))

    def _number(self, words: Words, position: int, measure: Measure) -> Quantity | int | None:
        """Return a value, or the place after a number that is none: a date, a time."""
        norm = words.at(position)
        if words.at(position - 1) in self._rules.days and words.starts_line(position - 1):
            return position + 1  # 'lun 22' of a diary
        is_day = norm.isdigit() and int(norm) <= _LARGEST_DAY
        if is_day and words.at(position - 1) in self._rules.months:
            return position + 1  # 'sept-22', 'junio 22'
        if words.at(position - 2) in self._rules.months and words.at(position - 1) in "-/":
            return position + 1
        return self._reader.scalar(words, position, measure)

    def _bracket_at(self, words: Words, position: int, measure: Measure) -> int:
        """Return the place of a bracket within a few words that qualify the value."""
        for place in range(position, position + _MAX_QUALIFIERS):
            norm = words.at(place)
            if norm in BRACKETS:
                return place
            if norm not in self._rules.between and not self._is_again(norm, measure):
                break
        return position

    @staticmethod
    def _closing_bracket(words: Words, position: int) -> int:
        """Return the place that closes the bracket at ``position``; 0 where there is none."""
        return words.closing_bracket(position, position + _MAX_BRACKET_WORDS)

    def _in_bracket(self, words: Words, position: int, measure: Measure) -> Further:
        """'(previa 1,22)', '(junio 68)', '(28 en enero)'."""
        close = self._closing_bracket(words, position)
        if not close:
            return None
        inside = words.norms[position + 1 : close]
        if len(inside) == 1 and self._reader.is_date_or_year(words, position + 1):
            return None  # 'NT-proBNP 300 (2023)'
        if len(inside) == 1:  # 'Cr 1,5 (1,2)'
            alone = self._reader.scalar(words, position + 1, measure)
            return (alone, close + 1) if isinstance(alone, Quantity) else None
        dated = self._reader.date(words, position + 1)
        again = bool(inside) and inside[0] in self._rules.ago  # '(fa una setmana 63,1)'
        again = again or any(self._is_again(norm, measure) for norm in inside)
        if not again and words.at(dated) != ":":
            return None
        result = self._number_within(words, position + 1, measure, expected=True, loose=True)
        return (result[0], close + 1) if result and result[0].end <= close else None

    def _compared(self, words: Words, position: int, measure: Measure) -> Further:
        """', ayer 79,3', 'previa 1,22', 'vs 1,2'."""
        expected = words.at(position) == "vs"
        position += words.at(position) in _SEPARATORS
        if words.at(position)[:1].isdigit():
            result = self._number(words, position, measure)
            if isinstance(result, Quantity):
                expected = expected or self._marked_after(words, result, measure)
                return (result, result.after) if expected else None
            if result is None:
                return None
            expected = expected or self._reader.is_date_or_year(words, position)
            position = result
        return self._number_within(words, position, measure, expected=expected)

    @staticmethod
    def _is_row(words: Words, position: int) -> bool:
        """Whether the rest of the line is numbers: 'FC 92 80 70', a row of a table."""
        first = place = position
        while first > 0 and words.norms[first - 1][0].isdigit() and not words.starts_line(first):
            first -= 1
        while place < words.size and not words.starts_line(place):
            norm = words.norms[place]
            if not norm[0].isdigit() or words.is_adjacent(place):
                return False
            place += 1
        return place - first >= _LEAST_ROW

    def _changed(self, words: Words, value: Quantity, position: int, measure: Measure) -> Further:
        """'mejora de 25 a 45%', 'de 82 a 79': the second of two values."""
        if words.at(position) not in self._rules.to:
            return None
        second = self._reader.scalar(words, position + 1, measure)
        if not isinstance(second, Quantity):
            return None
        before = words.before(value.first, _MAX_WORDS_TO_NUMBER)
        fell = before[:1] == ["de"] and (measure.levels_only or second.value < value.value)
        moved = fell or not self._rules.moves.isdisjoint(before)
        return (second, second.after) if moved else None

    def _listed(
        self, words: Words, value: Quantity, position: int, measure: Measure, name: Name
    ) -> Further:
        """'glucemias 120, 140 y 133'; 'peso 80,2, 79,8', where the numbers are close."""
        sign = words.at(position)
        if sign[:1].isdigit() and self._is_row(words, position):
            following = self._reader.scalar(words, position, measure)
            if not isinstance(following, Quantity):
                return None
            smaller, larger = sorted((value.value, following.value))
            return (following, following.after) if larger <= _ALIKE * smaller else None
        if sign not in _LISTING:
            return None
        apart = not words.is_adjacent(position) and not words.is_adjacent(position + 1)
        decimals = all(
            words.at(place)[-2:-1] in (",", ".") for place in (position - 1, position + 1)
        )
        spaced = apart and sign in _STROKES  # 'K 4,6 - 4,9 - 5,8'
        paired = sign == "/" and decimals and measure.decimals > 0  # 'K 4,5/5,0'
        if not (name.series or measure.levels_only or spaced or paired):
            return None
        following = self._reader.scalar(words, position + 1, measure)
        if not isinstance(following, Quantity):
            return None
        close = abs(following.value - value.value) <= _CLOSE * value.value
        alike = (spaced or paired) and (
            value.value <= _ALIKE * following.value and following.value <= _ALIKE * value.value
        )
        return (following, following.after) if name.series or close or alike else None
