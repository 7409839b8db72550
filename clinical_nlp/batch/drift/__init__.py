"""Whether today's patients are still those that the model was made for."""

from clinical_nlp.batch.drift.compare import Drift, Level, Moved, compare_batches
from clinical_nlp.batch.drift.report import drift_html, drift_markdown

__all__ = ["Drift", "Level", "Moved", "compare_batches", "drift_html", "drift_markdown"]
