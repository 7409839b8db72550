"""Read and write FHIR R4: the only packages that know the wire format.

``fhir_adapters.reading``
    a Bulk Data export folder → :class:`~clinical_nlp.records.PatientRecord`.
``fhir_adapters.writing``
    :class:`~clinical_nlp.records.PatientResult` → NDJSON files of FHIR resources.

Both depend on the domain values alone; the command line plugs them into the batch.
"""
