"""Data files of the FHIR adapters: codes of domain values in FHIR."""
