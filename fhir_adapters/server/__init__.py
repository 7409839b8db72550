"""Keep a FHIR R4 server in step with what a night says."""
