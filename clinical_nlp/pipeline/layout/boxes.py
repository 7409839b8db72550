"""Check boxes: '[ ] Disnea [x] Ortopnea', 'Disnea ☐ Sí ☒ No', 'SI( ) NO(X)', '(-) tos'."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from clinical_nlp.pipeline import document_layout as layout
from clinical_nlp.pipeline.document_layout import Span
from clinical_nlp.pipeline.layout.lines import Line
from clinical_nlp.pipeline.layout.page import Page

_BOX = re.compile(
    r"""
    (?P<on>\[[ ]{0,3}[xX✓✔✗✘][ ]{0,3}\]|\([ ]{0,3}[xX✓✔✗✘][ ]{0,3}\)|[☑☒✅🗹])
  | (?P<off>\[[ _]{0,4}\]|\([ _]{1,4}\)|[☐⬜])
  | (?P<dot_on>[■●◉⦿✓✔])
  | (?P<dot_off>[□○◯◻▢])
  | (?P<cross>[✗✘❌✕])
  | (?P<doubt>^[ \t]*\?(?=[ ]{1,3}[^\W\d_]))
  | (?P<plus>\([+]{1,4}\)|\[[ ]?[Ss][IiÍí]?[ ]?\]) | (?P<minus>\([-–—−]\)|\[[ ]?[Nn][Oo]?[ ]?\])
    """,
    re.VERBOSE,
)
_BOX_SIGNS = "[☑☒✅🗹☐⬜■●◉⦿✓✔□○◯◻▢✗✘❌✕"
_ANY_BOX = re.compile(rf"{_BOX_SIGNS.replace('[', '[[(?', 1)}]")  # faster than _BOX
_ROUND = re.compile(r"\([ _xX✓✔✗✘+\-–—−]")
#: Filled signs are boxes where empty ones stand beside them, else bullets.
_FILLED, _EMPTY = re.compile("[■●◉⦿✓✔]"), re.compile("[□○◯◻▢☐⬜✗✘❌✕]|\\[ ?\\]")
_BETWEEN = re.compile(r"[\s,;/|·\-–—]*")
_CUT = re.compile(r"\s{3,}|\s+(?:[-=]>|→)\s|\s*[|;\t]|[.]\s+(?=[^\W\d_a-z])")
_ARROW = re.compile(r"\s*(?:[-=]>|→)\s*")
_ARROWS = frozenset(("->", "=>", "→"))
# Signs before findings: '+ tos   - ortopnea   . síncope', the dot for what was not asked.
_SIGN = re.compile(r"(?:^|(?<=\s\s)|(?<=[|\t]))\s*(?P<sign>[-+.–—])[ ]{0,2}(?=[^\W\d_])")
_PLUS = re.compile(r"\+ {0,2}[^\W\d_]")  # faster than _SIGN
_LONGEST_ROW = 160
_CAPITAL = re.compile(r"[\s:.)–—-]*[A-ZÁÉÍÓÚÑÀÈÒÇ]")
_STATES = {
    "dot_on": "on",
    "dot_off": "off",
    "+": "plus",
    "-": "minus",
    "–": "minus",
    "—": "minus",
    ".": "blank",
}


@dataclass(frozen=True, slots=True)
class _Box:
    """A box: its place in the line, its state, and the answer that is printed beside it."""

    start: int
    end: int
    state: str
    option: str | None = None
    word: str = ""
    first: int = 0
    last: int = 0


class BoxReader:
    """Finds the items of forms with boxes.

    Parameters
    ----------
    options
        Pattern of the answers that are printed beside boxes.
    """

    def __init__(self, options: str) -> None:
        self._signed: set[int] = set()  # lines with signs before findings
        self._dots = False  # whether signs such as '●' are boxes in the note that is read
        ends = r"(?=\s*(?:$|[\[(☐☑☒✅⬜■●◉□○◯◻▢✓✔✗✘.,;:/|·)]|[-–]\s|\s{2}))"
        self._after = re.compile(rf"\s*({options})(?!\w){ends}", re.IGNORECASE)
        self._after_pair = re.compile(rf"\s*({options})(?!\w)", re.IGNORECASE)
        self._before = re.compile(rf"(?<![\w])({options})\s*[:=]?\s*$", re.IGNORECASE)

    def read(self, page: Page) -> None:
        """Add the items of every line with boxes."""
        self._signed = _sign_lines(page.lines) if _PLUS.search(page.text) else set()
        if not self._signed and not _may_hold(page.text):
            return
        self._dots = bool(_FILLED.search(page.text)) and bool(_EMPTY.search(page.text))
        previous: list[tuple[Line, list[_Box]]] = []
        last = -1
        for number, line in enumerate(page.lines):
            if number in self._signed:
                boxes = [
                    _Box(*m.span("sign"), _STATES[m["sign"]]) for m in _SIGN.finditer(line.text)
                ]
            elif _ANY_BOX.search(line.text) and _BOX.search(line.text):
                boxes = self._boxes(page, line)
            else:
                continue
            if any(not page.lines[i].blank for i in range(last + 1, number)):
                self._labels(page, previous)
                previous = []
            if boxes:
                self._groups(page, number, boxes)
                previous.append((line, boxes))
                last = number
        self._labels(page, previous)

    def _boxes(self, page: Page, line: Line) -> list[_Box]:
        text = line.text
        found: list[_Box] = []
        for match in _BOX.finditer(text):
            kind = str(match.lastgroup)
            if kind in ("dot_on", "dot_off") and not self._dots:
                continue
            if kind == "doubt" and not self._dots:
                continue
            if kind == "cross":
                kind = "minus" if _FILLED.search(text) or self._dots else "on"
            found.append(_Box(*match.span(), _STATES.get(kind, kind)))
        if (
            found
            and all(box.state in ("plus", "minus") for box in found)
            and not _prefixed(text, found[0])
        ):
            return []
        return self._with_options(page, text, found)

    def _with_options(self, page: Page, text: str, boxes: Sequence[_Box]) -> list[_Box]:
        """Read the answers printed before or after boxes."""
        if not boxes:
            return []
        suffix = self._before.search(text[: boxes[0].start]) is not None
        out: list[_Box] = []
        for number, box in enumerate(boxes):
            low = boxes[number - 1].end if number else 0
            high = boxes[number + 1].start if number + 1 < len(boxes) else len(text)
            if suffix:
                match = self._before.search(text, low, box.start)
                place = (match.start(1), box.end) if match else None
            else:
                pattern = self._after_pair if out and out[-1].option else self._after
                match = pattern.match(text, box.end, high)
                place = (box.start, match.end(1)) if match else None
            if match is None or place is None:
                out.append(box)
                continue
            option = page.answers.whole(match[1]) or layout.UNKNOWN
            out.append(_Box(box.start, box.end, box.state, option, match[1].casefold(), *place))
        return out

    def _groups(self, page: Page, number: int, boxes: Sequence[_Box]) -> None:
        """Add an item for each row of options: 'Disnea: [ ] Sí [x] No'."""
        line, low = page.lines[number], 0
        groups = list(_runs(line.text, boxes))
        for at, group in enumerate(groups):
            high = groups[at + 1][0].first if at + 1 < len(groups) else len(line.text)
            place = page.label(line, _opening(line.text, low, group[0].first), group[0].first)
            answer = line.start + group[0].first, line.start + group[-1].last
            taller = False  # with options in the lines below
            opens = not line.text[low : group[0].first].strip(" \t-*•.:()0123456789")
            if place is None and opens and _CAPITAL.match(line.text, group[-1].last, high):
                place = page.label(line, group[-1].last, high)  # '[x] Sí [ ] No  Edemas'
                group = [*group[:-1], replace(group[-1], last=high)]
            if place is None and not line.text[low : group[0].first].strip(" -*•.:"):
                if low:
                    continue
                place, group = self._over(page, number, group)
                taller = True
            checked = {box.option for box in group if box.state in ("on", "plus")}
            verdict = layout.UNKNOWN
            if len(checked) == 1:
                verdict = next(iter(checked)) or layout.UNKNOWN
            elif checked:
                verdict = layout.UNCERTAIN
            page.add(place, answer, verdict)
            low = group[-1].last if not taller else len(line.text)

    def _over(self, page: Page, number: int, group: list[_Box]) -> tuple[Span | None, list[_Box]]:
        """Read the label above a row of options, and the options in the lines below."""
        above = number - 1
        while above >= 0 and page.lines[above].blank:
            above -= 1
        if above < 0 or _BOX.search(page.lines[above].text):
            return None, group
        line = page.lines[above]
        options = list(group)
        for below in page.lines[number + 1 :]:
            boxes = self._boxes(page, below)
            if not boxes or boxes[0].option is None or below.text[: boxes[0].first].strip(" -*•"):
                break
            options.extend(box for box in boxes if box.option)
        return page.label(line, _opening(line.text, 0, len(line.text)), len(line.text)), options

    @staticmethod
    def _cut(text: str, start: int, end: int) -> int:
        """Where the label of a box ends; an arrow after a colon belongs to a list of items."""
        cut = _CUT.search(text, start + 1, end)
        while cut and cut[0].strip() in _ARROWS and ":" in text[start : cut.start()]:
            cut = _CUT.search(text, cut.end(), end)
        return cut.start() if cut else end

    def _labels(self, page: Page, rows: Sequence[tuple[Line, list[_Box]]]) -> None:
        """Add an item for each box with a label of its own, over lines that follow on."""
        found: list[tuple[Span | None, Span, str]] = []
        over: set[Span] = set()  # labels behind which an arrow leads to the past
        for line, boxes in rows:
            own = [box for box in boxes if box.option is None]
            if not own:
                continue
            prefixed = _prefixed(line.text, own[0]) or bool(
                re.search(r"\w", line.text[own[-1].end :])
            )
            for at, box in enumerate(boxes):
                if box.option is not None:
                    continue
                if prefixed:
                    high = boxes[at + 1].start if at + 1 < len(boxes) else len(line.text)
                    cut = self._cut(line.text, box.end, high)
                    place = page.label(line, box.end, cut)
                    arrow = _ARROW.match(line.text, cut, high)
                    if arrow and place and page.answers.is_over(line.text, arrow.end()):
                        over.add(place)
                else:
                    low = boxes[at - 1].end if at else 0
                    place = page.label(line, _opening(line.text, low, box.start), box.start)
                found.append((place, (line.start + box.start, line.start + box.end), box.state))
        checked = any(state in ("on", "plus") for _, _, state in found)
        for place, answer, state in found:
            if place in over:
                verdict = layout.HISTORICAL  # '✗ enalapril -> lo dejó'
            elif state in ("on", "plus"):
                verdict = layout.AFFIRMED
            elif state == "doubt":
                verdict = layout.UNCERTAIN
            elif state == "minus" or (checked and state != "blank"):
                verdict = layout.NEGATED
            else:
                verdict = layout.UNKNOWN
            page.add(place, answer, verdict)


def _may_hold(text: str) -> bool:
    """Whether a note may have boxes: much faster than to look for them."""
    return any(sign in text for sign in _BOX_SIGNS) or _ROUND.search(text) is not None


def _sign_lines(lines: Sequence[Line]) -> set[int]:
    """Return the lines where signs before findings say whether they are there.

    '+ tos   - ortopnea' over one line or several. A list with dashes alone is a list, and so
    is one with figures, as of drugs added and stopped.
    """
    found: set[int] = set()
    group: list[int] = []
    signs: set[str] = set()
    for number, line in enumerate([*lines, Line(0, "")]):
        here = [match["sign"] for match in _SIGN.finditer(line.text)] if line.text[:1] else []
        plain = here and (len(here) > 1 or not re.search(r"\d|:", line.text))
        if plain and len(line.text) <= _LONGEST_ROW:
            group.append(number)
            signs.update(here)
        else:
            if "+" in signs and not signs.isdisjoint("-–—"):
                found.update(group)
            group, signs = [], set()
    return found


def _prefixed(text: str, box: _Box) -> bool:
    """Whether boxes stand before their labels: nothing or a header precedes the first."""
    before = text[: box.start]
    stripped = before.rstrip()
    header = stripped.endswith(":") or len(before) - len(stripped) > 1
    return not before.strip(" \t-*•.)0123456789|") or header


def _runs(text: str, boxes: Sequence[_Box]) -> Iterator[list[_Box]]:
    """Yield the boxes with options that stand side by side."""
    run: list[_Box] = []
    for box in boxes:
        if box.option is None or (run and not _BETWEEN.fullmatch(text, run[-1].last, box.first)):
            if run:
                yield run
            run = []
        if box.option is not None:
            repeated = any(other.word == box.word for other in run)
            if repeated:
                yield run
                run = []
            run.append(box)
    if run:
        yield run


def _opening(text: str, low: int, high: int) -> int:
    """Return where the label that ends at ``high`` opens: after the last sign that parts."""
    opening = low
    for match in re.finditer(r"\s{3,}|[|;\t]|//|[.?!]\s+(?=\S)|(?<=\S):\s+(?=\S)", text[low:high]):
        if text[low + match.end() : high].strip(" :?¿.=-_"):
            opening = low + match.end()
    return opening
