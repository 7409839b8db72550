"""One server for the session, an empty base URL of it for each test, and a proxy before it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fault_proxy import Proxy, fault_proxy
from foreign_server import Foreign, medplum


@pytest.fixture(scope="session")
def origin(pytestconfig: pytest.Config) -> Iterator[str]:
    assert pytestconfig.cache is not None
    with medplum(pytestconfig.cache.mkdir("medplum")) as started:
        yield started


@pytest.fixture(params=[True, False], ids=["own-ids", "any-ids"])
def foreign(request: Any, origin: str) -> Iterator[Foreign]:
    """An empty server: one that gives ids of its own, then one that takes the client's."""
    server = Foreign(origin, request.param)
    yield server
    server.close()


@pytest.fixture
def proxy(origin: str, foreign: Foreign) -> Iterator[Proxy]:
    with fault_proxy(origin, foreign.path) as started:
        yield started


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"
