"""A strict FHIR R4 server in memory, as a transport of httpx, with faults on demand.

Strict about what write-back relies on: versions and ``If-Match``, ids, ``ras-2``, references to
what it does not hold of the types that we write. It keeps every version.
"""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable
from typing import Any

import httpx

Json = dict[str, Any]

#: Types that must exist before they are referred to.
_OWN = frozenset({"Device", "Observation", "RiskAssessment", "Task"})


class FhirServer(httpx.BaseTransport):
    """A server; ``fault`` may spoil a request: see :meth:`handle_request`."""

    def __init__(self, update_create: bool = True, versioned: bool = True) -> None:
        self.update_create = update_create
        self.versioned = versioned
        self.store: dict[str, list[Json | None]] = {}
        self.fault: Callable[[httpx.Request], str] = lambda request: ""
        self.refuse: Callable[[Json], bool] = lambda body: False
        self.honours_if_none_exist = True
        self.writes = 0
        self._lock = threading.Lock()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer; a fault is ``before`` or ``after`` (the connection breaks), or a status."""
        fault = self.fault(request)
        if fault == "before":
            raise httpx.ConnectError("broken", request=request)
        if fault.isdigit():
            return httpx.Response(int(fault), headers={"Retry-After": "0"})
        with self._lock:
            answer = self._answer(request)
        if fault == "after":  # committed, and the answer lost
            raise httpx.ReadError("broken", request=request)
        if fault == "after-500":
            return httpx.Response(500)
        return answer

    def current(self) -> dict[str, Json]:
        """What the server holds now, by Type/id."""
        return {key: versions[-1] for key, versions in self.store.items() if versions[-1]}

    def by_identifier(self) -> dict[str, Json]:
        """What it holds now of our types, by type and our own id."""
        found = {}
        for body in self.current().values():
            for identifier in body.get("identifier", ()):
                if identifier["system"].endswith("/result"):
                    found[f"{body['resourceType']}/{identifier['value']}"] = body
        return found

    def edit(self, key: str, **changes: Any) -> None:
        """Change a resource as someone else would."""
        held = self.store[key][-1]
        assert held is not None
        self._commit(key, {**held, **changes})

    def delete(self, key: str) -> None:
        """Delete a resource as someone else would."""
        self.store[key].append(None)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        kind, _, own = request.url.path.removeprefix("/r4/").partition("/")
        if kind == "metadata":
            return httpx.Response(200, json=self._capabilities())
        if request.method == "GET":
            return self._read(f"{kind}/{own}") if own else self._search(kind, request)
        body = json.loads(request.content)
        if body["resourceType"] != kind:
            return _outcome(400, "invalid")
        if refusal := self._refusal(body):
            return refusal
        if request.method == "POST":
            query = dict(httpx.QueryParams(request.headers.get("If-None-Exist", "")))
            if self.honours_if_none_exist and query and self._matches(kind, query):
                return httpx.Response(200)
            return self._commit(f"{kind}/{uuid.uuid4()}", body, 201)
        return self._put(f"{kind}/{own}", body, request.headers.get("If-Match"))

    def _put(self, key: str, body: Json, match: str | None) -> httpx.Response:
        if body.get("id") != key.partition("/")[2]:
            return _outcome(400, "value")
        versions = self.store.get(key)
        if not versions:
            return (
                self._commit(key, body, 201) if self.update_create else _outcome(405, "not-found")
            )
        if versions[-1] is None:
            return _outcome(410, "deleted")
        if match is not None and self.versioned and match != f'W/"{len(versions)}"':
            return _outcome(412, "conflict")
        return self._commit(key, body)

    def _commit(self, key: str, body: Json, status: int = 200) -> httpx.Response:
        versions = self.store.setdefault(key, [])
        own = key.partition("/")[2]
        meta = {**body.get("meta", {}), "versionId": str(len(versions) + 1)}
        versions.append({**body, "id": own, "meta": meta})
        self.writes += 1
        place = f"http://fhir.test/r4/{key}/_history/{len(versions)}"
        return httpx.Response(status, headers={"ETag": f'W/"{len(versions)}"', "Location": place})

    def _refusal(self, body: Json) -> httpx.Response | None:
        if any("probability" not in json.dumps(p) for p in body.get("prediction", ())):
            return _outcome(422, "invariant")
        if self.refuse(body):
            return _outcome(422, "business-rule")
        for reference in _references(body):
            kind = reference.partition("/")[0]
            if kind in _OWN and not (self.store.get(reference) or [None])[-1]:
                return _outcome(409, "not-found")
        return None

    def _read(self, key: str) -> httpx.Response:
        versions = self.store.get(key)
        if not versions:
            return _outcome(404, "not-found")
        if versions[-1] is None:
            return _outcome(410, "deleted")
        return httpx.Response(200, json=versions[-1], headers={"ETag": f'W/"{len(versions)}"'})

    def _search(self, kind: str, request: httpx.Request) -> httpx.Response:
        entry = [{"resource": r} for r in self._matches(kind, dict(request.url.params))]
        return httpx.Response(200, json={"resourceType": "Bundle", "entry": entry})

    def _matches(self, kind: str, query: dict[str, str]) -> list[Json]:
        def fits(body: Json) -> bool:
            if "url" in query:
                return body.get("url") == query["url"]
            system, _, value = query["identifier"].rpartition("|")
            return any(
                i["value"] == value and (not system or i.get("system") == system)
                for i in body.get("identifier", ())
            )

        return [b for k, b in self.current().items() if k.startswith(f"{kind}/") and fits(b)]

    def _capabilities(self) -> Json:
        types = (
            "CodeSystem", "StructureDefinition", "DocumentReference", "Device", "Observation",
            "FamilyMemberHistory", "RiskAssessment", "Task", "Provenance",
        )  # fmt: skip
        resource = [
            {
                "type": kind,
                "updateCreate": self.update_create,
                "versioning": "versioned-update" if self.versioned else "versioned",
            }
            for kind in types
        ]
        return {
            "resourceType": "CapabilityStatement",
            "fhirVersion": "4.0.1",
            "rest": [{"mode": "server", "resource": resource}],
        }


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["reference"]] if isinstance(value.get("reference"), str) else []
        return own + [r for inner in value.values() for r in _references(inner)]
    return [r for inner in value for r in _references(inner)] if isinstance(value, list) else []


def _outcome(status: int, code: str) -> httpx.Response:
    issue = [{"severity": "error", "code": code, "diagnostics": "Juan García vive en ..."}]
    return httpx.Response(status, json={"resourceType": "OperationOutcome", "issue": issue})
