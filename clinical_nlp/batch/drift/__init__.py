"""Drift: whether today's patients are still like those the model was trained on."""

from clinical_nlp.batch.drift.compare import Drift, Level, Shift, compare_batches
from clinical_nlp.batch.drift.report import drift_html, drift_markdown

__all__ = ["Drift", "Level", "Shift", "compare_batches", "drift_html", "drift_markdown"]
