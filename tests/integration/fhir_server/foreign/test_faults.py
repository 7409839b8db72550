"""Broken networks and killed processes between write-back and a server of others."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from fault_proxy import FAULTS, Proxy
from fhir_nights import Notes, night
from foreign_server import Foreign
from held_resources import check_in_step

from clinical_nlp.errors import OutputError
from fhir_adapters.server.ledger import Ledger
from fhir_adapters.server.night import Night
from fhir_adapters.server.sync import Delivery, WriteBack
from fhir_adapters.server.transport import FhirClient

NOTES: Notes = {
    f"p{p}": {
        f"DocumentReference/{p}-{n}": (f"nota {n}", {"edema": "sí", "dyspnea": "no"})
        for n in range(2)
    }
    for p in range(4)
}
RISK = {"p0": "raised", "p1": "moderate", "p2": "suspected", "p3": "low"}
#: The second night: a note gone, one changed, a patient gone, another band.
LATER: Notes = {
    **{p: NOTES[p] for p in ("p0", "p2")},
    "p1": {"DocumentReference/1-0": ("otra nota", {"edema": "no"})},
}
LATER_RISK = {"p0": "moderate", "p1": "raised", "p2": "suspected"}


def deliver(proxy: Proxy, out: Path, ledger: Path, timeout_s: float = 30.0) -> Delivery:
    client = FhirClient(proxy.url, timeout_s=timeout_s, wait=lambda seconds: None)
    with client, Ledger(ledger, proxy.url) as kept:
        return WriteBack(client, kept).send(Night(out))


def deliver_until_done(proxy: Proxy, out: Path, ledger: Path, timeout_s: float) -> None:
    """Run the command again as long as the server cannot be reached."""
    for _ in range(20):
        try:
            told = deliver(proxy, out, ledger, timeout_s)
        except OutputError as error:
            assert error.code == "E541"
        else:
            assert not told.touched  # nobody else is there
            if not told.refused:  # a 500 at each attempt reads as a refusal: tried again
                return
    proxy.fault = lambda method, path: ""
    told = deliver(proxy, out, ledger)
    assert not told.refused and not told.touched


@pytest.mark.parametrize("fault", FAULTS)
def test_each_write_spoiled_once_leaves_nothing_twice_and_nothing_lost(
    fault: str, foreign: Foreign, proxy: Proxy, ledger: Path, tmp_path: Path
) -> None:
    spoiled: set[tuple[str, str]] = set()

    def once(method: str, path: str) -> str:
        # A Provenance has no identifier in R4: on a server with ids of its own one that is
        # sent again cannot be found. All else is spoiled.
        if method == "GET" or ("/Provenance" in path and foreign.gives_ids):
            return ""
        if fault == "slow" and len(spoiled) >= 6:  # each takes its time
            return ""
        is_first = (method, path) not in spoiled
        spoiled.add((method, path))
        return fault if is_first else ""

    proxy.fault = once
    timeout_s = 0.3 if fault == "slow" else 30.0
    deliver_until_done(proxy, night(tmp_path / "out", NOTES, RISK), ledger, timeout_s)
    check_in_step(foreign, tmp_path / "out")
    assert spoiled
    spoiled.clear()
    deliver_until_done(proxy, night(tmp_path / "out", LATER, LATER_RISK), ledger, timeout_s)
    check_in_step(foreign, tmp_path / "out")


@pytest.mark.parametrize("seed", range(5))
def test_any_request_may_be_spoiled(
    seed: int, foreign: Foreign, proxy: Proxy, ledger: Path, tmp_path: Path
) -> None:
    rng = random.Random(seed)
    kinds = [fault for fault in FAULTS if fault != "slow"]
    for notes, risk in ((NOTES, RISK), (LATER, LATER_RISK), (NOTES, RISK)):
        proxy.fault = lambda method, path: rng.choice(kinds) if rng.random() < 0.2 else ""
        deliver_until_done(proxy, night(tmp_path / "out", notes, risk), ledger, 30.0)
        proxy.fault = lambda method, path: ""
        check_in_step(foreign, tmp_path / "out")
    writes = proxy.writes
    deliver(proxy, tmp_path / "out", ledger)
    assert proxy.writes == writes


def test_server_that_stays_away_ends_with_a_code_and_is_gone_on_with(
    foreign: Foreign, proxy: Proxy, ledger: Path, tmp_path: Path
) -> None:
    out = night(tmp_path / "out", NOTES, RISK)
    proxy.fault = lambda method, path: "503" if proxy.writes >= 7 else ""
    with pytest.raises(OutputError, match="E541"):
        deliver(proxy, out, ledger)
    proxy.fault = lambda method, path: ""
    deliver(proxy, out, ledger)
    check_in_step(foreign, out)


@pytest.mark.parametrize("is_answered", [True, False], ids=["answered", "unanswered"])
def test_killed_command_is_gone_on_with(
    is_answered: bool, foreign: Foreign, proxy: Proxy, ledger: Path, tmp_path: Path
) -> None:
    """SIGKILL at the nth write, before or after its answer has come: run again, all is there."""
    command = [
        str(Path(sys.executable).parent / "clinical-nlp"), "write-back", "out",
        "--server", proxy.url, "--ledger", str(ledger),
    ]  # fmt: skip
    for notes, risk, last in ((NOTES, RISK, 9), (LATER, LATER_RISK, 5)):
        out, started = night(tmp_path / "out", notes, risk), proxy.writes
        process = subprocess.Popen(
            command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

        def kill(method: str, pid: int = process.pid, until: int = started + last) -> None:
            if not is_answered and method != "GET" and proxy.writes >= until:
                os.kill(pid, signal.SIGKILL)

        def kill_at_the_next(
            method: str, path: str, pid: int = process.pid, until: int = started + last
        ) -> str:
            if is_answered and method != "GET" and proxy.writes >= until:
                os.kill(pid, signal.SIGKILL)
                return "drop-before"
            return ""

        proxy.after, proxy.fault = kill, kill_at_the_next
        assert process.wait(60) == -signal.SIGKILL
        proxy.after, proxy.fault = lambda method: None, lambda method, path: ""
        told = deliver(proxy, out, ledger)
        assert not told.refused and not told.touched
        check_in_step(foreign, out)
