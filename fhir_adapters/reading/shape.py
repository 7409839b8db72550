"""Read fields of a resource that has not been validated.

Full validation of each resource (``fhir.resources``) costs more than the rest of the scan;
the few fields that are read are checked here instead.
"""

from __future__ import annotations

import math
from typing import Any, TypeAlias

from fhir_adapters.reading.defects import Defect, Unusable

Json: TypeAlias = dict[str, Any]
_NOTHING: Json = {}


def child(parent: Json, field: str) -> Json:
    """Return an object field, an empty object where it is absent.

    Raises
    ------
    Unusable
        E216: the field is not an object.
    """
    value = parent.get(field)
    if value is None:
        return _NOTHING
    if not isinstance(value, dict):
        raise Unusable(Defect.BAD_SHAPE, field=field)
    return value


def children(parent: Json, field: str) -> list[Json]:
    """Return a list field of objects, an empty list where it is absent.

    Raises
    ------
    Unusable
        E216: the field is not a list, or holds something else than objects.
    """
    value = parent.get(field)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise Unusable(Defect.BAD_SHAPE, field=field)
    return value


def string(parent: Json, field: str) -> str | None:
    """Return a string field, ``None`` where it is absent.

    Raises
    ------
    Unusable
        E216: the field is not a string.
    """
    value = parent.get(field)
    if value is None or isinstance(value, str):
        return value
    raise Unusable(Defect.BAD_SHAPE, field=field)


def number(parent: Json, field: str) -> float | None:
    """Return a finite number, ``None`` where it is absent.

    Raises
    ------
    Unusable
        E216: the field is not a number, or one too large to hold.
    """
    value = parent.get(field)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unusable(Defect.BAD_SHAPE, field=field)
    try:
        result = float(value)
    except OverflowError:
        result = math.inf
    if not math.isfinite(result):
        raise Unusable(Defect.BAD_SHAPE, field=field)
    return result
