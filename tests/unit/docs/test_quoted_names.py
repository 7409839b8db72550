"""Paths and dotted names that the documentation quotes exist, and so do the pages code cites."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "GLOSSARY.md", "SECURITY.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
FOLDERS = ("clinical_nlp", "fhir_adapters", "models", "studies", "benchmarks", "tests", "docs")

_PATH = re.compile(rf"(?<![\w/.-])(?:{'|'.join(FOLDERS)})/[\w./*-]*[\w/*]")
_DOTTED = re.compile(r"(?<![\w/.-])(?:clinical_nlp|fhir_adapters|studies)(?:\.[A-Za-z_]\w*)+")
_FILE = re.compile(r"`([a-z_]+\.(?:py|toml|j2|txt|jsonl))`")
_CITED = re.compile(r"(?<![\w/-])docs/[\w/-]+\.(?:md|svg|png)")


def names_of(module: Path) -> set[str]:
    """Names that a module defines or imports at its top level."""
    names: set[str] = set()
    for node in ast.parse(module.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names.update(alias.asname or alias.name for alias in node.names)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names.update(target.id for target in targets if isinstance(target, ast.Name))
    return names


def exists(dotted: str) -> bool:
    """Whether a dotted name is a module, or a name of one (members of classes are not followed)."""
    parts = dotted.split(".")
    path = ROOT
    for index, part in enumerate(parts):
        if (path / part).is_dir():
            path = path / part
            continue
        module = path / f"{part}.py"
        if module.is_file():
            return index + 1 == len(parts) or parts[index + 1] in names_of(module)
        return part in names_of(path / "__init__.py")
    return True


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_page_quotes_only_paths_that_exist(page: Path) -> None:
    quoted = set(_PATH.findall(page.read_text("utf-8")))
    missing = [path for path in quoted if not any(ROOT.glob(path.rstrip("/")))]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_page_quotes_only_names_that_exist(page: Path) -> None:
    quoted = set(_DOTTED.findall(page.read_text("utf-8")))
    suffixes = (".py", ".toml", ".md", ".json")
    missing = [name for name in quoted if not name.endswith(suffixes) and not exists(name)]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_page_names_only_files_that_exist(page: Path) -> None:
    names = set(_FILE.findall(page.read_text("utf-8")))
    folders = [ROOT / folder for folder in FOLDERS]
    missing = [
        name
        for name in names
        if not (ROOT / name).is_file() and not any(any(f.rglob(name)) for f in folders)
    ]
    assert not missing


def test_code_cites_only_pages_that_exist() -> None:
    missing = []
    for folder in ("clinical_nlp", "fhir_adapters", "studies", "benchmarks", "notebooks", "tests"):
        for path in (ROOT / folder).rglob("*"):
            where = path.relative_to(ROOT).as_posix()
            if path.suffix not in {".py", ".toml", ".j2", ".ipynb"}:
                continue
            cited = _CITED.findall(path.read_text("utf-8"))
            missing += [(where, page) for page in cited if not (ROOT / page).is_file()]
    assert not missing


def test_entry_points_name_modules_that_exist() -> None:
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    modules = re.findall(r'= "((?:clinical_nlp|fhir_adapters)[\w.]*):\w+"', text)
    assert modules
    assert all(exists(module) for module in modules)
