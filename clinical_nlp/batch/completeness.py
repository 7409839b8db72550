"""Whether an export is whole: it is held against the one of the night before.

An export that lacks a file, or that was cut, reads like any other. Its results would replace a
full night's, and its patients would vanish from the work list without a word. So a night that
holds far less than the one that it would replace stops before it reads a note.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from clinical_nlp.errors import IncompleteExportError
from clinical_nlp.records import SourceSummary

#: Share by which a count may fall, or by which the share in quarantine may rise, in one night.
MOST_DROP: Final = 0.10

#: Smallest fall that counts: of a handful of resources some are always deleted.
SMALLEST_DROP: Final = 5

#: Falls named in a message; the others are counted.
_NAMED: Final = 4


class CompletenessGate:
    """Stops a night whose export holds far less than that of the results it would replace.

    Parameters
    ----------
    run_record
        ``run.json`` of those results; there need not be any.
    accept_drop
        Go on all the same.
    """

    def __init__(self, run_record: Path, accept_drop: bool) -> None:
        self._earlier = read_contents(run_record)
        self._accept_drop = accept_drop
        self._found = Completeness()

    def check(self, summary: SourceSummary) -> None:
        """Compare the export that was scanned.

        Raises
        ------
        IncompleteExportError
            E297: it holds far less, and nobody has accepted that.
        """
        self._found = compare(self._earlier, contents_of(summary))
        if not self._accept_drop:
            check(self._found)

    def to_json(self) -> dict[str, Any]:
        """Return what was found, for ``run.json``."""
        return self._found.to_json(self._accept_drop)


@dataclass(frozen=True, slots=True)
class Contents:
    """What an export holds, as far as it can be compared.

    Parameters
    ----------
    counts
        Patients, notes, and used resources by type (``"Observation"``).
    quarantined
        Share of the resources that went to quarantine, 0 to 1.
    as_of
        Day of the run, ISO 8601; empty for the run that begins.
    """

    counts: Mapping[str, int]
    quarantined: float
    as_of: str = ""


@dataclass(frozen=True, slots=True)
class Completeness:
    """How an export compares with the one before it, for ``run.json``.

    Parameters
    ----------
    compared_with
        Day of the run before; empty where there is none.
    drops
        By what fell: how much there was, and is.
    quarantine_rose
        Share in quarantine before and now, where it rose by more than :data:`MOST_DROP`.
    """

    compared_with: str = ""
    drops: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    quarantine_rose: tuple[float, float] | None = None

    @property
    def is_whole(self) -> bool:
        """Whether nothing fell."""
        return not self.drops and self.quarantine_rose is None

    def to_json(self, accepted: bool) -> dict[str, Any]:
        """Return plain values for ``run.json``.

        Parameters
        ----------
        accepted
            Whether the run went on all the same.
        """
        return {
            "compared_with": self.compared_with or None,
            "drops": {name: list(counts) for name, counts in self.drops.items()},
            "quarantined_share": self.quarantine_rose and list(self.quarantine_rose),
            "drop_accepted": accepted and not self.is_whole,
        }


def contents_of(summary: SourceSummary) -> Contents:
    """Return what a scan found."""
    counts = {name: types.used for name, types in summary.types.items()}
    quarantined = sum(types.quarantined for types in summary.types.values())
    return Contents(
        {"patients": summary.patients, "notes": summary.notes, **counts},
        quarantined / summary.lines if summary.lines else 0.0,
    )


def read_contents(run_record: Path) -> Contents | None:
    """Read what an earlier run's export held from its ``run.json``.

    ``None`` where there is no such run, or its record cannot be read: that is no reason to stop
    a night.
    """
    try:
        record: Any = json.loads(run_record.read_text(encoding="utf-8"))
        given = record["input"]
        types = given["types"]
        counts = {str(name): int(row["used"]) for name, row in types.items()}
        quarantined = sum(int(row["quarantined"]) for row in types.values())
        lines = int(given["lines"])
        return Contents(
            {"patients": int(given["patients"]), "notes": int(given["notes"]), **counts},
            quarantined / lines if lines else 0.0,
            str(record["as_of"]),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def compare(earlier: Contents | None, now: Contents) -> Completeness:
    """Compare an export with the one before it."""
    if earlier is None:
        return Completeness()
    drops = {
        name: (before, now.counts.get(name, 0))
        for name, before in sorted(earlier.counts.items())
        if _fell(before, now.counts.get(name, 0))
    }
    rose = now.quarantined - earlier.quarantined > MOST_DROP
    shares = (round(earlier.quarantined, 4), round(now.quarantined, 4))
    return Completeness(earlier.as_of, drops, shares if rose else None)


def check(completeness: Completeness) -> None:
    """Stop the night where its export is not whole.

    Raises
    ------
    IncompleteExportError
        E297: it holds far less than the one before.
    """
    if completeness.is_whole:
        return
    fell = sorted(completeness.drops.items(), key=lambda item: item[1][1] - item[1][0])
    said = [f"{name} {before:,} -> {now:,}" for name, (before, now) in fell[:_NAMED]]
    if len(fell) > _NAMED:
        said.append(f"{len(fell) - _NAMED} more")
    if completeness.quarantine_rose is not None:
        before, now = completeness.quarantine_rose
        said.append(f"in quarantine {before:.1%} -> {now:.1%}")
    raise IncompleteExportError(
        "E297",
        f"the export holds far less than that of {completeness.compared_with} before it "
        f"({'; '.join(said)}), as if it had been cut; the earlier results stay. See that the "
        "export is whole and run again; where so much is truly gone, run with --accept-drop.",
    )


def _fell(before: int, now: int) -> bool:
    return before - now >= SMALLEST_DROP and before - now > MOST_DROP * before
