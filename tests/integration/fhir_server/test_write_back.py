"""A server in step with the nights, whatever people, networks and kills do in between."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fhir_nights import Notes, night, own_id
from fhir_server import FhirServer
from hypothesis import given, settings
from hypothesis import strategies as st

from clinical_nlp.errors import OutputError
from fhir_adapters.server.content import stored_digest
from fhir_adapters.server.ledger import Ledger
from fhir_adapters.server.night import Night
from fhir_adapters.server.sync import Delivery, WriteBack, retract_version
from fhir_adapters.server.transport import FhirClient

URL = "http://fhir.test/r4"
NOTES: Notes = {
    "p1": {"DocumentReference/n1": ("Disnea.", {"dyspnea": "sí"}),
           "DocumentReference/n2": ("Edemas.", {"edema": "sí", "fatigue": "no"})},
    "p2": {"DocumentReference/n3": ("Sin edemas.", {"edema": "no"})},
}  # fmt: skip
RISK = {"p1": "raised", "p2": "moderate"}


def client_of(server: FhirServer) -> FhirClient:
    return FhirClient(URL, wait=lambda seconds: None, transport=server)


def deliver(server: FhirServer, folder: Path, ledger: Path, workers: int = 1) -> Delivery:
    with client_of(server) as client, Ledger(ledger, URL) as kept:
        return WriteBack(client, kept, workers).send(Night(folder))


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


@pytest.fixture(params=[(True, True), (False, True), (True, False)], ids=str)
def server(request: Any) -> FhirServer:
    return FhirServer(*request.param)


def key_of(server: FhirServer, kind: str, *parts: str) -> str:
    """The server's own key of a resource of ours."""
    return f"{kind}/{server.by_identifier()[f'{kind}/{own_id(kind, *parts)}']['id']}"


def test_same_night_again_sends_nothing(server: FhirServer, tmp_path: Path, ledger: Path) -> None:
    out = night(tmp_path / "out", NOTES, RISK)
    first = deliver(server, out, ledger)
    assert first.total("created") == 4 + 2 + 1 + 2 and not first.refused
    writes = server.writes
    again = deliver(server, out, ledger)
    assert again.total("unchanged") == 9 and server.writes == writes
    assert ledger.stat().st_mode & 0o777 == 0o600


def test_withdrawn_note_is_taken_back_with_its_reason(
    server: FhirServer, tmp_path: Path, ledger: Path
) -> None:
    deliver(server, night(tmp_path / "out", NOTES, RISK), ledger)
    fewer = {**NOTES, "p1": {"DocumentReference/n1": NOTES["p1"]["DocumentReference/n1"]}}
    told = deliver(server, night(tmp_path / "out", fewer, {**RISK, "p1": "moderate"}), ledger)
    assert told.retracted == {"note-withdrawn": 2, "not-listed": 1}
    held = server.by_identifier()
    edema = f"Observation/{own_id('Observation', 'p1', 'DocumentReference/n2', 'edema')}"
    assert held[edema]["status"] == "entered-in-error"
    assert held[f"Task/{own_id('Task', 'p1')}"]["status"] == "cancelled"
    nullified = [
        p for k, p in server.current().items()
        if k.startswith("Provenance") and p["activity"]["coding"][0]["code"] == "NULLIFY"
    ]  # fmt: skip
    assert {t["reference"] for p in nullified for t in p["target"]} >= {
        key_of(server, "Observation", "p1", "DocumentReference/n2", "edema")
    }
    assert "ya no está" in json.dumps(nullified, ensure_ascii=False)


def test_what_a_clinician_changed_is_never_written_over(
    server: FhirServer, tmp_path: Path, ledger: Path
) -> None:
    deliver(server, night(tmp_path / "out", NOTES, RISK), ledger)
    theirs = key_of(server, "Observation", "p2", "DocumentReference/n3", "edema")
    server.edit(theirs, status="final", note=[{"text": "visto"}])
    changed = {**NOTES, "p2": {"DocumentReference/n3": ("Sin edemas.", {"edema": "dudoso"})}}
    told = deliver(server, night(tmp_path / "out", changed, RISK), ledger)
    assert ("Observation/" + own_id("Observation", "p2", "DocumentReference/n3", "edema"),
            "changed") in told.touched  # fmt: skip
    assert server.current()[theirs]["status"] == "final"
    gone = deliver(server, night(tmp_path / "out", {"p1": NOTES["p1"]}, RISK), ledger)
    assert server.current()[theirs]["status"] == "final" and gone.retracted["patient-gone"] == 1


