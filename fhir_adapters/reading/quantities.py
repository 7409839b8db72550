"""A measured value that a system sent as text, by the number grammar of the notes.

``"2.000"``, ``"> 35.000 pg/mL"``, ``"1,25"`` and ``"38 %"`` are numbers of Spain, where a point
separates thousands. What is no single number with its unit is not read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from clinical_nlp.spanish import read_digits
from fhir_adapters.reading.codings import COMPARATOR_WORDS

_SPACE = "[ \u00a0\u2009\u202f]"
_NUMBER = re.compile(
    rf"(?P<sign>[+-]?)(?P<digits>[0-9]{{1,3}}(?:{_SPACE}[0-9]{{3}})+(?:[.,][0-9]+)?"
    r"|[0-9]+['’´][0-9]+|[0-9]+(?:[.,][0-9]+)*)"
)
# A unit begins with no digit. Laboratories add a flag or the reference range after it.
_REST = re.compile(
    r"\s*(?P<unit>(?:[^\W\d_]|[%°µ]|/(?=[^\W\d_]))[^\s()\[\]<>=]{0,23})?"
    r"\s*(?:[*↑↓]{1,3}|\b[HL]\b)?\s*(?:[(\[].*)?",
    re.DOTALL,
)
_SIGN_OF = {"≤": "<=", "≥": ">=", "=<": "<=", "=>": ">="}
_COMPARATOR = re.compile(r"\s*(?P<sign><=|>=|=<|=>|[<>≤≥])\s*")
# Millimetres alone: '15/9' may be centimetres, or a date.
_PRESSURE = re.compile(
    r"(?P<high>[0-9]{2,3})\s*[/-]\s*(?P<low>[0-9]{2,3})\s*(?:mm\s?\[?Hg\]?)?", re.IGNORECASE
)
#: Longer texts are remarks.
_MOST_CHARACTERS = 120


@dataclass(frozen=True, slots=True)
class TextValue:
    """A number in text.

    Parameters
    ----------
    values
        What it may mean, the most likely first.
    """

    values: tuple[float, ...]
    unit: str | None = None
    comparator: str | None = None


def read_value(text: str) -> TextValue | None:
    """Read a value given as text; ``None`` where it is not a single number.

    Examples
    --------
    >>> read_value("> 35.000 pg/mL")
    TextValue(values=(35000.0, 35.0), unit='pg/mL', comparator='>')
    >>> read_value("35-40 %") is None
    True
    """
    if len(text) > _MOST_CHARACTERS:
        return None
    comparator, text = _comparator(text.strip())
    number = _NUMBER.match(text)
    rest = number and _REST.fullmatch(text, number.end())
    if number is None or rest is None:
        return None
    digits = re.sub(_SPACE, "", number["digits"])
    if digits != number["digits"] and "," not in digits and "." not in digits:
        values: tuple[float, ...] = (float(digits),)
    else:
        read = read_digits(re.sub("['’´]", ",", digits))
        values = () if read is None else read.values()
    if number["sign"] == "-":
        values = tuple(-value for value in values)
    return TextValue(values, rest["unit"], comparator) if values else None


def read_pressure(text: str) -> tuple[float, float] | None:
    """Read systolic and diastolic pressure in mmHg given as text; ``None`` where it is no pair.

    Examples
    --------
    >>> read_pressure("150/90 mmHg")
    (150.0, 90.0)
    >>> read_pressure("15/9") is None
    True
    """
    pair = _PRESSURE.fullmatch(text.strip())
    if pair is None or int(pair["low"]) >= int(pair["high"]):
        return None
    return float(pair["high"]), float(pair["low"])


def _comparator(text: str) -> tuple[str | None, str]:
    """Return the comparator that a text begins with, and the text after it."""
    if match := _COMPARATOR.match(text):
        return _SIGN_OF.get(match["sign"], match["sign"]), text[match.end() :]
    folded = text.casefold()
    for words, sign in COMPARATOR_WORDS.items():
        if folded.startswith(f"{words} "):
            return sign, text[len(words) :].lstrip()
    return None, text
