"""The wheel carries the models and every data file, so that it works away from the checkout."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = ("clinical_nlp", "fhir_adapters")


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def files(folder: Path) -> set[Path]:
    found = (p.relative_to(folder) for p in folder.rglob("*") if p.is_file())
    return {p for p in found if "__pycache__" not in p.parts}


def test_wheel_holds_every_package_file(names: set[str]) -> None:
    for package in PACKAGES:
        expected = {f"{package}/{p.as_posix()}" for p in files(ROOT / package)}
        assert expected <= names, sorted(expected - names)


def test_wheel_holds_the_shipped_models(names: set[str]) -> None:
    expected = {f"clinical_nlp/shipped_models/{p.as_posix()}" for p in files(ROOT / "models")}
    assert len(expected) > 2
    assert expected <= names, sorted(expected - names)


def test_wheel_holds_nothing_else(names: set[str]) -> None:
    tops = {name.split("/")[0] for name in names}
    assert tops - {n for n in tops if n.endswith(".dist-info")} == set(PACKAGES)
