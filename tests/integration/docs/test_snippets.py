"""Every code block of the documentation runs, page by page, in a folder with a demonstration.

A block marked ``python`` runs in its page's own namespace, a block marked ``bash`` under
``bash -e``. A block that cannot run in a test stands below a line
``<!-- not run: the reason -->``; ``text`` blocks show output and are not run.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]

_BLOCK = re.compile(
    r"(?P<mark>^ *<!-- not run: [^\n]+ -->\n+)?"
    r"^(?P<indent> *)```(?P<language>python|bash)\n(?P<code>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)


def blocks(page: Path) -> list[tuple[int, str, str]]:
    """(line, language, code) of each block of a page that is to be run."""
    text = page.read_text(encoding="utf-8")
    return [
        (text.count("\n", 0, match.start("code")) + 1, match["language"], dedent(match["code"]))
        for match in _BLOCK.finditer(text)
        if not match["mark"]
    ]


PAGES_WITH_CODE = [page for page in PAGES if blocks(page)]


@pytest.fixture(scope="module")
def demonstration(demo_batch: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as ``make demo`` leaves it: export/, out/, mlflow.db."""
    return demo_batch


@pytest.mark.parametrize(
    "page", PAGES_WITH_CODE, ids=lambda page: page.relative_to(ROOT).as_posix()
)
def test_page(page: Path, demonstration: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    to_run = blocks(page)
    monkeypatch.chdir(demonstration)
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("MLFLOW_")}
    environment = inherited | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "CLINICAL_NLP_ROOT": str(ROOT),
    }
    namespace: dict[str, object] = {"__name__": "__docs__"}
    for line, language, code in to_run:
        where = f"{page.name}:{line}"
        if language == "python":
            exec(compile(code, where, "exec"), namespace)  # noqa: S102 - our own pages
        else:
            done = subprocess.run(
                ["bash", "-e", "-c", code],
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, f"{where}\n{done.stdout}\n{done.stderr}"
