"""Answers of a form: what 'NO', '(-)', '2/4' or 'no explorado' say of their label."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from clinical_nlp.matching.norms import normalise_word
from clinical_nlp.pipeline import document_layout as layout

#: Signs and numbers, by what they say. A run of minus signs is no answer ('--' in a table is
#: a missing value), one is a denial.
_SIGNS = {
    layout.UNKNOWN: r"[-–—]{2,}|_{2,}|\.{3,}|…+|\#[^\s|]+!?|[(\[][ _.]*[)\]]",
    layout.UNCERTAIN: r"±|\+\s?/\s?-|¿?\?+\)?",
    layout.AFFIRMED: r"[+]{1,4}(?:\s?/\s?[+]{1,4})?|[1-9]\+|[1-9]\s?/\s?[34](?![\d/])"
    r"|[1-9](?![\d,.:/°ºª]|\s?\))|[✓✔☑]",
    layout.NEGATED: r"[-–—−]|0(?:\s?/\s?(?:\d|[+]{1,4}))?(?![\d,./:])|[✗✘∅ø]",
}
_VERDICTS = (
    layout.UNKNOWN,
    layout.UNCERTAIN,
    layout.HYPOTHETICAL,
    layout.HISTORICAL,
    layout.NEGATED,
    layout.AFFIRMED,
)
_ENDS = r"(?=\s*(?:$|[.,;:()\[\]«»\"“|·▸→/—–?]|->|\s-\s|\s{2}))"
_LEGEND = re.compile(
    r"^.*?(?P<named>\b(?:leyenda|clave|c[oó]digos|simbolog[ií]a|llegenda|lenda)\b.*)$|^.*=.*=.*$",
    re.IGNORECASE | re.MULTILINE,
)
_ACCENTS = {"a": "aáàâ", "e": "eéèê", "i": "iíìï", "o": "oóòô", "u": "uúùü", "n": "nñ", "c": "cç"}


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer: its verdict, and where it ends in the text that was read."""

    verdict: str
    end: int


class Answers:
    """Reads answers.

    Parameters
    ----------
    words
        ``[answers]`` of ``layout.toml``: words by verdict.
    """

    def __init__(self, words: Mapping[str, Sequence[str]]) -> None:
        #: What signs say in the note that is read, where it explains them itself.
        self.legend: dict[str, str] = {}
        self._verdict_of = {
            normalise_word(phrase): verdict for verdict in words for phrase in words[verdict]
        }
        phrases = sorted(self._verdict_of, key=len, reverse=True)
        word = "|".join(map(pattern_of, phrases))
        self._ends = re.compile(_ENDS)
        self._code = re.compile(
            rf"(?<![\w+-])(?P<code>[^\s\w,;:()=]{{1,4}}|\w{{1,2}})(?P<sign>\s*[=:]\s*|\s+)"
            rf"(?P<word>{word})(?!\w)",
            re.IGNORECASE,
        )
        signs = "|".join(f"(?P<{v}>{_SIGNS[v]})" for v in _SIGNS)
        self._leading = re.compile(
            rf"\s*(?P<open>[(\[]\s*)?(?:(?P<word>{word})(?!\w)|{signs})(?(open)\s*[)\]]){_ENDS}",
            re.IGNORECASE,
        )

    def read(self, text: str, start: int = 0) -> Answer | None:
        """Return the answer that opens a text; ``None`` where it opens with none."""
        if self.legend:
            opening = start + len(text[start:]) - len(text[start:].lstrip())
            for code, verdict in self.legend.items():
                end = opening + len(code)
                if text.startswith(code, opening) and self._ends.match(text, end):
                    return Answer(verdict, end)
        match = self._leading.match(text, start)
        if match is None:
            return None
        word = match["word"]
        if word is None:
            return Answer(str(match.lastgroup), match.end())
        return Answer(self._verdict_of[" ".join(normalise_word(word).split())], match.end())

    def read_legend(self, text: str) -> None:
        """Learn what signs say from the note's own explanation: '0=no 1=sí 9=sin dato'."""
        self.legend = {}
        for line in _LEGEND.finditer(text):
            codes = list(self._code.finditer(line.group()))
            signed = [code for code in codes if code["sign"].strip()]
            chosen = codes if line["named"] else signed
            if len(chosen) > 1:
                for code in chosen:
                    words = " ".join(normalise_word(code["word"]).split())
                    self.legend[code["code"]] = self._verdict_of[words]

    def whole(self, text: str) -> str | None:
        """Return the verdict of a text that is an answer and nothing else."""
        answer = self.read(text)
        if answer is None or text[answer.end :].strip(" .,;:"):
            return None
        return answer.verdict


def pattern_of(phrase: str) -> str:
    """Return a regular expression for a phrase in any case and accents."""
    return "".join(
        r"\s+" if c == " " else f"[{_ACCENTS[c]}]" if c in _ACCENTS else re.escape(c)
        for c in phrase
    )


def words_pattern(phrases: Iterable[str]) -> str:
    """Return an alternation of phrases, longest first."""
    return "|".join(map(pattern_of, sorted(set(phrases), key=len, reverse=True)))
