"""Brings one resource to the server, and never over what someone else has written there.

A resource whose request was cut off may be on the server without our knowing. The ledger holds
the hash of what was sent, so the next try recognises it there by its content.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from fhir_adapters.server.capabilities import Capabilities
from fhir_adapters.server.content import WRITTEN, stored_digest
from fhir_adapters.server.ledger import Row
from fhir_adapters.server.transport import Answer, FhirClient, Json

GONE: Final = frozenset({404, 410})
_CONFLICT: Final = frozenset({409, 412})

#: Rounds of read and write before a resource that keeps changing under us is left alone.
_ROUNDS: Final = 4


class Result(StrEnum):
    """What became of a request."""

    CREATED = "created"
    UPDATED = "updated"
    FOUND = "found"  # the server held it already, as sent by a run that was cut off
    TOUCHED = "touched"  # someone else changed or deleted it: left as it is
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the server holds of a resource after a request.

    Parameters
    ----------
    result
        What was done.
    server_id, version
        Of the resource on the server; empty where it has none.
    why
        ``changed`` or ``deleted`` of a touched resource; status and issue codes of a refused one.
    """

    result: Result
    server_id: str = ""
    version: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """A resource as the server holds it; ``digest`` is of what it keeps of ours."""

    server_id: str
    version: str
    digest: str
    body: Json = field(repr=False)


class Sender:
    """Sends resources of a night; :meth:`send` may be called by several threads.

    Parameters
    ----------
    client, capabilities
        The server, and what it can do.
    """

    def __init__(self, client: FhirClient, capabilities: Capabilities) -> None:
        self._client = client
        self._capabilities = capabilities
        # Conditional creates side by side make duplicates on common servers.
        self._one_create = threading.Lock()

    def send(self, body: Json, row: Row | None) -> Outcome:
        """Create or update a resource.

        Parameters
        ----------
        body
            With references of the server; its ``id`` is ours.
        row
            What the ledger knows of it.

        Raises
        ------
        clinical_nlp.errors.OutputError
            E541, E542: the server cannot be reached, or refuses the token.
        """
        kind = body["resourceType"]
        can = self._capabilities.of(kind)
        if can is None:
            return Outcome(Result.REFUSED, why="type not supported")
        ours = (row.was_sent if row else frozenset()) | {stored_digest(body)}
        if row is not None and row.server_id:
            return self.update(body, row.server_id, row.version, ours)
        if can.update_create:
            found = self.read(kind, body["id"])
            if isinstance(found, Answer):
                return self._put_new(body, ours) if found.status in GONE else refused(found)
            return self._adopt(body, found, ours)
        with self._one_create:
            return self._conditional_create(body, ours)

    def withdraw(self, row: Row, status: str) -> Outcome:
        """Set a resource's status to say that it no longer holds, where it is still ours."""
        found = self._find(row)
        if isinstance(found, Answer):
            # Never arrived, or deleted there: nothing is left to take back.
            return Outcome(Result.FOUND) if found.status in GONE else refused(found)
        if not is_ours(row, found):
            before = {**found.body, "status": WRITTEN[row.kind]}
            ours = found.body.get("status") == status and stored_digest(before) in row.sent.split()
            # Else it was us, in a run that was cut off before the answer came.
            result = Result.FOUND if ours else Result.TOUCHED
            return Outcome(result, found.server_id, found.version, "" if ours else "changed")
        body = {k: v for k, v in found.body.items() if k != "text"}
        body["status"] = status
        return self.update(body, found.server_id, found.version, frozenset({stored_digest(body)}))

    def version_of(self, kind: str, server_id: str) -> str:
        """Version that the server holds; empty where it holds none."""
        found = self.read(kind, server_id)
        return "" if isinstance(found, Answer) else found.version

    def update(self, body: Json, server_id: str, version: str, ours: frozenset[str]) -> Outcome:
        """Write over one version, or over what was sent and not answered.

        Parameters
        ----------
        version
            That which is written over.
        ours
            Digests of what may be written over under another version.
        """
        kind, wanted = body["resourceType"], stored_digest(body)
        can = self._capabilities.of(kind)
        sent = {**body, "id": server_id}
        for _ in range(_ROUNDS):
            if can is not None and not can.is_versioned:
                found = self.read(kind, server_id)
                if isinstance(found, Found) and found.version != version:
                    answer = Answer(412)
                else:
                    answer = self._client.request("PUT", f"{kind}/{server_id}", sent)
            else:
                headers = {"If-Match": f'W/"{version}"'}
                answer = self._client.request("PUT", f"{kind}/{server_id}", sent, headers)
            if answer.is_success:
                told = answer.version or self.version_of(kind, server_id)
                return Outcome(Result.UPDATED, server_id, told)
            if answer.status in GONE:
                return Outcome(Result.TOUCHED, server_id, "", "deleted")
            if answer.status not in _CONFLICT:
                return refused(answer)
            found = self.read(kind, server_id)
            if isinstance(found, Answer):
                gone = found.status in GONE
                return Outcome(Result.TOUCHED, server_id, "", "deleted") if gone else refused(found)
            if found.digest == wanted:  # our own, whose answer was lost
                return Outcome(Result.FOUND, server_id, found.version)
            if found.digest not in ours:
                return Outcome(Result.TOUCHED, server_id, found.version, "changed")
            version = found.version
        return Outcome(Result.TOUCHED, server_id, version, "changed")

    def _put_new(self, body: Json, ours: frozenset[str]) -> Outcome:
        kind = body["resourceType"]
        answer = self._client.request("PUT", f"{kind}/{body['id']}", body)
        if answer.is_success:
            told = answer.version or self.version_of(kind, body["id"])
            return Outcome(Result.CREATED, body["id"], told)
        if answer.status in _CONFLICT:
            found = self.read(kind, body["id"])
            if isinstance(found, Found):
                return self._adopt(body, found, ours)
        return refused(answer)

    def _conditional_create(self, body: Json, ours: frozenset[str]) -> Outcome:
        kind, search = body["resourceType"], _search(body)
        if search is not None:
            found = self._search(kind, search)
            if isinstance(found, Found):
                return self._adopt(body, found, ours)
            if found is not None:
                return refused(found)
        made = {k: v for k, v in body.items() if k != "id"}
        headers = {} if search is None else {"If-None-Exist": _query(search)}
        answer = Answer(0)
        for attempt in range(self._client.attempts):
            answer = self._client.once("POST", kind, made, headers)
            if not answer.is_transient:
                break
            self._client.pause(attempt, answer)
            # Not every server honours If-None-Exist: a repeated POST could make a duplicate.
            found = None if search is None else self._search(kind, search)
            if isinstance(found, Found):
                return self._adopt(body, found, ours)
            if found is not None:  # there twice, or not to be searched: no third one
                return refused(found)
        if answer.is_transient and answer.status != 500:
            raise self._client.unreachable(answer)
        if not answer.is_success:
            return refused(answer)
        server_id = _created_id(answer, kind)
        if not server_id and search is not None:
            found = self._search(kind, search)
            server_id = found.server_id if isinstance(found, Found) else ""
        if not server_id:
            return Outcome(Result.REFUSED, why="the server gave no id")
        return Outcome(
            Result.CREATED, server_id, answer.version or self.version_of(kind, server_id)
        )

    def _adopt(self, body: Json, found: Found, ours: frozenset[str]) -> Outcome:
        """Take up what the server holds, where it is what we sent."""
        if found.digest == stored_digest(body):
            return Outcome(Result.FOUND, found.server_id, found.version)
        if found.digest in ours:
            return self.update(body, found.server_id, found.version, ours)
        return Outcome(Result.TOUCHED, found.server_id, found.version, "changed")

    def _find(self, row: Row) -> Found | Answer:
        """Find a resource that was sent; the server may have given it an id of its own."""
        kind, own_id = row.key.split("/", 1)
        if row.server_id:
            return self.read(kind, row.server_id)
        can = self._capabilities.of(kind)
        if can is not None and can.update_create:
            return self.read(kind, own_id)
        found = self._search(kind, {"identifier": own_id})
        return Answer(404) if found is None else found

    def read(self, kind: str, server_id: str) -> Found | Answer:
        """Read a resource; the answer where there is none."""
        answer = self._client.request("GET", f"{kind}/{server_id}")
        if not answer.is_success:
            return answer
        return Found(server_id, answer.version, stored_digest(answer.body), answer.body)

    def _search(self, kind: str, search: Mapping[str, str]) -> Found | Answer | None:
        """Return the one resource that matches, ``None`` where none does."""
        answer = self._client.request("GET", kind, params=search)
        if not answer.is_success:
            return answer
        entries: list[Json] = [
            e["resource"]
            for e in answer.body.get("entry", ())
            if e.get("resource", {}).get("resourceType") == kind
        ]
        if len(entries) > 1:
            return Answer(412, {"issue": [{"code": "multiple-matches"}]})
        if not entries:
            return None
        version = str((entries[0].get("meta") or {}).get("versionId", ""))
        return Found(entries[0]["id"], version, stored_digest(entries[0]), entries[0])


