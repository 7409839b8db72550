"""Tags and entities left in a note that says it is plain text: ``FC&nbsp;60<br>``."""

from __future__ import annotations

import re
from bisect import bisect_left

from spacy.attrs import IDX
from spacy.tokens import Doc

from clinical_nlp.pipeline.rules import text_of

_MARKUP = re.compile(
    r"</?(?:b|br|p|i|u|div|span|td|tr|th|table|tbody|thead|ul|ol|li|font|strong|em|h[1-6]|dl|dt|dd)"
    r"(?:\s[^<>]{0,200})?/?>|&(?:nbsp|#160|#xa0);",
    re.IGNORECASE,
)


#: A note has tags or entities only with one of these words.
MARKUP_SIGNS = frozenset({"nbsp", "#160", "br", "td", "tr", "th", "div", "span", "li", "dd", "dt"})


def markup_tokens(doc: Doc, norms: list[str]) -> list[int]:
    """Return the tokens of tags and of no-break blanks, which are no words."""
    if "<" not in norms and "&" not in norms:
        return []
    starts = doc.to_array(IDX).tolist()
    found: list[int] = []
    for match in _MARKUP.finditer(text_of(doc)):
        found.extend(range(bisect_left(starts, match.start()), bisect_left(starts, match.end())))
    return found
