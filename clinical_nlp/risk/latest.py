"""Which of several values is the newest: one order for features, reasons and advice."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from clinical_nlp.risk.timeline import Entry, Origin, Presence


def newest_last(entry: Entry) -> tuple[Any, ...]:
    """Key that sorts entries with the newest last.

    Of one day the structured one is newer, then the later note; of one note what it affirms now,
    then what stands first: notes write "FEVI 41 % (previa 28)", the newer value before the older.
    """
    return (
        entry.day or date.min,
        entry.origin is Origin.STRUCTURED,
        entry.presence is Presence.PRESENT,
        entry.known or date.min,
        entry.evidence.source,
        -(entry.evidence.start or 0),
    )


def latest(entries: Iterable[Entry]) -> Entry | None:
    """Return the newest entry (:func:`newest_last`); ``None`` without one."""
    return max(entries, key=newest_last, default=None)
