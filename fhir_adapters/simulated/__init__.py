"""Simulated patients as a FHIR bulk export."""
