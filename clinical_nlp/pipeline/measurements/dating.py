"""The day of a value, where the note gives one: ``300 (2023)``, ``12/3 150/90``, ``ene-24: 1,1``.

A date says of which day a value is

- in brackets or after 'en' behind it: ``300 (2023)``, ``84 kg en marzo``;
- right before it: ``2023: 300``, ``12/3 150/90``;
- at the start of its line, or before a colon in its sentence: ``12/03/24: TA 130/80, FC 72``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from clinical_nlp.pipeline.measurements.measurement_rules import DIASTOLIC
from clinical_nlp.pipeline.measurements.quantity_reader import Quantity
from clinical_nlp.pipeline.measurements.text import Words
from clinical_nlp.pipeline.written_dates import MONTH_NAMES, date_in, dates_of, may_hold_date

_IN_PAIR = len(" / ")  # characters between the two numbers of a blood pressure
_MOST_BETWEEN = 40  # characters looked at on each side
_BRACKET = re.compile(r"\s*[(\[]([^()\[\]\n]{3,24})[)\]]")
# '(12-16)', '[VN 3,5-5]': a reference range, no month of a year.
_RANGE = re.compile(r"\D*\d{1,3}(?:[.,]\d+)?\s*[-–—]\s*\d{1,3}(?:[.,]\d+)?\D*")
_SAID_AFTER = re.compile(r"\s*,?\s*(?:en|de|del|el|desde)\s+(?:el\s+)?")
_BEFORE_SAID = frozenset(" ,\n\t\u00a0")
_ENDS_AFTER = re.compile(r"\s*(?:[,;.)\]]|$|\n|y\b|->|→)")
# Between a date and its value: signs, or a verb.
_LEADS = re.compile(r"[\s:()\[\]|=~≈<>*-]*(?:(?:fue|era|de|a|con)\s+)?[<>≤≥~]?\s*")
_HEADS = re.compile(r"\s*[)\]]?\s*:")
_NUMERIC = re.compile(
    r"(?<![\d/,.-])\d{1,2}/(?:19|20)\d\d(?!\d)|(?<![\d/,.-])\d{1,4}[/.-]\d{1,2}(?:[/.-]\d{2,4})?(?![\d/%-])|(?<!\d)(?:19|20)\d\d(?=\s*[)\]]?\s*:)"
)
# What a text without cannot have such a date; much faster to find.
_MAY_BE_NUMERIC = re.compile(r"\d[/.-]\d|\d\d\d\d\s*[)\]]?\s*:")
_SENTENCE_END = re.compile(r"\.(?=\s|$)|\n")
_LINE_START = re.compile(r"[ \t]*(?:[-*•·]\s*)?(?:[^\W\d_]{1,9}[.,]?\s+)?$")
# Words that are also the short name of a month.
_DAY_NAMES = ("mar", "set", "ago", "may", "out", "api", "urt", "ots", "des")


class Dating:
    """Finds the days of the values of one text.

    Parameters
    ----------
    words
        The text.
    """

    def __init__(self, words: Words) -> None:
        self._words = words

    def days(self, values: Sequence[Quantity]) -> list[str | None]:
        """Return the day of each value, in the form of ISO 8601 as far as given; else ``None``.

        Parameters
        ----------
        values
            In order of place.
        """
        if not self._words.may_hold_date(MONTH_NAMES):
            return [value.day for value in values]
        self._text = self._words.text
        places = [self._words.offsets(v.first, max(v.after, v.end)) for v in values]
        days: list[str | None] = []
        last_end, heading = 0, (0, 0, "")
        for number, value in enumerate(values):
            start, end = places[number]
            first = max(last_end, start - _MOST_BETWEEN)
            in_pair = bool(number) and value.concept == DIASTOLIC and start - last_end <= _IN_PAIR
            found = days[-1] if in_pair else self._right_before(first, start)
            heading = self._heading(last_end, start, heading)
            if found is None:
                following = places[number + 1][0] if number + 1 < len(values) else 0
                found, end = self._after(end, following)
                if found is None and heading[0] <= start < heading[1]:
                    found = heading[2]
            days.append(value.day or found)
            last_end = end
        for number, value in enumerate(values[1:], 1):  # '130/80 (2023)': of both
            in_pair = places[number][0] - places[number - 1][1] <= _IN_PAIR
            if in_pair and value.concept == DIASTOLIC and days[number - 1] is None:
                days[number - 1] = days[number]
        return days

    def _right_before(self, first: int, start: int) -> str | None:
        window = self._text[first:start]
        if not may_hold_date(window):
            return None
        for found, end, iso in reversed(dates_of(window)):
            if window[found:end].strip(". ").lower() in _DAY_NAMES:
                continue
            return iso if _LEADS.fullmatch(window, end) else None
        return None

    def _after(self, end: int, following: int) -> tuple[str | None, int]:
        """Return the date behind a value and its end; ``following`` is where the next begins."""
        bracket = _BRACKET.match(self._text, end)
        if bracket is not None:
            own = not end <= following < bracket.end()  # not '(junio 68)'
            ranged = _RANGE.fullmatch(bracket[1]) is not None
            iso = date_in(bracket[1], whole=True) if own and not ranged else None
            return iso, bracket.end() if iso is not None else end
        if self._text[end : end + 1] not in _BEFORE_SAID:
            return None, end
        said = _SAID_AFTER.match(self._text, end)
        if said is None:
            return None, end
        place = said.end()
        window = self._text[place : place + _MOST_BETWEEN]
        for found, stop, iso in dates_of(window)[:1]:
            if found == 0 and _ENDS_AFTER.match(window, stop):
                return iso, place + stop
        return None, end

    def _heading(self, last: int, start: int, known: tuple[int, int, str]) -> tuple[int, int, str]:
        """Return first and last place that a date stands over, and the date."""
        window = self._text[last:start]
        if not _MAY_BE_NUMERIC.search(window):
            return known
        for match in reversed(list(_NUMERIC.finditer(window))):
            (found, end), iso = match.span(), date_in(match[0])
            if iso is None:
                continue
            place = last + end
            line = self._text.rfind("\n", 0, last + found) + 1
            opens = _LINE_START.match(self._text[line : last + found]) and any(
                sign in window[found:end] for sign in "/-."
            )
            if opens and window[end : end + 1] in (" ", "\t", ":", ".", ",", ")"):
                stop = self._text.find("\n", place)
                return place, stop if stop >= 0 else len(self._text), iso
            if _HEADS.match(window, end):
                stop_match = _SENTENCE_END.search(self._text, place)
                return place, stop_match.start() if stop_match else len(self._text), iso
        return known
