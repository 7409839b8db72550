"""The log of promotions: one MLflow run for each decision on the champion.

Refused promotions are logged too. A decision is a finished run with its content as tags and
as a JSON artefact; nothing in this package changes or deletes one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from clinical_nlp.registry.store import DECISIONS, experiment_id

if TYPE_CHECKING:
    from mlflow import MlflowClient

_TAG = "clinical_nlp.decision."


@dataclass(frozen=True, slots=True)
class PromotionDecision:
    """A change of the champion, or one that was refused.

    Parameters
    ----------
    action
        ``promote``, ``rollback`` or ``refuse``.
    version
        The version concerned.
    previous
        The champion before; ``None`` where there was none.
    by, why
        Who decided, and the reason.
    digest
        Digest of the version's files.
    forced
        Whether the gate was overruled.
    gate
        The gate's results, as JSON values.
    when
        ISO 8601, UTC; set when the decision is logged.
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


def log_decision(client: MlflowClient, decision: PromotionDecision) -> PromotionDecision:
    """Log a decision; return it with its time."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    content = {**asdict(decision), "when": now}
    texts = {**content, "previous": decision.previous or "", "forced": json.dumps(decision.forced)}
    run = client.create_run(
        experiment_id(client, DECISIONS),
        run_name=f"{decision.action}-{decision.version}",
        tags={f"{_TAG}{k}": v for k, v in texts.items() if k != "gate"},
    ).info.run_id
    client.log_dict(run, content, "decision.json")
    client.set_terminated(run)
    return PromotionDecision(**content)


def read_decisions(client: MlflowClient) -> list[PromotionDecision]:
    """Return every decision, newest first, without the gate's results."""
    runs = client.search_runs([experiment_id(client, DECISIONS)], max_results=50_000)
    found = [_decision(run.data.tags) for run in runs]
    return sorted(found, key=lambda decision: decision.when, reverse=True)


def _decision(tags: Mapping[str, str]) -> PromotionDecision:
    names = PromotionDecision.__slots__
    fields: dict[str, Any] = {k: tags.get(f"{_TAG}{k}", "") for k in names if k != "gate"}
    fields |= {"previous": fields["previous"] or None, "forced": fields["forced"] == "true"}
    return PromotionDecision(**fields)
