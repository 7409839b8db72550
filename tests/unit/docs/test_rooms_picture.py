"""The picture of the architecture is drawn from the import graph as it is now."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

pytest.importorskip("grimp")

SCRIPT = Path(__file__).resolve().parents[3] / "docs" / "img" / "rooms.py"


def test_rooms_picture_shows_the_imports_of_the_code() -> None:
    spec = importlib.util.spec_from_file_location("rooms", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    rooms = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(rooms)
    assert rooms.PICTURE.read_text("utf-8") == rooms.draw(), "run python docs/img/rooms.py"
