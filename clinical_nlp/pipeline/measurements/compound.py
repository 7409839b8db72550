"""Numbers in two parts: ``1 250`` (thousands), ``1 . 4``, ``1m65``, ``70 kilos y medio``."""

from __future__ import annotations

import re

from clinical_nlp.pipeline.measurements.measurement_rules import Measure, MeasurementRules
from clinical_nlp.pipeline.measurements.numbers import Number
from clinical_nlp.pipeline.measurements.text import THIN_BLANKS, Words

_GROUP = re.compile(r"\d{3}(?:[.,]\d{1,2})?$")
_LONGEST_FIRST_GROUP = 3
#: Digits of the first group with an ordinary blank after it: '12 300' is one number, '300 450'
#: may be two.
_CLEAR_FIRST_GROUP = 2
_CENTIMETRE_DIGITS = 2
_DECIMAL_SIGNS = (".", ",")
_MOST_DECIMALS = 2
_JOINERS = frozenset({"y", "con", "i", "e"})


def spaced_thousands(words: Words, number: Number, measure: Measure) -> Number | None:
    """Return the number whose thousands are separated by blanks; ``None`` where it is none.

    A no-break or thin blank separates nothing but thousands. An ordinary one does so only
    before groups of exactly three digits, in measurements that reach thousands, and where what
    precedes is no value of three digits itself.
    """
    first = words.at(number.first)
    if number.end != number.first + 1 or not first.isdigit() or first[0] == "0":
        return None
    if len(first) > _LONGEST_FIRST_GROUP:
        return None
    end, digits, thin = number.end, first, True
    while _GROUP.match(words.at(end)):
        blank = words.blank_before(end)
        if len(blank) != 1 or (blank != " " and blank not in THIN_BLANKS):
            return None
        thin = thin and blank in THIN_BLANKS
        digits, end = digits + words.at(end), end + 1
        if not words.at(end - 1).isdigit():
            break
    if end == number.end or (words.at(end) in ("/", ":", "-") and words.is_adjacent(end)):
        return None
    small = measure.parts is not None and words.at(end) in measure.parts.small
    if not thin and (not (measure.thousands or small) or len(first) > _CLEAR_FIRST_GROUP):
        return None
    return Number(number.first, end, None, float(digits.replace(",", ".")))


def _split(words: Words, number: Number) -> Number | None:
    """Return the metres of 'talla 1 65'; ``None`` where two digits do not follow one."""
    rest = words.at(number.end)
    if number.whole not in (1, 2) or not rest.isdigit() or len(rest) != _CENTIMETRE_DIGITS:
        return None
    sign, after = words.at(number.end + 1), words.at(number.end + 2)
    if sign in ("/", ":", "-") or (sign == "," and after[:1].isdigit()):
        return None
    return Number(number.first, number.end + 1, float(f"{number.whole}.{rest}"))


def _split_in_words(words: Words, number: Number, rules: MeasurementRules) -> Number | None:
    """Return the metres of 'talla uno setenta y uno'; ``None`` where no tens follow one."""
    if number.whole not in (1, 2) or words.at(number.first).isdigit():
        return None
    rest = rules.numbers.in_words(words, number.end)
    if rest is None or rest.whole is None or len(str(rest.whole)) != _CENTIMETRE_DIGITS:
        return None
    return Number(number.first, rest.end, float(f"{number.whole}.{rest.whole}"))


def parted_decimal(
    words: Words, number: Number, measure: Measure, rules: MeasurementRules
) -> Number | None:
    """Return the number whose decimal sign has blanks on both sides: '1 . 4', '7 , 2'.

    A blank before the sign is none of prose. What follows must end the number: a unit, a sign
    or the next name, no word ('Hb 12 , 2 concentrados') and no third number ('4 , 5 , 6').
    """
    sign, decimals = number.end, words.at(number.end + 1)
    if words.at(sign) not in _DECIMAL_SIGNS or not measure.decimals or number.whole is None:
        return None
    if not decimals.isdigit() or len(decimals) > _MOST_DECIMALS or not words.at(sign - 1).isdigit():
        return None
    end = number.end + 2
    if words.is_adjacent(sign) or words.is_adjacent(sign + 1):
        return None
    after = words.at(end)
    ends = not after[:1].isalnum() or after in _JOINERS or words.starts_line(end)
    listed = after in ("/", *_DECIMAL_SIGNS) and words.at(end + 1)[:1].isdigit()
    if listed or not (ends or rules.units.at(words, end)[0] or rules.names.at(words, end)[0]):
        return None
    return Number(number.first, end, float(f"{number.whole}.{decimals}"))


def with_part(
    words: Words, number: Number, measure: Measure, rules: MeasurementRules
) -> Number | None:
    """Return the number that is continued after its unit: '1m65', '70 kilos y medio'.

    ``None`` where nothing continues it.
    """
    parts = measure.parts
    if parts is None or number.whole is None:
        return None
    if words.at(number.end) not in parts.units:
        if not parts.bare:
            return None
        return _split(words, number) or _split_in_words(words, number, rules)
    place = number.end + 1  # 'metro setenta' has no number, and then its unit
    joined = words.at(place) in _JOINERS
    place += joined
    if joined and rules.numbers.is_half(words.at(place)):
        return Number(number.first, place + 1, number.whole + 0.5)
    written = words.at(place)
    second = rules.numbers.digits(words, place) or rules.numbers.in_words(words, place)
    if second is None or second.whole is None or not 0 <= second.whole < 10**parts.digits:
        return None
    if written.isdigit() and len(written) != parts.digits:
        return None
    small = words.at(second.end) in parts.small
    if not small and (not parts.bare or words.at(second.end) in ("/", "-", ":")):
        return None
    if not small and rules.units.at(words, second.end)[0]:
        return None  # '1 m 70 kg'
    value = number.whole + second.whole / 10**parts.digits
    return Number(number.first, second.end + small, round(value, parts.digits))
