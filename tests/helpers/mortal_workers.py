"""Work for the processes of a pool, one kind of which is killed by its text."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from pathlib import Path


def start() -> None:
    """Begin without any preparation."""


def start_killed() -> None:
    """Be ended while beginning, as where memory does not hold the pipeline."""
    os.kill(os.getpid(), signal.SIGKILL)


def work(texts: Sequence[str]) -> list[str]:
    """Read texts in capitals; one of 'mata' kills, 'mata:FILE' once only, 'sale' exits."""
    for text in texts:
        kind, _, path = text.partition(":")
        if kind == "sale":
            os._exit(7)
        if kind == "mata":
            if path and Path(path).exists():
                continue
            if path:
                Path(path).touch()
            os.kill(os.getpid(), signal.SIGKILL)
    return [text.upper() for text in texts]


def lost(how: str) -> str:
    """Say how the process of a text ended."""
    return f"lost: {how}"
