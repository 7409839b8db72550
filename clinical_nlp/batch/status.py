"""What became of the last night, for people and for monitoring: counts and codes only."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from clinical_nlp.artifacts import differing, published
from clinical_nlp.batch.output import RUN_RECORD, digests_of
from clinical_nlp.errors import EXIT_DOUBTFUL, EXIT_QUARANTINED, InputError

#: Exit code of ``clinical-nlp status`` where the results are older than allowed, or damaged.
EXIT_STALE: Final = 10

_DELIVERED: Final = "delivered.json"
#: Alerts after which the results still stand; runs of earlier versions do not say which.
_NOT_DOUBTFUL: Final = frozenset({"E281"})


@dataclass(frozen=True, slots=True)
class NightStatus:
    """The run that counts in an output folder.

    Parameters
    ----------
    run
        Name of its folder in ``runs``; empty where a version without runs wrote it.
    as_of
        The day that its estimates speak of.
    finished
        When it ended (ISO 8601, UTC).
    age_hours
        Hours since then.
    exit_code
        With which ``batch`` ended: 0, 3 or 8. A night that failed leaves no record: it shows
        in the age.
    patients, notes, quarantined
        Counts by state, by what was read, and by error code.
    alerts
        Codes of the run's alerts (E281-E283).
    model
        Name, version and source of the risk model.
    seconds
        Wall time by stage.
    delivered
        Resources by what ``write-back`` did with them, with ``refused`` and ``touched``;
        ``None`` where this run was not written back.
    damaged
        Files that differ from the SHA-256 that the run recorded; empty where not checked.
    """

    run: str
    as_of: str
    finished: str
    age_hours: float
    exit_code: int
    patients: Mapping[str, int]
    notes: Mapping[str, int]
    quarantined: Mapping[str, int]
    alerts: Sequence[str]
    model: Mapping[str, str]
    seconds: Mapping[str, float]
    delivered: Mapping[str, int] | None
    damaged: Sequence[str] = ()

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)

    def exit_code_now(self, max_age_hours: float) -> int:
        """Return what monitoring should see: 10 where stale or damaged, else the run's own."""
        return EXIT_STALE if self.damaged or self.age_hours > max_age_hours else self.exit_code


def read_status(out: Path, now: datetime | None = None, *, verify: bool = False) -> NightStatus:
    """Read the record of the run that counts.

    Parameters
    ----------
    out
        Folder that ``clinical-nlp batch --out`` wrote.
    now
        The time that ages are counted to.
    verify
        Whether to compare every file with the SHA-256 in the record.

    Raises
    ------
    InputError
        E273: the folder holds no finished run, or its record cannot be read.
    """
    folder = published(out)
    try:
        record: Any = json.loads((folder / RUN_RECORD).read_text("utf-8"))
        finished = datetime.fromisoformat(record["finished"])
        alerts: list[dict[str, Any]] = record.get("alerts", [])
        quarantined = {str(code): int(n) for code, n in record["quarantined"].items()}
        return NightStatus(
            run=folder.name if folder != out else "",
            as_of=str(record["as_of"]),
            finished=finished.isoformat(),
            age_hours=round(((now or datetime.now(UTC)) - finished).total_seconds() / 3600, 2),
            exit_code=_exit_code([str(alert["code"]) for alert in alerts], quarantined),
            patients=dict(record["patients"]),
            notes=dict(record["notes"]),
            quarantined=quarantined,
            alerts=[str(alert["code"]) for alert in alerts],
            model={key: str(record["model"].get(key)) for key in ("name", "version", "source")},
            seconds=dict(record["seconds"]),
            delivered=_read_delivery(folder / _DELIVERED),
            damaged=_damaged(folder, record.get("outputs", {})) if verify else (),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise InputError(
            "E273",
            f"'{out}' holds no finished run: name the folder that 'clinical-nlp batch --out' "
            "wrote; where it is that one, no night has ended well yet.",
        ) from None


def _exit_code(alerts: Sequence[str], quarantined: Mapping[str, int]) -> int:
    if any(code not in _NOT_DOUBTFUL for code in alerts):
        return EXIT_DOUBTFUL
    return EXIT_QUARANTINED if sum(quarantined.values()) else 0


def _read_delivery(path: Path) -> dict[str, int] | None:
    """Return what became of the resources; a night that was not delivered has no file."""
    if not path.exists():
        return None
    report: Any = json.loads(path.read_text("utf-8"))
    counts: dict[str, int] = {}
    for results in report["resources"].values():
        for result, number in results.items():
            counts[result] = counts.get(result, 0) + int(number)
    return counts | {
        "retracted": sum(report["retracted"].values()),
        "touched": len(report["touched"]),
        "refused": len(report["refused"]),
    }


def _damaged(folder: Path, recorded: Mapping[str, str]) -> list[str]:
    found = {name: sha for name, sha in digests_of(folder).items() if name != _DELIVERED}
    return differing(recorded, found)


def metrics_text(status: NightStatus) -> str:
    """Return the status as a Prometheus text file (exposition format 0.0.4).

    For the textfile collector of the node exporter. Counts and codes only. The age is left to
    Prometheus (``time() - clinical_nlp_last_run_timestamp_seconds``), so that it grows where
    nothing writes the file any more.
    """
    model = status.model
    families: list[tuple[str, str, list[tuple[Mapping[str, str], float]]]] = [
        (
            "last_run_timestamp_seconds",
            "When the run that counts ended.",
            [({}, datetime.fromisoformat(status.finished).timestamp())],
        ),
        (
            "last_run_exit_code",
            "0 all read, 3 something in quarantine, 8 doubtful.",
            [({}, status.exit_code)],
        ),
        ("patients", "Patients by state.", _by("state", status.patients)),
        ("notes", "Notes by what was read.", _by("state", status.notes)),
        ("quarantined", "Problems by error code.", _by("code", status.quarantined)),
        ("alert", "1 for each alert of the run.", [({"code": c}, 1) for c in status.alerts]),
        ("stage_seconds", "Wall time by stage.", _by("stage", status.seconds)),
        ("model_info", "The risk model.", [(model, 1)]),
        ("delivered", "1 where the run was written back.", [({}, status.delivered is not None)]),
        ("delivered_resources", "Resources by result.", _by("result", status.delivered or {})),
        ("damaged_files", "Files that differ from their SHA-256.", [({}, len(status.damaged))]),
    ]
    return "".join(line + "\n" for family in families for line in _family(*family))


def _by(label: str, counts: Mapping[str, float]) -> list[tuple[Mapping[str, str], float]]:
    return [({label: name}, number) for name, number in sorted(counts.items())]


def _family(
    name: str, meaning: str, samples: Sequence[tuple[Mapping[str, str], float]]
) -> Iterator[str]:
    if not samples:
        return
    yield f"# HELP clinical_nlp_{name} {meaning}"
    yield f"# TYPE clinical_nlp_{name} gauge"
    for labels, value in samples:
        inside = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
        yield f"clinical_nlp_{name}{f'{{{inside}}}' if inside else ''} {float(value):.15g}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
