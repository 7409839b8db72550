"""Promote a version to champion, roll back to the one before, compare two."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from clinical_nlp.artifacts import CARD, METRICS
from clinical_nlp.errors import ModelError
from clinical_nlp.registry.artifact import load_model
from clinical_nlp.registry.gate import Check, Limits, read_limits, run_checks
from clinical_nlp.registry.manifest import PREDICTIONS
from clinical_nlp.registry.predictions import (
    HeldOutPredictions,
    PairedPredictions,
    pair_with_champion,
    read_predictions,
)
from clinical_nlp.registry.promotion_log import PromotionDecision, log_decision, read_decisions
from clinical_nlp.registry.store import CHALLENGER, CHAMPION, DIGEST_TAG, NAME, open_store
from clinical_nlp.registry.versions import aliased, evidence_file, find_version, model_files
from clinical_nlp.risk.feature_table import load_features

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two versions side by side.

    Parameters
    ----------
    champion, challenger
        Version numbers; ``champion`` is ``None`` where there is none.
    metrics
        Value and interval of each model by measure, from its own training run.
    checks
        The gate's checks of promoting the challenger.
    """

    champion: str | None
    challenger: str
    metrics: Mapping[str, tuple[str, str]]
    checks: list[Check]

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return all(check.passed for check in self.checks)


def compare(
    challenger: str = CHALLENGER,
    champion: str = CHAMPION,
    tracking_uri: str | None = None,
    limits_file: Path | None = None,
) -> Comparison:
    """Run the gate's checks without deciding anything.

    Parameters
    ----------
    challenger, champion
        An alias, a version number or a ``models:/`` URI.

    Raises
    ------
    ModelError
        E401, E402, E404, E412, E417: a model cannot be resolved or verified. E433, E434:
        margins or predictions cannot be read.
    """
    limits, scratch = read_limits(limits_file), TemporaryDirectory(prefix="compare-")
    with open_store(tracking_uri) as client, scratch as folder:
        version = find_version(client, challenger)
        # There may be no champion yet; any other name that is missing is a mistake.
        other = (
            aliased(client, CHAMPION) if champion == CHAMPION else find_version(client, champion)
        )
        return _compare(client, version, other, limits, Path(folder))


def promote(
    version: str,
    by: str,
    why: str,
    force: bool = False,
    tracking_uri: str | None = None,
    limits_file: Path | None = None,
) -> PromotionDecision:
    """Make a version the champion if it passes the gate, and log who decided and why.

    Parameters
    ----------
    version
        An alias, a version number or a ``models:/`` URI.
    by, why
        Logged with the gate's results.
    force
        Overrule the gate; this is logged too. It never overrules a digest.

    Raises
    ------
    ModelError
        E406: the gate refused; the refusal is recorded. E409: nobody, or no reason, was
        given. Besides what :func:`compare` raises: the model itself cannot be used (E413
        to E416).
    """
    _require_reason(by, why)
    limits, scratch = read_limits(limits_file), TemporaryDirectory(prefix="promote-")
    with open_store(tracking_uri) as client, scratch as folder:
        found = find_version(client, version)
        champion = aliased(client, CHAMPION)
        number, digest = str(found.version), found.tags[DIGEST_TAG]
        previous = None if champion is None else str(champion.version)
        if previous == number:
            raise ModelError(
                "E408",
                f"version {number} is already the champion: name another, see "
                "'clinical-nlp registry list'",
            )
        _require_usable(client, found, Path(folder))
        comparison = _compare(client, found, champion, limits, Path(folder))
        action = "promote" if comparison.passed or force else "refuse"
        decision = PromotionDecision(
            action=action,
            version=number,
            previous=previous,
            by=by,
            why=why,
            digest=digest,
            forced=action == "promote" and not comparison.passed,
            gate={
                "passed": comparison.passed,
                "margins": limits.digest,
                "checks": [asdict(check) for check in comparison.checks],
            },
        )
        if action == "promote":
            client.set_registered_model_alias(NAME, CHAMPION, number)
            challenger = aliased(client, CHALLENGER)
            if challenger is not None and str(challenger.version) == number:
                client.delete_registered_model_alias(NAME, CHALLENGER)
        decision = log_decision(client, decision)
    if action == "refuse":
        failed = "; ".join(f"{c.name}: {c.detail}" for c in comparison.checks if not c.passed)
        raise ModelError(
            "E406",
            f"version {number} was not promoted ({failed}): train a better one, or give --force "
            "if you can answer for it; either is recorded",
        )
    return decision


