"""The recipes of docs/deploy: as far as they can be tried without a cluster."""

from __future__ import annotations

import configparser
import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
DEPLOY = ROOT / "docs" / "deploy"

#: Notes its arguments, and ends with the code that the test names for its subcommand.
STAND_IN = '#!/bin/sh\necho "$@" >> "$CALLS"\neval "exit \\${CODE_$(echo $1 | tr -d -):-0}"\n'


def run_night(tmp_path: Path, **environment: str) -> tuple[int, list[str]]:
    command = tmp_path / "clinical-nlp"
    command.write_text(STAND_IN)
    command.chmod(0o755)
    calls = tmp_path / "calls"
    calls.write_text("")
    done = subprocess.run(
        [str(DEPLOY / "night.sh")],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin", "CALLS": str(calls), **environment},
        capture_output=True,
        check=False,
    )
    return done.returncode, calls.read_text().splitlines()


PATHS = {"EXPORT": "/my export", "OUT": "/out"}
SERVER = {"SERVER": "https://fhir.example/r4", "LEDGER": "/ledger", "TOKEN_FILE": "/token"}


def test_night_passes_the_options_on(tmp_path: Path) -> None:
    code, calls = run_night(tmp_path, **PATHS, **SERVER, STATE="/state", METRICS="/m.prom")
    assert code == 0
    assert calls == [
        "batch /my export --out /out --quiet --processes 1 --state /state",
        "write-back /out --server https://fhir.example/r4 --ledger /ledger --token-file /token",
        "status /out --json --metrics /m.prom",
    ]


@pytest.mark.parametrize("code", [0, 2, 3, 4, 5, 6, 7, 8, 9, 70, 137, 143])
def test_night_writes_only_whole_results_back(tmp_path: Path, code: int) -> None:
    ended, calls = run_night(tmp_path, **PATHS, **SERVER, METRICS="/m", CODE_batch=str(code))
    assert ended == code
    assert any(call.startswith("write-back") for call in calls) is (code in (0, 3))
    assert calls[-1].startswith("status")  # whatever came before


@pytest.mark.parametrize(("batch", "sent", "code"), [(0, 7, 7), (3, 7, 7), (0, 3, 3), (3, 0, 3)])
def test_night_ends_with_what_failed(tmp_path: Path, batch: int, sent: int, code: int) -> None:
    codes = {"CODE_batch": str(batch), "CODE_writeback": str(sent)}
    assert run_night(tmp_path, **PATHS, **SERVER, **codes)[0] == code


@pytest.mark.parametrize(("batch", "code"), [(3, 0), (8, 8), (9, 9)])
def test_night_for_schedulers_takes_quarantine_for_success(
    tmp_path: Path, batch: int, code: int
) -> None:
    ended = run_night(tmp_path, **PATHS, CODE_batch=str(batch), ACCEPT_QUARANTINE="1")
    assert ended[0] == code


@pytest.mark.parametrize("given", [{}, {"EXPORT": "/e"}, {**PATHS, "SERVER": "https://x"}])
def test_night_without_its_paths_does_nothing(tmp_path: Path, given: dict[str, str]) -> None:
    code, calls = run_night(tmp_path, **given)
    assert code != 0
    assert calls == []


