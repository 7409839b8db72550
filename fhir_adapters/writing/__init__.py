"""Write results as FHIR R4 resources."""

from fhir_adapters.writing.sink import FhirSink
from fhir_adapters.writing.urls import DEFAULT_BASE, OBSERVATION_VALUE, OBSERVATION_VALUE_OID

__all__ = ["DEFAULT_BASE", "OBSERVATION_VALUE", "OBSERVATION_VALUE_OID", "FhirSink"]
