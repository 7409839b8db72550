"""Published scores and rules: PREVENT, PCP-HF, ARIC, Framingham criteria, NT-proBNP."""

from clinical_nlp.risk.published.aric_hf import AricInputs, AricResult, aric_hf, aric_inputs
from clinical_nlp.risk.published.framingham import FraminghamResult, framingham
from clinical_nlp.risk.published.nt_probnp import (
    NtProBnpClass,
    NtProBnpResult,
    likely_limit,
    nt_probnp_rule,
    peptide_class,
    peptide_rule,
)
from clinical_nlp.risk.published.pcp_hf import PcpHfInputs, pcp_hf, pcp_hf_inputs
from clinical_nlp.risk.published.prevent import (
    PreventInputs,
    nearest_in_range,
    prevent_hf,
    prevent_inputs,
)
from clinical_nlp.risk.published.refusal import Refusal, RefusalCode, ScoreResult

__all__ = [
    "AricInputs",
    "AricResult",
    "FraminghamResult",
    "NtProBnpClass",
    "NtProBnpResult",
    "PcpHfInputs",
    "PreventInputs",
    "Refusal",
    "RefusalCode",
    "ScoreResult",
    "aric_hf",
    "aric_inputs",
    "framingham",
    "likely_limit",
    "nearest_in_range",
    "nt_probnp_rule",
    "pcp_hf",
    "pcp_hf_inputs",
    "peptide_class",
    "peptide_rule",
    "prevent_hf",
    "prevent_inputs",
]
