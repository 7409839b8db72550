"""Check what is written against the models of ``fhir.resources``.

Its pydantic models take several times as long as building and writing a resource.
Most resources differ in values alone, and every primitive value is made by
:mod:`fhir_adapters.writing.elements`; so each *shape* (which keys, how nested, of which
JSON types) is checked once a run, and all of them where asked.
"""

from __future__ import annotations

from collections.abc import Hashable
from functools import cache
from importlib import import_module
from typing import cast

from pydantic import BaseModel, ValidationError

from clinical_nlp.errors import OutputError
from fhir_adapters.writing.elements import Json, Resource


class Checker:
    """Checks resources against the R4B models, the nearest that ``fhir.resources`` has.

    Parameters
    ----------
    every
        Check each resource, and not each shape once.
    """

    def __init__(self, every: bool = False) -> None:
        self._every = every
        self._seen: set[Hashable] = set()

    def check(self, resource: Resource) -> None:
        """Check a resource against its model.

        Raises
        ------
        OutputError
            E521: the resource is not valid FHIR. Holds element names, never values.
        """
        shape: Hashable = None
        if not self._every:
            shape = (resource.kind, _shape(resource.body))
            if shape in self._seen:
                return
        kind = resource.kind
        try:
            _model(kind).model_validate({"resourceType": kind, "id": resource.id, **resource.body})
        except ValidationError as error:
            locations = _error_locations(error)
        else:
            if not self._every:
                self._seen.add(shape)
            return
        # Outside the handler: pydantic's message quotes the input.
        raise OutputError(
            "E521",
            f"a {kind} was made that is not valid FHIR (at {locations}); "
            "report this line to the maintainers and run the previous version.",
        )


def _shape(value: object) -> Hashable:
    kind = value.__class__
    if kind is dict:
        return tuple([(key, _shape(inner)) for key, inner in cast(Json, value).items()])
    if kind is list:
        # Lists of items of one shape (targets, spans) are one shape, however long.
        return frozenset([_shape(inner) for inner in cast(list[object], value)])
    return kind.__name__


@cache
def _model(kind: str) -> type[BaseModel]:
    model: type[BaseModel] = getattr(import_module(f"fhir.resources.R4B.{kind.lower()}"), kind)
    return model


def _error_locations(error: ValidationError) -> str:
    rows = error.errors(include_input=False, include_url=False, include_context=False)
    locations = {".".join(map(str, row["loc"])) + f" [{row['type']}]" for row in rows}
    return ", ".join(sorted(locations))
