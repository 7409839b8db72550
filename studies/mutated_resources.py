"""Mutated resources and notes: what a simulated export has and lacks, damaged at random."""

from __future__ import annotations

import base64
import gzip
import json
import random
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from clinical_nlp.simulation import load_parameters, simulate_patients
from fhir_adapters.simulated.export import SimulatedExport

#: Most characters of a note: the reader's faults do not need long ones.
NOTE = 400
PATIENTS = 40

Json = dict[str, Any]
Mutation = Callable[[random.Random, Any], Any]

# --- What the simulated export lacks ---------------------------------------------------

_SNOMED = {"system": "http://snomed.info/sct", "code": "84114007"}
_LOINC = {"system": "http://loinc.org", "code": "33762-6"}
_ABOUT = {"reference": "Patient/s1-000001"}


def _more(text: str) -> list[Json]:
    """Resources of other types, and of FHIR STU3 and R5."""
    concept = {"coding": [_SNOMED], "text": "IC"}
    attachment = {"contentType": "text/plain", "data": base64.b64encode(text.encode()).decode()}
    about = {"subject": _ABOUT}
    rows: list[Json] = [
        {"resourceType": "DiagnosticReport", "status": "final", "conclusion": text},
        {"resourceType": "DiagnosticReport", "status": "final", "presentedForm": [attachment]},
        {
            "resourceType": "Composition",
            "status": "final",
            "section": [
                {"title": "AP", "text": {"status": "generated", "div": f"<div>{text}</div>"}}
            ],
        },
        {"resourceType": "Medication", "code": concept},
        {
            "resourceType": "MedicationStatement",
            "status": "active",
            "taken": "n",
            "medicationCodeableConcept": concept,
        },
        {
            "resourceType": "MedicationStatement",
            "status": "recorded",
            "medication": {"concept": concept},
        },
        {
            "resourceType": "MedicationRequest",
            "status": "active",
            "intent": "order",
            "medicationReference": {"reference": "Medication/x3"},
        },
        {
            "resourceType": "Condition",
            "clinicalStatus": "active",
            "verificationStatus": "refuted",
            "code": concept,
            "assertedDate": "2020-02-03",
        },
        {"resourceType": "Procedure", "status": "completed", "notDone": True, "code": concept},
        {
            "resourceType": "Observation",
            "status": "final",
            "code": {"coding": [_LOINC]},
            "valueString": "> 35.000 pg/mL",
            "effectiveDateTime": "2020-02-03",
        },
        {"resourceType": "Observation", "status": "final", "code": {"coding": [_LOINC]}},
        {
            "resourceType": "Encounter",
            "status": "completed",
            "class": [concept],
            "actualPeriod": {"start": "2020-01-02"},
        },
        {
            "resourceType": "DocumentReference",
            "status": "current",
            "context": [_ABOUT],
            "content": [{"attachment": attachment}],
            "date": "2020-01-02",
            "relatesTo": [
                {
                    "code": {"coding": [{"code": "replaces"}]},
                    "target": {"reference": "DocumentReference/s1-000001-d1"},
                }
            ],
        },
        {
            "resourceType": "Patient",
            "birthDate": "1950",
            "link": [{"other": _ABOUT, "type": "replaced-by"}],
        },
        {
            "resourceType": "Bundle",
            "type": "transaction",
            "entry": [
                {"request": {"method": "DELETE", "url": "Condition/s1-000002-c1"}},
                {"resource": {"resourceType": "Condition", "id": "b1", "code": concept, **about}},
            ],
        },
    ]
    for number, row in enumerate(rows):
        row["id"] = f"x{number}"
        if row["resourceType"] not in ("Patient", "Medication", "Bundle"):
            row |= about
    return rows


def base_resources() -> list[Json]:
    """Resources of a small simulated export, their notes cut, and those it lacks."""
    folder = Path(tempfile.mkdtemp())
    with SimulatedExport(folder / "export") as export:
        for person in simulate_patients(PATIENTS, 1, load_parameters()):
            export.write(person.record, person.identity)
    found: list[Json] = []
    for path in sorted((folder / "export").iterdir()):
        data = path.read_bytes()
        lines = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
        found.extend(json.loads(line) for line in lines.splitlines())
    shutil.rmtree(folder)
    for resource in found:
        for content in resource.get("content", []):
            _cut(content["attachment"])
        if resource["resourceType"] == "Binary":
            _cut(resource)
    return found + _more("Disnea de esfuerzo. FEVI 38 %. NT-proBNP 1.850 pg/mL. Niega ortopnea.")


