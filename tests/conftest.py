"""Fixtures every test may use."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent

# What a property test happens to draw must not decide whether a change lands; people's runs
# keep drawing anew, and a counter-example they meet becomes a fix.
settings.register_profile("ci", derandomize=True, deadline=None)
if os.environ.get("CI"):
    settings.load_profile("ci")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of corpora and tools beside the checkout; skips where it is absent."""
    folder = Path(os.environ.get("CLINICAL_NLP_SHARED", ROOT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip("the shared corpora are not beside the checkout")
    # Resolved: a script of Node's that is started through a symbolic link does nothing.
    return folder.resolve()


@pytest.fixture(scope="session")
def nlp():  # type: ignore[no-untyped-def]
    """The pipeline, built once for the whole run."""
    from clinical_nlp.pipeline.assembly import build

    return build()


@pytest.fixture(scope="session")
def demo_batch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as ``make demo`` leaves it, with fewer patients: export/, out/, mlflow.db."""
    folder = tmp_path_factory.mktemp("demo")
    run_cli("simulate", "--patients", "40", "--seed", "7", "export", cwd=folder)
    run_cli("batch", "export", "--out", "out", cwd=folder)
    return folder


def run_cli(
    *arguments: str, cwd: Path, code: int = 0, stdin: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run ``clinical-nlp`` as a user would and check its exit code."""
    # mlflow.set_tracking_uri(), called by tests in this process, sets an environment variable.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MLFLOW_")}
    done = subprocess.run(
        [str(Path(sys.executable).parent / "clinical-nlp"), *arguments],
        cwd=cwd,
        env=environment,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, (
        f"exit code {done.returncode}, not {code}\n{done.stdout}\n{done.stderr}"
    )
    return done


@pytest.fixture(scope="session")
def cli() -> Callable[..., subprocess.CompletedProcess[str]]:
    """The command line, as a function: ``cli("extract", "-", "-", cwd=..., stdin=...)``."""
    return run_cli
