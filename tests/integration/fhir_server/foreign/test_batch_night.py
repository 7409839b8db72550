"""A real batch's output on a server of others, and the searches that apps make there."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fault_proxy import Proxy, fault_proxy
from foreign_server import Foreign
from held_resources import check_in_step, said

from fhir_adapters.server.ledger import Ledger
from fhir_adapters.server.night import Night
from fhir_adapters.server.sync import Delivery, WriteBack
from fhir_adapters.server.transport import FhirClient

Json = dict[str, Any]


#: Patients of the night. A server in memory searches all that it holds before each conditional
#: create: with ids of its own it gets fewer.
_OWN_IDS, _ANY_IDS = 3, 10


@pytest.fixture(scope="module", params=[_OWN_IDS, _ANY_IDS], ids=["own-ids", "any-ids"])
def filled(request: Any, origin: str, demo_batch: Path, tmp_path_factory: Any) -> Iterator[Any]:
    """A server that has a batch's night of some patients, its proxy, the ledger and the night."""
    folder = tmp_path_factory.mktemp("night")
    out, ledger = folder / "out", folder / "ledger.sqlite"
    shutil.copytree(demo_batch / "out" / "fhir", out / "fhir")
    shutil.copy(demo_batch / "out" / "run.json", out)
    with_task = [_patient(r) for r in said(out, "Task")]
    others = {_patient(r) for r in said(out, "RiskAssessment")} - {with_task[0]}
    _keep(out, {with_task[0], *sorted(others)[: request.param - 1]})
    foreign = Foreign(origin, request.param == _OWN_IDS)
    with fault_proxy(origin, foreign.path) as proxy:
        first = deliver(proxy, out, ledger)
        assert not first.refused and not first.touched
        yield foreign, proxy, ledger, out
    foreign.close()


def deliver(proxy: Proxy, out: Path, ledger: Path) -> Delivery:
    with FhirClient(proxy.url) as client, Ledger(ledger, proxy.url) as kept:
        return WriteBack(client, kept).send(Night(out))


def test_first_night_stands_on_the_server_as_the_files_say(filled: Any) -> None:
    foreign, proxy, ledger, out = filled
    check_in_step(foreign, out)
    writes = proxy.writes
    assert deliver(proxy, out, ledger).total("created", "updated", "found") == 0
    assert proxy.writes == writes


def test_definitions_stand_there_once(filled: Any) -> None:
    foreign, _, _, out = filled
    for kind in ("CodeSystem", "StructureDefinition"):
        held = [body["url"] for body in foreign.search(kind)]
        assert sorted(held) == sorted(r["url"] for r in said(out, kind))


@pytest.mark.parametrize(
    ("kind", "search"),
    [
        ("RiskAssessment", {"patient": "PATIENT"}),
        ("RiskAssessment", {"subject": "PATIENT", "_sort": "-date"}),
        ("RiskAssessment", {"date": "ge2000-01-01"}),
        ("RiskAssessment", {"method": "METHOD"}),
        ("RiskAssessment", {"_security": "AIAST"}),
        ("RiskAssessment", {"performer": "DEVICE"}),
        ("Task", {"priority": "PRIORITY"}),
        ("Task", {"status": "requested"}),
        ("Task", {"patient": "PATIENT"}),
        ("Observation", {"patient": "PATIENT", "status": "preliminary"}),
        ("Observation", {"patient": "PATIENT", "code": "CODE"}),
        ("Provenance", {"target": "TARGET"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "+".join(value),
)
def test_what_an_app_searches_is_found(kind: str, search: dict[str, str], filled: Any) -> None:
    foreign, _, _, _ = filled
    wanted = foreign.search("Task")[0]
    patient = wanted["for"]["reference"]
    observation = foreign.search("Observation", patient=patient)[0]
    assessment = foreign.search("RiskAssessment", patient=patient)[0]
    values = {
        "PATIENT": patient, "PRIORITY": wanted["priority"],
        "DEVICE": assessment["performer"]["reference"],
        "METHOD": "|".join(assessment["method"]["coding"][0][k] for k in ("system", "code")),
        "CODE": "|".join(observation["code"]["coding"][0][k] for k in ("system", "code")),
        "TARGET": f"Observation/{observation['id']}",
    }  # fmt: skip
    found = foreign.search(kind, **{k: values.get(v, v) for k, v in search.items()})
    everything = foreign.search(kind)
    assert found
    if {"patient", "subject"} & search.keys():
        assert {_patient(body) for body in found} == {patient}
        assert kind == "Task" or len(found) < len(everything)


def test_task_that_someone_took_is_found_by_its_owner(filled: Any) -> None:
    foreign, _, _, _ = filled
    task, owner = foreign.search("Task")[0], "Practitioner/dra-a"
    assert not foreign.search("Task", owner=owner)
    taken = foreign.edit(task, status="accepted", owner={"reference": owner})
    assert [body["id"] for body in foreign.search("Task", owner=owner)] == [task["id"]]
    foreign.edit(taken, status="requested", owner=None)


def test_patient_who_left_and_one_whose_task_is_done(filled: Any, tmp_path: Path) -> None:
    foreign, proxy, ledger, out = filled
    held = foreign.ours(["Task"])
    key, task = next(iter(held.items()))
    theirs = {key: foreign.edit(task, status="completed", note=[{"text": "visto"}])}
    fewer = tmp_path / "out"
    shutil.copytree(out, fewer)
    patients = sorted({_patient(r) for r in said(out, "RiskAssessment")})
    gone = next(p for p in patients if p != task["for"]["reference"])
    _keep(fewer, set(patients) - {gone})
    told = deliver(proxy, fewer, ledger)
    assert told.retracted["patient-gone"] == sum(told.retracted.values()) > 0
    check_in_step(foreign, fewer, theirs)


def _patient(resource: Json) -> str:
    subject = resource.get("subject") or resource.get("patient") or resource.get("for") or {}
    return str(subject.get("reference", ""))


def _keep(out: Path, patients: set[str]) -> None:
    """Leave only what is about some patients, and what is about none."""
    for path in (out / "fhir").iterdir():
        resources = map(json.loads, path.read_text("utf-8").splitlines())
        kept = [r for r in resources if _about(r) in {"", *patients}]
        path.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in kept), "utf-8")


def _about(resource: Json) -> str:
    if resource["resourceType"] == "Provenance":
        named = [e["what"].get("reference", "") for e in resource.get("entity", ())]
        return next((n for n in named if n.startswith("Patient/")), "")
    return _patient(resource)
