"""Measurements: ``hf_measurements`` adds the measured values of a note to ``doc._.findings``."""

from spacy.language import Language

from clinical_nlp.artifacts import read_toml
from clinical_nlp.pipeline.measurements.measurements import MeasurementFinder

__all__ = ["MeasurementFinder", "create_measurements"]


@Language.factory("hf_measurements")
def create_measurements(nlp: Language, name: str) -> MeasurementFinder:
    """Build ``hf_measurements`` with the package's own names, units and limits."""
    return MeasurementFinder(read_toml(__name__, "measurements.toml"))
