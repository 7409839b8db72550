"""Promote a version to champion, roll back to the one before, compare two."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clinical_nlp.artifacts import CARD, METRICS
from clinical_nlp.errors import ModelError
from clinical_nlp.registry.artifact import load_model
from clinical_nlp.registry.decisions import Decision, decisions, record
from clinical_nlp.registry.evidence import Evidence, Pairs, pair, read_evidence
from clinical_nlp.registry.gate import Check, Limits, judge, read_limits
from clinical_nlp.registry.manifest import PREDICTIONS
from clinical_nlp.registry.names import CHALLENGER, CHAMPION, DIGEST_TAG, NAME
from clinical_nlp.registry.store import client_of, speaking_to, store_uri
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
        By measure: the value and interval of each, as its own training run told them.
    checks
        What the gate would say of promoting the challenger.
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
    """Make the gate's checks without deciding anything.

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
    uri, limits = store_uri(tracking_uri), read_limits(limits_file)
    with speaking_to(uri), tempfile.TemporaryDirectory(prefix="compare-") as scratch:
        client = client_of(uri)
        version = find_version(client, challenger)
        # No champion yet is an answer; any other name that is not there is a mistake.
        other = (
            aliased(client, CHAMPION) if champion == CHAMPION else find_version(client, champion)
        )
        return _compare(client, uri, version, other, limits, Path(scratch))


def promote(
    version: str,
    by: str,
    why: str,
    force: bool = False,
    tracking_uri: str | None = None,
    limits_file: Path | None = None,
) -> Decision:
    """Make a version the champion if the gate lets it pass, and write down who and why.

    Parameters
    ----------
    version
        An alias, a version number or a ``models:/`` URI.
    by, why
        Recorded with what the gate found.
    force
        Overrule the gate; recorded too. It never overrules a digest.

    Raises
    ------
    ModelError
        E406: the gate refused; the refusal is recorded. E409: nobody, or no reason, was
        given. Besides what :func:`compare` raises: the model itself cannot be used (E413
        to E416).
    """
    _require_words(by, why)
    uri, limits = store_uri(tracking_uri), read_limits(limits_file)
    with speaking_to(uri), tempfile.TemporaryDirectory(prefix="promote-") as scratch:
        client = client_of(uri)
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
        _require_usable(client, uri, found, Path(scratch))
        comparison = _compare(client, uri, found, champion, limits, Path(scratch))
        told = {
            "passed": comparison.passed,
            "margins": limits.digest,
            "checks": [asdict(check) for check in comparison.checks],
        }
        action = "promote" if comparison.passed or force else "refuse"
        forced = action == "promote" and not comparison.passed
        decision = Decision(action, number, previous, by, why, digest, forced, told)
        if action == "promote":
            client.set_registered_model_alias(NAME, CHAMPION, number)
            challenger = aliased(client, CHALLENGER)
            if challenger is not None and str(challenger.version) == number:
                client.delete_registered_model_alias(NAME, CHALLENGER)
        decision = record(client, uri, decision)
    if action == "refuse":
        failed = "; ".join(f"{c.name}: {c.detail}" for c in comparison.checks if not c.passed)
        raise ModelError(
            "E406",
            f"version {number} was not promoted ({failed}): train a better one, or give --force "
            "if you can answer for it; either is recorded",
        )
    return decision


def rollback(by: str, why: str, tracking_uri: str | None = None) -> Decision:
    """Make the champion's predecessor the champion again; no gate, but verified and recorded.

    Raises
    ------
    ModelError
        E402: there is no champion. E407: it has no recorded predecessor. E409: nobody, or
        no reason, was given. E412 to E417: the predecessor cannot be trusted or used.
    """
    _require_words(by, why)
    uri = store_uri(tracking_uri)
    with speaking_to(uri), tempfile.TemporaryDirectory(prefix="rollback-") as scratch:
        client = client_of(uri)
        current = find_version(client, CHAMPION)
        number = str(current.version)
        # How this version came to be champion, not how it came back to be it.
        came = next(
            (d for d in decisions(client, uri) if d.action == "promote" and d.version == number),
            None,
        )
        if came is None or came.previous is None:
            raise ModelError(
                "E407",
                f"version {number} has no recorded predecessor to go back to: promote the "
                "version you want with 'clinical-nlp registry promote'",
            )
        earlier = find_version(client, came.previous)
        _require_usable(client, uri, earlier, Path(scratch))
        client.set_registered_model_alias(NAME, CHAMPION, came.previous)
        digest = earlier.tags[DIGEST_TAG]
        return record(client, uri, Decision("rollback", came.previous, number, by, why, digest))


def history(tracking_uri: str | None = None) -> list[Decision]:
    """Every decision on the champion, newest first.

    Raises
    ------
    ModelError
        E401: the store cannot be reached.
    """
    uri = store_uri(tracking_uri)
    with speaking_to(uri):
        return decisions(client_of(uri), uri)


def _compare(
    client: MlflowClient,
    uri: str,
    version: ModelVersion,
    champion: ModelVersion | None,
    limits: Limits,
    scratch: Path,
) -> Comparison:
    mine, theirs = scratch / "challenger", scratch / "champion"
    mine.mkdir()
    theirs.mkdir()
    evidence = _predictions(client, uri, version, mine)
    pairs: Pairs | None = None
    if champion is not None and evidence is not None:
        digest = champion.tags.get(DIGEST_TAG, "")
        pairs = pair(evidence, _predictions(client, uri, champion, theirs), digest)
    card = evidence_file(client, uri, version, CARD, mine)
    text = "" if card is None else card.read_text("utf-8", errors="replace")
    ours = _measures(client, uri, version, mine)
    others = {} if champion is None else _measures(client, uri, champion, theirs)
    return Comparison(
        champion=None if champion is None else str(champion.version),
        challenger=str(version.version),
        metrics={name: (others.get(name, ""), ours[name]) for name in ours},
        checks=judge(evidence, text, pairs, limits),
    )


def _predictions(
    client: MlflowClient, uri: str, version: ModelVersion, into: Path
) -> Evidence | None:
    path = evidence_file(client, uri, version, PREDICTIONS, into)
    return None if path is None else read_evidence(path)


def _measures(client: MlflowClient, uri: str, version: ModelVersion, into: Path) -> dict[str, str]:
    """Test measures of a version's ``metrics.json``, as text; empty where it has none."""
    path = evidence_file(client, uri, version, METRICS, into)
    if path is None:
        return {}
    test: Mapping[str, Any] = json.loads(path.read_text("utf-8")).get("test", {})
    return {
        name: "{value:.3f} ({low:.3f} to {high:.3f})".format(**measure)
        for name, measure in test.get("model", {}).items()
        if all(measure.get(part) is not None for part in ("value", "low", "high"))
    }


def _require_usable(client: MlflowClient, uri: str, version: ModelVersion, scratch: Path) -> None:
    """Verify a version's files and that this package could score with them."""
    into = scratch / "model"
    into.mkdir()
    parts = load_model(model_files(client, uri, version, into), version.tags[DIGEST_TAG])
    parts.spec.check(load_features())


def _require_words(by: str, why: str) -> None:
    if not by.strip() or not why.strip():
        raise ModelError(
            "E409",
            "a decision on the champion needs somebody who takes it and a reason: give --by "
            "and --why",
        )
