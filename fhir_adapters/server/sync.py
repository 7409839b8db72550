"""Brings a FHIR server in step with a night: what is new, what changed, what is gone."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

from clinical_nlp.errors import OutputError
from fhir_adapters.server.capabilities import read_capabilities
from fhir_adapters.server.content import (
    ORDER,
    WITHDRAWN,
    About,
    about,
    stored_digest,
    with_references,
)
from fhir_adapters.server.ledger import Ledger, Row, State
from fhir_adapters.server.night import Night
from fhir_adapters.server.origins import Origins
from fhir_adapters.server.sending import Outcome, Result, Sender
from fhir_adapters.server.tasks import ReviewTasks
from fhir_adapters.server.transport import FhirClient, Json

#: Of the resources on the server, the share, and the number, whose notes or patients may be gone
#: in one night. More is an export that was cut: a tenth is also the limit of the batch.
SHARE_GONE, MOST_GONE = 0.1, 100
_OF_THE_EXPORT: Final = frozenset({"patient-gone", "note-withdrawn"})

#: Resources planned and sent between two commits of intents to the ledger.
CHUNK: Final = 200


@dataclass(slots=True)
class Delivery:
    """What became of a night on one server, as ``delivered.json`` tells it.

    Parameters
    ----------
    counts
        Resources by type and by what was done.
    touched
        Our key and what someone else did to it: ``changed`` or ``deleted``.
    refused
        Our key, and status and issue codes of the server: never its text.
    retracted
        How many were taken back, by reason.
    """

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    touched: list[tuple[str, str]] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    retracted: Counter[str] = field(default_factory=Counter)

    def total(self, *results: str) -> int:
        """Count resources of any type with one of these results."""
        return sum(n for (_, result), n in self.counts.items() if result in results)

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        kinds: dict[str, dict[str, int]] = {}
        for (kind, result), number in sorted(self.counts.items()):
            kinds.setdefault(kind, {})[result] = number
        return {
            "resources": kinds,
            "retracted": dict(sorted(self.retracted.items())),
            "touched": [{"key": key, "what": what} for key, what in sorted(self.touched)],
            "refused": [{"key": key, "why": why} for key, why in sorted(self.refused)],
        }


class WriteBack:
    """Sends a night to one server.

    Parameters
    ----------
    client
        The server.
    ledger
        Its ledger.
    workers
        Requests under way at a time.
    progress
        Called with how many resources were dealt with.

    Raises
    ------
    clinical_nlp.errors.OutputError
        E541, E542, E543: see :func:`read_capabilities`.
    """

    def __init__(
        self,
        client: FhirClient,
        ledger: Ledger,
        workers: int = 4,
        progress: Callable[[int], None] = lambda done: None,
    ) -> None:
        self._ledger = ledger
        self.sender = Sender(client, read_capabilities(client))
        self._workers = workers
        self._progress = progress
        self._tasks = ReviewTasks(ledger, self.sender)
        self._delivery = Delivery()

    def plan(self, night: Night) -> Delivery:
        """Count what would be sent and taken back; nothing is sent."""
        reader = night.record(self._ledger, ORDER)
        for kind in ORDER:
            for resource in night.resources(kind):
                said = about(resource, reader)
                row = self._ledger.get(said.key)
                what = self._intent(said, row)
                self._delivery.counts[kind, what] += 1
        for _, reason in self._ledger.gone():
            self._delivery.retracted[reason] += 1
        return self._delivery

    def send(self, night: Night, accept_drop: bool = False) -> Delivery:
        """Send what is new or changed, take back what is gone, and say where each comes from.

        A run that is cut off is gone on with by the next one.

        Parameters
        ----------
        accept_drop
            Take back however much is gone.

        Raises
        ------
        OutputError
            E546: so much is gone that the export was probably cut; nothing was sent.
        """
        reader = night.record(self._ledger, ORDER)
        if not accept_drop:
            self._check_drop()
        with ThreadPoolExecutor(self._workers) as pool:
            for kind in ORDER:
                for chunk in _chunks(night.resources(kind)):
                    self._send_chunk([(about(r, reader), r) for r in chunk], pool)
            self.retract(self._ledger.gone(), pool)
        origins = Origins(self._ledger, self.sender)
        origins.send(night)
        self._delivery.refused.extend(origins.refused)
        return self._delivery

    def retract(
        self, rows: Iterable[tuple[Row, str]], pool: ThreadPoolExecutor | None = None
    ) -> Delivery:
        """Withdraw what the server holds, where it is still ours."""
        run: Any = map if pool is None else pool.map
        for chunk in _chunks(rows):
            outcomes = run(lambda pair: self.sender.withdraw(pair[0], _status(pair[0])), chunk)
            for (row, reason), outcome in zip(chunk, outcomes, strict=True):
                self._note_withdrawal(row, reason, outcome)
        return self._delivery

    def _check_drop(self) -> None:
        """Stop where an export that was cut would take back what still holds."""
        gone = sum(reason in _OF_THE_EXPORT for _, reason in self._ledger.gone())
        held = self._ledger.count_live()
        if gone > MOST_GONE and gone > held * SHARE_GONE:
            raise OutputError(
                "E546",
                f"the notes or patients of {gone:,} of the {held:,} resources on the server are "
                "no longer in the night's export, as if it had been cut; nothing was sent. See "
                "that the export is whole; where they are truly gone, run again with "
                "--accept-drop.",
            )

    def _intent(self, said: About, row: Row | None) -> str:
        if row is None:
            return "new"
        if row.state is State.TOUCHED and not self._may_reopen(said, row):
            return "theirs"
        unchanged = row.state is State.LIVE and row.material == said.material
        return "unchanged" if unchanged else "changed"

    def _may_reopen(self, said: About, row: Row) -> bool:
        """Whether a Task that someone touched may ask anew: its patient's state or band rose."""
        return said.kind == "Task" and self._ledger.rank_of(said.patient) > row.rank > 0

    def _send_chunk(self, chunk: Sequence[tuple[About, Json]], pool: ThreadPoolExecutor) -> None:
        sent: list[tuple[About, Json, Row | None]] = []
        for said, resource in chunk:
            row = self._ledger.get(said.key)
            intent = self._intent(said, row)
            if intent in ("unchanged", "theirs"):
                self._delivery.counts[said.kind, intent] += 1
                if intent == "theirs":
                    self._delivery.touched.append((said.key, "changed"))
                continue
            body = with_references(resource, self._ledger.resolve)
            if said.kind == "Task" and row is not None and row.server_id:
                self._note_sent(said, self._tasks.update(said, body, row))
                continue
            sent.append((said, body, row))
        self._ledger.begin((said, stored_digest(body)) for said, body, _ in sent)
        outcomes = pool.map(lambda one: self.sender.send(one[1], one[2]), sent)
        for (said, _, _), outcome in zip(sent, outcomes, strict=True):
            self._note_sent(said, outcome)
        self._progress(len(chunk))

    def _note_sent(self, said: About, outcome: Outcome) -> None:
        result = outcome.result
        self._delivery.counts[said.kind, result.value] += 1
        if result is Result.TOUCHED:
            self._note_touched(said.key, outcome)
        elif result is Result.REFUSED:
            self._ledger.set_state(said.key, State.REFUSED)
            self._delivery.refused.append((said.key, outcome.why))
        else:
            due = "said" if said.patient else ""
            self._ledger.wrote(said, outcome.server_id, outcome.version, due)

    def _note_withdrawal(self, row: Row, reason: str, outcome: Outcome) -> None:
        if outcome.result is Result.TOUCHED:
            self._delivery.counts[row.kind, Result.TOUCHED.value] += 1
            self._note_touched(row.key, outcome)
        elif outcome.result is Result.REFUSED:
            self._delivery.counts[row.kind, Result.REFUSED.value] += 1
            self._delivery.refused.append((row.key, outcome.why))
        else:
            self._delivery.retracted[reason] += 1
            # What never arrived needs no word on why it was taken back.
            due = reason if outcome.server_id else ""
            self._ledger.set_state(row.key, State.RETRACTED, outcome.version, due)

    def _note_touched(self, key: str, outcome: Outcome) -> None:
        self._delivery.touched.append((key, outcome.why))
        self._ledger.set_state(key, State.TOUCHED)  # its version stays that of our last
        self._ledger.record_feedback(key, outcome.version, outcome.why)


def _status(row: Row) -> str:
    return WITHDRAWN[row.kind]


def _chunks(items: Iterable[Any]) -> Iterator[list[Any]]:
    iterator = iter(items)
    while chunk := list(itertools.islice(iterator, CHUNK)):
        yield chunk


def retract_version(writer: WriteBack, ledger: Ledger, rows: Iterable[Row]) -> Delivery:
    """Take back what one version wrote, and say so."""
    delivery = writer.retract((row, "version-withdrawn") for row in rows)
    origins = Origins(ledger, writer.sender)
    origins.send()
    delivery.refused.extend(origins.refused)
    return delivery
