"""Further values of the same measurement: 'Cr 1,41 (previa 1,22)', '93,2 → 84,0', series."""

from __future__ import annotations

from collections.abc import Iterator

from clinical_nlp.pipeline.measurements.knowledge import (
    DIASTOLIC,
    SYSTOLIC,
    Knowledge,
    Measure,
    Name,
)
from clinical_nlp.pipeline.measurements.pressure import PressureReader, PressureReading
from clinical_nlp.pipeline.measurements.reading import Value, ValueReader
from clinical_nlp.pipeline.measurements.text import Words

_ARROWS = (
    ("→",), ("->",), ("-", ">"), ("=", ">"), ("-", "-", ">"), (">", ">"), ("⇒",), ("➔",),
    ("←",), ("<-",), ("<", "-"), ("<", "<"),
)  # fmt: skip
_SEPARATORS = frozenset({",", ";", "y", "e", "i", "vs", "/"})
_LISTING = frozenset({",", ";", "y", "e", "i", "-", "–", "/"})
_REACH = 8
_BRACKET = 14
_SERIES_GAP = 9
_STRANGE = 2  # unknown words between two readings
_QUALIFIERS = 5
_CLOSE = 0.1
_SHORT_NUMBERS = 31


class Continuation:
    """Reads on after a value."""

    def __init__(self, knowledge: Knowledge, reader: ValueReader, pressure: PressureReader) -> None:
        self._knowledge = knowledge
        self._reader = reader
        self._pressure = pressure

    def scalars(self, words: Words, value: Value, measure: Measure, name: Name) -> Iterator[Value]:
        """Values of the same measurement that follow ``value``."""
        position = value.after
        while position < words.size and not words.is_border(position):
            found = (
                self._after_arrow(words, position, measure)
                or self._in_bracket(words, self._bracket_at(words, position, measure), measure)
                or self._compared(words, position, measure)
                or self._moved(words, value, position, measure)
                or self._listed(words, value, position, measure, name)
            )
            if found is None:
                close = self._close(words, position)
                if not close:
                    return
                position = close + 1  # '2.300 (enero), 1.800 (marzo)'
                continue
            more, position = found
            yield more

    def _is_again(self, norm: str, measure: Measure) -> bool:
        return norm in self._knowledge.again or norm in measure.more

    def _after_arrow(
        self, words: Words, position: int, measure: Measure
    ) -> tuple[Value, int] | None:
        """'93,2 → 84,0', '33 -> actual 51%', '82% basal -> 93'."""
        if words.at(position) == ">" and words.at(position + 1)[:1].isdigit():
            return self._number_within(words, position + 1, measure, said=True)
        for _ in range(3):
            arrow = next(
                (a for a in _ARROWS if tuple(words.norms[position : position + len(a)]) == a), None
            )
            if arrow is not None:
                return self._number_within(words, position + len(arrow), measure, said=True)
            norm = words.at(position)
            if norm not in self._knowledge.between or norm in _SEPARATORS:
                return None
            position += 1
        return None

    def _number_within(
        self, words: Words, position: int, measure: Measure, *, said: bool
    ) -> tuple[Value, int] | None:
        """The next value within a few words that lead to one.

        ``said`` is whether it is clear already that a value of this measurement follows.
        """
        limit = min(words.size, position + _REACH)
        while position < limit and not words.is_border(position):
            norm = words.norms[position]
            if norm[0].isdigit() or (norm == "%" and words.at(position + 1)[:1].isdigit()):
                found = self._number(words, position, measure)
                if isinstance(found, Value):
                    said = said or self._said_after(words, found, measure)
                    return (found, found.after) if said else None
                if found is None:
                    return None
                # 'FEVI en 2018 60%, en 2022 35%'
                said = said or self._reader.tells_when(words, position)
                position = found
                continue
            names = self._knowledge.names.at(words, position)[1]
            if any(self._stops(n, norm, measure) for n in names):
                return None
            phrase = self._knowledge.phrases.at(words, position)[0]
            if phrase:
                position += phrase - 1
            elif self._is_again(norm, measure):
                said = True
            elif norm == "," and said:
                said = False  # '69,1 lunes, 70,4 hoy', 'hoy 70,2, al alta 71'
            elif norm == "." and self._is_again(words.at(position - 1), measure):
                pass  # '(ant. 69,5)'
            elif norm == "/" and words.at(position - 1) in self._knowledge.months:
                pass  # '(ene/24: 1,1)'
            elif norm not in self._knowledge.between and norm not in self._knowledge.moves:
                return None
            position += 1
        return None

    def _stops(self, name: Name, norm: str, measure: Measure) -> bool:
        """Whether a name on the way to a value is of another one: not 'al alta', 'basal'."""
        if measure.key in (SYSTOLIC, DIASTOLIC) and name.concept in (SYSTOLIC, DIASTOLIC):
            return name.concept != measure.key  # 'maxima 170, minima 95'
        return norm not in self._knowledge.again and name.concept != measure.key

    def _said_after(self, words: Words, value: Value, measure: Measure) -> bool:
        """Whether the words after a value tell that it is another one: '1,2 previa'."""
        if words.at(value.after) == "(" and self._reader.skip(words, value.after + 1):
            return True
        return any(self._is_again(norm, measure) for norm in words.after(value.after, 2))

    def _number(self, words: Words, position: int, measure: Measure) -> Value | int | None:
        """A value, or the place after a number that is none: a date, a time."""
        if words.at(position - 1) in self._knowledge.months and self._is_short(words, position):
            return position + 1  # 'sept-22', 'junio 22'
        if words.at(position - 2) in self._knowledge.months and words.at(position - 1) in "-/":
            return position + 1
        return self._reader.scalar(words, position, measure)

    @staticmethod
    def _is_short(words: Words, position: int) -> bool:
        norm = words.at(position)
        return norm.isdigit() and int(norm) <= _SHORT_NUMBERS

    def _bracket_at(self, words: Words, position: int, measure: Measure) -> int:
        """Where a bracket opens within a few words that belong to the value."""
        for place in range(position, position + _QUALIFIERS):
            norm = words.at(place)
            if norm == "(":
                return place
            if norm not in self._knowledge.between and not self._is_again(norm, measure):
                break
        return position

    @staticmethod
    def _close(words: Words, position: int) -> int:
        """Place of the bracket that closes the one at ``position``; 0 where there is none."""
        if words.at(position) != "(":
            return 0
        for place in range(position + 1, min(words.size, position + _BRACKET)):
            if words.norms[place] == ")":
                return place
        return 0

    def _in_bracket(
        self, words: Words, position: int, measure: Measure
    ) -> tuple[Value, int] | None:
        """'(previa 1,22)', '(junio 68)', '(28 en enero)'."""
        close = self._close(words, position)
        if not close:
            return None
        inside = words.norms[position + 1 : close]
        if len(inside) == 1:  # 'Cr 1,5 (1,2)'
            alone = self._reader.scalar(words, position + 1, measure)
            return (alone, close + 1) if isinstance(alone, Value) else None
        said = any(self._is_again(norm, measure) for norm in inside)
        if not said:
            return None
        found = self._number_within(words, position + 1, measure, said=True)
        if found is None or found[0].end > close:
            return None
        return found[0], close + 1

    def _compared(self, words: Words, position: int, measure: Measure) -> tuple[Value, int] | None:
        """', ayer 79,3', 'previa 1,22', 'vs 1,2'."""
        said = words.at(position) == "vs"
        if words.at(position) in _SEPARATORS:
            position += 1
        if words.at(position)[:1].isdigit():
            found = self._number(words, position, measure)
            if isinstance(found, Value):
                said = said or self._said_after(words, found, measure)
                return (found, found.after) if said else None
            if found is None:
                return None
            said = said or self._reader.tells_when(words, position)
            position = found
        return self._number_within(words, position, measure, said=said)

    def _moved(
        self, words: Words, value: Value, position: int, measure: Measure
    ) -> tuple[Value, int] | None:
        """'mejora de 25 a 45%', 'de 82 a 79': the second of two values."""
        if words.at(position) not in self._knowledge.to:
            return None
        second = self._reader.scalar(words, position + 1, measure)
        if not isinstance(second, Value):
            return None
        before = words.before(value.first, _REACH)
        fell = before[:1] == ["de"] and (measure.levels_only or second.value < value.value)
        moved = fell or not self._knowledge.moves.isdisjoint(before)
        return (second, second.after) if moved else None

    def _listed(
        self, words: Words, value: Value, position: int, measure: Measure, name: Name
    ) -> tuple[Value, int] | None:
        """'glucemias 120, 140 y 133'; 'peso 80,2, 79,8', where the numbers are close."""
        if words.at(position) not in _LISTING or not (name.series or measure.levels_only):
            return None
        more = self._reader.scalar(words, position + 1, measure)
        if not isinstance(more, Value):
            return None
        close = abs(more.value - value.value) <= _CLOSE * value.value
        return (more, more.after) if name.series or close else None

    def pressures(self, words: Words, first: PressureReading) -> Iterator[PressureReading]:
        """Readings that follow ``first``: 'TA 150/90, 145/85 y de pie 130/80'."""
        position = first.diastolic.after
        gap = strange = 0
        while position < words.size and gap < _SERIES_GAP and not words.is_border(position):
            norm = words.norms[position]
            if norm[0].isdigit():
                reading = self._pressure.pair(
                    words, position, named=False, millimetres=not first.centimetres
                )
                if reading is not None and reading.centimetres == first.centimetres:
                    if strange and not self._pressure.is_usual(reading):
                        return
                    yield reading
                    position, gap, strange = reading.diastolic.after, 0, 0
                    continue
                position, gap = self._reader.skip(words, position), gap + 1
                if not position:
                    return
                continue
            if norm not in self._knowledge.series:
                # 'TA 170/100, tras captopril 150/90'
                strange += 1
                if strange > _STRANGE or not norm.isalpha() or self._is_name(words, position):
                    return
            position, gap = position + 1, gap + 1

    def _is_name(self, words: Words, position: int) -> bool:
        """Whether another measurement's name stands here: not the 'alta' of 'al alta'."""
        names = self._knowledge.names.at(words, position)[1]
        return any(not name.near for name in names)