@pytest.mark.parametrize("is_noticed", [True, False], ids=["noticed before", "noticed now"])
def test_finished_task_opens_again_with_what_people_added_when_the_band_rises(
    server: FhirServer, tmp_path: Path, ledger: Path, is_noticed: bool
) -> None:
    deliver(server, night(tmp_path / "out", NOTES, RISK), ledger)
    task = key_of(server, "Task", "p1")
    theirs = {"note": [{"text": "visto"}], "owner": {"display": "Dra. A"}}
    server.edit(task, status="completed", statusReason={"text": "hecho"}, **theirs)
    if is_noticed:
        deliver(server, night(tmp_path / "out", NOTES, RISK, model="2"), ledger)
        assert server.current()[task]["status"] == "completed"
    deliver(server, night(tmp_path / "out", NOTES, {**RISK, "p1": "suspected"}), ledger)
    held = server.current()[task]
    assert held["status"] == "requested" and held["description"] == "suspected"
    assert {k: held.get(k) for k in theirs} == theirs and "statusReason" not in held
    # And what they added outlives the nights after it.
    deliver(server, night(tmp_path / "out", NOTES, {**RISK, "p1": "raised"}, model="3"), ledger)
    held = server.current()[task]
    assert held["description"] == "raised" and held["note"] == theirs["note"]
    deliver(server, night(tmp_path / "out", NOTES, {**RISK, "p1": "low"}, model="3"), ledger)
    assert server.current()[task]["status"] == "cancelled"
    assert server.current()[task]["note"] == theirs["note"]


@pytest.mark.parametrize("status", ["received", "accepted", "in-progress", "on-hold"])
def test_task_that_someone_works_on_is_left_when_the_band_rises(
    server: FhirServer, tmp_path: Path, ledger: Path, status: str
) -> None:
    deliver(server, night(tmp_path / "out", NOTES, RISK), ledger)
    task = key_of(server, "Task", "p1")
    server.edit(task, status=status, owner={"display": "Dra. A"})
    before = server.current()[task]
    told = deliver(server, night(tmp_path / "out", NOTES, {**RISK, "p1": "suspected"}), ledger)
    assert [key.split("/")[0] for key, _ in told.touched] == ["Task"]
    deliver(server, night(tmp_path / "out", NOTES, {**RISK, "p1": "diagnosed"}), ledger)
    assert server.current()[task] == before


def test_cut_export_takes_nothing_back(tmp_path: Path, ledger: Path) -> None:
    server = FhirServer()
    many: Notes = {
        f"p{n}": {f"DocumentReference/{n}": (f"nota {n}", {"edema": "sí"})} for n in range(150)
    }
    risk = dict.fromkeys(many, "moderate")
    deliver(server, night(tmp_path / "out", many, risk), ledger)
    few = {patient: many[patient] for patient in list(many)[:30]}
    cut = night(tmp_path / "cut", few, risk)
    writes = server.writes
    with pytest.raises(OutputError, match="E546"):
        deliver(server, cut, ledger)
    assert server.writes == writes
    with client_of(server) as client, Ledger(ledger, URL) as kept:
        told = WriteBack(client, kept).send(Night(cut), accept_drop=True)
    assert told.retracted == {"patient-gone": 240}


def test_resource_refused_once_is_taken_back_when_it_is_gone(
    server: FhirServer, tmp_path: Path, ledger: Path
) -> None:
    deliver(server, night(tmp_path / "out", NOTES, RISK), ledger)
    edema = key_of(server, "Observation", "p2", "DocumentReference/n3", "edema")
    server.refuse = lambda body: body.get("valueString") == "dudoso"
    changed = {**NOTES, "p2": {"DocumentReference/n3": ("Sin edemas.", {"edema": "dudoso"})}}
    assert deliver(server, night(tmp_path / "out", changed, RISK), ledger).refused
    with Ledger(ledger, URL) as kept:
        assert any(row.server_id in edema for row in kept.written_by(None, "cd"))
    deliver(server, night(tmp_path / "out", {**NOTES, "p2": {}}, RISK), ledger)
    assert server.current()[edema]["status"] == "entered-in-error"


def test_new_model_leaves_observations_as_they_are(
    server: FhirServer, tmp_path: Path, ledger: Path
) -> None:
    deliver(server, night(tmp_path / "out", NOTES, RISK), ledger)
    told = deliver(server, night(tmp_path / "out", NOTES, RISK, model="2"), ledger)
    assert told.counts["Observation", "unchanged"] == 4
    assert told.counts["RiskAssessment", "updated"] == 2
    assert told.counts["Device", "created"] == 1


