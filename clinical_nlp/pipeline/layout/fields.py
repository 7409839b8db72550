"""Labels answered in their own line: 'Disnea: no', 'IY ..... planas', 'tos N · edemas S'."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from clinical_nlp.matching.norms import normalise_word
from clinical_nlp.pipeline import document_layout as layout
from clinical_nlp.pipeline.layout.answers import Answer, words_pattern
from clinical_nlp.pipeline.layout.bare_answers import WEAK, Bare, credible, read_bare
from clinical_nlp.pipeline.layout.lines import Line
from clinical_nlp.pipeline.layout.page import Page
from clinical_nlp.pipeline.layout.parts import OPENS, TAIL, Part, parts_of

_SIGN = re.compile(
    r"(?:(?P<question>\?)\s*(?:r(?:esp(?:uesta)?)?\s?[.:]\s*|(?P<arrow>[-=]>\s*|→\s*)|[-–—:=.]+\s*)?"
    r"|(?::(?!\d)|=)\s*|\.{2,}\s*:?\s*|…+\s*|_{2,}\s*:?\s*|->\s*|[→▸]\s*)",
    re.IGNORECASE,
)
_SAME = re.compile(r"(?:igual|[ií]dem|sin cambios)\b", re.IGNORECASE)
_NUMBERED = re.compile(r"\s*\d{1,2}[a-z]?(?:-[a-z])?\s?[.)]\s")
# What a part of a line without any of these needs not be read for: a sign before an answer ...
_ANY_SIGN = re.compile(
    r"[:=?|;\t→▸…._\- \u00a0](?:(?<=[:=?|;\t→▸…])|(?<=[.])[.]+|(?<=_)_+|(?<=-)>"
    r"|(?<=\S[ \u00a0])[ \u00a0]+(?=\S))"
)
# ... or an answer behind a blank.
_ANY_BARE = re.compile(
    r"[ \u00a0](?=[NSnsXx0EeBbPpAaLlMm1-9+\-–—−±(\[])"
    r"(?:[NSnsXx0]|[Nn][Oo]n?|NON|[Ss][IÍií]|[Ee][Zz]|[Bb][Aa][Ii]|[Pp]oco|[Aa]lgo|[Ll]eve"
    r"|[Mm]ucho|[1-9]?\++|[-–—−]|±|\d\s?/\s?\d|\+{1,4}\s?/\s?\+{1,4}"
    r"|[(\[][^()\[\]\n]{1,25}[)\]])(?=[^\S\n]?(?:$|[.,;:|·/\n\t(«\"]|[^\S\n]{2}))"
)
_FILLED_WITH = "=_.…"
_ARROW = re.compile(r"\s*(?:->|→|=>|⇒)\s*")
_ASKED = re.compile(r"[^\S\n]*(?:[-=]>|→)")
_BRACKET = re.compile(r"[(\[][^()\[\]]{1,25}[)\]]")
_LEAST_CHAIN = 2
_CHOICES = re.compile(
    r"\*{0,2}\s?/\s?(?!.{0,40}\s(?:s[ií]|no|[SN+-])\s*(?:/|$))[^/;.,|:=()\[\]+]{1,30}(?=[/;.,|]|$)",
    re.I,
)
_SUM = re.compile(r"\s\d\s=")
_BLANK = re.compile(r"(\s*)[^\W\d_][^:=|]{2,40}:\s*")
_FILLERS = frozenset("_.=…")
_LONGEST_LABEL = 220  # code points from the start of a label to the sign behind it


class FieldReader:
    """Finds labels with an answer in the same line.

    Parameters
    ----------
    cues
        Words that show that a bare 'X no' is prose, and no label with its answer.
    today
        Words before today's answer, beside an earlier one.
    """

    def __init__(self, cues: Sequence[str], today: Sequence[str]) -> None:
        self._now = re.compile(
            rf"\s*(?:->|[→▸=(])?\s*(?:{words_pattern(today)})\s*:\s*", re.IGNORECASE
        )
        self._cues = frozenset(normalise_word(cue) for cue in cues)

    def read(self, page: Page) -> None:
        """Add the items of a note."""
        text = page.text
        places = [
            match.start()
            for match in _ANY_BARE.finditer(text)
            if text[match.start() + 1] not in "([" or page.answers.read(text, match.start() + 1)
        ]
        for match in _ANY_SIGN.finditer(text):
            start, end = match.span()
            sign = text[start]
            asked = sign == "?" and _ASKED.match(text, end)
            if sign in _FILLED_WITH or asked or page.answers.read(text, end):
                places.append(start)
        places.sort()
        starts = [line.start for line in page.lines]
        at = 0
        while at < len(places):
            line = page.lines[bisect_right(starts, places[at]) - 1]
            low, at = at, bisect_right(places, line.end, at + 1)
            self._line(page, line, [place - line.start for place in places[low:at]])

    def _line(self, page: Page, line: Line, places: Sequence[int]) -> None:
        """Add the items of a line; ``places`` are those of its signs and answers."""
        parts = parts_of(line.text)
        weak: list[Bare] = []
        waiting: Part | None = None  # a label whose answer may be the next column
        tabled = page.in_table(line)
        at = 0
        for number, part in enumerate(parts):
            low, at = at, bisect_left(places, part.end, at)
            before, waiting = waiting, None
            awaited = not tabled and number + 1 < len(parts) and parts[number + 1].column
            if at == low and not awaited:
                continue
            if page.is_taken(line.start + part.start, line.start + part.end):
                continue
            if at > low:
                if part.column and before and self._column(page, line, before, part):
                    continue
                last = number + 1 == len(parts) or parts[number + 1].column
                if self._today(page, line, parts, number) or _bracketed(page, line, part):
                    continue
                if self._signed(page, line, part, last=last):
                    continue
                bare = read_bare(page, line, part, self._cues)
                if bare is not None:
                    plain = bare.kind == "word" and not bare.text.isupper()
                    if bare.kind in WEAK or (plain and not part.column and len(parts) > 1):
                        weak.append(bare)
                    else:
                        page.add(bare.label, bare.answer, bare.verdict)
                    continue
            if awaited and page.answers.read(line.text, part.start) is None:
                waiting = part
        for bare in credible(weak):
            page.add(bare.label, bare.answer, bare.verdict)

    def _today(self, page: Page, line: Line, parts: Sequence[Part], number: int) -> bool:
        """Read today's answer beside an earlier one: 'Tos: no   -> HOY: sí'."""
        part = parts[number]
        match = self._now.match(line.text, part.start, part.end)
        if match is None or not number:
            return False
        label = line.text[parts[0].start : parts[0].end]
        colon = label.find(":")
        answer = page.answers.read(line.text, match.end())
        if colon < 0 or answer is None or answer.end > part.end:
            return False
        same = _SAME.match(line.text, match.end()) is not None
        before = page.answers.read(label, colon + 1) if same else answer
        place = page.label(line, parts[0].start, parts[0].start + colon)
        span = line.start + match.end(), line.start + answer.end
        verdict = before.verdict if before else layout.AFFIRMED
        return page.add(place, span, verdict, replace=True)

    @staticmethod
    def _column(page: Page, line: Line, label: Part, part: Part) -> bool:
        """Read an answer in the column after its label."""
        answer = page.answers.read(line.text, part.start)
        if answer is None or answer.end > part.end:
            return False
        if not TAIL.match(line.text[answer.end : part.end]):
            return False
        place = page.label(line, label.start, label.end)
        span = line.start + part.start, line.start + answer.end
        return page.add(place, span, answer.verdict)

    @staticmethod
    def _signed(page: Page, line: Line, part: Part, *, last: bool) -> bool:
        """Read 'label: answer' and its like."""
        text, opening, found = line.text, part.start, False
        for sign in _SIGN.finditer(text, part.start, part.end):
            if sign.start() < opening or _SUM.match(text, max(sign.start() - 3, 0)):
                continue  # read already, or a sum: 'EPOC 0, ictus 0 = 3'
            answer = page.answers.read(text, sign.end())
            if answer is None and sign["question"]:
                answer = page.answers.read(text, sign.start() + 1)  # '¿Ortopnea? -'
            if answer is None and sign["arrow"] and sign.end() < len(text):
                answer = page.answers.reply(text, sign.end())  # 'pies? -> como botas'
                answer = Answer(answer.verdict, min(answer.end, part.end))
            start = _opening(text, opening, sign.start())
            place = page.label(line, start, sign.start())
            if (
                sign["question"]
                and "¿" not in text[start : sign.start() + 1]
                and (answer is None or answer.verdict == layout.UNKNOWN)
            ):
                continue  # 'IC? (no explorado)' is a doubt
            if answer is not None and answer.end <= part.end:
                if _CHOICES.match(text, answer.end):
                    continue  # 'Edemas: no / maleolares': printed choices
                answer = _changed(page, text, answer)
                span = line.start + sign.end(), line.start + answer.end
                found = page.add(place, span, answer.verdict) or found
                opening = answer.end
                continue
            shape = sign.group().strip()[:1]
            if sign.end() >= part.end and last and shape in _FILLERS:
                span = line.start + sign.start(), line.start + sign.end()
                return page.add(place, span, layout.UNKNOWN) or found
        return found


