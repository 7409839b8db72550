"""Sentences written for this project, each marked with what must be said of its targets."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from clinical_nlp.pipeline.assertion import Assertion

FLAGS = {
    "neg": "negated",
    "unc": "uncertain",
    "hist": "historical",
    "fam": "family",
    "hyp": "hypothetical",
}
MARK = re.compile(r"<t ([^>]*)>(.*?)</t>")


def read_cases():  # type: ignore[no-untyped-def]
    for file in sorted((Path(__file__).parent / "cases").glob("*.txt")):
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            if not line or line.startswith("#"):
                continue
            marks: list[pytest.MarkDecorator] = []
            if line.startswith("xfail "):
                reason, _, line = line.removeprefix("xfail ").partition(": ")
                marks.append(pytest.mark.xfail(reason=reason, strict=True))
            yield pytest.param(line, id=f"{file.stem}:{number}", marks=marks)


def parse(line: str) -> tuple[str, list[tuple[int, int]], list[str | None], list[Assertion]]:
    text, spans, concepts, expected, at = "", [], [], [], 0
    line = line.replace("\\n", "\n")
    for mark in MARK.finditer(line):
        text += line[at : mark.start()]
        spans.append((len(text), len(text) + len(mark[2])))
        text += mark[2]
        at = mark.end()
        said: dict[str, bool | str] = {}
        concept = None
        for word in mark[1].split():
            flag, _, role = word.partition(":")
            if flag in FLAGS:
                said[FLAGS[flag]] = True
                if role:
                    said["relation"] = role
            else:
                concept = word
        concepts.append(concept)
        expected.append(Assertion(**said))  # type: ignore[arg-type]
    return text + line[at:], spans, concepts, expected


@pytest.mark.parametrize("line", read_cases())
def test_sentence_gives_its_assertions(line: str, nlp) -> None:  # type: ignore[no-untyped-def]
    text, spans, concepts, expected = parse(line)
    doc = nlp.make_doc(text)
    for name in ("es_sentences", "es_sections"):
        doc = nlp.get_pipe(name)(doc)
    said = nlp.get_pipe("es_assertion").flags(doc, spans, concepts)
    assert dict(zip(spans, said, strict=True)) == dict(zip(spans, expected, strict=True))
