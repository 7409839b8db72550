"""Who made which model the champion, when and why: one MLflow run for each decision.

Refused promotions are recorded too. A decision is a finished run with its content as tags
and as a JSON artefact; nothing in this package changes or deletes one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from clinical_nlp.registry.names import DECISIONS
from clinical_nlp.registry.store import experiment_of

if TYPE_CHECKING:
    from mlflow import MlflowClient

_TAG = "clinical_nlp.decision."


@dataclass(frozen=True, slots=True)
class Decision:
    """One change of the champion, or one that was refused.

    Parameters
    ----------
    action
        ``promote``, ``rollback`` or ``refuse``.
    version
        The version decided upon.
    previous
        The champion before; ``None`` where there was none.
    by, why
        Who decided, and the reason given.
    digest
        Of the version's files.
    forced
        The gate was overruled.
    gate
        What the gate found, as plain values.
    when
        ISO 8601, UTC; set where the decision is recorded.
    """

    action: str
    version: str
    previous: str | None
    by: str
    why: str
    digest: str
    forced: bool = False
    gate: Mapping[str, Any] = field(default_factory=dict)
    when: str = ""


def record(client: MlflowClient, uri: str, decision: Decision) -> Decision:
    """Write a decision down; return it with its time."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    told = {**asdict(decision), "when": now}
    run = client.create_run(
        experiment_of(client, uri, DECISIONS),
        run_name=f"{decision.action}-{decision.version}",
        tags={f"{_TAG}{k}": _text(v) for k, v in told.items() if k != "gate"},
    ).info.run_id
    client.log_dict(run, told, "decision.json")
    client.set_terminated(run)
    return Decision(**told)


def decisions(client: MlflowClient, uri: str) -> list[Decision]:
    """Every decision, newest first, without what the gate found."""
    runs = client.search_runs([experiment_of(client, uri, DECISIONS)], max_results=50_000)
    found = []
    for run in runs:
        told = {
            name: run.data.tags.get(f"{_TAG}{name}", "")
            for name in Decision.__slots__
            if name != "gate"
        }
        found.append(
            Decision(
                action=told["action"],
                version=told["version"],
                previous=told["previous"] or None,
                by=told["by"],
                why=told["why"],
                digest=told["digest"],
                forced=told["forced"] == "true",
                when=told["when"],
            )
        )
    return sorted(found, key=lambda decision: decision.when, reverse=True)


def _text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)
