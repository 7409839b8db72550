"""Nights on a server that this project did not write, by the commands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fault_proxy import Proxy
from fhir_nights import Notes, night, own_id
from foreign_server import Foreign
from held_resources import check_in_step
from typer.testing import CliRunner

from clinical_nlp.cli.app import app

NOTES: Notes = {
    "p1": {"DocumentReference/n1": ("Disnea.", {"dyspnea": "sí"}),
           "DocumentReference/n2": ("Edemas.", {"edema": "sí", "fatigue": "no"})},
    "p2": {"DocumentReference/n3": ("Sin edemas.", {"edema": "no"})},
}  # fmt: skip
RISK = {"p1": "raised", "p2": "moderate"}
Send = Callable[..., str]


@pytest.fixture
def send(proxy: Proxy, ledger: Path, tmp_path: Path) -> Send:
    """Write a night back with the command; gives what it prints."""

    def run(notes: Notes = NOTES, risk: dict[str, str] = RISK, model: str = "1") -> str:
        out = night(tmp_path / "out", notes, risk, model)
        options = ["--server", proxy.url, "--ledger", str(ledger)]
        done = CliRunner().invoke(app, ["write-back", str(out), *options])
        assert done.exit_code == 0, done.output
        return done.output

    return run


def test_unchanged_night_sends_nothing(
    foreign: Foreign, proxy: Proxy, send: Send, tmp_path: Path
) -> None:
    assert send().startswith("9 created, 0 updated")
    check_in_step(foreign, tmp_path / "out")
    writes = proxy.writes
    assert "9 unchanged" in send()
    assert proxy.writes == writes


def test_changed_night_updates_in_place(foreign: Foreign, send: Send, tmp_path: Path) -> None:
    send()
    read_again = {**NOTES, "p2": {"DocumentReference/n3": ("Sin edemas.", {"edema": "dudoso"})}}
    send(read_again, {**RISK, "p2": "raised"})
    check_in_step(foreign, tmp_path / "out")
    assessment = foreign.ours()[f"RiskAssessment/{own_id('RiskAssessment', 'p2')}"]
    assert foreign.versions(assessment) == 2  # the server keeps what it was


def test_withdrawn_note_is_taken_back(foreign: Foreign, send: Send, tmp_path: Path) -> None:
    send()
    send({"p1": {"DocumentReference/n1": NOTES["p1"]["DocumentReference/n1"]}, "p2": {}})
    check_in_step(foreign, tmp_path / "out")
    edema = foreign.ours()[
        f"Observation/{own_id('Observation', 'p1', 'DocumentReference/n2', 'edema')}"
    ]
    assert edema["status"] == "entered-in-error"
    reasons = [
        (t["reference"], p["reason"][0]["text"])
        for p in foreign.search("Provenance")
        if p["activity"]["coding"][0]["code"] == "NULLIFY"
        for t in p["target"]
    ]
    assert (f"Observation/{edema['id']}", "La nota de origen ya no está en la historia.") in reasons
    # The note comes back, and what it said with it.
    send()
    check_in_step(foreign, tmp_path / "out")


def test_what_clinicians_decided_stands(foreign: Foreign, send: Send, tmp_path: Path) -> None:
    send()
    held = foreign.ours()
    observation = f"Observation/{own_id('Observation', 'p2', 'DocumentReference/n3', 'edema')}"
    wrong = f"Observation/{own_id('Observation', 'p1', 'DocumentReference/n1', 'dyspnea')}"
    task = f"Task/{own_id('Task', 'p1')}"
    note = [{"text": "visto"}]
    theirs = {
        observation: foreign.edit(held[observation], status="final", note=note),
        wrong: foreign.edit(held[wrong], status="entered-in-error"),
        task: foreign.edit(held[task], status="completed", note=note),
    }
    otherwise = {
        "p1": {"DocumentReference/n1": ("Disnea.", {"dyspnea": "no"})},
        "p2": {"DocumentReference/n3": ("Sin edemas.", {"edema": "dudoso"})},
    }
    send(otherwise, RISK, model="2")
    check_in_step(foreign, tmp_path / "out", theirs)
    send({"p2": {}}, {"p2": "moderate"})
    check_in_step(foreign, tmp_path / "out", theirs)


def test_completed_task_opens_again_when_the_band_rises(
    foreign: Foreign, send: Send, tmp_path: Path
) -> None:
    send()
    task, note = f"Task/{own_id('Task', 'p1')}", [{"text": "visto"}]
    foreign.edit(foreign.ours()[task], status="completed", note=note)
    send(NOTES, {**RISK, "p1": "suspected"})
    held = foreign.ours()[task]
    assert (held["status"], held["description"], held["note"]) == ("requested", "suspected", note)


def test_deleted_resource_is_not_made_again(foreign: Foreign, send: Send, tmp_path: Path) -> None:
    send()
    observation = f"Observation/{own_id('Observation', 'p2', 'DocumentReference/n3', 'edema')}"
    foreign.delete(foreign.ours()[observation])
    send({**NOTES, "p2": {"DocumentReference/n3": ("Sin edemas.", {"edema": "dudoso"})}})
    assert observation not in foreign.ours()


def test_new_model_leaves_observations(foreign: Foreign, send: Send, tmp_path: Path) -> None:
    send()
    before = foreign.ours(["Observation"])
    send(model="2")
    assert foreign.ours(["Observation"]) == before
    check_in_step(foreign, tmp_path / "out")


@pytest.mark.parametrize(
    ("option", "value", "taken"),
    [("--model", "hf-risk/1", {"RiskAssessment", "Task"}), ("--reader", "cd", {"Observation"})],
)
def test_retract_takes_back_one_version(
    option: str, value: str, taken: set[str], foreign: Foreign, proxy: Proxy, send: Send,
    ledger: Path,
) -> None:  # fmt: skip
    send()
    command = ["retract", option, value, "--server", proxy.url, "--ledger", str(ledger)]
    writes = proxy.writes
    assert "would be taken back" in CliRunner().invoke(app, command).output
    assert proxy.writes == writes
    assert CliRunner().invoke(app, [*command, "--yes"]).exit_code == 0
    withdrawn = ("entered-in-error", "cancelled")
    held = foreign.ours(["Observation", "RiskAssessment", "Task"]).values()
    for kind, status in ((body["resourceType"], body["status"]) for body in held):
        assert (status in withdrawn) == (kind in taken)


def test_invalid_resource_is_refused_and_the_others_go_in(
    foreign: Foreign, proxy: Proxy, ledger: Path, tmp_path: Path
) -> None:
    out = night(tmp_path / "out", NOTES, RISK)
    path = out / "fhir" / "RiskAssessment.ndjson"
    path.write_text(
        path.read_text().replace('"probabilityDecimal": 3.0', '"probabilityDecimal": 300')
    )
    options = ["--server", proxy.url, "--ledger", str(ledger)]
    done = CliRunner().invoke(app, ["write-back", str(out), *options])
    assert done.exit_code == 3 and "2 refused" in done.output
    assert '"400 invariant"' in (out / "delivered.json").read_text()
    kinds = {body["resourceType"] for body in foreign.ours().values()}
    assert kinds == {"Device", "Observation", "Task"}
