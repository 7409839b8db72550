"""What a resource says: its subject, its sources, and what of it counts as a change."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fhir_adapters.server.transport import Json
from fhir_adapters.writing.ndjson import TYPES

#: Types in the order in which a server can take them: what is referred to goes first. A night's
#: Provenance is sent apart, for what was written (:mod:`fhir_adapters.server.origins`).
ORDER: Final = tuple(kind for kind in TYPES if kind != "Provenance")

#: What a resource of a type becomes when it is no longer said (R4, required bindings).
WITHDRAWN: Final = {
    "Observation": "entered-in-error",
    "FamilyMemberHistory": "entered-in-error",
    "RiskAssessment": "entered-in-error",
    "Task": "cancelled",
}

#: Status of a resource of a type as a night writes it.
WRITTEN: Final = {
    "Observation": "preliminary",
    "FamilyMemberHistory": "partial",
    "RiskAssessment": "preliminary",
    "Task": "requested",
}

#: Elements that hold the day of the run alone: by themselves they are no change.
_DAY_ELEMENTS: Final = {"RiskAssessment": ("occurrenceDateTime",), "Task": ("authoredOn",)}

#: States and bands of an estimate, from the least to the most pressing.
_RANKS: Final = ("low", "moderate", "raised", "markedly_raised", "suspected", "diagnosed")


@dataclass(frozen=True, slots=True)
class About:
    """What a resource is about, as the ledger keeps it.

    Parameters
    ----------
    key
        ``Type/id`` with the id of ours.
    patient, note, note_digest, agent
        References to the patient, the source note and the Device; SHA-256 of the note's text.
        Empty where there is none.
    material
        Hash of what counts as a change.
    """

    key: str
    patient: str
    note: str
    note_digest: str
    agent: str
    material: str

    @property
    def kind(self) -> str:
        """Resource type."""
        return self.key.partition("/")[0]


def about(resource: Json, reader: str = "") -> About:
    """Return what a resource of a night is about.

    Parameters
    ----------
    reader
        The night's reader Device: a FamilyMemberHistory has no element for it.
    """
    kind = resource["resourceType"]
    subject = resource.get("subject") or resource.get("patient") or resource.get("for") or {}
    agent = resource.get("device") or resource.get("performer") or resource.get("requester") or {}
    note, digest = _source_note(resource)
    return About(
        key=f"{kind}/{resource['id']}",
        patient=_target(subject),
        note=note,
        note_digest=digest,
        agent=_target(agent) or (reader if kind == "FamilyMemberHistory" else ""),
        material=digest_of(_material(resource)),
    )


def digest_of(value: object) -> str:
    """Return the SHA-256 of a JSON value, whatever the order of its keys."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def stored_digest(resource: Json) -> str:
    """Return the hash of what a server keeps of a resource, without what it adds itself.

    ``3.0`` and ``3`` are one number: servers written in JavaScript answer the second for the first.
    """
    kept = {k: v for k, v in resource.items() if k not in ("id", "meta", "text")}
    return digest_of(_with_plain_numbers(kept))


def _with_plain_numbers(value: Any) -> Any:  # noqa: ANN401  # any JSON value
    if isinstance(value, dict):
        return {name: _with_plain_numbers(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_with_plain_numbers(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def rank(assessment: Json) -> int:
    """Return how pressing a RiskAssessment is: 0 for an abstention."""
    codes = [
        e.get("valueCoding", {}).get("code")
        for e in assessment.get("extension", ())
        if str(e.get("url", "")).endswith("/hf-estimate-status")
    ]
    for prediction in assessment.get("prediction", ()):
        codes += [c.get("code") for c in prediction.get("qualitativeRisk", {}).get("coding", ())]
    return max((_RANKS.index(code) + 1 for code in codes if code in _RANKS), default=0)


def with_references(resource: Json, resolve: Callable[[str], str | None]) -> Json:
    """Return a copy whose references are the server's; ``basis`` without what it refused.

    Parameters
    ----------
    resolve
        The server's reference for one of ours, itself for any other; ``None`` where the server
        has not taken the resource.
    """
    made: Json = copy.deepcopy(resource)
    if "basis" in made:
        made["basis"] = [b for b in made["basis"] if resolve(_target(b)) is not None]
        if not made["basis"]:
            del made["basis"]
    for holder in _references(made):
        holder["reference"] = resolve(holder["reference"]) or holder["reference"]
    return made


def _references(value: Any) -> Iterator[Json]:  # noqa: ANN401  # any JSON value
    if isinstance(value, dict):
        if isinstance(value.get("reference"), str):
            yield value
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)


def _material(resource: Json) -> Json:
    left_out = _DAY_ELEMENTS.get(resource["resourceType"], ())
    said = {k: v for k, v in resource.items() if k not in left_out}
    if "prediction" in said:
        said["prediction"] = [
            {k: v for k, v in prediction.items() if k != "whenPeriod"}
            for prediction in said["prediction"]
        ]
    return said


def _source_note(resource: Json) -> tuple[str, str]:
    sources = resource.get("derivedFrom", ())
    note = _target(sources[0]) if sources else ""
    digest = ""
    for extension in [*resource.get("extension", ()), *_extensions(sources)]:
        url = str(extension.get("url", ""))
        if url.endswith("/note-text-sha256"):
            digest = extension.get("valueString", "")
        for part in extension.get("extension", ()):
            if not note and part.get("url") == "reference":
                note = _target(part.get("valueReference", {}))
    return note, digest


def _extensions(sources: Sequence[Json]) -> list[Json]:
    return [extension for source in sources for extension in source.get("extension", ())]


def _target(reference: Json) -> str:
    named = reference.get("reference") or (reference.get("identifier") or {}).get("value", "")
    return str(named)
