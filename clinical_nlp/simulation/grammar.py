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
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from random import Random
from typing import Any

from clinical_nlp.errors import PipelineError

Slots = Mapping[str, str]
Node = Callable[[Random, Slots], str]

_WEIGHT = re.compile(r"(\d+)~ ")
_RANGE = re.compile(r"(\d+)-(\d+)")
_SPECIAL = frozenset("{<[\\|>]")


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
            nodes += [self._compile(name, body)] * weight
        return _one_of(nodes)

    def _compile(self, name: str, text: str) -> Node:
        reader = _Reader(name, text)
        node = self._sequence(reader, closers="")
        if reader.peek():
            raise reader.error(f"unexpected {reader.peek()!r}")
        return node

    def _sequence(self, reader: _Reader, closers: str) -> Node:
        parts: list[Node] = []
        while (mark := reader.peek()) and mark not in closers:
            if mark == "{":
                parts.append(self._reference(reader.until("}")))
            elif mark == "<":
                reader.take()
                options = [self._sequence(reader, "|>")]
                while reader.take() == "|":
                    options.append(self._sequence(reader, "|>"))
                parts.append(_one_of(options))
            elif mark == "[":
                reader.take()
                parts.append(_half(self._sequence(reader, "]")))
                reader.take()
            else:
                parts.append(_literal(reader.literal(closers)))
        return parts[0] if len(parts) == 1 else _join(parts)

    def _reference(self, name: str) -> Node:
        if span := _RANGE.fullmatch(name):
            return _number(int(span[1]), int(span[2]))
        rules = self._rules

        def refer(rng: Random, slots: Slots) -> str:
            value = slots.get(name)
            if value is not None:
                return value
            rule = rules.get(name)
            if rule is None:
                raise _unknown(name)
            return rule(rng, slots)

        return refer


def split_weight(text: str) -> tuple[int, str]:
    """Split an alternative into its weight (1 where none is given) and its body."""
    weight = _WEIGHT.match(text)
    return (int(weight[1]), text[weight.end() :]) if weight else (1, text)


class _Reader:
    """A cursor over one alternative."""

    def __init__(self, name: str, text: str) -> None:
        self._name, self._text, self._at = name, text, 0

    def peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def take(self) -> str:
        if self._at >= len(self._text):
            raise self.error("an open bracket is never closed")
        self._at += 1
        return self._text[self._at - 1]

    def until(self, mark: str) -> str:
        end = self._text.find(mark, self._at)
        if end < 0:
            raise self.error(f"no closing {mark!r}")
        inside = self._text[self._at + 1 : end]
        self._at = end + 1
        return inside

    def literal(self, closers: str) -> str:
        out: list[str] = []
        while (mark := self.peek()) and (mark not in _SPECIAL or mark == "\\"):
            if mark == "\\":
                self.take()
            out.append(self.take())
        if not out and mark not in closers:
            raise self.error(f"unexpected {mark!r}")
        return "".join(out)

    def error(self, what: str) -> PipelineError:
        return PipelineError(
            "E371", f"grammar rule '{self._name}': {what}: correct simulation/notes/*.toml"
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


def _flatten(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, list[str]]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{prefix}{key}.")
        elif isinstance(value, list) and all(isinstance(item, str) for item in value):
            yield prefix + key, value


def read_notes_file(name: str) -> dict[str, Any]:
    """Return one TOML file of ``simulation/notes``."""
    folder = files("clinical_nlp.simulation").joinpath("notes")
    return tomllib.loads(folder.joinpath(name).read_text("utf-8"))


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
def grammar(language: str) -> Grammar:
    """Return the grammar of ``es``, ``ca``, ``gl`` or ``eu``, compiled once."""
    if language != "es":
        return Grammar(dict(_flatten(read_notes_file(f"{language}.toml"))), grammar("es"))
    rules: dict[str, list[str]] = {}
    for name in SPANISH:
        rules.update(_flatten(read_notes_file(name)))
    return Grammar(rules)
