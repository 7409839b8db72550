"""Parse a line of NDJSON into a resource."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import Any, NoReturn

from fhir_adapters.reading.defects import Defect, Unusable
from fhir_adapters.reading.shape import Json
from fhir_adapters.reading.versions import NAMED_OTHERWISE, OTHER_TYPES


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

    Raises
    ------
    Unusable
        The line is not UTF-8, JSON, an object, or a resource of R4.
    """
    return resource_of(load(content))


def load(content: bytes) -> Any:  # noqa: ANN401 - any JSON value
    """Parse one line, or one document, as JSON.

    Lone surrogates (an escaped D800 to DFFF without its pair), which no UTF-8 output can
    hold, become U+FFFD, one for one, so that offsets into the text stay true.

    Raises
    ------
    Unusable
        It is not UTF-8, or not JSON.
    """
    try:
        value = _DECODER.decode(content.decode("utf-8"))
    except UnicodeDecodeError:
        raise Unusable(Defect.NOT_UTF8) from None
    except RecursionError:
        raise Unusable(Defect.TOO_DEEP) from None
    except ValueError:  # JSONDecodeError, and integers of more than 4,300 digits
        raise Unusable(Defect.NOT_JSON) from None
    if isinstance(value, dict | list) and _MAYBE_SURROGATE.search(content):
        _replace_surrogates(value)
    return value


def resource_of(value: object) -> Json:
    """Return a JSON value that is a resource of a known type, of R4 or another version.

    Raises
    ------
    Unusable
        It is not an object, or of no type of R4 (E292: of one that R4 names otherwise).
    """
    if not isinstance(value, dict):
        raise Unusable(Defect.NOT_OBJECT)
    kind = value.get("resourceType")
    if isinstance(kind, str) and kind in NAMED_OTHERWISE:
        raise Unusable(Defect.OTHER_VERSION, version="another version", cause=Defect.NO_TYPE.code)
    if not isinstance(kind, str) or (kind not in R4_TYPES and kind not in OTHER_TYPES):
        raise Unusable(Defect.NO_TYPE)
    return value


def bookkeeping(value: object, in_log: bool) -> str | None:
    """Return what an export client or server wrote about its own work: "log" or "manifest".

    Both are JSON without a ``resourceType``: events of the export
    (https://github.com/smart-on-fhir/bulk-data-client/wiki/Bulk-Data-Export-Log-Items), and the
    answer that lists its files (https://hl7.org/fhir/uv/bulkdata/export.html).
    """
    if not isinstance(value, dict) or "resourceType" in value:
        return None
    if in_log or value.keys() >= {"exportId", "eventId"}:
        return "log"
    return "manifest" if value.keys() >= {"transactionTime", "output"} else None


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


def _replace_surrogates(document: Json | list[Any]) -> None:
    """Replace lone surrogates in all values, in place; iterative, as depth is the export's."""
    stack: list[Any] = [document]
    while stack:
        node = stack.pop()
        for key, value in list(node.items() if isinstance(node, dict) else enumerate(node)):
            if isinstance(value, str):
                node[key] = SURROGATE.sub("\ufffd", value)
            elif isinstance(value, dict | list):
                stack.append(value)
