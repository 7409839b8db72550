"""A mention: a span of a note that names a disease, symptom, procedure or medication."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mention:
    """An entity that the mention model found in a note.

    Offsets are Unicode code points of the note's exact text, 0-based, end exclusive.
    Mentions of different labels may overlap, those of one label do not.

    Parameters
    ----------
    start, end
        Place in the note's text.
    text
        ``note.text[start:end]``. Patient text: never log it.
    label
        ``DISEASE``, ``SYMPTOM``, ``PROCEDURE`` or ``MEDICATION``.
    score
        Probability (0..1) of the mention's least probable word. It ranks mentions and is
        not calibrated.
    concept
        Key of the catalogue's concept that it is linked to, ``None`` for none.
    """

    start: int
    end: int
    text: str
    label: str
    score: float
    concept: str | None = None
