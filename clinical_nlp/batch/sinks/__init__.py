"""Sinks of a run besides FHIR: tables, the work list and the report."""

from clinical_nlp.batch.sinks.audit_table import AuditTable
from clinical_nlp.batch.sinks.estimates_table import EstimatesTable
from clinical_nlp.batch.sinks.features_table import FeaturesTable
from clinical_nlp.batch.sinks.findings_table import FindingsTable
from clinical_nlp.batch.sinks.mentions_table import MentionsTable
from clinical_nlp.batch.sinks.worklist import Worklist

__all__ = [
    "AuditTable",
    "EstimatesTable",
    "FeaturesTable",
    "FindingsTable",
    "MentionsTable",
    "Worklist",
]
