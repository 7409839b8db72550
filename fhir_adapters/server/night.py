"""What a night says: the resources that ``batch`` wrote to its folder ``fhir``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from clinical_nlp.artifacts import published
from clinical_nlp.errors import OutputError
from fhir_adapters.server.content import rank
from fhir_adapters.server.ledger import Ledger
from fhir_adapters.server.transport import Json


class Night:
    """The results of one run, read as a stream.

    Parameters
    ----------
    folder
        ``OUT`` of the batch.

    Raises
    ------
    OutputError
        E545: it holds no whole results of a batch.
    """

    def __init__(self, folder: Path) -> None:
        #: Folder of the run that counts when the night is opened.
        self.folder = published(folder)
        self._fhir = self.folder / "fhir"
        if not (self.folder / "run.json").is_file() or not self._fhir.is_dir():
            raise OutputError(
                "E545",
                f"'{folder.name}' holds no results of a whole run (run.json and fhir/); give the "
                "folder that 'clinical-nlp batch' wrote with --out.",
            )

    def resources(self, kind: str) -> Iterator[Json]:
        """Yield the resources of one type.

        Raises
        ------
        OutputError
            E545: a line is no JSON object.
        """
        path = self._fhir / f"{kind}.ndjson"
        if not path.is_file():
            return
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    resource: Json = json.loads(line)
                except ValueError:
                    raise OutputError(
                        "E545",
                        f"line {number} of fhir/{path.name} is no JSON: run the batch again.",
                    ) from None
                yield resource

    def record(self, ledger: Ledger, kinds: tuple[str, ...]) -> str:
        """Note in the ledger what tonight says and from which notes; return the reader's key."""
        reader = ""
        for kind in kinds:
            keys: list[str] = []
            for resource in self.resources(kind):
                keys.append(f"{kind}/{resource['id']}")
                if kind == "Device":
                    reader = _record_device(ledger, keys[-1], resource) or reader
                elif kind == "RiskAssessment":
                    ledger.record_rank(resource["subject"]["reference"], rank(resource))
            ledger.record_tonight(keys)
        for provenance in self.resources("Provenance"):
            _record_sources(ledger, provenance)
        return reader


def _record_device(ledger: Ledger, key: str, device: Json) -> str:
    """Note a Device by what ``retract`` is given; return its key where it is the reader."""
    versions = {v["type"]["text"]: v["value"] for v in device.get("version", ())}
    name = next((n["name"] for n in device["deviceName"] if n["type"] == "model-name"), "")
    if "pipeline" in versions:
        ledger.record_device(key, None, versions["pipeline"])
        return key
    ledger.record_device(key, f"{name}/{versions.get('model', '')}", None)
    return ""


def _record_sources(ledger: Ledger, provenance: Json) -> None:
    patient, notes = "", []
    for entity in provenance.get("entity", ()):
        what = entity.get("what", {})
        reference = what.get("reference") or (what.get("identifier") or {}).get("value", "")
        if not patient:  # it stands first
            patient = reference
            continue
        for extension in what.get("extension", ()):
            if str(extension.get("url", "")).endswith("/note-text-sha256"):
                notes.append((reference, extension["valueString"]))
    ledger.record_sources(patient, notes)
