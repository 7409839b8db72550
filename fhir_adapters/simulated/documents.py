"""Notes → DocumentReferences, in the charsets and markup of real Spanish exports."""

from __future__ import annotations

import base64
import html
import zlib
from collections.abc import Iterator
from datetime import date
from typing import Any

from clinical_nlp.records import Note

#: Notes in 1,000 of each form; the others are plain UTF-8 inside the resource.
_FORMS = (
    ("windows-1252", 40),
    ("iso-8859-1", 20),
    ("html", 30),
    ("xhtml", 8),
    ("rtf", 15),
    ("binary", 70),
    ("replaced", 6),  # and an earlier draft, superseded
)


def document_resources(
    note: Note, subject: dict[str, str], contacts: dict[date, str]
) -> Iterator[dict[str, Any]]:
    """Yield the DocumentReference of a note, after its Binary or its superseded draft.

    Parameters
    ----------
    contacts
        Reference of the Encounter of each day.
    """
    kind, _, identity = note.source.partition("/")
    form = _form(note.source)
    attachment = _attachment(note, form)
    out: dict[str, Any] = {
        "resourceType": kind,
        "id": identity,
        "status": "current",
        "subject": subject,
    }
    if note.kind is not None:
        out["type"] = {"coding": [{"system": "http://loinc.org", "code": note.kind}]}
    if note.written is not None:
        out["date"] = note.written.isoformat()
        encounter = contacts.get(note.written.date())
        if encounter is not None:
            out["context"] = {"encounter": [{"reference": encounter}]}
    if form == "binary":
        binary = f"{identity}-b"
        yield {
            "resourceType": "Binary",
            "id": binary,
            "contentType": attachment["contentType"],
            "data": attachment.pop("data"),
        }
        attachment["url"] = f"Binary/{binary}"
    if form == "replaced":
        draft = f"{identity}-draft"
        text = note.text[: max(1, len(note.text) * 2 // 3)]
        yield {
            **out,
            "id": draft,
            "status": "superseded",
            "content": [{"attachment": _plain(text, note.language, "utf-8")}],
        }
        out["relatesTo"] = [
            {"code": "replaces", "target": {"reference": f"DocumentReference/{draft}"}}
        ]
    yield {**out, "content": [{"attachment": attachment}]}


def _form(source: str) -> str:
    mark = zlib.crc32(source.encode()) % 1000
    for name, share in _FORMS:
        mark -= share
        if mark < 0:
            return name
    return "plain"


def _attachment(note: Note, form: str) -> dict[str, Any]:
    text = note.text
    if form in ("windows-1252", "iso-8859-1"):
        try:
            text.encode(form)
        except UnicodeEncodeError:
            form = "plain"
    if form in ("html", "xhtml"):
        lines = "<br/>".join(html.escape(line, quote=False) for line in text.split("\n"))
        page = (
            f'<html xmlns="http://www.w3.org/1999/xhtml"><head><title>Nota</title></head>'
            f"<body><div>{lines}</div></body></html>"
        )
        media = "application/xhtml+xml" if form == "xhtml" else "text/html; charset=utf-8"
        return _data(page.encode("utf-8"), media, note.language)
    if form == "rtf":
        return _data(_rtf(text), "application/rtf", note.language)
    return _plain(text, note.language, form if form in ("windows-1252", "iso-8859-1") else "utf-8")


def _plain(text: str, language: str | None, charset: str) -> dict[str, Any]:
    return _data(text.encode(charset), f"text/plain; charset={charset}", language)


def _data(content: bytes, media: str, language: str | None) -> dict[str, Any]:
    out: dict[str, Any] = {"contentType": media}
    if language is not None:
        out["language"] = language
    out["data"] = base64.b64encode(content).decode("ascii")
    return out


def _rtf(text: str) -> bytes:
    body: list[str] = []
    for mark in text:
        if mark == "\n":
            body.append("\\par\n")
        elif mark in "\\{}":
            body.append("\\" + mark)
        elif mark.isascii():
            body.append(mark)
        else:
            body.append(f"\\u{ord(mark)}?")
    return ("{\\rtf1\\ansi\\ansicpg1252\\deff0\\uc1 " + "".join(body) + "}").encode("ascii")
