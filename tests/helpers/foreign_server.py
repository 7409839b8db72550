"""A FHIR R4 server that this project did not write: Medplum's router, repository and validator.

Installed from the npm registry, with the pinned versions of ``medplum/package-lock.json``, into
pytest's cache folder; started on loopback. See docs/how-to/write-back.md for the choice.
"""

from __future__ import annotations

import hashlib
import itertools
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

Json = dict[str, Any]
_HERE = Path(__file__).resolve().parent / "medplum"
_OURS = "https://clinical-nlp.example/fhir/identifiers/result"

#: Types with an identifier of ours.
RESULTS = (
    "DocumentReference",
    "Device",
    "Observation",
    "FamilyMemberHistory",
    "RiskAssessment",
    "Task",
)


def installed(cache: Path) -> Path:
    """Return a folder with Medplum's packages, installed once; skip where that cannot be."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("Node and npm are not installed (Debian packages: nodejs npm)")
    digest = hashlib.sha256((_HERE / "package-lock.json").read_bytes()).hexdigest()
    folder = cache / digest[:16]
    if folder.is_dir():
        return folder
    with tempfile.TemporaryDirectory(dir=cache) as made:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(_HERE / name, made)
        done = subprocess.run(
            ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=made, capture_output=True, timeout=300, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            pytest.skip("the npm registry does not give Medplum's packages")
        if not folder.is_dir():  # else another process was faster
            shutil.copytree(made, folder)
    return folder


@contextmanager
def medplum(cache: Path) -> Iterator[str]:
    """Start the server; yields the URL that a name and ``/r4`` are appended to."""
    command = ["node", str(_HERE / "server.mjs"), str(installed(cache))]
    # It ends when its standard input does: also where this process is killed.
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None and process.stdout is not None
        port = process.stdout.readline().decode().strip()
        try:
            yield f"http://127.0.0.1:{int(port)}"
        finally:
            process.stdin.close()
            process.wait(20)


class Foreign:
    """One empty server, as other people use it.

    Parameters
    ----------
    origin
        What :func:`medplum` yields.
    gives_ids
        Whether it gives ids of its own alone; else it takes the client's.
    """

    _number = itertools.count()

    def __init__(self, origin: str, gives_ids: bool) -> None:
        self.path = f"/{'own-ids' if gives_ids else 'any-ids'}-{next(self._number)}/r4"
        self.url = origin + self.path
        self.gives_ids = gives_ids
        self._http = httpx.Client(timeout=30)

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def search(self, kind: str, **params: str) -> list[Json]:
        """Every resource of a type that matches."""
        found: list[Json] = []
        while True:
            page = {**params, "_count": "1000", "_offset": str(len(found))}
            answer = self._http.get(f"{self.url}/{kind}", params=page)
            assert answer.status_code == 200, answer.text
            entries = [e["resource"] for e in answer.json().get("entry", ())]
            found += entries
            if len(entries) < 1000:
                return found

    def ours(self, kinds: Iterable[str] = RESULTS) -> dict[str, Json]:
        """What it holds of ours, by type and our own id; fails where something is there twice."""
        held: dict[str, Json] = {}
        for kind in kinds:
            for body in self.search(kind):
                (own,) = [i["value"] for i in body["identifier"] if i["system"] == _OURS]
                assert f"{kind}/{own}" not in held, "something is there twice"
                held[f"{kind}/{own}"] = body
        return held

    def edit(self, body: Json, **changes: Any) -> Json:
        """Change a resource as someone else would (``None``: remove); returns what stands there."""
        changed = {k: v for k, v in {**body, **changes}.items() if v is not None}
        place = f"{self.url}/{body['resourceType']}/{body['id']}"
        headers = {"If-Match": f'W/"{body["meta"]["versionId"]}"'}
        answer = self._http.put(place, json=changed, headers=headers)
        assert answer.status_code == 200, answer.text
        held: Json = answer.json()
        return held

    def delete(self, body: Json) -> None:
        """Delete a resource as someone else would."""
        place = f"{self.url}/{body['resourceType']}/{body['id']}"
        assert self._http.delete(place).status_code == 200

    def versions(self, body: Json) -> int:
        """How many versions of a resource it keeps."""
        place = f"{self.url}/{body['resourceType']}/{body['id']}/_history"
        return len(self._http.get(place).json()["entry"])
