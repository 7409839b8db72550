"""Compares what a FHIR server holds with what a night says, and what people decided."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from foreign_server import RESULTS, Foreign

Json = dict[str, Any]

#: Statuses of what was taken back.
_WITHDRAWN = ("entered-in-error", "cancelled")

#: Types that describe the versions of the system: nothing of them is taken back.
_LASTING = ("Device/", "DocumentReference/")


def said(out: Path, kind: str) -> list[Json]:
    """Resources of a type of a night."""
    path = out / "fhir" / f"{kind}.ndjson"
    return list(map(json.loads, path.read_text("utf-8").splitlines())) if path.exists() else []


def check_in_step(foreign: Foreign, out: Path, theirs: dict[str, Json] | None = None) -> None:
    """Fail unless the server holds what the night says, what people decided, and nothing twice.

    Parameters
    ----------
    theirs
        By type and our own id: what someone else has made of a resource of ours.
    """
    theirs = theirs or {}
    held = foreign.ours()
    ours = {f"{body['resourceType']}/{body['id']}": key for key, body in held.items()}
    tonight = {f"{kind}/{r['id']}": r for kind in RESULTS for r in said(out, kind)}
    assert tonight.keys() <= held.keys() | theirs.keys()
    for key, body in held.items():
        if key in theirs:
            assert body == theirs[key], key
        elif key in tonight:
            assert _plain(body, ours) == _plain(tonight[key], {}), key
        elif not key.startswith(_LASTING):
            assert body["status"] in _WITHDRAWN, key
    _check_provenance(foreign, ours, {key for key in tonight if not key.startswith(_LASTING)})


def _check_provenance(foreign: Foreign, ours: dict[str, str], tonight: set[str]) -> None:
    named: dict[str, set[str]] = {}
    for provenance in foreign.search("Provenance"):
        code = provenance["activity"]["coding"][0]["code"]
        targets = [t["reference"] for t in provenance["target"]]
        named.setdefault(code, set()).update(ours[t] for t in targets if t in ours)
        assert all(t in ours for t in targets), "a Provenance of nothing"
    assert tonight <= named.get("CREATE", set()) | named.get("UPDATE", set())


def _plain(body: Json, ours: dict[str, str]) -> Json:
    """Return a resource without what the server adds, with references of ours."""
    text = json.dumps({k: v for k, v in body.items() if k not in ("id", "meta", "text")})
    plain: Json = json.loads(text, object_hook=lambda part: _renamed(part, ours))
    security = body.get("meta", {}).get("security", ())
    return {**plain, "security": list(security)}


def _renamed(part: Json, ours: dict[str, str]) -> Json:
    reference = part.get("reference")
    return {**part, "reference": ours.get(reference, reference)} if reference else part
