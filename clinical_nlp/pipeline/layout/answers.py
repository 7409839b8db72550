"""Answers of a form: what 'NO', '(-)', '2/4' or 'no explorado' say of their label."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from clinical_nlp.matching.norms import normalise_word
from clinical_nlp.pipeline import document_layout as layout

#: Signs and numbers, by what they say. A run of minus signs is no answer ('--' in a table is
#: a missing value), one is a denial.
_SIGNS = {
    layout.UNKNOWN: r"[-–—]{2,}|_{2,}|\.{3,}|…+|\#[^\s|]+!?|[(\[][ _.]*[)\]]",
    layout.UNCERTAIN: r"±|\+\s?/\s?-|¿?\?+\)?",
    layout.AFFIRMED: r"[+]{1,4}(?:\s?/\s?[+]{1,4})?|[1-9]\+|[1-9]\s?/\s?[34](?![\d/])"
    r"|[1-9](?![\d,.:/°ºª])|[✓✔☑]",
    layout.NEGATED: r"[-–—−]|0\s?/\s?(?:[1-9](?!\d)|[+]{1,4})|0(?![\d,.:]|\s?/)|[✗✘∅ø]",
}
_ENDS = re.compile(
    r"[^\S\n]*(?:$|[\n_.,;:()\[\]«»\"“|·▸→/—–?]|->|(?<=\s)-\s)|\s{2}"
    # ... or the next label: 'Edemas: - Ortopnea: -'
    r"|[ ](?=[A-ZÁÉÍÓÚÑ][^\s:=]*(?:[ ][^\s:=]+){0,4}[ ]?[:=])"
)
_WORD = re.compile(r"[^\W\d_]+(?:[/'’][^\W\d_]+)*")
_NEXT = re.compile(r"[^\S\n]+([^\W\d_]+(?:[/'’][^\W\d_]+)*)")
_NAMED = re.compile(r"[LlCcSs](?:eyenda|lave|[oó]digos|imbolog[ií]a|legenda|enda)(?!\w)")
_CODE = re.compile(
    r"(?<![\w+-])(?P<code>[^\s\w,;:()=]{1,4}|\w{1,2})(?P<sign>\s{0,3}[=:]\s{0,3}|\s{1,3})"
)
_OPENING = re.compile(r"[\s\"«“'.,:–—-]*")
_LEAST_CODES = 2
_MOST_KNOWN = 20_000  # words whose norm is kept
_ACCENTS = {"a": "aáàâ", "e": "eéèê", "i": "iíìï", "o": "oóòô", "u": "uúùü", "n": "nñ", "c": "cç"}


class Answer(NamedTuple):
    """An answer: its verdict, and where it ends in the text that was read."""

    verdict: str
    end: int


class Answers:
    """Reads answers.

    Parameters
    ----------
    words
        ``[answers]`` of ``layout.toml``: words by verdict.
    leads
        ``[leads]``: words that open a reply of more words, by verdict.
    """

    def __init__(
        self, words: Mapping[str, Sequence[str]], leads: Mapping[str, Sequence[str]]
    ) -> None:
        #: What signs say in the note that is read, where it explains them itself.
        self.legend: dict[str, str] = {}
        self._phrases = Phrases({phrase: verdict for verdict in words for phrase in words[verdict]})
        self._leads = Phrases({phrase: verdict for verdict in leads for phrase in leads[verdict]})
        signs = "|".join(f"(?P<{v}>{_SIGNS[v]})" for v in _SIGNS)
        self._sign = re.compile(signs)

    def read(self, text: str, start: int = 0) -> Answer | None:
        """Return the answer that opens a text; ``None`` where it opens with none."""
        opening = _skip(text, start)
        if opening == len(text):
            return None
        coded = self._coded(text, opening) if self.legend else None
        if coded is not None:
            return coded
        answer = self._at(text, opening)
        if answer is None and text[opening] in "([":
            inside = _skip(text, opening + 1)
            inner = self._coded(text, inside) or self._at(text, inside)
            if inner is not None:
                end = _skip(text, inner.end)
                if end < len(text) and text[end] in ")]":
                    return Answer(inner.verdict, end + 1)
        if answer is None or not _ENDS.match(text, answer.end):
            return None
        if text[opening].isdigit() and text[answer.end : answer.end + 2].lstrip()[:1] == ")":
            return None  # '1) Furosemida'
        return answer

    def _coded(self, text: str, start: int) -> Answer | None:
        """Return the answer that a code of the note's own legend stands for."""
        for code, verdict in self.legend.items():
            if text.startswith(code, start) and _ENDS.match(text, start + len(code)):
                return Answer(verdict, start + len(code))
        return None

    def reply(self, text: str, start: int) -> Answer:
        """Return what a reply in any words says: it grants what it does not deny."""
        answer = self.read(text, start)
        if answer is not None:
            return answer
        quoted = _OPENING.match(text, start)
        said = self._leads.at(text, quoted.end() if quoted else start)
        return Answer(said[0] if said else layout.AFFIRMED, len(text))

    def is_over(self, text: str, start: int) -> bool:
        """Whether a comment opens with words that say that something is over."""
        said = self._leads.at(text, start)
        answer = self.read(text, start)
        verdicts = (said[0] if said else None, answer.verdict if answer else None)
        return layout.HISTORICAL in verdicts

    def _at(self, text: str, start: int) -> Answer | None:
        if start < len(text) and text[start].isalpha():
            found = self._phrases.at(text, start)
            return Answer(*found) if found else None
        match = self._sign.match(text, start)
        return Answer(str(match.lastgroup), match.end()) if match else None

    def read_legend(self, text: str) -> None:
        """Learn what signs say from the note's own explanation: '0=no 1=sí 9=sin dato'."""
        self.legend = {}
        if text.count("=") < _LEAST_CODES and not _NAMED.search(text):
            return
        for line in text.splitlines():
            named = _NAMED.search(line)
            if not named and line.count("=") < _LEAST_CODES:
                continue
            codes: dict[str, str] = {}
            for code in _CODE.finditer(line, named.end() if named else 0):
                said = self._phrases.at(line, code.end())
                if said and (named or code["sign"].strip()):
                    codes[code["code"]] = said[0]
            if len(codes) >= _LEAST_CODES:
                self.legend.update(codes)

    def whole(self, text: str) -> str | None:
        """Return the verdict of a text that is an answer and nothing else."""
        answer = self.read(text)
        if answer is None or text[answer.end :].strip(" .,;:"):
            return None
        return answer.verdict


