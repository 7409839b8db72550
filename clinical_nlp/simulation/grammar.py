r"""A small text grammar: many wordings of one statement, kept in commented TOML files.

A rule has a dotted name and a list of alternatives. Inside an alternative:

===============  ==============================================================
``{name}``       another rule, or a slot that the writer fills (a slot wins)
``{3-10}``       a whole number between the two, both included
``<a|b|>``       one of the parts (the last one here is empty); they nest
``[text]``       present half of the time
``3~ text``      at the very beginning: this alternative counts three times
``\``            takes the next character as it is
===============  ==============================================================

Rules are compiled to closures once; expanding a sentence then costs microseconds. As Jinja2
templates the same rules write 0.6 times as many notes a second, take 30 times as long to
compile and 1.8 times the characters (``benchmarks/grammar_against_jinja2.py``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from random import Random
from typing import Any

from clinical_nlp.artifacts import read_toml
from clinical_nlp.errors import PipelineError
from clinical_nlp.simulation.rng import stream

Slots = Mapping[str, str]
Node = Callable[[Random, Slots], str]

_WEIGHT = re.compile(r"(\d+)~ ")
_RANGE = re.compile(r"(\d+)-(\d+)")
_TOKEN = re.compile(
    r"\{(?P<name>[^}]*)\} | (?P<mark>[<|>\[\]]) | (?P<text>(?:[^{<|>\[\]\\] | \\.)+)",
    re.VERBOSE | re.DOTALL,
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


class Grammar:
    """Rules of one language; rules that it lacks come from ``fallback``.

    A Catalan note thus switches to Spanish where the Catalan file has no rule, as notes of
    bilingual places do.

    Parameters
    ----------
    rules
        Alternatives by dotted rule name.
    fallback
        Rules that these overlay.
    """

    def __init__(self, rules: Mapping[str, Sequence[str]], fallback: Grammar | None = None) -> None:
        self._rules: dict[str, Node] = {}
        self._sources: dict[str, Sequence[str]] = {
            **(fallback._sources if fallback else {}),
            **rules,
        }
        for name, alternatives in self._sources.items():
            self._rules[name] = self._compile_rule(name, alternatives)

    def __contains__(self, name: str) -> bool:
        return name in self._rules

    def names(self) -> tuple[str, ...]:
        """Return the rule names, those of the fallback included."""
        return tuple(self._rules)

    def alternatives(self, name: str) -> tuple[str, ...]:
        """Return the texts of a rule as its file has them."""
        return tuple(self._sources[name])

    def expand(self, name: str, rng: Random, slots: Slots) -> str:
        """Expand a rule.

        Raises
        ------
        PipelineError
            E370 where there is no such rule and no such slot.
        """
        rule = self._rules.get(name)
        if rule is None:
            raise _unknown(name)
        return rule(rng, slots)

    def _compile_rule(self, name: str, alternatives: Sequence[str]) -> Node:
        nodes: list[Node] = []
        for text in alternatives:
            weight, body = split_weight(text)
            nodes += [_Parser(self._rules, name, body).parse()] * weight
        return _one_of(nodes)


def split_weight(text: str) -> tuple[int, str]:
    """Split an alternative into its weight (1 where none is given) and its body."""
    weight = _WEIGHT.match(text)
    return (int(weight[1]), text[weight.end() :]) if weight else (1, text)


class _Parser:
    """Compiles one alternative of a rule to a closure."""

    def __init__(self, rules: Mapping[str, Node], rule: str, text: str) -> None:
        self._rules, self._rule = rules, rule
        self._tokens: list[tuple[str, str]] = []  # kind and value, the last one first
        end = 0
        while end < len(text):
            match = _TOKEN.match(text, end)
            if match is None:
                raise self._error(f"unexpected {text[end]!r}")
            kind = str(match.lastgroup)
            self._tokens.insert(0, (kind, match[kind]))
            end = match.end()

    def parse(self) -> Node:
        node = self._sequence(closing="")
        if self._tokens:
            raise self._error(f"unexpected {self._tokens[-1][1]!r}")
        return node

    def _sequence(self, closing: str) -> Node:
        parts: list[Node] = []
        while self._tokens:
            kind, value = self._tokens[-1]
            if kind == "mark" and value in closing:
                break
            self._tokens.pop()
            if kind == "text":
                parts.append(_literal(_ESCAPED.sub(r"\1", value)))
            elif kind == "name":
                span = _RANGE.fullmatch(value)
                parts.append(_number(int(span[1]), int(span[2])) if span else self._refer(value))
            elif value == "[":
                parts.append(_half(self._sequence("]")))
                self._close()
            elif value == "<":
                options = [self._sequence("|>")]
                while self._close() == "|":
                    options.append(self._sequence("|>"))
                parts.append(_one_of(options))
            else:
                raise self._error(f"unexpected {value!r}")
        return parts[0] if len(parts) == 1 else _join(parts)

    def _close(self) -> str:
        if not self._tokens:
            raise self._error("an open bracket is never closed")
        return self._tokens.pop()[1]

    def _refer(self, name: str) -> Node:
        rules = self._rules  # filled in while rules refer to each other

        def refer(rng: Random, slots: Slots) -> str:
            value = slots.get(name)
            if value is not None:
                return value
            rule = rules.get(name)
            if rule is None:
                raise _unknown(name)
            return rule(rng, slots)

        return refer

    def _error(self, what: str) -> PipelineError:
        return PipelineError(
            "E371", f"grammar rule '{self._rule}': {what}: correct simulation/notes/*.toml"
        )


def _unknown(name: str) -> PipelineError:
    return PipelineError(
        "E370", f"no grammar rule or slot '{name}': add it to simulation/notes/*.toml"
    )


def _literal(text: str) -> Node:
    return lambda rng, slots: text


def _number(low: int, high: int) -> Node:
    span = high - low + 1
    return lambda rng, slots: str(low + int(rng.random() * span))


def _half(node: Node) -> Node:
    return lambda rng, slots: node(rng, slots) if rng.random() < 0.5 else ""


def _join(parts: list[Node]) -> Node:
    return lambda rng, slots: "".join([part(rng, slots) for part in parts])


def _one_of(nodes: list[Node]) -> Node:
    if len(nodes) == 1:
        return nodes[0]
    count = len(nodes)
    return lambda rng, slots: nodes[int(rng.random() * count)](rng, slots)


def flatten(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, list[str]]]:
    """Yield every rule of a file: its dotted name and its alternatives."""
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from flatten(value, f"{prefix}{key}.")
        elif isinstance(value, list) and all(isinstance(item, str) for item in value):
            yield prefix + key, value


def read_notes_file(name: str) -> dict[str, Any]:
    """Return one TOML file of ``simulation/notes``."""
    return read_toml("clinical_nlp.simulation", f"notes/{name}")


#: Files that make up the Spanish grammar; the other languages overlay it with one file each.
SPANISH = (
    "signs.toml",
    "exam.toml",
    "background.toml",
    "topics.toml",
    "frames.toml",
    "letters.toml",
)


@cache
def grammar(language: str, share: float = 1.0, staff: str = "") -> Grammar:
    """Return the grammar of ``es``, ``ca``, ``gl`` or ``eu``, compiled once.

    Parameters
    ----------
    share
        Share of the alternatives of each rule that are kept, at least two; 1 keeps all.
    staff
        Decides which ones: every staff has its own words.
    """
    files = SPANISH if language == "es" else (f"{language}.toml",)
    rules: dict[str, list[str]] = {}
    for name in files:
        rules.update(flatten(read_notes_file(name)))
    if share < 1.0:
        rules = {name: some_of(texts, share, staff, name) for name, texts in rules.items()}
    return Grammar(rules, None if language == "es" else grammar("es", share, staff))


def some_of(alternatives: list[str], share: float, staff: str, rule: str) -> list[str]:
    """Return the alternatives of a rule that a staff knows, at least two."""
    rng = stream("phrases", staff, rule)
    count = max(2, round(share * len(alternatives)))
    return rng.sample(alternatives, min(count, len(alternatives)))
