"""Small models, and real stores to put them in."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest
from servers import mlflow_server, postgres
from small_models import small_folder, small_parts, small_predictions


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What was last verified is kept away from the user's own folder."""
    patch = pytest.MonkeyPatch()
    patch.setenv("CLINICAL_NLP_CACHE", str(tmp_path_factory.mktemp("cache")))
    yield
    patch.undo()


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three trained folders: ``fair`` sees little, ``good`` more, ``poor`` next to nothing."""
    folder = tmp_path_factory.mktemp("trained")
    for seed, (name, noise) in enumerate({"fair": 1.2, "good": 0.7, "poor": 4.0}.items()):
        small_folder(folder / name, small_parts(seed), small_predictions(noise, seed))
    return folder


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite store with its tables and nothing in them: making one takes seconds."""
    from clinical_nlp.registry.store import mlflow_client

    path = tmp_path_factory.mktemp("empty") / "mlflow.db"
    mlflow_client(f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture
def local_store(tmp_path: Path, empty_store: Path) -> str:
    """URI of a local store of the test's own."""
    shutil.copy(empty_store, tmp_path / "mlflow.db")
    return f"sqlite:///{tmp_path / 'mlflow.db'}"


@pytest.fixture(scope="session")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The gate's own margins with fewer resamples."""
    text = resources.files("clinical_nlp.registry").joinpath("gate.toml").read_text("utf-8")
    path = tmp_path_factory.mktemp("gate") / "gate.toml"
    path.write_text(text.replace("resamples = 400", "resamples = 40"), "utf-8")
    return path


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of an MLflow server on loopback that keeps its records in PostgreSQL."""
    folder = tmp_path_factory.mktemp("servers")
    # PostgreSQL's own account must be able to walk to its folder.
    for parent in (folder, *folder.parents[:3]):
        if parent.stat().st_uid == folder.stat().st_uid:
            parent.chmod(parent.stat().st_mode | 0o011)
    with postgres(folder / "postgres") as store, mlflow_server(folder / "mlflow", store) as url:
        yield url
