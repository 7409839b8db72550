"""Published scores and rules: PREVENT, Framingham criteria, NT-proBNP."""

from clinical_nlp.risk.published.framingham import FraminghamResult, framingham
from clinical_nlp.risk.published.nt_probnp import NtProBnpClass, NtProBnpResult, nt_probnp_rule
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
    "nt_probnp_rule",
    "prevent_hf",
    "prevent_inputs",
]
