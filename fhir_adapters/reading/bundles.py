"""The entries of a Bundle: resources to read, and what was deleted.

Bulk data knows Bundles for deletions only, but servers, test tools and people write them for
everything. What an entry says is plain in every type of Bundle: it holds a resource, or its
request deletes one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC

from fhir_adapters.reading.dates import parse_moment
from fhir_adapters.reading.defects import Defect, Unusable
from fhir_adapters.reading.references import parse_reference
from fhir_adapters.reading.shape import Json, child, children, string

_URN = "urn:uuid:"
# Requests that neither bring a resource nor take one away
_READS = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class Deletion:
    """A resource that was deleted.

    Parameters
    ----------
    type
        Empty where the reference names none (``urn:uuid:``).
    at
        When, in UTC; empty where the export does not say. A version of the resource that was
        written later is another one, created again.
    """

    type: str
    id: str
    at: str = ""


def entries(bundle: Json, deleted: bool) -> Iterator[Json | Deletion | Unusable]:
    """Yield what each entry of a Bundle holds; a defect for one that cannot be used.

    Parameters
    ----------
    deleted
        Whether the file names what was deleted: a resource stands there for its deletion.

    Raises
    ------
    Unusable
        E216: ``entry`` is not a list of objects.
    """
    for entry in children(bundle, "entry"):
        try:
            found = _read(entry, deleted)
        except Unusable as error:
            yield error
        else:
            if found is not None:
                yield found


def deletion_of(resource: Json) -> Deletion:
    """Return the deletion of a resource that stands in the folder of what was deleted.

    Raises
    ------
    Unusable
        E287: it has no type or id.
    """
    kind, id_ = resource.get("resourceType"), resource.get("id")
    if not isinstance(kind, str) or not isinstance(id_, str) or not id_:
        raise Unusable(Defect.BAD_DELETION)
    return Deletion(kind, id_)


def _read(entry: Json, deleted: bool) -> Json | Deletion | None:
    request, resource = child(entry, "request"), child(entry, "resource")
    method = (string(request, "method") or "").upper()
    if method == "DELETE":
        return _deletion(entry, request, resource)
    if deleted and resource:
        return deletion_of(resource)
    if method == "PATCH" or not resource:
        if method in _READS:
            return None
        raise Unusable(Defect.BAD_ENTRY)
    if "id" not in resource:
        # In a transaction the server gives the id; until then the entry's name is one.
        name = string(entry, "fullUrl") or ""
        if name.startswith(_URN):
            resource = {**resource, "id": name.removeprefix(_URN)}
    return resource


def _deletion(entry: Json, request: Json, resource: Json) -> Deletion:
    for text in (string(request, "url"), string(entry, "fullUrl")):
        reference = parse_reference(text or "")
        if reference is not None and not reference.contained:
            moment = parse_moment(string(child(entry, "response"), "lastModified") or "")
            at = "" if moment is None else moment.at.astimezone(UTC).isoformat()
            return Deletion(reference.type or "", reference.id, at)
    return deletion_of(resource)
