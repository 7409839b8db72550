"""What a FHIR server can do: its CapabilityStatement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from clinical_nlp.errors import OutputError
from fhir_adapters.server.transport import FhirClient, Json


@dataclass(frozen=True, slots=True)
class TypeCapability:
    """What the server can do with one resource type.

    Parameters
    ----------
    update_create
        Whether PUT makes a resource under an id of ours.
    is_versioned
        Whether ``If-Match`` is honoured (``versioned-update``); else the version is read first.
    """

    update_create: bool
    is_versioned: bool


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What the server can do, by resource type; empty where it does not say."""

    types: Mapping[str, TypeCapability]

    def of(self, kind: str) -> TypeCapability | None:
        """Return what it can do with a type; ``None`` where it does not know the type."""
        if not self.types:
            return TypeCapability(update_create=False, is_versioned=False)
        return self.types.get(kind)


def read_capabilities(client: FhirClient) -> Capabilities:
    """Ask the server what it can do.

    Raises
    ------
    OutputError
        E541, E542: no answer; E543: the answer is no CapabilityStatement of FHIR R4.
    """
    answer = client.request("GET", "metadata")
    statement = answer.body
    version = str(statement.get("fhirVersion", ""))
    is_statement = statement.get("resourceType") == "CapabilityStatement"
    if not (answer.is_success and is_statement and version.startswith("4.0")):
        said = f"FHIR {version}" if version else f"status {answer.status}"
        raise OutputError(
            "E543",
            f"that is no FHIR R4 server ({said} at /metadata); give --server the base URL of "
            "one, such as https://fhir.example/r4.",
        )
    rest: list[Json] = [r for r in statement.get("rest", ()) if r.get("mode") == "server"]
    return Capabilities(
        {
            row["type"]: TypeCapability(
                update_create=bool(row.get("updateCreate")),
                is_versioned=row.get("versioning") == "versioned-update",
            )
            for part in rest
            for row in part.get("resource", ())
            if "type" in row
        }
    )
