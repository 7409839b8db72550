"""Runs of the batch in this process."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from clinical_nlp.cli.app import main


@pytest.fixture
def here(
    tmp_path: Path, demo_batch: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., int]]:
    """Run the program in this process: a process of its own takes seconds to begin.

    With a registry that has its champion already; making one takes seconds, too.
    """
    shutil.copy(demo_batch / "mlflow.db", tmp_path)
    monkeypatch.chdir(tmp_path)
    # By its whole path: MLflow keeps one open store for each URI it is given in a process.
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlflow.db'}")

    def run(*arguments: str) -> int:
        monkeypatch.setattr(sys, "argv", ["clinical-nlp", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0)

    before = os.umask(0o077)
    yield run
    os.umask(before)
