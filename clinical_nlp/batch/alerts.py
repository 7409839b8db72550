"""What is suspicious about a finished run: said loudly, while everything is still written.

A wrong date or a feed that stopped makes everyone abstain, and an empty work list looks like
a quiet night. So a run compares itself with the one before it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clinical_nlp.batch.output import RUN_RECORD
from clinical_nlp.batch.statistics import summarise
from clinical_nlp.spanish import day_es, share_es

if TYPE_CHECKING:
    from clinical_nlp.batch.run_record import RunOutcome

#: A rise of the share of abstentions that raises an alert: at least this much (probability), and
#: by more standard errors than chance explains, so that small exports don't cry wolf.
JUMP = 0.05
JUMP_STANDARD_ERRORS = 3.0

#: Two runs are nights of one service where one has at most this many times the other's patients.
MOST_GROWTH = 2.0

#: Days named in a message; the others are counted.
_DAYS_NAMED = 3


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that a person should look at before the results are used.

    Parameters
    ----------
    code
        E281-E283; see ``docs/reference/errors.md``.
    message
        What happened, and at its end the remedy.
    details
        Values for the Spanish sentence of the report (``phrases.toml``).
    doubtful
        Whether the results may be wrong as a whole: the run then exits with
        ``EXIT_DOUBTFUL``.
    """

    code: str
    message: str
    details: Mapping[str, str] = field(default_factory=dict)
    doubtful: bool = True


@dataclass(frozen=True, slots=True)
class EarlierRun:
    """What is compared with: the day, patients and abstentions of an earlier run."""

    as_of: str
    patients: int
    abstained: int


def find_earlier_run(folder: Path, as_of: date) -> EarlierRun | None:
    """Find the run to compare with: the one that is replaced, else the latest beside it.

    Services that keep a folder a night have the last one beside the new one. Runs of a later
    day, or of a population of another size, are no night before.

    Parameters
    ----------
    folder
        Where the results go.
    as_of
        The day of the run.
    """
    replaced = read_earlier_run(folder / RUN_RECORD)
    if replaced is not None:
        return replaced
    try:
        beside = [path / RUN_RECORD for path in islice(folder.resolve().parent.iterdir(), 1000)]
    except OSError:
        return None
    runs = [run for path in beside if (run := read_earlier_run(path)) is not None]
    before = [run for run in runs if run.as_of <= as_of.isoformat()]
    return max(before, key=lambda run: run.as_of, default=None)


def read_earlier_run(path: Path) -> EarlierRun | None:
    """Read the record of an earlier run; ``None`` where there is none.

    A record that cannot be read is no reason to stop a night's run.
    """
    try:
        record: Any = json.loads(path.read_text(encoding="utf-8"))
        patients = record["patients"]
        return EarlierRun(str(record["as_of"]), int(patients["seen"]), int(patients["abstained"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def find_alerts(outcome: RunOutcome, earlier: EarlierRun | None) -> tuple[Alert, ...]:
    """Return the alerts of a finished run, in order of code."""
    patients = outcome.statistics.patients
    seen, abstained = patients["seen"], patients["abstained"]
    alerts = []
    if outcome.disbelieved:
        alerts.append(_disbelieved(outcome))
    # A suspicion in a note fills the list even where no estimate could be made.
    if patients["worklist"] <= patients["suspected"]:
        alerts.append(_nobody_at_risk(outcome))
    if earlier is not None and _comparable(earlier, seen) and _jumped(earlier, seen, abstained):
        before, now = earlier.abstained / earlier.patients, abstained / seen
        alerts.append(
            Alert(
                "E283",
                f"{now:.0%} of the patients have no estimate, against {before:.0%} in the run of "
                f"{earlier.as_of} before it; check that the export is complete and "
                "its dates are right (the reasons are in report.html).",
                {
                    "now": share_es(abstained, seen),
                    "before": share_es(earlier.abstained, earlier.patients),
                    "earlier": earlier.as_of,
                },
            )
        )
    return tuple(alerts)


def _nobody_at_risk(outcome: RunOutcome) -> Alert:
    patients = outcome.statistics.patients
    suspected = patients["suspected"]
    listed = (
        f"holds {suspected} written suspicion{'' if suspected == 1 else 's'} and nobody at risk"
        if suspected
        else "is empty"
    )
    states = ("seen", "suspected", "scored", "diagnosed", "abstained")
    return Alert(
        "E282",
        f"the work list {listed}{_why_nobody(outcome)}.",
        {state: str(patients[state]) for state in states},
    )


def _why_nobody(outcome: RunOutcome) -> str:
    """Say in plain terms why nobody at risk is on the work list, and what to check."""
    patients, context = outcome.statistics.patients, outcome.context
    if not patients["seen"]:
        return ": the export holds no patient that could be used; check its path and its content"
    counts = f" ({summarise(patients)})"
    if patients["scored"]:
        return (
            f"{counts}; no estimate reaches the threshold of {context.worklist_threshold:.2%}: "
            f"check the day of the run ({context.as_of}), the threshold and the model"
        )
    reasons = sorted(outcome.statistics.abstentions.items(), key=lambda item: (-item[1], item[0]))
    most = (
        f"; the most frequent reason of these is '{reasons[0][0]}' ({reasons[0][1]})"
        if reasons
        else ""
    )
    return (
        f"{counts}{most}; check the day of the run ({context.as_of}) and that the export is "
        "complete"
    )


def _disbelieved(outcome: RunOutcome) -> Alert:
    days = list(outcome.disbelieved)
    named = ", ".join(map(str, days[:_DAYS_NAMED])) + (" ..." if len(days) > _DAYS_NAMED else "")
    resources = sum(counts.resources for counts in outcome.disbelieved.values())
    day = outcome.context.as_of
    begin = "1 resource begins" if resources == 1 else f"{resources} resources begin"
    return Alert(
        "E281",
        f"{begin} on days far after the rest of the export ({named}); the "
        f"dates are taken as mistyped and the run speaks of {day}: correct them at the source, "
        "or give the day with --as-of.",
        {
            "resources": str(resources),
            "days": ", ".join(map(day_es, days[:_DAYS_NAMED]))
            + ("…" if len(days) > _DAYS_NAMED else ""),
            "as_of": day_es(day),
        },
        doubtful=False,
    )


def _comparable(earlier: EarlierRun, seen: int) -> bool:
    """Whether two runs are over about as many patients."""
    return seen <= MOST_GROWTH * earlier.patients and earlier.patients <= MOST_GROWTH * seen


def _jumped(earlier: EarlierRun, seen: int, abstained: int) -> bool:
    """Whether the share of abstentions rose by more than chance and :data:`JUMP` allow."""
    if not earlier.patients or not seen:
        return False
    rise = abstained / seen - earlier.abstained / earlier.patients
    pooled = (abstained + earlier.abstained) / (seen + earlier.patients)
    error = math.sqrt(pooled * (1 - pooled) * (1 / seen + 1 / earlier.patients))
    return rise >= JUMP and rise > JUMP_STANDARD_ERRORS * error