class Phrases:
    """Finds phrases in a text by their words, in any case and accents.

    Parameters
    ----------
    said
        What each phrase says.
    """

    def __init__(self, said: Mapping[str, str]) -> None:
        self._said = {" ".join(_split(phrase)): value for phrase, value in said.items()}
        self._most = max(phrase.count(" ") + 1 for phrase in self._said)
        self._first = frozenset(phrase.split()[0] for phrase in self._said)
        self._known: dict[str, str | None] = {}  # first words as written

    def at(self, text: str, start: int) -> tuple[str, int] | None:
        """Return what the longest phrase at a place says, and where it ends."""
        match = _WORD.match(text, start)
        first = self._first_word(match.group()) if match else None
        if match is None or first is None:
            return None
        phrase, place = first, match.end()
        found = (self._said[phrase], place) if phrase in self._said else None
        for _ in range(1, self._most):
            match = _NEXT.match(text, place)
            if match is None:
                break
            phrase, place = f"{phrase} {normalise_word(match[1])}", match.end()
            if phrase in self._said:
                found = self._said[phrase], place
        return found

    def _first_word(self, word: str) -> str | None:
        """Return the norm of a word, if a phrase opens with it."""
        if word in self._known:
            return self._known[word]
        if len(self._known) > _MOST_KNOWN:
            self._known.clear()
        norm = normalise_word(word)
        self._known[word] = norm if norm in self._first else None
        return self._known[word]


def _split(phrase: str) -> list[str]:
    return [normalise_word(match.group()) for match in _WORD.finditer(phrase)]


def _skip(text: str, start: int) -> int:
    end = len(text)
    while start < end and text[start].isspace():
        start += 1
    return start


def pattern_of(phrase: str) -> str:
    """Return a regular expression for a phrase in any case and accents."""
    return "".join(
        r"\s+" if c == " " else f"[{_ACCENTS[c]}]" if c in _ACCENTS else re.escape(c)
        for c in phrase
    )


def words_pattern(phrases: Iterable[str]) -> str:
    """Return an alternation of phrases, longest first."""
    return "|".join(map(pattern_of, sorted(set(phrases), key=len, reverse=True)))
