"""Which of several values is the newest."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from clinical_nlp.risk.timeline import Entry, Origin, Presence


def latest(entries: Iterable[Entry]) -> Entry | None:
    """Return the newest entry; ``None`` without one.

    Of one day the structured one goes first, then the later note; of one note what it affirms now,
    then what stands first: notes write "FEVI 41 % (previa 28)", the newer value before the older.
    """
    return max(
        entries,
        key=lambda e: (
            e.day or date.min,
            e.origin is Origin.STRUCTURED,
            e.presence is Presence.PRESENT,
            e.known or date.min,
            -(e.evidence.start or 0),
        ),
        default=None,
    )
