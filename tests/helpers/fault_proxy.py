"""A proxy on loopback that spoils requests on their way to a FHIR server, or answers back."""

from __future__ import annotations

import http.server
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

#: What can go wrong with a request: the connection breaks before the server has it, or after it
#: has done it; it asks to wait; a gateway answers 500 though it was done, or 503 as it was not;
#: the answer comes too late, or half; the request arrives twice.
FAULTS = ("drop-before", "drop-after", "429", "500-after", "503", "slow", "truncated", "duplicate")

#: Seconds that a slow answer takes: above the timeout of the tests' clients.
SLOW_S = 0.6


@dataclass
class Proxy:
    """What the proxy does, and has done.

    Parameters
    ----------
    fault
        Chooses a fault, or none, by method and path.
    after
        Called with the method once the server has done a request, before it is answered.
    """

    url: str
    target: str
    fault: Callable[[str, str], str] = lambda method, path: ""
    after: Callable[[str], None] = lambda method: None
    seen: Counter[str] = field(default_factory=Counter)
    statuses: list[int] = field(default_factory=list)

    @property
    def writes(self) -> int:
        """Requests that change something, as the server got them."""
        return self.seen["PUT"] + self.seen["POST"] + self.seen["DELETE"]


@contextmanager
def fault_proxy(target: str, base: str) -> Iterator[Proxy]:
    """Start a proxy to ``target``, an origin; ``base`` is the path of the server there."""
    client = httpx.Client(base_url=target, timeout=30)
    proxy = Proxy("", target)

    class Handler(_Handler):
        pass

    Handler.proxy, Handler.client = proxy, client
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    proxy.url = f"http://127.0.0.1:{server.server_port}{base}"
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        client.close()


class _Handler(http.server.BaseHTTPRequestHandler):
    proxy: Proxy
    client: httpx.Client
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # header and body leave at once

    def log_message(self, *args: object) -> None:
        """Say nothing."""

    def _pass_on(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        content = self.rfile.read(length)
        fault = self.proxy.fault(self.command, self.path)
        if fault == "drop-before":
            self._drop()
            return
        if fault in ("429", "503"):
            self._answer(int(fault), b"", {"Retry-After": "0"})
            return
        skipped = {"host", "content-length", "connection", "accept-encoding"}
        headers = {k: v for k, v in self.headers.items() if k.lower() not in skipped}
        for _ in range(2 if fault == "duplicate" else 1):
            done = self.client.request(self.command, self.path, content=content, headers=headers)
            self.proxy.seen[self.command] += 1
            self.proxy.statuses.append(done.status_code)
        self.proxy.after(self.command)
        if fault == "slow":
            time.sleep(SLOW_S)
        if fault == "drop-after":
            self._drop()
        elif fault == "500-after":
            self._answer(500, b"<html>bad gateway</html>", {})
        else:
            kept = {k: v for k, v in done.headers.items() if k in ("etag", "location")}
            self._answer(done.status_code, done.content, kept, fault == "truncated")

    do_GET = do_PUT = do_POST = do_DELETE = _pass_on

    def _answer(
        self, status: int, content: bytes, headers: dict[str, str], is_cut: bool = False
    ) -> None:
        try:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: len(content) // 2] if is_cut else content)
        except OSError:  # the client has given up waiting
            self.close_connection = True
        if is_cut:
            self._drop()

    def _drop(self) -> None:
        self.close_connection = True
