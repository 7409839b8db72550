"""One configuration for the nightly commands: a TOML file and environment variables.

A table a command, a key an option: ``[batch]`` with ``keep-nights = 14`` is ``batch
--keep-nights 14``. The options are read from the commands themselves, so that a new one can be
configured at once. What counts: the command line, then the environment
(``CLINICAL_NLP_BATCH_KEEP_NIGHTS``), then the file, then the default.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from clinical_nlp.errors import UsageError

#: Commands that run unattended, and so are configured.
COMMANDS: Final = ("batch", "write-back", "retract", "status")
#: Names the file where ``--config`` does not.
FILE_VARIABLE: Final = "CLINICAL_NLP_CONFIG"

_PREFIX: Final = "CLINICAL_NLP"

app = typer.Typer(help="Check and show the configuration of the nightly commands.")

Configuration = dict[str, dict[str, Any]]
Commands = Mapping[str, Any]  # Typer's own classes are private


@app.command("check")
def check(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A TOML file.")],
) -> None:
    """Check a file's tables, keys and values.

    Exit codes: 0 it can be used; 2 it can not, and why (E141 to E144).

    Example: clinical-nlp config check night.toml
    """
    root = commands_of(context)
    found = read_file(root, file)
    _check_values(root, found)
    typer.echo(f"{sum(map(len, found.values()))} values can be used.")


@app.command("show")
def show(context: typer.Context) -> None:
    """Print what counts now, by command and option, and where it comes from.

    Example: clinical-nlp --config night.toml config show
    """
    root = commands_of(context)
    path = context.find_root().params.get("file") or os.environ.get(FILE_VARIABLE)
    from_file = read_file(root, Path(path)) if path else {}
    from_environment = read_environment(root)
    for command in COMMANDS:
        typer.echo(f"[{command}]")
        for key, default in _defaults(root, command).items():
            value, source = default, "default"
            if key in from_environment.get(command, {}):
                value, source = from_environment[command][key], _variable(command, key)
            elif key in from_file.get(command, {}):
                value, source = from_file[command][key], str(path)
            if value is not None:
                typer.echo(
                    f"{key.replace('_', '-')} = {json.dumps(value, default=str)}  # {source}"
                )


def load(context: typer.Context, file: Path | None) -> Configuration:
    """Return what the environment and a file give, as Typer's defaults by command.

    Raises
    ------
    UsageError
        E141: the file cannot be read. E142, E143: it has an unknown table or key.
    """
    path, root = file or os.environ.get(FILE_VARIABLE), commands_of(context)
    found = read_file(root, Path(path)) if path else {}
    for command, values in read_environment(root).items():
        found[command] = found.get(command, {}) | values
    return found


def read_file(root: Commands, path: Path) -> Configuration:
    """Read a file by command and parameter; see :func:`load` for the errors."""
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise UsageError(
            "E141", f"the configuration '{path}' cannot be read ({why}): give a TOML file"
        ) from None
    found: Configuration = {}
    for table, values in tables.items():
        if table not in COMMANDS or not isinstance(values, Mapping):
            raise UsageError(
                "E142",
                f"'{table}' in '{path}' is no table of the configuration: write "
                f"{_nearest(table, [f'[{name}]' for name in COMMANDS])}",
            )
        known = _defaults(root, table)
        for key, value in values.items():
            name = key.replace("-", "_")
            if name not in known:
                raise UsageError(
                    "E143",
                    f"'{key}' in [{table}] of '{path}' is no option of {table}: write "
                    f"{_nearest(key, [each.replace('_', '-') for each in known])}",
                )
            found.setdefault(table, {})[name] = _plain(value)
    return found


def read_environment(root: Commands) -> Configuration:
    """Read the variables of the commands' options; lists are separated as in ``PATH``."""
    found: Configuration = {}
    for command in COMMANDS:
        for name, parameter in _options(root, command).items():
            text = os.environ.get(_variable(command, name))
            if text:
                value = text.split(os.pathsep) if parameter.multiple else text
                found.setdefault(command, {})[name] = value
    return found


def _check_values(root: Commands, found: Configuration) -> None:
    for command, values in found.items():
        options, sub = _options(root, command), typer.Context(root[command])
        for name, value in values.items():
            try:
                options[name].process_value(sub, value)
            except typer.BadParameter as error:
                raise UsageError(
                    "E144",
                    f"{name.replace('_', '-')} of [{command}] cannot be {value!r} "
                    f"({error.message}): see 'clinical-nlp {command} --help'",
                ) from None


def commands_of(context: typer.Context) -> Commands:
    """Return the program's commands by name."""
    commands: Commands = context.find_root().command.commands  # type: ignore[attr-defined]
    return commands


def _options(root: Commands, command: str) -> dict[str, Any]:
    """Options by parameter; what a command works on stands on its line, and is no option."""
    return {
        parameter.name: parameter
        for parameter in root[command].params
        if parameter.param_type_name == "option" and parameter.name != "help"
    }


def _defaults(root: Commands, command: str) -> dict[str, Any]:
    return {name: option.default for name, option in _options(root, command).items()}


def _variable(command: str, parameter: str) -> str:
    return f"{_PREFIX}_{command}_{parameter}".replace("-", "_").upper()


def _plain(value: object) -> object:
    """Return a TOML value as the command line would have it."""
    return value.isoformat() if isinstance(value, date) else value


def _nearest(name: str, names: list[str]) -> str:
    close = get_close_matches(name, names, n=1, cutoff=0.5)
    return f"'{close[0]}'" if close else f"one of {', '.join(names)}"
