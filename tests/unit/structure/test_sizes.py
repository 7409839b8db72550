"""Functions and files stay small enough to read: a function fits a screen, a file is one idea."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[3]
MODULES = sorted(
    path for package in ("clinical_nlp", "fhir_adapters") for path in (ROOT / package).rglob("*.py")
)
LINES_OF_A_FUNCTION = 80
PARAMETERS = 10
LINES_OF_A_FILE = 400
MEDIAN_LINES = (60, 160)

Function = ast.FunctionDef | ast.AsyncFunctionDef


def lines(path: Path) -> int:
    return len(path.read_text("utf-8").splitlines())


def identifier(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def functions() -> Iterator[tuple[Path, Function]]:
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, Function):
                yield path, node


def is_command(path: Path) -> bool:
    """Whether a module belongs to the command line, where parameters are a user's options."""
    return path.is_relative_to(ROOT / "clinical_nlp" / "cli")


def is_factory(function: Function) -> bool:
    """Whether a function makes a spaCy component from the settings of a configuration."""
    return any(".factory(" in ast.unparse(decorator) for decorator in function.decorator_list)


def length(path: Path, function: Function) -> int:
    """Lines of a function; of a command without its list of options."""
    first = function.body[0].lineno if is_command(path) else function.lineno
    return (function.end_lineno or first) - first + 1


def parameters(function: Function) -> int:
    arguments = function.args
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return len([argument for argument in named if argument.arg not in ("self", "cls")])


def test_functions_fit_a_screen() -> None:
    sizes = {(identifier(path), f.name): length(path, f) for path, f in functions()}
    assert not {name: size for name, size in sizes.items() if size > LINES_OF_A_FUNCTION}


def test_functions_take_few_parameters() -> None:
    counts = {
        (identifier(path), f.name): parameters(f)
        for path, f in functions()
        if not is_command(path) and not is_factory(f)
    }
    assert not {name: count for name, count in counts.items() if count > PARAMETERS}


def test_files_of_the_packages_are_not_long() -> None:
    sizes = {identifier(path): lines(path) for path in MODULES}
    assert not {name: size for name, size in sizes.items() if size > LINES_OF_A_FILE}


def test_median_file_is_short() -> None:
    sizes = [lines(path) for path in MODULES if path.name != "__init__.py"]
    least, most = MEDIAN_LINES
    assert least <= median(sizes) <= most
