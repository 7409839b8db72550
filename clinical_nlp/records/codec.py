"""Domain values as JSON: one codec for the spool, the served model and the command line.

A value is written as an object of its fields by name, without those at their default.
"""

from __future__ import annotations

import json
from functools import cached_property
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from clinical_nlp.errors import InputError
from clinical_nlp.records.finding import FLAGS, Finding, Mention
from clinical_nlp.records.patient import CodedEvent, Coding, PatientRecord

_Value = TypeVar("_Value")


class Codec(Generic[_Value]):
    """Writes and reads values of one type.

    Parameters
    ----------
    kind
        A dataclass of :mod:`clinical_nlp.records`, or a tuple of them.
    """

    def __init__(self, kind: type[_Value]) -> None:
        self._kind = kind

    @cached_property
    def adapter(self) -> TypeAdapter[_Value]:
        """The pydantic adapter, built when first used."""
        return TypeAdapter(self._kind)

    def dumps(self, value: _Value) -> str:
        """Return a value as ASCII JSON; the same value always gives the same text."""
        # json.dumps, because pydantic refuses the lone surrogates that an export may hold.
        plain = self.adapter.dump_python(value, exclude_defaults=True)
        return json.dumps(plain, default=_isoformat)

    def loads(self, text: str) -> _Value:
        """Read what :meth:`dumps` wrote.

        Raises
        ------
        ValueError
            It is not JSON, or not of this type (:class:`pydantic.ValidationError`).
        """
        return self.adapter.validate_python(json.loads(text))


RECORD = Codec(PatientRecord)
EVENTS = Codec(tuple[CodedEvent, ...])
CODINGS = Codec(tuple[Coding, ...])


def record_to_json(record: PatientRecord) -> str:
    """Return a record as JSON text; it holds the notes' text."""
    return RECORD.dumps(record)


def record_from_json(text: str) -> PatientRecord:
    """Read a record from outside, such as a request to a served model.

    A name that is not a field is refused: a misspelt ``"notes"`` would otherwise be a patient
    without notes, and a lower risk.

    Raises
    ------
    InputError
        E271: it is not such an object. The sentence names the field, never its content.
    """
    try:
        given = json.loads(text)
        record = RECORD.adapter.validate_python(given)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        place = ".".join(str(step) for step in first["loc"]) or "the record"
        raise _bad_record(f"'{place}' is not as expected ({first['type']})") from None
    except (ValueError, TypeError, RecursionError):
        raise _bad_record("it is not JSON") from None
    unknown = _unknown_field(given, RECORD.adapter.dump_python(record))
    if unknown is not None:
        raise _bad_record(f"'{unknown}' is no field of it")
    return record


def finding_row(finding: Finding) -> dict[str, Any]:
    """Return a finding as ``extract`` writes it; value and unit only where there is one.

    A bound has its ``comparator`` (``<125`` is not 125), a value of an earlier day its
    ``measured_on``; where the learned reader has read, a finding has who decided it
    (``source``) and its ``probability``.
    """
    measured: tuple[str, ...] = () if finding.value is None else ("value", "unit")
    if finding.value is not None:
        given = ("comparator", "measured_on")
        measured += tuple(name for name in given if getattr(finding, name) is not None)
    read = () if finding.probability is None else ("source", "probability")
    names = ("start", "end", "text", "concept", *measured, *FLAGS, "section", *read)
    return {name: getattr(finding, name) for name in names}


def mention_row(mention: Mention) -> dict[str, Any]:
    """Return a mention as ``extract`` writes it; the concept only where it is linked."""
    linked = () if mention.concept is None else ("concept",)
    return {name: getattr(mention, name) for name in ("start", "end", "label", "score", *linked)}


def _isoformat(value: Any) -> str:  # noqa: ANN401  # dates and datetimes
    return str(value.isoformat())


def _unknown_field(given: Any, known: Any, place: str = "") -> str | None:  # noqa: ANN401  # JSON
    """Path of the first key of ``given`` that ``known`` does not have."""
    pairs: list[tuple[str, Any, Any]] = []
    if isinstance(given, dict) and isinstance(known, dict):
        for name, value in given.items():
            if name not in known:
                # A key may be a name or an address: it is not repeated unless it looks like
                # the name of a field.
                is_name = name.isidentifier() and len(name) <= 30
                return f"{place}{name}" if is_name else f"{place}…"
            pairs.append((name, value, known[name]))
    elif isinstance(given, list) and isinstance(known, list | tuple):
        pairs = [(str(i), *both) for i, both in enumerate(zip(given, known, strict=False))]
    found = (_unknown_field(value, other, f"{place}{name}.") for name, value, other in pairs)
    return next((path for path in found if path is not None), None)


def _bad_record(what: str) -> InputError:
    return InputError(
        "E271",
        f"the patient record cannot be read: {what}; "
        "write it as docs/how-to/model-registry.md shows.",
    )
