"""Finding the values of a text: from each name to its numbers, then numbers that need no name."""

from __future__ import annotations

from collections.abc import Callable

from clinical_nlp.pipeline.measurements.context import Context
from clinical_nlp.pipeline.measurements.continuation import Continuation
from clinical_nlp.pipeline.measurements.in_turn import InTurn
from clinical_nlp.pipeline.measurements.knowledge import (
    PRESSURE,
    SYSTOLIC,
    Knowledge,
    Measure,
    Name,
)
from clinical_nlp.pipeline.measurements.pressure import PressureReader
from clinical_nlp.pipeline.measurements.reading import Value, ValueReader, with_comparator
from clinical_nlp.pipeline.measurements.text import Words
from clinical_nlp.pipeline.measurements.unnamed import UnnamedReader

_REACH = 18  # words from a name to its number
_BRACKET = 12
_LINK = 6
_SOON = 4
_OPENING = {"(": ")", "[": "]"}
_CLOSING = frozenset(_OPENING.values())
_AFTER_NAME = frozenset({".", ";", "?", "¿"})
_STRANGE = 3  # unknown words between a name and its number
_PREFIXES = ("pre", "post", "peri", "intra", "sub")


class Scanner:
    """Finds the values of a text, in one pass over its words.

    Parameters
    ----------
    knowledge
        Names, units, limits and words.
    """

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge
        self._reader = ValueReader(knowledge)
        self._pressure = PressureReader(knowledge, self._reader)
        self._context = Context(knowledge)
        self._continuation = Continuation(knowledge, self._reader, self._pressure)
        self._in_turn = InTurn(knowledge, self._reader, self._pressure)
        self._unnamed = UnnamedReader(
            knowledge, self._reader, self._pressure, self._context, self._continuation
        )

    def scan(self, words: Words, examined: Callable[[int], bool]) -> list[Value]:
        """Return the values, in order of place.

        Parameters
        ----------
        examined
            Tells whether a word opens or stands in an examination, where two numbers with
            a stroke between are a blood pressure even without its name.
        """
        return _Scan(self, words, examined).run()


