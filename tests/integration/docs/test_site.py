"""The documentation builds strictly, and its pages load nothing from another host."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mkdocs")

ROOT = Path(__file__).resolve().parents[3]
_LOADED = re.compile(
    r"<(?:script|link|img|iframe|source|video|audio|object|embed)\b[^>]*?"
    r"(?:src|href|data)=[\"']?((?:https?:)?//[^\"'\s>]+)",
    re.IGNORECASE,
)
_STYLED = re.compile(r"(?:url\(|@import\s)[\"']?((?:https?:)?//[^\"')\s]+)")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        # Not --quiet: warnings that are not shown do not count as strict failures.
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_site_has_a_page_for_each_source(site: Path) -> None:
    sources = {p.relative_to(ROOT / "docs").with_suffix("") for p in ROOT.glob("docs/**/*.md")}
    built = {p.relative_to(site).with_suffix("") for p in site.rglob("*.html")}
    assert sources <= built


def test_site_pages_load_nothing_from_another_host(site: Path) -> None:
    loaded = {
        (path.name, address)
        for path in site.rglob("*.html")
        for address in _LOADED.findall(path.read_text("utf-8"))
    }
    assert not loaded


def test_site_styles_load_nothing_from_another_host(site: Path) -> None:
    styles = [p.read_text("utf-8") for p in site.rglob("*.css")]
    assert styles
    assert not [address for text in styles for address in _STYLED.findall(text)]
