"""``report.html``: a run on one page."""

from clinical_nlp.batch.sinks.report.page import write_report

__all__ = ["write_report"]
