"""The view of a doc for finding headings: norms, sentence starts, line breaks."""

from __future__ import annotations

from collections.abc import Iterator

from spacy.tokens import Doc

from clinical_nlp.pipeline.rules import count_line_breaks, norms_of

_BREAKS = frozenset("\n\r\x0b\x0c\x85\u2028\u2029")


class Page:
    """Norms, sentences and lines of one doc; tokens are given by index.

    Parameters
    ----------
    doc
        Tokenised, with sentences.
    """

    def __init__(self, doc: Doc) -> None:
        self.norms = norms_of(doc)
        self.size = len(self.norms)
        self.sentence_starts: list[int] = (doc.to_array("SENT_START") == 1).nonzero()[0].tolist()
        self._starts = frozenset(self.sentence_starts)
        self._breaks = {
            position
            for position, norm in enumerate(self.norms)
            if norm.isspace() and not _BREAKS.isdisjoint(norm)
        }

    def opens_sentence(self, position: int) -> bool:
        """Whether a sentence starts here."""
        return position in self._starts

    def opens_line(self, position: int) -> bool:
        """Whether a line starts here."""
        return position == 0 or self.breaks_line(position - 1)

    def breaks_line(self, position: int) -> bool:
        """Whether this is white space with a line break in it; also past the end."""
        return position in self._breaks or position >= self.size

    def skip_space(self, position: int) -> int:
        """Return the first token from ``position`` on that is no white space."""
        while position < self.size and self.norms[position].isspace():
            position += 1
        return position

    def words_from(self, position: int, count: int) -> list[str]:
        """Return the next ``count`` words (letters or digits) from ``position`` on."""
        words: list[str] = []
        while position < self.size and len(words) < count:
            norm = self.norms[position]
            if norm.isalnum():
                words.append(norm)
            position += 1
        return words

    def starts_between(self, first: int, limit: int) -> Iterator[int]:
        """Yield the sentence starts from ``first`` up to ``limit``."""
        for start in self.sentence_starts:
            if first <= start < limit:
                yield start

    def blank_line(self, position: int, limit: int) -> int:
        """Return the first token after the next blank line, at most ``limit``."""
        while position < limit:
            if count_line_breaks(self.norms[position]) > 1:
                return position + 1
            position += 1
        return limit
