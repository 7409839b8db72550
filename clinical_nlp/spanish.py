"""Dates, numbers, units and lists as a clinician in Spain reads and writes them.

Plain functions, not Babel: Babel rounds the decimal text of a number where Python rounds the
number itself, which changes 4% of values with two decimals when one is shown, and it groups
four-digit numbers, which Spanish spelling does not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import NamedTuple

_MONTHS = (
    "enero",
    "febrero",
    "marzo",
    "abril",
    "mayo",
    "junio",
    "julio",
    "agosto",
    "septiembre",
    "octubre",
    "noviembre",
    "diciembre",
)
_DAYS_PER_MONTH = 30.4375
_NBSP = "\u00a0"
_SWAP_SEPARATORS = str.maketrans(",.", ".,")

#: Administrative sex by code of :class:`clinical_nlp.records.Sex`.
SEX_ES = {"female": "mujer", "male": "hombre", "other": "otro", "unknown": "desconocido"}

# UCUM (https://ucum.org) codes of the lexicon that are not written as people write them.
_UNITS = {
    "mm[Hg]": "mmHg",
    "kg/m2": "kg/m²",
    "Cel": "°C",
    "mL/min/{1.73_m2}": "mL/min/1,73 m²",
    "u[IU]/mL": "µUI/mL",
}

#: Percentages from here on are rounded to units, smaller ones to tenths.
_WHOLE_PERCENT_FROM = 10


#: "y" becomes "e" before this sound, but not before a diphthong (hielo, iatrogenia).
_SOUNDS_I = re.compile(r"h?[ií](?![aeou])", re.IGNORECASE)

_DIGITS = re.compile(r"[0-9]+(?:[.,][0-9]+)*")
_GROUPED = re.compile(
    r"[0-9]{1,3}(?:\.[0-9]{3})+(?:,[0-9]+)?|[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?"
)
_DIGITS_OF_A_THOUSAND = 3


class DigitsRead(NamedTuple):
    """What a number in digits may mean.

    Parameters
    ----------
    decimal
        Its value if its last sign is a decimal one; ``None`` where it cannot be.
    grouped
        Its value if its signs separate thousands; ``None`` where they cannot.
    comma
        Whether its one sign is a comma.
    """

    decimal: float | None
    grouped: float | None = None
    comma: bool = False

    def values(self, *, whole_expected: bool = False) -> tuple[float, ...]:
        """Return its possible values, the most likely first.

        ``3.450`` is 3450 before 3.45 and ``79,300`` is 79.3 before 79300, except where a
        whole number is expected: three decimals are then taken for thousands.
        """
        values = (self.grouped, self.decimal)
        if self.comma and not whole_expected:
            values = (self.decimal, self.grouped)
        return tuple(value for value in values if value is not None)


def read_digits(text: str) -> DigitsRead | None:
    """Read a number in digits with commas and points, as notes and laboratories write it.

    Returns
    -------
    DigitsRead or None
        ``None`` where it is no number (a date, a version, an address).

    Examples
    --------
    >>> read_digits("2.000").values(), read_digits("1,25").values()
    ((2000.0, 2.0), (1.25,))
    >>> read_digits("1.234,5").values(), read_digits("1.2.3") is None
    ((1234.5,), True)
    """
    if not _DIGITS.fullmatch(text):
        return None
    signs = [sign for sign in text if sign in ".,"]
    if not signs:
        return DigitsRead(float(text))
    if len(signs) == 1:
        whole, _, rest = text.partition(signs[0])
        grouped = None
        if len(rest) == _DIGITS_OF_A_THOUSAND and len(whole) <= len(rest) and whole.strip("0"):
            grouped = float(whole + rest)
        return DigitsRead(float(text.replace(",", ".")), grouped, signs[0] == ",")
    if not _GROUPED.fullmatch(text):
        return None
    if signs[-1] != signs[0]:  # 1.234,5
        head, _, tail = text.rpartition(signs[-1])
        return DigitsRead(float(f"{head.replace(signs[0], '')}.{tail}"))
    return DigitsRead(None, float(text.replace(signs[0], "")))


def day_es(day: date) -> str:
    """Write a day in figures.

    Examples
    --------
    >>> day_es(date(2024, 3, 12))
    '12/03/2024'
    """
    return f"{day.day:02d}/{day.month:02d}/{day.year}"


def month_es(day: date) -> str:
    """Write the month of a day.

    Examples
    --------
    >>> month_es(date(2024, 3, 12))
    'marzo de 2024'
    """
    return f"{_MONTHS[day.month - 1]} de {day.year}"


def long_day_es(day: date) -> str:
    """Write a day with its month in words.

    Examples
    --------
    >>> long_day_es(date(2024, 3, 12))
    '12 de marzo de 2024'
    """
    return f"{day.day} de {month_es(day)}"


def timestamp_es(iso: str) -> str:
    """Write an ISO 8601 timestamp.

    Examples
    --------
    >>> timestamp_es("2026-03-31T04:05:06+00:00")
    '31 de marzo de 2026, 04:05 (UTC)'
    """
    when = datetime.fromisoformat(iso)
    zone = "" if when.tzinfo is None else f" ({when.tzname()})"
    return f"{long_day_es(when.date())}, {when:%H:%M}{zone}"


def months_of(days: int) -> int:
    """Convert days to the nearest number of months."""
    return round(days / _DAYS_PER_MONTH)


def months_es(months: int) -> str:
    """Write a number of months.

    Examples
    --------
    >>> months_es(1), months_es(14)
    ('1 mes', '14 meses')
    """
    return f"{months} {'mes' if months == 1 else 'meses'}"


def duration_es(seconds: float) -> str:
    """Write a duration: ``0,42 s``, ``12,3 s``, ``2 min 5 s`` or ``1 h 3 min``."""
    if seconds < 59.95:
        return f"{number_es(seconds, 2 if seconds < 10 else 1)}{_NBSP}s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}{_NBSP}min {rest}{_NBSP}s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}{_NBSP}h {minutes}{_NBSP}min"


def decimal_comma(number: str) -> str:
    """Exchange the separators of a number in English notation: ``1,234.5`` to ``1.234,5``."""
    return number.translate(_SWAP_SEPARATORS)


def number_es(
    value: float, decimals: int = 0, *, sign: bool = False, group_from: int = 10_000
) -> str:
    """Write a number with a decimal comma, and with thousands points where it is long.

    Parameters
    ----------
    sign
        Write a plus before positive numbers.
    group_from
        Smallest absolute value with thousands points. Four digits are not grouped in
        running text (Ortografía de la lengua española, 2010); columns of a table may be.

    Examples
    --------
    >>> number_es(13450), number_es(3450), number_es(7.25, 1, sign=True)
    ('13.450', '3450', '+7,2')
    """
    grouping = "," if abs(value) >= group_from else ""
    return decimal_comma(f"{value:{'+' if sign else ''}{grouping}.{decimals}f}")


def count_es(number: int) -> str:
    """Write a count of a table: ``1.234``."""
    return number_es(number, group_from=1_000)


def percent_es(probability: float, decimals: int = 1, *, trim: bool = False) -> str:
    r"""Write a probability as a percentage, with a no-break space.

    Parameters
    ----------
    trim
        Leave out decimals that are zeros.

    Examples
    --------
    >>> percent_es(0.1234), percent_es(0.15, 2, trim=True)
    ('12,3\xa0%', '15\xa0%')
    """
    text = number_es(100 * probability, decimals)
    if trim and "," in text:
        text = text.rstrip("0").rstrip(",")
    return f"{text}{_NBSP}%"


def share_es(part: float, whole: float) -> str:
    """Write a part of a whole as a percentage.

    A part that is not empty is never written as "0 %", nor one that is not the whole as
    "100 %". A share of nothing is a dash.
    """
    if not whole:
        return "–"
    percent = 100 * part / whole
    if 0 < percent < 0.1:
        return f"<{_NBSP}0,1{_NBSP}%"
    if 99.9 < percent < 100:
        return f">{_NBSP}99,9{_NBSP}%"
    return f"{number_es(percent, 0 if percent in (0.0, 100.0) else 1)}{_NBSP}%"


def energy_es(kwh: float) -> str:
    """Write kilowatt-hours: ``2,35 kWh``, or ``23,5 Wh`` where they are less than one."""
    if kwh >= 1:
        return f"{number_es(kwh, 2, group_from=1_000)}{_NBSP}kWh"
    return f"{decimal_comma(f'{1000 * kwh:.3g}')}{_NBSP}Wh"


def interval_bounds_es(low: float, high: float) -> tuple[str, str]:
    """Write the bounds of an interval of probabilities as percentages.

    They are rounded outwards, so that the estimate never seems to lie outside of them.

    Examples
    --------
    >>> interval_bounds_es(0.0391, 0.1204)
    ('3,9 %', '13 %')
    """
    return _rounded_percent(low, ROUND_FLOOR), _rounded_percent(high, ROUND_CEILING)


def _rounded_percent(probability: float, rounding: str) -> str:
    # Through the shortest text of the float: 0.07 * 100 is not 7 in binary.
    percent = Decimal(repr(probability)) * 100
    step = Decimal(1) if percent >= _WHOLE_PERCENT_FROM else Decimal("0.1")
    rounded = percent.quantize(step, rounding=rounding)
    return f"{decimal_es(rounded)} %" if rounded else "menos de 0,1 %"


def decimal_es(value: Decimal) -> str:
    """Write a decimal without trailing zeros.

    Examples
    --------
    >>> decimal_es(Decimal("15.30"))
    '15,3'
    """
    return decimal_comma(f"{value.normalize():f}")


def unit_es(ucum: str | None) -> str:
    """Write a UCUM unit; ``None`` gives an empty string.

    Examples
    --------
    >>> unit_es("mm[Hg]"), unit_es("pg/mL"), unit_es(None)
    ('mmHg', 'pg/mL', '')
    """
    return _UNITS.get(ucum, ucum) if ucum else ""


def measurement_es(value: float, comparator: str | None = None, ucum: str | None = None) -> str:
    """Write a measured value with its comparator and unit.

    Examples
    --------
    >>> measurement_es(7.25, ">", "ng/mL")
    '>7,25 ng/mL'
    """
    return f"{comparator or ''}{decimal_comma(f'{value:.10g}')} {unit_es(ucum)}".rstrip()


def list_es(items: Sequence[str], conjunction: str = "y") -> str:
    """Join words with commas, and a conjunction before the last.

    Examples
    --------
    >>> list_es(["a", "b", "c"], "ni"), list_es(["enalapril", "indapamida"])
    ('a, b ni c', 'enalapril e indapamida')
    """
    if len(items) < 2:
        return "".join(items)
    if conjunction == "y" and _SOUNDS_I.match(items[-1]):
        conjunction = "e"
    return f"{', '.join(items[:-1])} {conjunction} {items[-1]}"
