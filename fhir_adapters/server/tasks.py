"""Brings review Tasks up to date: people work in them, so theirs and ours stand side by side.

A Task that people have not touched follows tonight's results. One that they finished opens again
only when the patient's state or band has risen since we last wrote it; one that they have begun,
or changed otherwise, is theirs.
"""

from __future__ import annotations

from typing import Final

from fhir_adapters.server.content import About, stored_digest
from fhir_adapters.server.ledger import Ledger, Row
from fhir_adapters.server.sending import GONE, Found, Outcome, Result, Sender, is_ours, refused
from fhir_adapters.server.transport import Json

#: Statuses in which nobody works on a Task any more (R4, task-status).
FINISHED: Final = frozenset({"completed", "rejected", "cancelled", "failed"})

#: Elements that we write: what tonight's Task does not have of them is removed.
_OWN: Final = frozenset(
    ("status", "intent", "priority", "code", "description", "focus", "for", "authoredOn")
) | {"requester", "identifier"}

#: What a Task that opens again no longer says: why it ended.
_OF_THE_END: Final = ("statusReason", "businessStatus")

#: Rounds of read and write before a Task that keeps changing under us is left alone.
_ROUNDS: Final = 4


class ReviewTasks:
    """Updates the Tasks of one server.

    Parameters
    ----------
    ledger, sender
        Of that server.
    """

    def __init__(self, ledger: Ledger, sender: Sender) -> None:
        self._ledger = ledger
        self._sender = sender

    def update(self, said: About, body: Json, row: Row) -> Outcome:
        """Bring one Task that the server has taken before in step with tonight.

        Parameters
        ----------
        body
            Tonight's, with references of the server.
        row
            What the ledger knows of it.

        Raises
        ------
        clinical_nlp.errors.OutputError
            E541, E542: the server cannot be reached, or refuses the token.
        """
        outcome = Outcome(Result.TOUCHED, row.server_id, row.version, "changed")
        for _ in range(_ROUNDS):
            found = self._sender.read(row.kind, row.server_id)
            if not isinstance(found, Found):
                gone = found.status in GONE
                return (
                    Outcome(Result.TOUCHED, row.server_id, "", "deleted")
                    if gone
                    else refused(found)
                )
            if not (is_ours(row, found) or self._reopens(said, row, found)):
                return Outcome(Result.TOUCHED, row.server_id, found.version, "changed")
            merged = merge(found.body, body)
            digest = stored_digest(merged)
            if found.digest == digest:
                return Outcome(Result.FOUND, row.server_id, found.version)
            # Noted before it is sent, so that a run after this one recognises it as ours.
            self._ledger.begin([(said, digest)])
            row = self._ledger.get(said.key) or row
            outcome = self._sender.update(merged, row.server_id, found.version, frozenset({digest}))
            if outcome.result is not Result.TOUCHED or outcome.why == "deleted":
                return outcome
        return outcome

    def _reopens(self, said: About, row: Row, found: Found) -> bool:
        has_risen = self._ledger.rank_of(said.patient) > row.rank > 0
        return has_risen and found.body.get("status") in FINISHED


def merge(theirs: Json, ours: Json) -> Json:
    """Return a Task with our elements as tonight says them, and every other as it stands."""
    opens_again = theirs.get("status") in FINISHED
    left_out = _OWN | (set(_OF_THE_END) if opens_again else set()) | {"text"}
    kept = {k: v for k, v in theirs.items() if k not in left_out}
    merged = {**kept, **{k: v for k, v in ours.items() if k != "meta"}}
    added = [i for i in theirs.get("identifier", ()) if i not in ours.get("identifier", ())]
    if added:
        merged["identifier"] = [*ours.get("identifier", ()), *added]
    merged["meta"] = {
        **ours.get("meta", {}),
        **{k: v for k, v in theirs.get("meta", {}).items() if k not in ("versionId", "security")},
    }
    merged["meta"].pop("lastUpdated", None)
    return merged
