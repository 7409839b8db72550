"""HTML building blocks; all text from records is escaped here."""

from __future__ import annotations

import hashlib
import html
from datetime import date
from importlib import resources

from clinical_nlp.records import EstimateStatus
from clinical_nlp.risk.bands import Band, load_bands
from clinical_nlp.risk.states import state_of
from clinical_nlp.spanish import day_es

_BAND_COLOURS = 4  # of review.css, lowest band first
# Control characters, which a browser may drop or obey; line breaks and tabs stay.
_CONTROLS = {
    code: "\ufffd"
    for code in (*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A))
    if code not in (0x09, 0x0A, 0x0D)
}


class Html:
    """HTML that a notebook renders.

    Parameters
    ----------
    body
        Escaped HTML; the review's style is put before it.
    """

    def __init__(self, body: str) -> None:
        style = resources.files("clinical_nlp.review").joinpath("review.css").read_text("utf-8")
        self._html = f"<style>{style}</style><div class='cnr'>{body}</div>"

    def _repr_html_(self) -> str:
        return self._html

    def __str__(self) -> str:
        return self._html


def escape(text: str) -> str:
    """Escape text for HTML; control characters become U+FFFD."""
    shown = text.encode("utf-8", "replace").decode("utf-8").translate(_CONTROLS)
    return html.escape(shown, quote=True)


def anchor(note_key: str, start: int) -> str:
    """Return the HTML id of a finding, to which reasons link."""
    return f"h{hashlib.sha256(note_key.encode()).hexdigest()[:10]}-{start}"


def day_or_none(day: date | None) -> str:
    """Return ``31/03/2026``, or ``sin fecha``."""
    return day_es(day) if day else "sin fecha"


def state_chip(status: EstimateStatus) -> str:
    """Return a state's name as a label."""
    return (
        f"<span class='cnr-state cnr-state-{status.value}'>"
        f"{escape(state_of(status).name_es)}</span>"
    )


def band_chip(band: Band, prefix: str = "") -> str:
    """Return a band's name as a label, coloured by its rank."""
    place = min(load_bands().items.index(band), _BAND_COLOURS - 1)
    return f"<span class='cnr-band cnr-band-{place}'>{prefix}{escape(band.name_es)}</span>"
