"""Answers in another line or before a list: 'Disnea⏎No', '¿…?⏎R: No', 'No: tos, fiebre'."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from clinical_nlp.pipeline import document_layout as layout
from clinical_nlp.pipeline.document_layout import Span
from clinical_nlp.pipeline.layout.answers import Phrases, words_pattern
from clinical_nlp.pipeline.layout.lines import Line
from clinical_nlp.pipeline.layout.page import Page

_REPLY = re.compile(
    r"\s*(?P<named>(?:r|respuesta|resp|contesta|responde|(?P<plan>p)|pac|pte|paciente"
    r"|enferm[oa]|usuari[oa]|hij[oa]|espos[oa]|mujer|marido|familiar)\s?[.:)]\s*)?[-–—*•>]*\s*",
    re.IGNORECASE,
)
# Who asks. Without a name before the question, 'P:' below it may be the plan.
_ASKER = re.compile(r"\s*[-–—*•]?\s*(?:m[eé]dic[oa]|m|dra?|doctora?|d|enf)\s?[.:)]", re.IGNORECASE)
_ASKED = re.compile(
    r"\bp(?:regunta)?\s?[.:)]\s*(?P<label>\S[^|;]{0,120}?)[\s,;.|/–—-]{0,9}(?P<reply>\br(?:espuesta)?\s?[.:)])",
    re.IGNORECASE,
)
_HEADING = (
    r"[^\S\n]{0,9}(?:[-*•][^\S\n]*)?"
    r"([^\W\d_]+(?:[^\S\n/][^\W\d_]+){0,3}|[(\[]?[-–+][)\]]?)[^\S\n]?:"
)
_FIRST_HEAD = re.compile(_HEADING)
# With the sign before it: a sign is found much faster than a place behind one.
_HEAD = re.compile(rf"[.;|]{_HEADING}")
_KINDS = (
    layout.NEGATED,
    layout.AFFIRMED,
    layout.UNCERTAIN,
    layout.HISTORICAL,
    layout.HYPOTHETICAL,
    layout.UNKNOWN,
)
_SIGN_HEADS = {"+": layout.AFFIRMED, "-": layout.NEGATED, "–": layout.NEGATED}
_BULLET = re.compile(r"\s*(?:[-–—*•·▪■●◦►‣⁃>]|\d{1,2}[.)]|\[[A-Z]?\d{2,6}\])\s*(?=\S)")
_COMMENT = re.compile(r"\s*[(\[][^()\[\]]*[)\]]$")
_LIST_END = re.compile(r"[.]\s+(?=\S)|[;|\t]|\.?\s*$|[?!]")
# Questions over replies that are indented: '¿Tos?' over '   Con el enalapril'.
_OVER = re.compile(r"(?m)^([^\S\n]{0,20})¿[^?\n]{1,100}\?[^\S\n]{0,9}\n\1[^\S\n]{1,20}[^\s¿]")
_REASON = re.compile(r"\s(?:por|para|ante|tras|per|pel|si)\s|[(¿]", re.IGNORECASE)
_MOST_LABEL_WORDS = 8
_MOST_ITEM_WORDS = 6
_LEAST_PAIRS = 2
_LONGEST_HEAD = 48  # code points
_LONGEST_ANSWER = 40


class PairReader:
    """Finds labels whose answer is in another line, and lists under an answer.

    Parameters
    ----------
    heads
        ``[heads]`` of ``layout.toml``: words before a list, by what they say of it; ``turns``
        are words that end such a list.
    """

    def __init__(self, heads: Mapping[str, Sequence[str]]) -> None:
        self._heads_said = Phrases({phrase: kind for kind in _KINDS for phrase in heads[kind]})
        bare = {phrase: layout.NEGATED for phrase in heads["bare"]}
        bare |= {phrase: layout.HISTORICAL for phrase in heads["bare_historical"]}
        self._bare = Phrases(bare)
        self._turn = re.compile(rf",?\s(?:{words_pattern(heads['turns'])})\b", re.IGNORECASE)

    def read(self, page: Page) -> None:
        """Add the items of a note."""
        filled = [line for line in page.lines if not line.blank]
        replies = "?" in page.text and len(_OVER.findall(page.text)) >= _LEAST_PAIRS
        for number, line in enumerate(filled):
            text = line.text
            if ":" in text:
                self._heads(page, filled, number)
                self._asked(page, line)
            elif len(text) <= _LONGEST_HEAD:
                self._bare_head(page, filled, number)
            if text.rstrip().endswith("?") and number + 1 < len(filled):
                self._reply(page, line, filled[number + 1], replies=replies)
        for pair in self._two_lines(page, filled):
            page.add(*pair)

    @staticmethod
    def _asked(page: Page, line: Line) -> None:
        """Read 'P: ortopnea R: no' in one line."""
        for match in _ASKED.finditer(line.text):
            answer = page.answers.read(line.text, match.end())
            verdict = page.answers.reply(line.text, match.end()).verdict
            end = answer.end if answer else match.end()
            place = page.label(line, *match.span("label"))
            page.add(place, (line.start + match.start("reply"), line.start + end), verdict)

    @staticmethod
    def _reply(page: Page, line: Line, following: Line, *, replies: bool) -> None:
        """Read a question and the answer in the next line.

        ``replies`` says whether the note has several questions over indented replies.
        """
        reply = _REPLY.match(following.text)
        if reply is None:
            return
        named = reply["named"] is not None
        answer_at = reply.end()
        answer = page.answers.read(following.text, answer_at)
        if answer is None and named:
            answer = page.answers.read(following.text, reply.end("named"))  # 'R: -'
            answer_at = reply.end("named") if answer else answer_at
        if answer is None and reply["plan"] and not _ASKER.match(line.text):
            return
        if answer is None and not named and not (replies and _is_under(line, following)):
            return
        opening = max(line.text.rfind("¿"), 0)
        end = answer.end if answer else len(following.text)
        page.add(
            page.label(line, opening, len(line.text)),
            (
                following.start + (reply.start("named") if named else reply.end()),
                following.start + end,
            ),
            page.answers.reply(following.text, answer_at).verdict,
        )

    def _heads(self, page: Page, filled: Sequence[Line], number: int) -> None:
        """Read lists after or under a word such as 'Niega:'."""
        line = filled[number]
        for match in _heads_in(line.text):
            sign = _SIGN_HEADS.get(match[1].strip("()[]"))
            said = (sign, match.end(1)) if sign else self._heads_said.at(line.text, match.start(1))
            if said is None or said[1] != match.end(1):
                continue
            start, end = match.end(), len(line.text)
            answer = line.start + match.start(1), line.start + match.end()
            ending = _LIST_END.search(line.text, start)
            end = ending.start() if ending else end
            turn = self._turn.search(line.text, start, end)
            if said[0] == layout.HYPOTHETICAL:
                turn = _REASON.search(line.text, start, end) or turn
            place = page.label(line, start, turn.start() if turn else end)
            if place is not None:
                page.add(place, answer, said[0])
            elif not line.text[start:].strip():
                self._list(page, filled, number + 1, (answer, said[0]), bare=False)

    def _bare_head(self, page: Page, filled: Sequence[Line], number: int) -> None:
        """Read a bulleted list under 'Niega' alone in its line."""
        line = filled[number]
        text = line.text.strip(" \t.")
        if text.endswith((")", "]")):
            text = _COMMENT.sub("", text)
        said = self._bare.at(text, 0)
        if said is not None and said[1] == len(text):
            answer = line.span(0, len(line.text)) or (line.start, line.end)
            self._list(page, filled, number + 1, (answer, said[0]), bare=True)

    def _list(
        self,
        page: Page,
        filled: Sequence[Line],
        first: int,
        said: tuple[Span, str],
        *,
        bare: bool,
    ) -> None:
        """Read the items of a list under its head: bullets, or short lines after a colon."""
        if first == len(filled):
            return
        bulleted = _BULLET.match(filled[first].text) is not None
        lower = filled[first].text.strip()[:1].islower()
        if bare and not bulleted and not (lower and filled[first + 1 : first + 2]):
            return  # 'Niega' over a line of prose is the end of a sentence
        for line in islice(filled, first, None):
            text = line.text.strip()
            if bulleted != (_BULLET.match(line.text) is not None):
                break
            if not bulleted and (
                ":" in text
                or len(text.split()) > _MOST_ITEM_WORDS
                or (lower and not text[:1].islower())
                or page.answers.whole(text) is not None
            ):
                break
            turn = self._turn.search(line.text)
            page.add(page.label(line, 0, turn.start() if turn else len(line.text)), *said)

    @staticmethod
    def _two_lines(page: Page, filled: Sequence[Line]) -> Iterator[tuple[Span | None, Span, str]]:
        """Yield labels alone in their line with the answer alone in the next."""
        run: list[tuple[Span | None, Span, str]] = []
        colon = False
        at = 0
        while at + 1 < len(filled):
            line, following = filled[at], filled[at + 1]
            text = line.text.strip()
            verdict = None
            if (
                text
                and len(following.text) <= _LONGEST_ANSWER
                and text[-1] not in ".;,"
                and (said := page.answers.whole(following.text)) is not None
                and len(text.split()) <= _MOST_LABEL_WORDS
                and not page.is_taken(line.start, line.end)
                and page.answers.whole(text) is None
            ):
                verdict = said
            if verdict is None:
                if len(run) >= _LEAST_PAIRS or colon:
                    yield from run
                run, colon = [], False
                at += 1
                continue
            answer = following.span(0, len(following.text))
            if answer is not None:
                run.append((page.label(line, 0, len(line.text)), answer, verdict))
            colon = colon or text[-1] in ":=?"
            at += 2
        if len(run) >= _LEAST_PAIRS or colon:
            yield from run


def _heads_in(text: str) -> Iterator[re.Match[str]]:
    """Yield what may be the head of a list, at the start of a line or behind a sign."""
    first = _FIRST_HEAD.match(text)
    if first is not None:
        yield first
    yield from _HEAD.finditer(text, first.end() if first else 0)


def _is_under(line: Line, following: Line) -> bool:
    """Whether a line is indented under a question."""
    asked, text = line.text.lstrip(), following.text.lstrip()
    inner = len(following.text) - len(text) > len(line.text) - len(asked)
    return inner and asked.startswith("¿") and not text.startswith("¿")
