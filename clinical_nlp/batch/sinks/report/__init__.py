"""``report.html``: a run on one page."""

from clinical_nlp.batch.sinks.report.page import RunSummary, write_report

__all__ = ["RunSummary", "write_report"]
