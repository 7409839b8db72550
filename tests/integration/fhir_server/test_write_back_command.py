"""``write-back`` and ``retract`` as a data engineer runs them, over HTTP on loopback."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fhir_nights import Notes, night
from fhir_server import FhirServer
from typer.testing import CliRunner

from clinical_nlp.cli.app import app

NOTES: Notes = {"p1": {"DocumentReference/n1": ("Disnea.", {"dyspnea": "sí"})}}


class _Server:
    """The strict server behind a socket."""

    def __init__(self) -> None:
        self.fhir, self.tokens = FhirServer(), set[str]()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *args: object) -> None:
                """Say nothing."""

            def answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                outer.tokens.add(self.headers.get("Authorization", ""))
                url = f"http://fhir.test{self.path}"
                request = httpx.Request(
                    self.command, url, headers=dict(self.headers), content=self.rfile.read(length)
                )
                response = outer.fhir.handle_request(request)
                self.send_response(response.status_code)
                for name in ("ETag", "Location"):
                    if name in response.headers:
                        self.send_header(name, response.headers[name])
                self.send_header("Content-Length", str(len(response.content)))
                self.end_headers()
                self.wfile.write(response.content)

            do_GET = do_PUT = do_POST = answer

        self._http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}/r4"
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()


@pytest.fixture
def server() -> Iterator[_Server]:
    started = _Server()
    yield started
    started.stop()


@pytest.fixture
def out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return night(tmp_path / "out", NOTES, {"p1": "raised"})


def test_night_goes_to_the_server_and_back(server: _Server, out: Path, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret\n")
    options = ["--server", server.url, "--token-file", "token"]
    planned = CliRunner().invoke(app, ["write-back", "out", *options, "--dry-run"])
    assert planned.exit_code == 0 and planned.output.startswith("5 new, 0 changed")
    assert not server.fhir.current()
    done = CliRunner().invoke(app, ["write-back", "out", *options])
    assert done.exit_code == 0 and done.output.startswith("5 created, 0 updated"), done.output
    delivered = out / "delivered.json"
    assert json.loads(delivered.read_text())["resources"]["Observation"] == {"created": 1}
    assert delivered.stat().st_mode & 0o777 == 0o600
    assert server.tokens == {"Bearer s3cret"} and "s3cret" not in done.output
    count = CliRunner().invoke(app, ["retract", "--reader", "cd", *options])
    assert count.output.startswith("1 resources would be taken back")
    taken = CliRunner().invoke(app, ["retract", "--reader", "cd", *options, "--yes"])
    assert "1 taken back" in taken.output
    held = server.fhir.by_identifier().values()
    assert {b["status"] for b in held if b["resourceType"] == "Observation"} == {"entered-in-error"}


def test_refused_resources_end_with_exit_code_3(server: _Server, out: Path) -> None:
    server.fhir.refuse = lambda body: body["resourceType"] == "Observation"
    done = CliRunner().invoke(app, ["write-back", "out", "--server", server.url])
    assert done.exit_code == 3 and "1 refused" in done.output and "García" not in done.output


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["write-back", "out", "--server", "ftp://x"], "E135"),
        (["write-back", "out", "--server", "https://user:secret@x/r4"], "E135"),
        (["write-back", "out", "--server", "https://secret@x/r4"], "E135"),
        (["write-back", "out", "--server", "http://x/r4", "--token-file", "t"], "E137"),
        (["write-back", "out", "--server", "http://127.0.0.1.x/r4", "--token-file", "t"], "E137"),
        (["write-back", "nothing", "--server", "http://127.0.0.1:9"], "E545"),
        (["write-back", "out", "--server", "SERVER", "--token-file", "none"], "E136"),
        (["retract", "--server", "SERVER"], "E134"),
    ],
)
def test_wrong_use_has_a_code_and_no_secret(
    arguments: list[str], code: str, server: _Server, out: Path
) -> None:
    chosen = [server.url if a == "SERVER" else a for a in arguments]
    done = CliRunner().invoke(app, chosen)
    assert getattr(done.exception, "code", None) == code
    assert "secret" not in str(done.exception)
