"""What holds of an RTF document at one place: the format of a group, fonts, a form's field."""

from __future__ import annotations

from dataclasses import dataclass

from fhir_adapters.reading.text import rtf_words as words


@dataclass(slots=True)
class Format:
    """The format that a group hands to the groups within."""

    destination: str = ""  # the hidden destination that the group belongs to
    hidden: bool = False
    struck: bool = False
    font: int | None = None
    skip: int = 1  # characters that stand in for a "\u" in readers without Unicode

    def copy(self) -> Format:
        """Return the format that a group within begins with."""
        return Format(self.destination, self.hidden, self.struck, self.font, self.skip)

    @property
    def unread(self) -> bool:
        """Whether text is not shown, or struck through."""
        return bool(self.destination) or self.hidden or self.struck


@dataclass(slots=True)
class Font:
    """A font of the document."""

    charset: int | None = None
    name: str = ""

    @property
    def signs(self) -> dict[int, str] | None:
        """Characters of a symbol font by their byte."""
        if "wingdings" in self.name.lower():
            return words.WINGDINGS
        return words.SYMBOL if self.name.lower().startswith("symbol") else None


@dataclass(slots=True)
class Check:
    """A checkbox of a form under way: its result, else its default."""

    kind: int = 0
    result: int | None = None
    default: int = 0