def _cut(holder: Json) -> None:
    if "data" in holder:
        data = base64.b64decode(holder["data"])[:NOTE]
        holder["data"] = base64.b64encode(data).decode()


# --- Mutations of a value --------------------------------------------------------------

_ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1e308, -1e308, 10**400, 0.1, "", " ", "x", "\ud83d", "\udc00 ñ",
    "\x00", "\x1b[31m", "\u202e", "\ufeff", "<b>x", "{\\rtf1 \\u-10179?}", "=1+1", "a" * 3000,
    [], [None], [[]], {}, {"": ""}, [1, "a", None, {}], "0000-00-00", "2024-02-30", "1066-10-14",
    "9999-12-31", "2026-13-01T99:99:99+99:99", "01/02/2020", "20200102", 20200102, "#", "#x",
    "Patient/", "urn:uuid:", "Patient/s1-000003", "Binary/s1-000000-d1-b", "http://[bad", "2.000",
    "> 35.000 pg/mL", "1,25", "38 %", "٣٨", "½", "1e5", "-0", "NaN", "١٢/٠٣", "1 250", "120/80",
)  # fmt: skip
_TEXTS = (
    "<p>Niega:</p><ul><li>disnea<li>ortopnea</ul>", "&#xD83D; &#0; &#999999999; &nbsp", "<" * 200,
    "{\\rtf1\\ansi{\\b Disnea}} Edemas {\\u-10179?\\u-8704?", "\\u-10179?", "{" * 500,
    "| Disnea | No |\n|---|---|\n| FEVI | 38 % |", "[x] Disnea [ ] Ortopnea", "\ufeffDisnea",
    "FEVI " + "9" * 400, "TA 1" + "20/80 " * 80, "NT-proBNP 1.850.000.000.000.000 pg/mL",
    "\n" * 300, "\t" * 300, "." * 300, "no " * 200, "Disnea" + "\u0301" * 200, "e\u0301" * 100,
    "Â¿DÃ­snea?", "\u2028\u2029\x85\x0b\x0c", "😀" * 50 + " disnea", "ﬁebre ½ ² µ Å", "\x00" * 20,
    "31/02/2023 FEVI 38", "el 99/99/9999", "٣٨ %", "Ⅷ", "disnea" * 200, "-" * 400, "1" * 3000,
    "peso 1e309 kg", "peso 00000000000000000000080 kg", "hace 99999999999999 años disnea",
    "desde el año 0000", "hace 3 siglos", "TA ../..", "(((((((((((((((", "« » “ ” ‘ ’", "S/N S/N",
)  # fmt: skip


_MEDIA = (
    "text/plain", "text/html", "application/rtf", "text/plain; charset=utf-16", "", "image/png",
    "text/plain; charset=cp850", "text/plain; charset=klingon", "application/octet-stream",
    "text/html; charset=iso-8859-1", "application/xhtml+xml", "text/rtf", "TEXT/PLAIN;charset=",
)  # fmt: skip


def _encodings(rng: random.Random, text: str) -> bytes:
    codec = rng.choice(("utf-8", "utf-16", "utf-16-le", "utf-32", "cp1252", "cp850", "utf-8-sig"))
    return text.encode(codec, "replace")


def _note(rng: random.Random, data: str) -> str:
    """Another content of an attachment: its own bytes damaged, an odd text, or noise."""
    try:
        content = base64.b64decode(data)
    except ValueError:
        content = data.encode("utf-8", "replace")
    kind = rng.randrange(8)
    if kind == 0:
        content = rng.randbytes(rng.randrange(NOTE))
    elif kind == 1:
        content = _encodings(rng, rng.choice(_TEXTS))
    elif kind == 2:
        place = rng.randrange(len(content) + 1)
        middle = rng.choice(_TEXTS).encode("utf-8", "replace")
        content = content[:place] + middle + content[place:]
    elif kind == 3:
        content = content[: rng.randrange(len(content) + 1)]
    elif kind == 4:
        content = bytes(b if rng.random() > 0.02 else rng.randrange(256) for b in content)
    elif kind == 5:
        marks = (b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"%PDF-", b"{\\rtf1 ", b"<html>", b"PK")
        content = rng.choice(marks) + content
    elif kind == 6:
        content = _shuffled(rng, content)
    else:
        return data[: rng.randrange(len(data) + 1)] + rng.choice(("", "=", "%", "\n", "ñ"))
    return base64.b64encode(content).decode()


