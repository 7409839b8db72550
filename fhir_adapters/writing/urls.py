"""URLs of FHIR, of terminologies, and of our own definitions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

#: Our own definitions live under this URL unless an installation gives its own.
#: RFC 2606 reserves ``.example``: it never resolves to somebody else's page.
DEFAULT_BASE: Final = "https://clinical-nlp.example/fhir"

SNOMED: Final = "http://snomed.info/sct"
UCUM: Final = "http://unitsofmeasure.org"
ROLE_CODE: Final = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
OBSERVATION_CATEGORY: Final = "http://terminology.hl7.org/CodeSystem/observation-category"
DATA_OPERATION: Final = "http://terminology.hl7.org/CodeSystem/v3-DataOperation"
PARTICIPANT_TYPE: Final = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
TASK_CODE: Final = "http://hl7.org/fhir/CodeSystem/task-code"
DATA_ABSENT_REASON: Final = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
DATA_ABSENT_EXTENSION: Final = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
#: FHIR Extensions Pack: https://hl7.org/fhir/extensions/StructureDefinition-derivation-reference.html
DERIVATION_REFERENCE: Final = "http://hl7.org/fhir/StructureDefinition/derivation-reference"

#: HL7's v3-ObservationValue, which holds AIAST ("Artificial Intelligence asserted").
OBSERVATION_VALUE: Final = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue"
#: The same code system by its OID. AIAST joined it after FHIR 4.0.1 froze its copy
#: (2018-08-12), so a validator that knows R4's own copy alone refuses AIAST under the URL.
OBSERVATION_VALUE_OID: Final = "urn:oid:2.16.840.1.113883.5.1063"

# HL7's guide "AI Transparency on FHIR" (docs/adr/040-ai-transparency.md).
_GUIDE: Final = "http://hl7.org/fhir/uv/aitransparency"
AI_DEVICE_PROFILE: Final = f"{_GUIDE}/StructureDefinition/AI-Device"
AI_PROVENANCE_PROFILE: Final = f"{_GUIDE}/StructureDefinition/AI-Provenance"
AI_MODEL_CARD_PROFILE: Final = f"{_GUIDE}/StructureDefinition/AI-ModelCard"
AI_KIND_EXTENSION: Final = f"{_GUIDE}/StructureDefinition/aitransparency.AIKind"
AI_MODEL_CARD_EXTENSION: Final = f"{_GUIDE}/StructureDefinition/aitransparency.modelCardDescription"
AI_CONFIDENCE_EXTENSION: Final = f"{_GUIDE}/StructureDefinition/AIconfidence"
AI_DEVICE_TYPE: Final = f"{_GUIDE}/CodeSystem/AIdeviceTypeCS"
AI_INPUTS: Final = f"{_GUIDE}/CodeSystem/AIinputsCS"


@dataclass(frozen=True, slots=True)
class CanonicalUrls:
    """Canonical URLs of our own definitions.

    Parameters
    ----------
    base
        URL without a slash at its end.
    """

    base: str = DEFAULT_BASE

    def code_system(self, name: str) -> str:
        """URL of one of our code systems, e.g. ``"hf-risk-band"``."""
        return f"{self.base}/CodeSystem/{name}"

    def extension(self, name: str) -> str:
        """URL of one of our extensions, e.g. ``"note-text-sha256"``."""
        return f"{self.base}/StructureDefinition/{name}"

    def identifiers(self, name: str) -> str:
        """URL of one of our identifier systems, e.g. ``"mlflow-model-uri"``."""
        return f"{self.base}/identifiers/{name}"


#: Name of the identifier system of what the project writes: the value is the resource's own id.
RESULT: Final = "result"

#: URLs of an installation that gives none.
DEFAULT_URLS: Final = CanonicalUrls()

# Names of our code systems and extensions, used with :class:`CanonicalUrls`.
BAND: Final = "hf-risk-band"
CONCEPT: Final = "hf-concept"
CATEGORY: Final = "hf-finding-category"
VALUE: Final = "hf-finding-value"
FLAG: Final = "hf-assertion-flag"
STATUS: Final = "hf-estimate-status"
METHOD: Final = "hf-risk-method"

ASSERTION_EXTENSION: Final = "hf-assertion"
STATUS_EXTENSION: Final = "hf-estimate-status"
INTERVAL_EXTENSION: Final = "hf-risk-interval"
SHA256_EXTENSION: Final = "note-text-sha256"

#: The parts of ``INTERVAL_EXTENSION``.
INTERVAL_LEVEL: Final = "level"
INTERVAL_RANGE: Final = "range"

#: The one code of ``METHOD``.
METHOD_CODE: Final = "hf-12-month-classifier"
