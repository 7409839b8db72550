"""A local store made by several processes at once, moved, copied, damaged; its alias gone."""

from __future__ import annotations

import logging
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from servers import free_port

from clinical_nlp.artifacts import read_manifest, shipped_folder
from clinical_nlp.errors import ModelError
from clinical_nlp.registry.champion import ensure_champion, resolve_model
from clinical_nlp.registry.local_store import prepare
from clinical_nlp.registry.promotion import history, promote
from clinical_nlp.registry.store import CHAMPION, DIGEST_TAG, NAME, open_store
from clinical_nlp.registry.versions import find_version, list_models, register_folder

FIRST_RUN = """
import sys
from clinical_nlp.registry import resolve_model
print(resolve_model().model.reference.uri)
"""


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder after its first run."""
    folder = tmp_path_factory.mktemp("used")
    ensure_champion(f"sqlite:///{folder}/mlflow.db")
    return folder


@pytest.fixture
def copy(used: Path, tmp_path: Path) -> Path:
    """A copy of that folder."""
    return Path(shutil.copytree(used, tmp_path / "copy"))


def uri(folder: Path) -> str:
    return f"sqlite:///{folder}/mlflow.db"


def run(folder: Path, code: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=folder,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def paths(folder: Path) -> Iterator[str]:
    """Every place that the store names."""
    with open_store(uri(folder)) as client:
        for experiment in client.search_experiments(filter_string=f"name LIKE '{NAME}%'"):
            yield str(experiment.artifact_location)
            for found in client.search_runs([experiment.experiment_id]):
                yield str(found.info.artifact_uri)
        for version in client.search_model_versions(f"name = '{NAME}'"):
            yield str(version.source)
            yield str(client.get_model_version_download_uri(NAME, version.version))


def test_first_runs_at_once_register_one_model(tmp_path: Path) -> None:
    started = [run(tmp_path, FIRST_RUN) for _ in range(4)]
    done = [(*process.communicate(timeout=500), process.returncode) for process in started]
    assert [(out.strip(), code) for out, _, code in done] == [("models:/hf-risk/1", 0)] * 4, done
    assert sum("The registry was empty" in said for _, said, _ in done) == 1
    assert [(row.version, row.aliases) for row in list_models(uri(tmp_path))] == [
        ("1", (CHAMPION,))
    ]
    assert len(history(uri(tmp_path))) == 1


def test_moved_folder_is_followed(
    copy: Path, used: Path, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    moved = copy.rename(tmp_path / "elsewhere with a blank")
    assert resolve_model(tracking_uri=uri(moved)).source == "registry"
    (said,) = [r.getMessage() for r in caplog.records if "moved or copied" in r.getMessage()]
    assert str(used) in said and str(moved) in said
    assert all(path.startswith(f"{moved}/mlartifacts/") for path in paths(moved))
    assert all(path.startswith(f"{used}/mlartifacts/") for path in paths(used))


def test_copy_neither_reads_nor_writes_its_original(
    copy: Path, used: Path, trained: Path, quick: Path
) -> None:
    before = sorted(used.rglob("*"))
    promoted = register_folder(trained / "good", tracking_uri=uri(copy))
    promote(
        promoted.version, "Ana", "a copy", force=True, tracking_uri=uri(copy), limits_file=quick
    )
    assert sorted(used.rglob("*")) == before
    with open_store(uri(copy)) as client:
        assert find_version(client, CHAMPION).tags[DIGEST_TAG] == promoted.digest
    assert resolve_model(tracking_uri=uri(used)).model.reference.version == "1"


def test_database_without_its_files_is_told(used: Path, tmp_path: Path) -> None:
    folder = tmp_path / "original"
    shutil.copytree(used, folder)
    resolve_model(tracking_uri=uri(folder))
    alone = tmp_path / "alone"
    alone.mkdir()
    shutil.move(folder / "mlflow.db", alone)
    shutil.rmtree(folder)
    with pytest.raises(ModelError, match=r"E423 .*moved or copied without its folder"):
        resolve_model(tracking_uri=uri(alone))


def test_interrupted_migration_is_begun_again(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as left, left:
        left.execute("CREATE TABLE latest_metrics (key TEXT)")
        left.execute("CREATE TABLE _alembic_tmp_latest_metrics (key TEXT)")
        left.execute("CREATE TABLE _alembic_tmp_only_copy (key TEXT)")
    prepare(tmp_path / "mlflow.db")
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as left:
        tables = {row[0] for row in left.execute("SELECT name FROM sqlite_master")}
    assert tables == {"latest_metrics", "_alembic_tmp_only_copy"}


@pytest.mark.parametrize(
    ("content", "what"), [(b"", "is empty"), (b"hf-risk, 1\n" * 50, "is not an SQLite database")]
)
def test_file_that_is_no_database_is_refused(tmp_path: Path, content: bytes, what: str) -> None:
    (tmp_path / "mlflow.db").write_bytes(content)
    with pytest.raises(ModelError, match=f"E419 .*{what}.*backup"):
        ensure_champion(uri(tmp_path))
    assert (tmp_path / "mlflow.db").read_bytes() == content


def test_damaged_database_is_no_unforeseen_error(used: Path, tmp_path: Path) -> None:
    half = (used / "mlflow.db").read_bytes()[:20_000]
    (tmp_path / "mlflow.db").write_bytes(half)
    with pytest.raises(ModelError, match="E401"):
        ensure_champion(uri(tmp_path))


def test_folder_that_cannot_be_written_uses_the_shipped_model(tmp_path: Path) -> None:
    """At once: MLflow would try to make the database for minutes."""
    (tmp_path / "file").touch()
    nowhere = f"sqlite:///{tmp_path / 'file' / 'mlflow.db'}"  # no file can be made there
    resolved = resolve_model(tracking_uri=nowhere)
    assert resolved.source == "shipped" and "simulated" in (resolved.warning or "")
    assert resolved.model.reference.digest == read_manifest(shipped_folder(NAME))["digest"]
    with pytest.raises(ModelError, match="E401"):
        resolve_model("models:/hf-risk/1", tracking_uri=nowhere)
    (tmp_path / "a folder").mkdir()
    with pytest.raises(ModelError, match="E401"):  # something is there
        resolve_model(tracking_uri=f"sqlite:///{tmp_path / 'a folder'}")


def test_deleted_alias_never_promotes_shipped_model(copy: Path) -> None:
    with open_store(uri(copy)) as client:
        client.delete_registered_model_alias(NAME, CHAMPION)
    with pytest.raises(ModelError, match=r"E405 .*registry promote"):
        resolve_model(tracking_uri=uri(copy))
    assert [row.aliases for row in list_models(uri(copy))] == [()]


def test_version_that_waits_for_promotion_is_not_passed_over(
    local_store: str, trained: Path
) -> None:
    register_folder(trained / "good", tracking_uri=local_store)
    with pytest.raises(ModelError, match="E405"):
        ensure_champion(local_store)
    promote("challenger", "Ana", "the first", force=True, tracking_uri=local_store)
    assert ensure_champion(local_store)


def test_deleted_versions_are_not_replaced_by_shipped_model(copy: Path) -> None:
    with open_store(uri(copy)) as client:
        client.delete_registered_model(NAME)
    with pytest.raises(ModelError, match="E405"):
        ensure_champion(uri(copy))


def test_empty_registry_says_that_it_was_seeded(
    local_store: str, caplog: pytest.LogCaptureFixture
) -> None:
    ensure_champion(local_store)
    ensure_champion(local_store)
    said = [r for r in caplog.records if "simulated cohort" in r.getMessage()]
    assert [record.levelno for record in said] == [logging.WARNING]


def test_libraries_do_not_speak_of_their_retries(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG, "clinical_nlp")
    for store in (
        f"http://user:secret@127.0.0.1:{free_port()}",
        f"sqlite:///{tmp_path / 'a folder'}",
    ):
        (tmp_path / "a folder").mkdir(exist_ok=True)
        with pytest.raises(ModelError, match="E401"), open_store(store) as client:
            client.search_registered_models()
    assert capfd.readouterr().err == ""
    kept = [r for r in caplog.records if r.name == "clinical_nlp.registry.library_logs"]
    assert kept and {record.levelno for record in kept} == {logging.DEBUG}
    assert "secret" not in caplog.text
