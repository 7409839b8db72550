"""Limits of the laboratory beside a value: ``(0-125)``, ``VR: <125``, ``[35 - 50]``, ``>50``.

They say what is usual and are never a value of the patient.
"""

from __future__ import annotations

from clinical_nlp.pipeline.measurements.measurement_rules import Measure, MeasurementRules
from clinical_nlp.pipeline.measurements.text import BRACKETS, DASHES, Words

_BELOW = frozenset({"<", "<=", ">=", "≤", "≥"})
_MAX_LABELS = 4


class References:
    """Finds the limits that stand at a place."""

    def __init__(self, rules: MeasurementRules) -> None:
        self._rules = rules
        self._openings = rules.reference_labels | _BELOW | {">", "(", "["}

    def end(self, words: Words, position: int, measure: Measure) -> int:
        """Return the end of the limits at ``position``; 0 where there are none.

        A sign between two numbers alike ('60 > 35') may be an arrow; limits are then only
        those that the measurement is usually printed with.
        """
        norm = words.at(position)
        if norm not in self._openings and not norm[:1].isdigit():
            return 0
        start = position
        closing = BRACKETS.get(words.at(position))
        position += closing is not None
        labelled = self._skip_labels(words, position)
        named = labelled > position
        end = self._range(words, labelled) or self._bound(
            words, labelled, measure, certain=closing is not None or named
        )
        if not end:
            return 0
        length = self._rules.units.at(words, end)[0]
        end += length
        if closing is None:
            return end if named or start != labelled or self._is_apart(words, start) else 0
        return end + 1 if words.at(end) == closing else 0

    def flag_end(self, words: Words, position: int, measure: Measure) -> int:
        """Return the end of 'H' or 'L' after a value, where limits or the line's end follow."""
        if words.at(position) not in self._rules.flags:
            return 0
        token = words.doc[words.tokens[position]]
        if not token.text.isupper() or words.is_adjacent(position):
            return 0
        following = words.at(position + 1)
        ends = not following or following in (".", ";") or words.starts_line(position + 1)
        return position + 1 if ends or self.end(words, position + 1, measure) else 0

    def _skip_labels(self, words: Words, position: int) -> int:
        """Return the place after 'VR:', 'v. ref.', 'valores de referencia'."""
        end, named = position, False
        for _ in range(_MAX_LABELS):
            if words.at(end) not in self._rules.reference_labels:
                break
            end, named = end + 1, True
            end += words.at(end) == "."
        if not named:
            return position
        return end + (words.at(end) in (":", "="))

    def _range(self, words: Words, position: int) -> int:
        """Return the end of '3,5-5,1', '0 a 125'; 0 where there is none."""
        low = self._rules.numbers.digits(words, position)
        if low is None or words.at(low.end) not in DASHES | {"a"}:
            return 0
        high = self._rules.numbers.digits(words, low.end + 1)
        if high is None or words.at(high.end) in DASHES or words.at(high.end) == "/":
            return 0
        values = low.values(whole_expected=False), high.values(whole_expected=False)
        return high.end if all(values) and values[0][0] < values[1][-1] else 0

    def _bound(self, words: Words, position: int, measure: Measure, *, certain: bool) -> int:
        """Return the end of '<125', '> 50'; 0 where there is none."""
        sign = words.at(position)
        place = position + 1
        if sign in ("<", ">") and words.at(place) == "=":
            sign, place = sign + "=", place + 1
        if sign != ">" and sign not in _BELOW:
            return 0
        number = self._rules.numbers.digits(words, place)
        if number is None:
            return 0
        if certain or sign != ">":
            return number.end
        hugs = words.is_adjacent(place) and not words.is_adjacent(position)
        usual = not measure.references.isdisjoint(number.values(whole_expected=False))
        return number.end if hugs or usual else 0

    @staticmethod
    def _is_apart(words: Words, position: int) -> bool:
        """Whether limits without brackets or label stand apart from the value before."""
        return not words.is_adjacent(position)
