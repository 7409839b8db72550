"""Spanish words for days, months and numbers, and the sentence templates."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from datetime import date
from functools import cache
from importlib import resources
from typing import Any

_DAYS_A_MONTH = 30.4375


@cache
def templates() -> dict[str, Any]:
    """Return ``reasons.toml`` as shipped with the package."""
    text = resources.files("clinical_nlp.risk").joinpath("reasons.toml").read_text("utf-8")
    return tomllib.loads(text)


def day_es(day: date) -> str:
    """Write a day as in Spain.

    Examples
    --------
    >>> day_es(date(2024, 3, 12))
    '12/03/2024'
    """
    return f"{day.day:02d}/{day.month:02d}/{day.year}"


def month_es(day: date) -> str:
    """Write a month in words.

    Examples
    --------
    >>> month_es(date(2024, 3, 12))
    'marzo de 2024'
    """
    return f"{templates()['months'][day.month - 1]} de {day.year}"


def months_between(days: int) -> int:
    """Days as the nearest number of months."""
    return round(days / _DAYS_A_MONTH)


def number_es(value: float, decimals: int, sign: bool = False) -> str:
    """Write a number with a decimal comma, and a thousands point from five digits on.

    Examples
    --------
    >>> number_es(13450.0, 0), number_es(3450.0, 0), number_es(7.25, 1, sign=True)
    ('13.450', '3450', '+7,2')
    """
    text = f"{value:{'+' if sign else ''},.{decimals}f}"
    if abs(value) < 10_000:
        text = text.replace(",", "")
    return text.replace(",", " ").replace(".", ",").replace(" ", ".")


def listed(items: Sequence[str], last: str) -> str:
    """Join words: ``["a", "b", "c"]`` with ``"ni"`` gives ``"a, b ni c"``."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {last} {items[-1]}"
