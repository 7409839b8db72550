"""Published scores beside our own: PREVENT and the Framingham criteria."""

from clinical_nlp.risk.published.framingham import FraminghamResult, framingham
from clinical_nlp.risk.published.prevent import (
    PreventInputs,
    PreventResult,
    prevent_hf,
    prevent_inputs,
)

__all__ = [
    "FraminghamResult",
    "PreventInputs",
    "PreventResult",
    "framingham",
    "prevent_hf",
    "prevent_inputs",
]
