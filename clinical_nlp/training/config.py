"""Reads training recipes: TOML files that are checked against pydantic models."""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, Self, TypeVar, get_args, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError

from clinical_nlp.errors import UsageError

#: Precision of matrix products in training on a CPU.
Precision = Literal["bfloat16", "float32"]


class RecipeSection(BaseModel):
    """A section of a recipe: typed, immutable, without unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def replace(self, **changes: Any) -> Self:  # noqa: ANN401  # values of any field
        """Return a checked copy with other values, as ``dataclasses.replace`` does."""
        return type(self)(**(dict(self) | changes))

    def as_dict(self) -> dict[str, Any]:
        """Return plain values; nested sections become dictionaries."""
        return self.model_dump()


class RecipeFile(RecipeSection):
    """A whole recipe.

    Attributes
    ----------
    shipped_as
        The shipped recipe of this kind, which error messages refer to.
    """

    shipped_as: ClassVar[str]


AnyRecipe = TypeVar("AnyRecipe", bound=RecipeFile)


def read_recipe(path: Path, model: type[AnyRecipe], overrides: Iterable[str] = ()) -> AnyRecipe:
    """Read and check a recipe.

    Parameters
    ----------
    path
        A TOML file.
    model
        What it must hold.
    overrides
        Values that replace those of the file: ``"fit.epochs = 4"``, written as in TOML.

    Raises
    ------
    UsageError
        E120: the file cannot be read. E121: a key is missing, unknown or has a wrong value.
        E131: an override names no key of the recipe.
    """
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(
            "E120", f"the recipe '{path}' cannot be read ({error}): give --config a TOML file"
        ) from None
    for override in overrides:
        _apply(override, data, model)
    try:
        # By way of JSON, because strict mode then takes an array for a tuple and text for a
        # date, but no text for a number.
        return model.model_validate_json(json.dumps(data, default=str), strict=True)
    except ValidationError as error:
        raise UsageError(
            "E121",
            f"the recipe '{path}' cannot be used: {explain(error, model)}; "
            f"compare it with {model.shipped_as}",
        ) from None


def explain(error: ValidationError, model: type[RecipeSection]) -> str:
    """Name every wrong key of a recipe, what it must be and, if it is unknown, the nearest one."""
    return "; ".join(_problem(detail, model) for detail in error.errors())


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested tables as one table with dotted keys, as MLflow logs parameters."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        name = f"{prefix}{key}"
        flat |= flatten(value, f"{name}.") if isinstance(value, Mapping) else {name: value}
    return flat


def _problem(detail: Mapping[str, Any], model: type[RecipeSection]) -> str:
    place: Sequence[str | int] = detail["loc"]
    name, kind = _dotted(place), detail["type"]
    if kind == "missing":
        return f"'{name}' is missing"
    if kind in ("extra_forbidden", "unexpected_keyword_argument"):
        return f"'{name}' is not a key of the recipe ({_allowed(place, model)})"
    if kind == "value_error":
        return f"'{name}': {detail['ctx']['error']}" if name else str(detail["ctx"]["error"])
    wanted = detail["msg"].replace("Input should be", "must be").replace("an object", "a section")
    value = detail["input"]
    given = "" if isinstance(value, dict | list) else f", not {value!r}"
    return f"'{name}' {wanted}{given}"


def _dotted(place: Sequence[str | int]) -> str:
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in place).lstrip(".")


def _allowed(place: Sequence[str | int], model: type[RecipeSection]) -> str:
    """Keys of the section that a place lies in, the nearest to a wrong one first."""
    section: type = model
    for key in place[:-1]:
        if isinstance(key, str):
            section = _section_of(_keys(section)[key]) or section
    keys = list(_keys(section))
    near = difflib.get_close_matches(str(place[-1]), keys, n=1)
    meant = f"did you mean '{_dotted([*place[:-1], near[0]])}'? " if near else ""
    return f"{meant}allowed: {', '.join(keys)}"


def _keys(section: type) -> dict[str, Any]:
    """Keys of a section with their types."""
    hints = get_type_hints(section)
    if issubclass(section, BaseModel):
        return {key: hints[key] for key in section.model_fields}
    return hints


def _section_of(annotation: Any) -> type | None:  # noqa: ANN401  # a type expression
    """The section that a type consists of: ``Part``, ``Part | None``, ``tuple[Part, ...]``."""
    if isinstance(annotation, type) and (
        is_dataclass(annotation) or issubclass(annotation, BaseModel)
    ):
        return annotation
    return next(filter(None, map(_section_of, get_args(annotation))), None)


def _apply(override: str, data: dict[str, Any], model: type[RecipeSection]) -> None:
    """Put an override's value into the data of a recipe."""
    try:
        changes = flatten(tomllib.loads(override))
    except tomllib.TOMLDecodeError:
        changes = {}
    if len(changes) != 1:
        raise _no_override(override, "it must be one KEY=VALUE")
    ((name, value),) = changes.items()
    place, section, table = name.split("."), model, data
    for depth, key in enumerate(place, start=1):
        keys = _keys(section)
        if key not in keys:
            raise _no_override(override, _allowed(place[:depth], model))
        inner, last = _section_of(keys[key]), depth == len(place)
        if last and inner is None:
            table[key] = value
        elif last:
            raise _no_override(override, f"'{name}' is a section")
        elif inner is None or not isinstance(table.setdefault(key, {}), dict):
            raise _no_override(override, f"'{_dotted(place[:depth])}' has no keys")
        else:
            section, table = inner, table[key]


def _no_override(override: str, reason: str) -> UsageError:
    return UsageError(
        "E131",
        f"'{override}' changes nothing in the recipe ({reason}): write KEY=VALUE as in TOML, "
        "with a key of the recipe, such as fit.epochs=4 or head.dropout=0.5",
    )
