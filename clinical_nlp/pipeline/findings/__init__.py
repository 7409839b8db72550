"""Findings: the lexicon's concepts, found in the words of a note."""

from clinical_nlp.pipeline.findings.component import FindingsComponent, create_findings
from clinical_nlp.pipeline.findings.matcher import Matcher

__all__ = ["FindingsComponent", "Matcher", "create_findings"]
