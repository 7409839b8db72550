"""UCUM units as a clinician in Spain writes them."""

from __future__ import annotations

# UCUM (https://ucum.org) is for machines; only the codes of the lexicon that read oddly.
_SHOWN = {
    "mm[Hg]": "mmHg",
    "kg/m2": "kg/m²",
    "Cel": "°C",
    "mL/min/{1.73_m2}": "mL/min/1,73 m²",
    "u[IU]/mL": "µUI/mL",
}


def shown_unit(unit: str | None) -> str:
    """Return a UCUM unit as it is written for people; nothing for none.

    Examples
    --------
    >>> shown_unit("mm[Hg]"), shown_unit("pg/mL"), shown_unit(None)
    ('mmHg', 'pg/mL', '')
    """
    return _SHOWN.get(unit, unit) if unit else ""


def shown_value(value: float, comparator: str | None = None, unit: str | None = None) -> str:
    """Return a value with its comparator and unit, with a decimal comma.

    Examples
    --------
    >>> shown_value(7.25, ">", "ng/mL")
    '>7,25 ng/mL'
    """
    number = f"{value:.10g}".replace(".", ",")
    return f"{comparator or ''}{number} {shown_unit(unit)}".rstrip()
