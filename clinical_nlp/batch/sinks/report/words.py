"""Numbers, days and durations as a reader in Spain expects them."""

from __future__ import annotations

from datetime import date, datetime

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
_NBSP = "\u00a0"


def count(number: int) -> str:
    """Return ``12345`` as ``12.345``."""
    return f"{number:,}".replace(",", ".")


def decimal(number: float, places: int = 1) -> str:
    """Return ``1234.5`` as ``1.234,5``."""
    return f"{number:,.{places}f}".translate(str.maketrans(",.", ".,"))


def percent(part: float, whole: float) -> str:
    """Return a share as a percentage; a dash of nothing, never a rounded-away "0 %" or "100 %"."""
    if not whole:
        return "–"
    share = 100 * part / whole
    if 0 < share < 0.1:
        return f"<{_NBSP}0,1{_NBSP}%"
    if 99.9 < share < 100:
        return f">{_NBSP}99,9{_NBSP}%"
    places = 0 if share in (0.0, 100.0) else 1
    return f"{decimal(share, places)}{_NBSP}%"


def probability(value: float) -> str:
    """Return a probability as a percentage, with two places where they are not zeros."""
    text = decimal(100 * value, 2)
    if "," in text:
        text = text.rstrip("0").rstrip(",")
    return f"{text}{_NBSP}%"


def day(value: date) -> str:
    """Return ``2026-03-31`` as ``31 de marzo de 2026``."""
    return f"{value.day} de {_MONTHS[value.month - 1]} de {value.year}"


def duration(seconds: float) -> str:
    """Return seconds as ``0,42 s``, ``12,3 s``, ``2 min 5 s`` or ``1 h 3 min``."""
    if seconds < 10:
        return f"{decimal(seconds, 2)}{_NBSP}s"
    if seconds < 59.95:
        return f"{decimal(seconds)}{_NBSP}s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}{_NBSP}min {rest}{_NBSP}s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}{_NBSP}h {minutes}{_NBSP}min"


def moment(iso: str) -> str:
    """Return ``2026-03-31T04:05:06+00:00`` as ``31 de marzo de 2026, 04:05 (UTC)``."""
    when = datetime.fromisoformat(iso)
    zone = "" if when.tzinfo is None else f" ({when.tzname()})"
    return f"{day(when.date())}, {when:%H:%M}{zone}"


def energy(kwh: float) -> str:
    """Return kilowatt-hours as ``2,35 kWh``, or ``23,5 Wh`` and ``0,0235 Wh`` where fewer."""
    if kwh >= 1:
        return f"{decimal(kwh, 2)}{_NBSP}kWh"
    number = f"{1000 * kwh:.3g}".replace(".", ",")
    return f"{number}{_NBSP}Wh"