def rollback(by: str, why: str, tracking_uri: str | None = None) -> PromotionDecision:
    """Make the previous champion the champion again: no gate, but verified and logged.

    Raises
    ------
    ModelError
        E402: there is no champion. E407: it has no recorded predecessor. E409: nobody, or
        no reason, was given. E412 to E417: the predecessor cannot be trusted or used.
    """
    _require_reason(by, why)
    scratch = TemporaryDirectory(prefix="rollback-")
    with open_store(tracking_uri) as client, scratch as folder:
        current = find_version(client, CHAMPION)
        number = str(current.version)
        # The decision that promoted this version; it may also have returned by a rollback.
        promotions = (d for d in read_decisions(client) if d.action == "promote")
        promoted = next((d for d in promotions if d.version == number), None)
        if promoted is None or promoted.previous is None:
            raise ModelError(
                "E407",
                f"version {number} has no recorded predecessor to go back to: promote the "
                "version you want with 'clinical-nlp registry promote'",
            )
        previous = promoted.previous
        earlier = find_version(client, previous)
        _require_usable(client, earlier, Path(folder))
        client.set_registered_model_alias(NAME, CHAMPION, previous)
        digest = earlier.tags[DIGEST_TAG]
        decision = PromotionDecision("rollback", previous, number, by, why, digest)
        return log_decision(client, decision)


def history(tracking_uri: str | None = None) -> list[PromotionDecision]:
    """Return every decision on the champion, newest first.

    Raises
    ------
    ModelError
        E401: the store cannot be reached.
    """
    with open_store(tracking_uri) as client:
        return read_decisions(client)


def _compare(
    client: MlflowClient,
    version: ModelVersion,
    champion: ModelVersion | None,
    limits: Limits,
    scratch: Path,
) -> Comparison:
    folder, champion_folder = scratch / "challenger", scratch / "champion"
    folder.mkdir()
    champion_folder.mkdir()
    predictions = _predictions(client, version, folder)
    pairs: PairedPredictions | None = None
    measures, champion_measures = _measures(client, version, folder), dict[str, str]()
    if champion is not None:
        champion_measures = _measures(client, champion, champion_folder)
        if predictions is not None:
            theirs = _predictions(client, champion, champion_folder)
            pairs = pair_with_champion(predictions, theirs, champion.tags.get(DIGEST_TAG, ""))
    card = evidence_file(client, version, CARD, folder)
    text = "" if card is None else card.read_text("utf-8", errors="replace")
    return Comparison(
        champion=None if champion is None else str(champion.version),
        challenger=str(version.version),
        metrics={name: (champion_measures.get(name, ""), measures[name]) for name in measures},
        checks=run_checks(predictions, text, pairs, limits),
    )


def _predictions(
    client: MlflowClient, version: ModelVersion, into: Path
) -> HeldOutPredictions | None:
    path = evidence_file(client, version, PREDICTIONS, into)
    return None if path is None else read_predictions(path)


def _measures(client: MlflowClient, version: ModelVersion, into: Path) -> dict[str, str]:
    """Test measures of a version's ``metrics.json``, as text; empty where it has none."""
    path = evidence_file(client, version, METRICS, into)
    if path is None:
        return {}
    test: Mapping[str, Any] = json.loads(path.read_text("utf-8")).get("test", {})
    return {
        name: "{value:.3f} ({low:.3f} to {high:.3f})".format(**measure)
        for name, measure in test.get("model", {}).items()
        if all(measure.get(part) is not None for part in ("value", "low", "high"))
    }


def _require_usable(client: MlflowClient, version: ModelVersion, scratch: Path) -> None:
    """Verify a version's files and that this package could score with them."""
    into = scratch / "model"
    into.mkdir()
    parts = load_model(model_files(client, version, into), version.tags[DIGEST_TAG])
    parts.spec.check(load_features())


def _require_reason(by: str, why: str) -> None:
    if not by.strip() or not why.strip():
        raise ModelError(
            "E409",
            "a decision on the champion needs somebody who takes it and a reason: give --by "
            "and --why",
        )
