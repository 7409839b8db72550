"""Parse a line of NDJSON into a resource."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import Any, NoReturn

from fhir_adapters.reading.defects import Defect, Unusable
from fhir_adapters.reading.shape import Json


def _known_types() -> frozenset[str]:
    text = files(__package__).joinpath("r4_types.txt").read_text("utf-8")
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    return frozenset(name for line in lines for name in line.split())


#: Names of all FHIR R4 resource types.
R4_TYPES = _known_types()

#: FHIR's ``id`` (https://hl7.org/fhir/R4/datatypes.html#id).
ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")

# "\ud800" may be half of a pair or stand alone; only the parsed string shows which.
_MAYBE_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")

#: Half of a pair of UTF-16; alone it has no UTF-8 form.
SURROGATE = re.compile("[\ud800-\udfff]")


def _refuse_constant(_name: str) -> NoReturn:
    raise ValueError("NaN and Infinity are not JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


def parse(content: bytes) -> Json:
    """Parse one line into a resource of a known R4 type.

    Lone surrogates (an escaped D800 to DFFF without its pair), which no UTF-8 output can
    hold, become U+FFFD, one for one, so that offsets into the text stay true.

    Raises
    ------
    Unusable
        The line is not UTF-8, JSON, an object, or a resource of R4.
    """
    try:
        resource = _DECODER.decode(content.decode("utf-8"))
    except UnicodeDecodeError:
        raise Unusable(Defect.NOT_UTF8) from None
    except RecursionError:
        raise Unusable(Defect.TOO_DEEP) from None
    except ValueError:  # JSONDecodeError, and integers of more than 4,300 digits
        raise Unusable(Defect.NOT_JSON) from None
    if not isinstance(resource, dict):
        raise Unusable(Defect.NOT_OBJECT)
    kind = resource.get("resourceType")
    if not isinstance(kind, str) or kind not in R4_TYPES:
        raise Unusable(Defect.NO_TYPE)
    if _MAYBE_SURROGATE.search(content):
        _replace_surrogates(resource)
    return resource


def identity(resource: Json) -> str:
    """Return the resource's id.

    Raises
    ------
    Unusable
        E212: it has none, or one that FHIR does not allow.
    """
    value = resource.get("id")
    if not isinstance(value, str) or not ID.fullmatch(value):
        raise Unusable(Defect.BAD_ID)
    return value


def _replace_surrogates(resource: Json) -> None:
    """Replace lone surrogates in all values, in place; iterative, as depth is the export's."""
    stack: list[Any] = [resource]
    while stack:
        node = stack.pop()
        for key, value in list(node.items() if isinstance(node, dict) else enumerate(node)):
            if isinstance(value, str):
                node[key] = SURROGATE.sub("\ufffd", value)
            elif isinstance(value, dict | list):
                stack.append(value)