def _shuffled(rng: random.Random, content: bytes) -> bytes:
    """Lines and words in another order: odd neighbours, as of a form that lost its layout."""
    words = content.split(b" ")
    rng.shuffle(words)
    return rng.choice((b" ", b"\n", b"\t", b": ", b" | ", b"...")).join(words)


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:  # noqa: ANN401
    if path:
        yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _paths(inner, (*path, key))
    elif isinstance(value, list):
        for key, inner in enumerate(value):
            yield from _paths(inner, (*path, key))


def mutate(rng: random.Random, resource: Json) -> Json:
    """Mutate one place of a resource."""
    resource = json.loads(json.dumps(resource))
    path = rng.choice(list(_paths(resource)))
    holder: Any = resource
    for step in path[:-1]:
        holder = holder[step]
    key, value = path[-1], holder[path[-1]]
    kind = rng.randrange(10)
    if key == "data" or (isinstance(value, str) and kind < 2 and key != "id"):
        holder[key] = _note(rng, str(value)) if key == "data" else rng.choice(_TEXTS)
    elif kind == 0:
        del holder[key]
    elif kind == 1:
        holder[key] = [value, value]
    elif kind == 2:
        holder[key] = {"value": value}
    elif kind == 3:
        for _ in range(rng.choice((1, 40, 200))):
            value = [value] if rng.random() < 0.5 else {"x": value}
        holder[key] = value
    elif kind == 4 and isinstance(holder, dict):
        holder[rng.choice(("extension", "valueQuantity", "contained", "é", "link", "value"))] = (
            value
        )
    elif kind == 5 and isinstance(value, list):
        value.insert(rng.randrange(len(value) + 1), rng.choice(_ODD))
    else:
        holder[key] = rng.choice(_ODD)
    return resource


def _with_other_note(rng: random.Random, resource: Json) -> Json:
    """Mutate the text alone."""
    resource = json.loads(json.dumps(resource))
    holders = [resource, *(content["attachment"] for content in resource.get("content", []))]
    for holder in holders:
        if "data" in holder:
            holder["data"] = _note(rng, holder["data"])
            if rng.random() < 0.3:
                holder["contentType"] = rng.choice(_MEDIA)
    return resource


def line_of(rng: random.Random, resource: Json) -> bytes:
    """Write a resource as a line, now and then as no JSON at all."""
    # A patient who is lost takes all that is theirs, and the later stages would see little.
    if rng.random() < (0.7 if resource["resourceType"] == "Patient" else 0.15):
        return json.dumps(resource).encode()
    holders = [resource, *(content["attachment"] for content in resource.get("content", []))]
    if rng.random() < 0.7 and any("data" in holder for holder in holders):
        return json.dumps(_with_other_note(rng, resource)).encode()
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        resource = mutate(rng, resource)
    ascii_only = rng.random() < 0.7
    line = json.dumps(resource, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    kind = rng.randrange(40)
    if kind == 0:
        line = line[: rng.randrange(len(line) + 1)]
    elif kind == 1:
        line = b"\xef\xbb\xbf" + line
    elif kind == 2:
        place = rng.randrange(len(line) + 1)
        line = line[:place] + rng.randbytes(3) + line[place:]
    elif kind == 3:
        line = rng.choice((b"null", b"[]", b"{", b"NaN", b"\x00" * 9, b"[" * 3000, line + line))
    elif kind == 4:
        line = b"[" + line + b"]"
    elif kind == 5:
        line = b'{"resourceType":"Bundle","entry":[{"resource":' + line + b"}]}"
    return line.replace(b"\r", b" ").replace(b"\n", b" ")
