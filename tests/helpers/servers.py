"""Real servers for the tests: PostgreSQL and MLflow, on free loopback ports."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

#: Where a shell looks without any environment of Python's.
BARE_PATH = "/usr/local/bin:/usr/bin:/bin"


def free_port() -> int:
    """A port that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def postgres_binaries() -> Path | None:
    """Folder of initdb and postgres: on the path, or where Debian puts them."""
    found = shutil.which("initdb")
    if found:
        return Path(found).parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return versions[-1].parent if versions else None


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """A PostgreSQL server with its data in a folder of its own; yields SQLAlchemy's URL.

    PostgreSQL refuses to run as root, so that root starts it as an account without rights.
    """
    binaries = postgres_binaries()
    if binaries is None:
        pytest.skip("PostgreSQL is not installed (Debian package: postgresql)")
    demote: dict[str, int] = {}
    folder.mkdir(parents=True)
    if os.getuid() == 0:
        account = next(
            (a for a in pwd.getpwall() if a.pw_name in ("postgres", "nobody") and a.pw_uid), None
        )
        if account is None:
            pytest.skip("PostgreSQL cannot run as root, and there is no account 'postgres'")
        os.chown(folder, account.pw_uid, account.pw_gid)
        demote = {"user": account.pw_uid, "group": account.pw_gid}
    data, port = folder / "data", free_port()
    quiet = {"stdout": subprocess.DEVNULL, "cwd": folder, **demote}
    subprocess.run(
        [binaries / "initdb", "-D", data, "-U", "mlflow", "--auth=trust", "--no-sync", "-E", "UTF8",
         "--locale=C"],
        check=True, stderr=subprocess.PIPE, env={"LC_ALL": "C"}, **quiet,
    )  # fmt: skip
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [binaries / "postgres", "-D", data, "-p", str(port), "-c", "listen_addresses=127.0.0.1",
             "-c", "unix_socket_directories=", "-c", "fsync=off"],
            stderr=log, env={"LC_ALL": "C"}, **quiet,
        )  # fmt: skip
        try:
            _wait_for(lambda: socket.create_connection(("127.0.0.1", port), 1).close(), server)
            yield f"postgresql+psycopg://mlflow@127.0.0.1:{port}/postgres"
        finally:
            server.send_signal(signal.SIGINT)  # "fast shutdown"
            server.wait(20)


@contextmanager
def mlflow_server(folder: Path, store: str) -> Iterator[str]:
    """An MLflow tracking server that keeps its artefacts in a folder; yields its URL."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port),
             "--backend-store-uri", store, "--artifacts-destination", str(folder / "artifacts"),
             "--workers", "1"],
            stdout=log, stderr=log, start_new_session=True,
            env={**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true",
                 "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
        )  # fmt: skip
        try:
            _wait_for(lambda: _answers(f"http://127.0.0.1:{port}/health"), server)
            yield f"http://127.0.0.1:{port}"
        finally:
            _stop(server)


@contextmanager
def scoring_server(command: str, folder: Path) -> Iterator[str]:
    """The server that a command starts, as typed where no environment is activated."""
    port = free_port()
    with (folder / "serve.log").open("wb") as log:
        server = subprocess.Popen(
            ["bash", "-c", f"{command} --host 127.0.0.1 --port {port} --workers 1"],
            stdout=log, stderr=log, start_new_session=True,
            env={**os.environ, "OMP_NUM_THREADS": "1", "PATH": BARE_PATH},
        )  # fmt: skip
        try:
            _wait_for(lambda: _answers(f"http://127.0.0.1:{port}/ping"), server)
            yield f"http://127.0.0.1:{port}"
        finally:
            _stop(server)


def _stop(server: subprocess.Popen) -> None:
    """End a server and what it started; it may have ended by itself."""
    if server.poll() is None:
        os.killpg(server.pid, signal.SIGTERM)
    server.wait(20)


def _answers(url: str) -> None:
    with urllib.request.urlopen(url, timeout=2):  # noqa: S310  # our own, on loopback
        pass


def _wait_for(attempt, server: subprocess.Popen, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            return attempt()
        except OSError:
            if server.poll() is not None or time.monotonic() > end:
                raise
            time.sleep(0.2)