def test_refused_resource_leaves_the_others_and_no_text(tmp_path: Path, ledger: Path) -> None:
    server = FhirServer()
    server.refuse = lambda body: body.get("code") == {"text": "fatigue"}
    told = deliver(server, night(tmp_path / "out", NOTES, RISK), ledger)
    ((key, why),) = told.refused
    assert key.startswith("Observation/") and why == "422 business-rule"
    assert told.counts["RiskAssessment", "created"] == 2  # its basis without the refused one
    assert "García" not in json.dumps(told.to_json(), ensure_ascii=False)


def test_refused_provenance_is_listed_and_sent_the_next_night(tmp_path: Path, ledger: Path) -> None:
    server = FhirServer()
    server.refuse = lambda body: body["resourceType"] == "Provenance"
    out = night(tmp_path / "out", NOTES, RISK)
    told = deliver(server, out, ledger)
    assert {key.split("/")[0] for key, _ in told.refused} == {"Provenance"}
    server.refuse = lambda body: False
    assert not deliver(server, out, ledger).refused
    assert any(key.startswith("Provenance/") for key in server.current())


def test_retract_takes_back_what_one_model_wrote_last(
    server: FhirServer, tmp_path: Path, ledger: Path
) -> None:
    deliver(server, night(tmp_path / "out", NOTES, RISK), ledger)
    with client_of(server) as client, Ledger(ledger, URL) as kept:
        rows = kept.written_by("hf-risk/1", None)
        told = retract_version(WriteBack(client, kept), kept, rows)
    assert told.retracted == {"version-withdrawn": 3}
    statuses = {k.split("/")[0]: b.get("status") for k, b in server.current().items()}
    assert statuses["RiskAssessment"] == "entered-in-error" and statuses["Task"] == "cancelled"
    assert statuses["Observation"] == "preliminary"


def test_threads_make_no_duplicates(tmp_path: Path, ledger: Path) -> None:
    server = FhirServer(update_create=False)
    many: Notes = {
        f"p{n}": {f"DocumentReference/{n}": (f"nota {n}", {"edema": "sí"})} for n in range(60)
    }
    deliver(server, night(tmp_path / "out", many, dict.fromkeys(many, "raised")), ledger, 8)
    kinds = [k.split("/")[0] for k in server.current()]
    assert kinds.count("Observation") == kinds.count("Task") == 60


@pytest.mark.parametrize("fault", ["after", "after-500"])
def test_lost_answers_make_no_duplicates_where_if_none_exist_is_ignored(
    tmp_path: Path, ledger: Path, fault: str
) -> None:
    server = FhirServer(update_create=False)
    server.honours_if_none_exist = False
    seen: set[bytes] = set()

    def once_each(request: httpx.Request) -> str:
        is_first = request.method == "POST" and request.content not in seen
        seen.add(request.content)
        return fault if is_first and b"Provenance" not in request.content else ""

    server.fault = once_each
    deliver(server, night(tmp_path / "out", NOTES, RISK), ledger)
    identified = [b for b in server.current().values() if b.get("identifier")]
    assert len(identified) == len(server.by_identifier()) == 4 + 2 + 1 + 2


def test_create_that_cannot_be_looked_for_is_not_repeated(tmp_path: Path, ledger: Path) -> None:
    server = FhirServer(update_create=False)
    posts = [0]

    def lost_then_no_search(request: httpx.Request) -> str:
        is_about = "/Observation" in request.url.path
        posts[0] += is_about and request.method == "POST"
        if is_about and request.method == "GET" and posts[0]:
            return "403"
        return "after" if is_about and posts[0] == 1 else ""

    server.fault = lost_then_no_search
    out = night(tmp_path / "out", {"p2": NOTES["p2"]}, RISK)
    assert "403" in {why for _, why in deliver(server, out, ledger).refused}
    assert posts[0] == 1
    server.fault = lambda request: ""
    deliver(server, out, ledger)
    kinds = [key.split("/")[0] for key in server.current()]
    assert kinds.count("Observation") == 1


def test_no_server_and_a_refused_token_have_a_code(tmp_path: Path, ledger: Path) -> None:
    out, server = night(tmp_path / "out", NOTES, RISK), FhirServer()
    for fault, code in (("before", "E541"), ("401", "E542"), ("404", "E543")):
        server.fault = lambda request, fault=fault: fault
        with pytest.raises(OutputError) as caught:
            deliver(server, out, ledger)
        assert caught.value.code == code
    with pytest.raises(OutputError, match="E545"):
        Night(tmp_path)
    with pytest.raises(OutputError, match="E544"), Ledger(ledger, "http://other.test"):
        pass


