"""The simulator's text grammar against the same rules as Jinja2 templates.

    python benchmarks/grammar_against_jinja2.py --patients 200

Every alternative is translated to a Jinja2 template that draws the same random numbers in the
same order, so that both must write the same notes. The alternatives of a rule stay a list, and
rules call one another through a function of the environment.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from jinja2 import Environment, Template

from clinical_nlp.simulation import grammar, simulate_patients, writer

REPEATS = 3


class JinjaGrammar(grammar.Grammar):
    """The same rules, each alternative a compiled Jinja2 template."""

    def __init__(
        self, rules: Mapping[str, Sequence[str]], fallback: grammar.Grammar | None = None
    ) -> None:
        super().__init__(rules, fallback)
        environment = Environment(autoescape=False, keep_trailing_newline=True)  # noqa: S701
        self.source_chars = 0
        self._templates: dict[str, list[Template]] = {}
        for name, alternatives in self._sources.items():
            self._templates[name] = []
            for text in alternatives:
                weight, body = grammar.split_weight(text)
                source = to_jinja(body)
                self.source_chars += len(source)
                self._templates[name] += [environment.from_string(source)] * weight

    def expand(self, name: str, rng: Random, slots: Mapping[str, str]) -> str:
        """Expand a rule."""
        return self._render(name, rng, {}, slots)

    def _render(
        self, name: str, rng: Random, functions: dict[str, Any], slots: Mapping[str, str]
    ) -> str:
        if not functions:
            functions |= {
                "pick": lambda count: int(rng.random() * count),
                "half": lambda: rng.random() < 0.5,
                "number": lambda low, high: low + int(rng.random() * (high - low + 1)),
                "say": lambda rule: (
                    slots[rule] if rule in slots else self._render(rule, rng, functions, slots)
                ),
            }
        templates = self._templates[name]
        at = int(rng.random() * len(templates)) if len(templates) > 1 else 0
        template = templates[at]
        # Quicker than ``template.render``, which copies its arguments and guards the call.
        return "".join(template.root_render_func(template.new_context(functions, shared=True)))


def to_jinja(text: str) -> str:
    """Translate one alternative of the grammar to a Jinja2 template."""
    out, rest = _translate(text, "", depth=0)
    assert not rest, rest  # noqa: S101 - the grammar has accepted the text before
    return out


def _translate(text: str, closers: str, depth: int) -> tuple[str, str]:
    out: list[str] = []
    while text and text[0] not in closers:
        mark = text[0]
        if mark == "{":
            name, text = text[1:].split("}", 1)
            low, dash, high = name.partition("-")
            is_range = dash and low.isdigit() and high.isdigit()
            out.append(
                f"{{{{ number({low}, {high}) }}}}" if is_range else f"{{{{ say({name!r}) }}}}"
            )
        elif mark == "[":
            inner, text = _translate(text[1:], "]", depth + 1)
            out.append("{% if half() %}" + inner + "{% endif %}")
            text = text[1:]
        elif mark == "<":
            options: list[str] = []
            while mark != ">":
                inner, text = _translate(text[1:], "|>", depth + 1)
                options.append(inner)
                mark = text[0]
            text = text[1:]
            choice = f"choice{depth}"
            out.append(f"{{% set {choice} = pick({len(options)}) %}}")
            for number, option in enumerate(options):
                word = "elif" if number else "if"
                out.append(f"{{% {word} {choice} == {number} %}}{option}")
            out.append("{% endif %}")
        else:
            skip = 1 if mark == "\\" else 0
            out.append(text[skip])
            text = text[skip + 1 :]
    return "".join(out), text


def use(kind: type[grammar.Grammar]) -> None:
    """Make the simulator write with ``kind``."""
    grammar.Grammar = kind  # type: ignore[misc]
    writer.__dict__["Grammar"] = kind
    grammar.grammar.cache_clear()
    writer._label_grammar.cache_clear()


def measure(kind: type[grammar.Grammar], patients: int) -> dict[str, object]:
    """Return compilation time, best notes per second, and a digest of the texts."""
    use(kind)
    start = time.perf_counter()
    for language in ("es", "ca", "gl", "eu"):
        grammar.grammar(language)
    compiled = time.perf_counter() - start
    best, digest, notes = float("inf"), "", 0
    for _ in range(REPEATS):
        start, digest_of, notes = time.perf_counter(), hashlib.sha256(), 0
        for person in simulate_patients(patients, seed=7):
            for note in person.record.notes:
                digest_of.update(note.text.encode())
                notes += 1
        best, digest = min(best, time.perf_counter() - start), digest_of.hexdigest()[:16]
    return {
        "compile_s": round(compiled, 3),
        "notes_per_s": round(notes / best),
        "notes": notes,
        "digest": digest,
    }


def main() -> None:
    """Measure both and print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=200)
    patients = parser.parse_args().patients
    own = grammar.Grammar
    figures = {"grammar": measure(own, patients), "jinja2": measure(JinjaGrammar, patients)}
    jinja = grammar.grammar("es")
    assert isinstance(jinja, JinjaGrammar)  # noqa: S101
    figures["source characters (es)"] = {
        "grammar": sum(len(text) for texts in jinja._sources.values() for text in texts),
        "jinja2": jinja.source_chars,
    }
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
