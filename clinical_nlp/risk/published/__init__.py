"""Published scores and rules: PREVENT, Framingham criteria, NT-proBNP."""

from clinical_nlp.risk.published.framingham import FraminghamResult, framingham
from clinical_nlp.risk.published.nt_probnp import (
    NtProBnpClass,
    NtProBnpResult,
    likely_limit,
    nt_probnp_rule,
    peptide_class,
    peptide_rule,
)
from clinical_nlp.risk.published.prevent import (
    PreventInputs,
    PreventResult,
    prevent_hf,
    prevent_inputs,
)

__all__ = [
    "FraminghamResult",
    "NtProBnpClass",
    "NtProBnpResult",
    "PreventInputs",
    "PreventResult",
    "framingham",
    "likely_limit",
    "nt_probnp_rule",
    "peptide_class",
    "peptide_rule",
    "prevent_hf",
    "prevent_inputs",
]