class Killed(BaseException):
    """The process dies between two requests."""


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**9))
def test_random_nights(seed: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    """After each night the server holds what a full run says, and what people decided."""
    rng = random.Random(seed)
    folder = tmp_path_factory.mktemp("nights")
    server = FhirServer(update_create=rng.random() < 0.5, versioned=rng.random() < 0.8)
    theirs: dict[str, dict[str, Any]] = {}
    for number in range(5):
        notes, risk = _drawn(rng)
        out = night(folder / "out", notes, risk, model=str(1 + number // 3))
        for _ in range(20):
            server.fault = _faults(rng, server.update_create)
            try:
                deliver(server, out, folder / "ledger.sqlite")
                break
            except (Killed, OutputError):
                continue  # and the command is run again
        else:
            server.fault = lambda request: ""
            deliver(server, out, folder / "ledger.sqlite")
        server.fault = lambda request: ""
        _check(server, out, theirs)
        for key in rng.sample(sorted(server.current()), k=2):
            if key.startswith(("Observation/", "Task/", "RiskAssessment/")):
                is_task = key.startswith("Task/")
                status = rng.choice(["completed", "in-progress"]) if is_task else "final"
                server.edit(key, status=status, note=[{"text": f"visto {number}"}])
                theirs[key] = server.current()[key]


def _drawn(rng: random.Random) -> tuple[Notes, dict[str, str]]:
    notes: Notes = {}
    for patient in rng.sample(["p1", "p2", "p3"], k=rng.randint(1, 3)):
        notes[patient] = {}
        for n in rng.sample(range(3), k=rng.randint(0, 3)):
            findings = rng.sample(["edema", "dyspnea", "fatigue"], k=rng.randint(0, 3))
            said = {concept: rng.choice(["sí", "no"]) for concept in findings}
            text = rng.choice(["una", "otra"])
            notes[patient][f"DocumentReference/{patient}-{n}"] = (text, said)
    bands = ["low", "moderate", "raised", "markedly_raised", "suspected", "diagnosed", "abstained"]
    return notes, {patient: rng.choice(bands) for patient in notes}


def _faults(rng: random.Random, is_idempotent: bool) -> Callable[[httpx.Request], str]:
    share = rng.choice([0.0, 0.05, 0.15])

    def fault(request: httpx.Request) -> str:
        if rng.random() >= share:
            return ""
        kind = rng.choice(["before", "after", "429", "503", "after-500", "kill"])
        if kind == "kill":
            raise Killed
        is_post = request.method == "POST"
        return "429" if is_post and kind.startswith("after") and not is_idempotent else kind

    return fault


def _expected(out: Path) -> Iterator[dict[str, Any]]:
    for path in (out / "fhir").iterdir():
        if path.stem in ("Observation", "RiskAssessment", "Task"):
            yield from map(json.loads, path.read_text("utf-8").splitlines())


def _check(server: FhirServer, out: Path, theirs: dict[str, dict[str, Any]]) -> None:
    held, said = server.by_identifier(), set()
    keys = {f"{b['resourceType']}/{b['id']}": k for k, b in held.items()}
    identified = [b for b in server.current().values() if b.get("identifier")]
    assert len(identified) == len(held), "something is there twice"
    for resource in _expected(out):
        own = f"{resource['resourceType']}/{resource['id']}"
        said.add(own)
        body = held[own]
        place = f"{body['resourceType']}/{body['id']}"
        if place in theirs and body == theirs[place]:
            continue
        if place in theirs:  # only a finished Task opens again, and keeps what they wrote
            edited = theirs[place]
            assert place.startswith("Task/") and edited["status"] in ("completed", "requested")
            assert body["note"] == edited["note"]
            theirs[place] = body
            resource = {**resource, "note": edited["note"]}
        for drop in ("basis", "focus", "device", "performer", "requester"):
            body, resource = ({k: v for k, v in r.items() if k != drop} for r in (body, resource))
        assert stored_digest(body) == stored_digest(resource)
    for place, own in keys.items():
        if own in said or own.startswith("Device/"):
            continue
        if place in theirs and theirs[place]["status"] not in ("requested", "cancelled"):
            assert held[own] == theirs[place]
        else:
            assert place not in theirs or held[own]["note"] == theirs[place]["note"]
            assert held[own]["status"] in ("entered-in-error", "cancelled")