def _changed(page: Page, text: str, answer: Answer) -> Answer:
    """Return the answer that another turns into: 'Disnea: sí -> no'."""
    arrow = _ARROW.match(text, answer.end)
    later = page.answers.read(text, arrow.end()) if arrow else None
    return later or answer


def _bracketed(page: Page, line: Line, part: Part) -> bool:
    """Read labels with their answers in brackets, one after the other: 'IY (-) RHY (+)'."""
    start = part.start
    for sign in OPENS.finditer(line.text, part.start, part.end):
        start = sign.end()
    found = []
    for bracket in _BRACKET.finditer(line.text, start, part.end):
        answer = page.answers.read(line.text, bracket.start())
        if answer is None or answer.end != bracket.end():
            return False
        span = line.start + bracket.start(), line.start + bracket.end()
        found.append((page.label(line, start, bracket.start()), span, answer.verdict))
        start = bracket.end()
    if len(found) < _LEAST_CHAIN:
        return False
    return any([page.add(*item) for item in found])


def add_blank_labels(page: Page) -> None:
    """Add the labels of a form that were left blank: 'Soplo:' between answered labels."""
    lines = page.lines
    for number in range(1, len(lines) - 1):
        line = lines[number]
        blank = _BLANK.fullmatch(line.text)
        if blank and all(_answered(page, lines[number + step], blank[1]) for step in (-1, 1)):
            colon = line.text.index(":")
            answer = line.start + colon, line.start + colon + 1
            page.add(page.label(line, 0, colon), answer, layout.UNKNOWN)


def _answered(page: Page, line: Line, indent: str) -> bool:
    """Whether a line is of the same form: as far in, with an answered label before a colon."""
    colon = line.text.find(":")
    same = line.text.startswith(indent) and not line.text[len(indent) :][:1].isspace()
    return colon > 0 and same and page.is_taken(line.start, line.start + colon)


def _opening(text: str, start: int, sign: int) -> int:
    """Return where the label before a sign opens; the item of a questionnaire has commas."""
    low = max(0, sign - _LONGEST_LABEL)
    asked = text.rfind("¿", low, sign)
    if asked >= 0 and not re.search(r"[?|\t]", text[asked:sign]):
        return asked
    numbered = _NUMBERED.match(text)
    if (
        numbered
        and numbered.end() >= low
        and not re.search(r"[:?|\t]|\s{3,}", text[numbered.end() : sign])
    ):
        return numbered.end()
    colon = text.rfind(": ", start, sign)
    return colon + 1 if colon >= 0 else start