def _search(body: Json) -> Mapping[str, str] | None:
    """What finds a resource of ours on a server with ids of its own."""
    if "url" in body:
        return {"url": body["url"], "version": body.get("version", "")}
    own = [i for i in body.get("identifier", ()) if i.get("value") == body["id"]]
    return {"identifier": f"{own[0]['system']}|{own[0]['value']}"} if own else None


def _query(search: Mapping[str, str]) -> str:
    return "&".join(f"{name}={value}" for name, value in search.items() if value)


def _created_id(answer: Answer, kind: str) -> str:
    """Id of a created resource, of the body or of ``Location``."""
    if answer.body.get("resourceType") == kind and answer.body.get("id"):
        return str(answer.body["id"])
    parts = answer.location.split("/")
    return parts[parts.index(kind) + 1] if kind in parts[:-1] else ""


def is_ours(row: Row, found: Found) -> bool:
    """Whether the server holds a resource as we wrote it last, or may have written it."""
    return found.version == row.version != "" or found.digest in row.was_sent


def refused(answer: Answer) -> Outcome:
    """Say what the server refused: by status and issue codes, as its text may hold patient data."""
    issues = answer.body.get("issue", ())
    codes = sorted({str(i.get("code", "")) for i in issues if isinstance(i, dict)} - {""})
    return Outcome(Result.REFUSED, why=" ".join([str(answer.status), *codes]))