def test_systemd_units_are_valid(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("needs systemd-analyze")
    for name in ("clinical-nlp.service", "clinical-nlp.timer"):
        text = (DEPLOY / name).read_text("utf-8")
        # The user and the path are those of the machine that it is installed on.
        text = text.replace("/opt/clinical-nlp/docs/deploy/night.sh", str(DEPLOY / "night.sh"))
        text = text.replace("=clinical-nlp\nGroup=clinical-nlp", "=root\nGroup=root")
        (tmp_path / name).write_text(text)
    done = subprocess.run(
        [analyze, "verify", "--man=no", str(tmp_path / "clinical-nlp.timer"),
         str(tmp_path / "clinical-nlp.service")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "clinical-nlp" not in done.stderr  # no unknown key, no ignored line


def test_systemd_service_is_confined_and_takes_quarantine_for_success() -> None:
    unit = configparser.RawConfigParser(strict=False)
    unit.read(DEPLOY / "clinical-nlp.service")
    service = unit["Service"]
    assert service["ProtectSystem"] == "strict"
    assert service["SuccessExitStatus"] == "3"
    assert service["User"] != "root"


def test_crontab_lines_have_five_fields_and_a_command() -> None:
    lines = (DEPLOY / "crontab").read_text("utf-8").splitlines()
    jobs = [line for line in lines if re.match(r"[\d*]", line)]
    assert len(jobs) == 2
    for job in jobs:
        *when, command = job.split(maxsplit=5)
        assert all(re.fullmatch(r"[\d*,/-]+", field) for field in when)
        assert "%" not in command  # cron takes it for a new line


def test_kubernetes_cronjob_is_confined_and_never_runs_twice() -> None:
    job: Any = yaml.safe_load((DEPLOY / "cronjob.yaml").read_text("utf-8"))
    assert (job["apiVersion"], job["kind"]) == ("batch/v1", "CronJob")
    assert job["spec"]["concurrencyPolicy"] == "Forbid"
    assert job["spec"]["jobTemplate"]["spec"]["backoffLimit"] == 0
    pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert pod["restartPolicy"] == "Never"
    assert pod["securityContext"]["runAsNonRoot"] is True
    (container,) = pod["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert mounts.keys() == {volume["name"] for volume in pod["volumes"]}
    written = [each["value"] for each in container["env"] if each["name"] in ("OUT", "STATE")]
    assert all(path.startswith(mounts["state"]) for path in written)


def test_dockerfile_is_not_root_and_copies_what_exists() -> None:
    text = (DEPLOY / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
    assert re.search(r"^USER (?!0|root)\S+$", text, re.MULTILINE)
    for sources in re.findall(r"^COPY (?!--from)(?:--\S+ )?(.+) \S+$", text, re.MULTILINE):
        assert all((ROOT / source).exists() for source in sources.split())
    pins = (ROOT / "constraints.txt").read_text("utf-8")
    (torch,) = re.findall(r"torch==(\S+)", text)
    assert re.search(rf"^torch=={re.escape(torch)}\b", pins, re.MULTILINE)


def test_compose_publishes_on_this_machine_only() -> None:
    compose: Any = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
    services = compose["services"]
    assert services.keys() == {"db", "fhir", "mlflow", "night"}
    ports = [port for service in services.values() for port in service.get("ports", ())]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)
    assert services["night"]["read_only"] is True
    named = {
        v.split(":")[0] for s in services.values() for v in s.get("volumes", ()) if v[0] != "$"
    }
    assert named == compose["volumes"].keys()


def test_airflow_dag_runs_one_night_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    made: dict[str, dict[str, Any]] = {}

    class StandIn:
        def __init__(self, *names: str, **options: Any) -> None:
            made[type(self).__name__] = options

        def __enter__(self) -> None: ...
        def __exit__(self, *failure: object) -> None: ...

    for module, name in (
        ("airflow.sdk", "DAG"),
        ("airflow.providers.standard.operators.bash", "BashOperator"),
    ):
        parts = module.split(".")
        for end in range(1, len(parts) + 1):
            whole = ".".join(parts[:end])
            if whole not in sys.modules:
                monkeypatch.setitem(sys.modules, whole, ModuleType(whole))
        setattr(sys.modules[module], name, type(name, (StandIn,), {}))
    runpy.run_path(str(DEPLOY / "airflow_dag.py"))
    assert made["DAG"]["max_active_runs"] == 1
    assert made["DAG"]["catchup"] is False
    assert made["BashOperator"]["env"].keys() >= {"EXPORT", "OUT", "ACCEPT_QUARANTINE"}
    assert made["BashOperator"]["bash_command"].endswith("night.sh ")


def test_night_passes_sigterm_on_and_stops(tmp_path: Path) -> None:
    command = tmp_path / "clinical-nlp"
    command.write_text(
        "#!/bin/bash\ntrap 'echo ended >> \"$CALLS\"; exit 143' TERM\n"
        'echo "$1" >> "$CALLS"\nwhile :; do sleep 0.05; done\n'
    )
    command.chmod(0o755)
    calls = tmp_path / "calls"
    os.mkfifo(calls)
    night = subprocess.Popen(
        [str(DEPLOY / "night.sh")],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin", "CALLS": str(calls), **PATHS, **SERVER},
    )
    # Open for both: a pipe whose writer has gone would end here.
    with os.fdopen(os.open(calls, os.O_RDWR)) as lines:
        assert lines.readline() == "batch\n"
        night.terminate()
        assert lines.readline() == "ended\n"
    assert night.wait(timeout=30) == 143


def test_night_script_can_be_executed() -> None:
    assert os.access(DEPLOY / "night.sh", os.X_OK)
