"""Small nights for tests of write-back: what a batch writes, made from findings by note."""

from __future__ import annotations

import hashlib
import json
import uuid
from pathlib import Path
from typing import Any

Json = dict[str, Any]
_BASE = "https://clinical-nlp.example/fhir"
#: By patient, by note: the note's text and its findings (concept: what is said of it).
Notes = dict[str, dict[str, tuple[str, dict[str, str]]]]


def own_id(*parts: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(parts)))


def night(folder: Path, notes: Notes, risk: dict[str, str], model: str = "1") -> Path:
    """Write the results of a night.

    Parameters
    ----------
    risk
        By patient: status or band of the estimate (``moderate``, ``raised``, ``suspected`` ...).
    """
    resources: dict[str, list[Json]] = {}

    def add(kind: str, own: str, body: Json) -> str:
        identifier = [{"system": f"{_BASE}/identifiers/result", "value": own}]
        made = {"resourceType": kind, "id": own, "identifier": identifier, **body}
        if kind == "Provenance":
            del made["identifier"]
        resources.setdefault(kind, []).append(made)
        return f"{kind}/{own}"

    def device(name: str, *versions: tuple[str, str]) -> str:
        version = [{"type": {"text": part}, "value": value} for part, value in versions]
        names = [{"name": name, "type": "model-name"}]
        own = own_id("Device", name, *(v for _, v in versions))
        return add("Device", own, {"deviceName": names, "version": version})

    reader = device("reader", ("software", "0.1"), ("pipeline", "cd"))
    estimator = device("hf-risk", ("model", model))
    for patient, written in notes.items():
        subject = {"reference": f"Patient/{patient}"}
        targets = []
        for note, (text, findings) in written.items():
            for concept, said in findings.items():
                own = own_id("Observation", patient, note, concept)
                body = {
                    "status": "preliminary", "code": {"text": concept}, "valueString": said,
                    "subject": subject, "device": {"reference": reader},
                    "derivedFrom": [{"reference": note, "extension": [_digest(text)]}],
                }  # fmt: skip
                targets.append(add("Observation", own, body))
        estimate = _assessment(add, patient, risk[patient], estimator, targets)
        sources = [{"reference": n, "extension": [_digest(t)]} for n, (t, _) in written.items()]
        for agent, said in ((reader, targets), (estimator, estimate)):
            if said:
                _provenance(add, patient, agent, said, sources)
    fhir = folder / "fhir"
    fhir.mkdir(parents=True, exist_ok=True)
    for old in fhir.iterdir():
        old.unlink()
    for kind, rows in resources.items():
        text = "".join(json.dumps(r) + "\n" for r in rows)
        (fhir / f"{kind}.ndjson").write_text(text, "utf-8")
    (folder / "run.json").write_text("{}", "utf-8")
    return folder


def _assessment(add: Any, patient: str, risk: str, agent: str, basis: list[str]) -> list[str]:
    subject = {"reference": f"Patient/{patient}"}
    status = risk if risk in ("suspected", "diagnosed", "abstained") else "scored"
    url = f"{_BASE}/StructureDefinition/hf-estimate-status"
    body: Json = {
        "status": "preliminary", "subject": subject, "performer": {"reference": agent},
        "extension": [{"url": url, "valueCoding": {"code": status}}],
        "basis": [{"reference": target} for target in basis],
    }  # fmt: skip
    if not basis:
        del body["basis"]
    if status == "scored":
        band = {"coding": [{"code": risk}]}
        body["prediction"] = [{"probabilityDecimal": 3.0, "qualitativeRisk": band}]
    assessment = add("RiskAssessment", own_id("RiskAssessment", patient), body)
    if risk not in ("raised", "markedly_raised", "suspected"):
        return [assessment]
    task = {
        "status": "requested", "intent": "proposal", "for": subject, "description": risk,
        "requester": {"reference": agent}, "focus": {"reference": assessment},
    }  # fmt: skip
    return [assessment, add("Task", own_id("Task", patient), task)]


def _provenance(add: Any, patient: str, agent: str, targets: list[str], notes: list[Json]) -> None:
    entities = [{"reference": f"Patient/{patient}"}, *notes]
    body = {
        "target": [{"reference": t} for t in targets], "agent": [{"who": {"reference": agent}}],
        "activity": {"coding": [{"code": "CREATE"}]}, "recorded": "2024-12-31T06:00:00Z",
        "entity": [{"role": "source", "what": what} for what in entities],
    }  # fmt: skip
    add("Provenance", own_id("Provenance", json.dumps(body)), body)


def _digest(text: str) -> Json:
    digest = hashlib.sha256(text.encode()).hexdigest()
    return {"url": f"{_BASE}/StructureDefinition/note-text-sha256", "valueString": digest}
