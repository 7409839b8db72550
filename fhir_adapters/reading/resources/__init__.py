"""Reducers of each resource type: FHIR in, domain values out, nothing else kept.

Each reducer takes a resource and returns what the later stages use of it, or raises
:class:`~fhir_adapters.reading.defects.Unusable` or
:class:`~fhir_adapters.reading.defects.LeftOut`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fhir_adapters.reading.dates import Dates
from fhir_adapters.reading.resources.document import (
    Document,
    reduce_composition,
    reduce_diagnostic_report,
    reduce_document_reference,
)
from fhir_adapters.reading.resources.events import (
    reduce_condition,
    reduce_encounter,
    reduce_family_history,
    reduce_procedure,
)
from fhir_adapters.reading.resources.facts import Facts
from fhir_adapters.reading.resources.medication import (
    reduce_medication_request,
    reduce_medication_statement,
)
from fhir_adapters.reading.resources.observation import reduce_observation
from fhir_adapters.reading.shape import Json

#: Reducer of each type that becomes coded events.
EVENT_REDUCERS: Mapping[str, Callable[[Json, Dates], Facts]] = {
    "Condition": reduce_condition,
    "Encounter": reduce_encounter,
    "FamilyMemberHistory": reduce_family_history,
    "MedicationRequest": reduce_medication_request,
    "MedicationStatement": reduce_medication_statement,
    "Observation": reduce_observation,
    "Procedure": reduce_procedure,
}

#: Reducer of each type that holds notes.
DOCUMENT_REDUCERS: Mapping[str, Callable[[Json, Dates, int], Document]] = {
    "Composition": reduce_composition,
    "DiagnosticReport": reduce_diagnostic_report,
    "DocumentReference": reduce_document_reference,
}

__all__ = ["DOCUMENT_REDUCERS", "EVENT_REDUCERS"]
