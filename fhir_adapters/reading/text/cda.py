"""CDA documents → the titles and narratives of their sections.

Of a CDA document (HL7 Clinical Document Architecture, release 2) only the narrative block is
what its author wrote and signed; header and entries are for machines.
"""

from __future__ import annotations

import re

from fhir_adapters.reading.text.html import html_to_text

_DOCUMENT = re.compile(r"<(?:\w+:)?ClinicalDocument\b")
_BODY = re.compile(r"<(?:\w+:)?structuredBody\b")
_PART = re.compile(
    r"<(?:\w+:)?(?P<name>title|text)\b[^<>]*(?<!/)>(?P<inside>.*?)</(?:\w+:)?(?P=name)\s*>",
    re.DOTALL,
)
_ENTRY = re.compile(r"<((?:\w+:)?entry)\b.*?</\1\s*>", re.DOTALL)


def is_cda(text: str) -> bool:
    """Return whether a text is a CDA document."""
    return bool(_DOCUMENT.search(text[:4096]))


def cda_to_text(text: str) -> str:
    r"""Return the titles and narratives of a document's sections, in order.

    Examples
    --------
    >>> cda_to_text("<ClinicalDocument><title>X</title><component><structuredBody><section>"
    ...     "<title>Motivo</title><text><paragraph>Tos</paragraph></text></section>")
    'Motivo\nTos'
    """
    body = _BODY.search(text)
    if body is None:
        return ""
    sections: list[str] = []
    for part in _PART.finditer(_ENTRY.sub("", text[body.end() :])):
        inside = html_to_text(part["inside"])
        if part["name"] == "title":
            sections.append(inside)
        elif inside and sections:
            sections[-1] = f"{sections[-1]}\n{inside}".strip()
        elif inside:
            sections.append(inside)
    return "\n\n".join(section for section in sections if section)
