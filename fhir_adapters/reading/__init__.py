"""Read a FHIR R4 Bulk Data export as a stream, patient by patient.

One pass over the files reduces every resource to what the later stages use and spools it
to a private temporary database; then the references between resources are resolved
(subjects, Binaries, Medications, replaced documents), and the patients are yielded in
order of their id. What is read, left out and quarantined, and why: ``docs/reference/input.md``.
"""

from fhir_adapters.reading.export import BulkExport

__all__ = ["BulkExport"]
