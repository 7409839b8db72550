"""Small pieces of HTML, safe to fill with patient text.

A notebook shows HTML as it is given: everything that comes from a record is escaped here
and nowhere else.
"""

from __future__ import annotations

import hashlib
import html
from datetime import date
from importlib import resources

from clinical_nlp.risk.bands import Band, load_bands
from clinical_nlp.spanish import day_es

_BAND_COLOURS = 4  # that review.css has, lowest band first
# Control characters a browser would swallow or obey; line breaks and tabs stay.
_CONTROLS = {
    code: "\ufffd"
    for code in (*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A))
    if code not in (0x09, 0x0A, 0x0D)
}


class Html:
    """HTML that a notebook shows as such.

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
    """Escape text for HTML; what cannot be shown becomes U+FFFD."""
    shown = text.encode("utf-8", "replace").decode("utf-8").translate(_CONTROLS)
    return html.escape(shown, quote=True)


def anchor(note_key: str, start: int) -> str:
    """Return the HTML id of a finding: reasons link to it."""
    return f"h{hashlib.sha256(note_key.encode()).hexdigest()[:10]}-{start}"


def day_or_none(day: date | None) -> str:
    """Return ``31/03/2026``, or that there is no date."""
    return day_es(day) if day else "sin fecha"


def band_chip(band: Band, prefix: str = "") -> str:
    """Return a band's name as a small label, in the colour of its place on the scale."""
    place = min(load_bands().items.index(band), _BAND_COLOURS - 1)
    return f"<span class='cnr-band cnr-band-{place}'>{prefix}{escape(band.name_es)}</span>"
