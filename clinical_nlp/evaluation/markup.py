"""Reads notes annotated in plain text with inline marks.

::

    === my-01 | nursing control | es
    Refiere {{disnea de esfuerzo|dyspnea_on_exertion}}, no {{ortopnea|orthopnea|neg}}.
    TA {{130|systolic_bp=130}}/{{80|diastolic_bp=80}}.

A note opens with ``===`` and its id; style and language may follow in the same line. A mark
holds the words, the concept's key and, where it is not affirmed, ``neg``, ``unc``, ``hist``,
``fam``, ``hyp``, separated by commas; a measurement has its value in the concept's unit
instead. The text without the marks is the note.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from clinical_nlp.errors import InputError
from clinical_nlp.evaluation.annotated_notes import AnnotatedNote, Annotation
from clinical_nlp.records import FLAGS

_HEAD = re.compile(r"^===[ \t]*(.*)\n", re.MULTILINE)
_MARK = re.compile(r"\{\{([^{}|]+)\|([^{}|]+)(?:\|([^{}|]*))?\}\}")
_SHORT = dict(zip(("neg", "unc", "hist", "fam", "hyp"), FLAGS, strict=True))


def read_marked_notes(text: str) -> Iterator[AnnotatedNote]:
    """Yield the notes of a file of marked-up notes.

    Parameters
    ----------
    text
        The file's content; text before the first ``===`` is a comment.

    Raises
    ------
    InputError
        E267: a mark, a note's id or a flag cannot be read. The message names the note and
        its line and quotes no text.
    """
    pieces = _HEAD.split(text.replace("\r\n", "\n"))
    for head, body in zip(pieces[1::2], pieces[2::2], strict=True):
        name, _, rest = (part.strip() for part in head.partition("|"))
        style, _, language = (part.strip() for part in rest.partition("|"))
        if not name:
            raise InputError("E267", "a note has no id after '===': give it one.")
        yield _note(name, language or (style if len(style) == 2 else ""), body.strip("\n") + "\n")


def _note(name: str, language: str, body: str) -> AnnotatedNote:
    text, end = "", 0
    annotations: list[Annotation] = []
    for match in _MARK.finditer(body):
        text += body[end : match.start()]
        end = match.end()
        start, (words, key, flags) = len(text), match.groups()
        text += words
        line = body.count("\n", 0, match.start()) + 1
        concept, _, value = key.partition("=")
        named = [flag.strip() for flag in (flags or "").split(",") if flag.strip()]
        try:
            number = float(value) if value else None
            is_set = {_SHORT[flag] for flag in named}
        except (KeyError, ValueError):
            raise InputError(
                "E267",
                f"line {line} of note '{name}' has a mark that cannot be read: write "
                "{{words|concept}}, {{words|concept|neg,unc,hist,fam,hyp}} or "
                "{{number|concept=value}}.",
            ) from None
        annotations.append(
            Annotation(start, len(text), concept, number, tuple((f, f in is_set) for f in FLAGS))
        )
    text += body[end:]
    if "{{" in text or "}}" in text:
        line = text[: text.find("{{") if "{{" in text else text.find("}}")].count("\n") + 1
        raise InputError(
            "E267",
            f"line {line} of note '{name}' opens or closes a mark that is not whole: write "
            "{{words|concept}}; marks do not nest.",
        )
    return AnnotatedNote(name, text, language, tuple(annotations))
