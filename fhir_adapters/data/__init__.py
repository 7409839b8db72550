"""Data files of the FHIR adapters: how domain values are said in FHIR."""