class _Scan:
    """One text being scanned."""

    def __init__(self, scanner: Scanner, words: Words, examined: Callable[[int], bool]) -> None:
        self._knowledge = scanner._knowledge
        self._reader = scanner._reader
        self._pressure = scanner._pressure
        self._context = scanner._context
        self._continuation = scanner._continuation
        self._in_turn = scanner._in_turn
        self._unnamed = scanner._unnamed
        self._words = words
        self._examined = examined
        self._values: list[Value] = []
        # Number of the first value that the text goes on after, by where it does.
        self._ended: dict[int, int] = {}
        self._taken: set[int] = set()

    def run(self) -> list[Value]:
        words, names = self._words, self._knowledge.names
        end = 0
        openings = names.first_words
        for position in [i for i, norm in enumerate(words.norms) if norm in openings]:
            if position < end:
                continue
            length, entries = names.at(words, position)
            if not length:
                continue
            end = position + length
            for name in entries:
                if self._read(name, position, end):
                    break
        for position in [i for i, norm in enumerate(words.norms) if norm[0].isdigit()]:
            if position not in self._taken:
                examined = self._examined(position)
                last = self._last_before(position)
                self._take(self._unnamed.at(words, position, examined=examined, last=last))
        return sorted(self._values, key=lambda value: value.first)

    def _last_before(self, position: int) -> Value | None:
        """The value that was said just before ``position``, if any."""
        ended = [self._ended[at] for at in (position, position - 1) if at in self._ended]
        return self._values[min(ended)] if ended else None

    def _take(self, values: list[Value]) -> None:
        for value in values:
            if self._taken.isdisjoint(range(value.first, value.end)):
                self._taken.update(range(value.first, value.end))
                self._ended.setdefault(value.after, len(self._values))
                self._values.append(value)

    # Names

    def _read(self, name: Name, start: int, end: int) -> bool:
        """Read what follows a name; whether the name was this one."""
        if name.is_other:
            self._keep_from_others(end)
            return True
        if not self._context.holds(self._words, name, start, end):
            return False
        if name.after is not None and not self._follows(name.after, start):
            return False
        several = self._in_turn.values(self._words, name, end)
        if several:
            self._take(several)
            return True
        if name.concept == PRESSURE:
            return self._read_pressure(name, start, end)
        if name.concept == SYSTOLIC and self._leads_to_pair(end):  # 'al alta 150/85'
            return self._read_pressure(name, start, end)
        measure = self._knowledge.measures[name.concept]
        if name.needs_link:
            values = self._linked(name, measure, end)
        else:
            values = self._scalar(name, measure, start, end)
        self._take(values)
        return bool(values)

    def _follows(self, concept: str, start: int) -> bool:
        last = self._values[-1] if self._values else None
        return last is not None and last.concept == concept and 0 <= start - last.after <= _SOON

    def _keep_from_others(self, end: int) -> None:
        """Keep the number after another test's name from being read as one of ours."""
        position = end
        while position < min(end + _SOON, self._words.size):
            if self._words.norms[position][0].isdigit():
                self._taken.add(position)
                return
            if self._words.norms[position] not in self._knowledge.between:
                return
            position += 1

    def _scalar(self, name: Name, measure: Measure, start: int, end: int) -> list[Value]:
        found = self._search(
            end,
            measure,
            name,
            lambda position: self._reader.scalar(self._words, position, measure, name),
        )
        if found is None:
            return []
        value, comparator = found
        if measure.levels_only and self._context.is_change(self._words, start, value):
            return []
        if self._context.is_threshold(self._words, start, comparator, value.first, value.after):
            self._taken.update(range(value.first, value.end))
            return []
        first = with_comparator(value, comparator)
        return [first, *self._continuation.scalars(self._words, first, measure, name)]

    def _search(
        self,
        end: int,
        measure: Measure,
        name: Name,
        read: Callable[[int], Value | int | None],
    ) -> tuple[Value, str | None] | None:
        """Walk from a name over the words that may stand before its number."""
        words, knowledge = self._words, self._knowledge
        position, comparator, depth, unit_needed = end, None, [], False
        limit = min(words.size, end + _REACH)
        while position < limit:
            if words.is_border(position):
                return None
            norm = words.norms[position]
            if (
                norm[0].isdigit()
                or norm in knowledge.numbers.words
                or (norm == "%" and words.at(position + 1)[:1].isdigit())
            ):
                found = read(position)
                if isinstance(found, Value):
                    unit_said = found.after > found.end or norm == "%"
                    return (found, comparator) if unit_said or not unit_needed else None
                if found is None:
                    if norm[0].isdigit() or norm not in knowledge.between:
                        return None
                    found = position + 1
                position = found
                continue
            length, signs = knowledge.comparators.at(words, position)
            if length:
                comparator, position = signs[0], position + length
            elif norm in _OPENING:
                close = self._close(position, limit)
                if close and self._number_at(close + 1):
                    position = close + 1  # '(0,7-1,2) 1,41': limits of the laboratory
                else:
                    depth.append(_OPENING[norm])
                    position += 1
            elif norm in _CLOSING:
                if not depth or depth.pop() != norm:
                    return None
                position += 1
            elif norm == "," or (position == end and norm in _AFTER_NAME):
                unit_needed = unit_needed or norm == ","
                position += 1
            elif length := knowledge.phrases.at(words, position)[0]:
                position += length
            elif self._may_stand_between(position, measure):
                position += 1
            else:
                after = self._past(position, measure, name) or self._strange(position, name)
                if not after:
                    return None
                position = after
        return None

    def _strange(self, position: int, name: Name) -> int:
        """End of the unknown words at ``position`` that may stand there; 0 for none.

        They say how the value came about ('Hb prequirurgica 15,1', 'TA ambulatoria 135/80')
        or whose instrument it was ('pulsi de la vecina: 84'): one adjective of time, words
        that a colon ends, or a pair follows that can only be a blood pressure.
        """
        words, knowledge = self._words, self._knowledge
        end = position
        for _ in range(_STRANGE):
            norm = words.at(end)
            if not norm.isalpha() or knowledge.names.at(words, end)[0] or norm in knowledge.aims:
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

    def _may_stand_between(self, position: int, measure: Measure) -> bool:
        """Whether this word may stand between a name and its number."""
        norm, knowledge = self._words.norms[position], self._knowledge
        if norm == ".":  # 'Creatinina ..... 1,2'
            return self._words.at(position - 1) == "."
        return norm in knowledge.between or norm in measure.fillers or norm in knowledge.moves

    def _past(self, position: int, measure: Measure, name: Name) -> int:
        """End of a second name of the same measurement or of its unit; 0 for anything else."""
        length, names = self._knowledge.names.at(self._words, position)
        if length:
            same = any(other.concept == name.concept for other in names)
            return position + length if same else 0
        length, units = self._knowledge.units.at(self._words, position)
        if length and units[0] in measure.units:
            return position + length
        return 0

    def _number_at(self, position: int) -> bool:
        if self._words.at(position) == ":":
            position += 1
        return self._words.at(position)[:1].isdigit()

    def _close(self, position: int, limit: int) -> int:
        """Place of the bracket that closes the one at ``position``; 0 where there is none."""
        sign = _OPENING[self._words.norms[position]]
        for place in range(position + 1, min(limit, position + _BRACKET)):
            if self._words.norms[place] == sign:
                return place
        return 0

    def _linked(self, name: Name, measure: Measure, end: int) -> list[Value]:
        """'FA no conocida a 108': a number right after the linking word."""
        words = self._words
        for position in range(end, min(words.size, end + _LINK)):
            norm = words.norms[position]
            if norm in name.needs_link:
                value = self._reader.scalar(words, position + 1, measure, name)
                if isinstance(value, Value):
                    return [value, *self._continuation.scalars(words, value, measure, name)]
            elif not norm.isalpha():
                break
        return []

    # Blood pressure

    def _leads_to_pair(self, end: int) -> bool:
        position = end + (self._words.at(end) == ":")
        return self._pressure.pair(self._words, position, named=False) is not None

    def _read_pressure(self, name: Name, start: int, end: int) -> bool:
        words = self._words
        systolic = self._knowledge.measures["systolic_bp"]

        def pair(position: int) -> Value | int | None:
            reading = self._pressure.pair(words, position, named=True, millimetres=name.millimetres)
            if reading is not None:
                return reading.systolic
            if name.needs_pair:
                return self._reader.skip(words, position) or None
            return self._pressure.single(words, position)

        found = self._search(end, systolic, name, pair)
        if found is None:
            return False
        value, comparator = found
        reading = self._pressure.pair(words, value.first, named=True, millimetres=name.millimetres)
        after = reading.diastolic.after if reading is not None else value.after
        if self._context.is_threshold(words, start, comparator, value.first, after):
            self._taken.update(range(value.first, after))
            return True
        if reading is None:
            self._take([with_comparator(value, comparator)])
            return True
        self._take([with_comparator(part, comparator) for part in reading.values])
        for more in self._continuation.pressures(words, reading):
            self._take(list(more.values))
        return True
