"""A patient's record as one JSON object, the way programs hand it to a served model.

The fields are those of :class:`clinical_nlp.records.PatientRecord`, by name; what has its
default may be left out. A name that is not known is refused: a misspelt ``"notes"`` would
otherwise be a patient without notes, and a lower risk.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from clinical_nlp.errors import InputError
from clinical_nlp.records import PatientRecord


def record_to_json(record: PatientRecord) -> str:
    """Return a record as JSON text, its defaults left out. It holds the notes' text."""
    # Through "surrogatepass": half of a surrogate pair may stand in a note of an export.
    plain = _adapter().dump_python(record, mode="python", exclude_defaults=True)
    return json.dumps(plain, default=_plain, ensure_ascii=True)


def record_from_json(text: str) -> PatientRecord:
    """Read a record.

    Raises
    ------
    InputError
        E271: it is not such an object. The sentence names the field, never its content.
    """
    try:
        given = json.loads(text)
        record = _adapter().validate_python(given, strict=False)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        place = ".".join(str(step) for step in first["loc"]) or "the record"
        raise _refused(f"'{place}' is not as expected ({first['type']})") from None
    except (ValueError, TypeError, RecursionError):
        raise _refused("it is not JSON") from None
    strange = _unknown(given, _adapter().dump_python(record))
    if strange is not None:
        raise _refused(f"'{strange}' is no field of it")
    return record


@lru_cache(maxsize=1)
def _adapter() -> TypeAdapter[PatientRecord]:
    return TypeAdapter(PatientRecord)


def _plain(value: Any) -> str:  # noqa: ANN401  # whatever json cannot write
    return str(value.isoformat())


def _unknown(given: Any, known: Any, place: str = "") -> str | None:  # noqa: ANN401  # any JSON
    """Path of the first key of ``given`` that the record does not have."""
    if isinstance(given, dict) and isinstance(known, dict):
        for name, value in given.items():
            path = f"{place}{name}"
            if name not in known:
                # A key may be anything, a name or an address among them: not repeated
                # unless it looks like the name of a field.
                return path if name.isidentifier() and len(name) <= 30 else f"{place}…"
            found = _unknown(value, known[name], f"{path}.")
            if found is not None:
                return found
    if isinstance(given, list) and isinstance(known, list | tuple):
        for number, (one, other) in enumerate(zip(given, known, strict=False)):
            found = _unknown(one, other, f"{place}{number}.")
            if found is not None:
                return found
    return None


def _refused(what: str) -> InputError:
    return InputError(
        "E271",
        f"the patient record cannot be read: {what}; "
        "write it as docs/how-to/model-registry.md shows.",
    )
