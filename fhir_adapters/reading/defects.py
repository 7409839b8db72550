"""Every defect of an export: code, sentence, and outcome for the resource.

The sentences hold field names and references to resources, never a field's content, so
that a quarantine file can be sent to the EHR's vendor. ``docs/reference/input.md`` shows the
table.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import NoReturn

from clinical_nlp.errors import InputError
from clinical_nlp.records import Problem


class Outcome(Enum):
    """What is done with a resource that has a defect."""

    FATAL = "the run stops"
    QUARANTINED = "quarantined"
    KEPT = "used, without the bad part"


class Defect(Enum):
    """A defect's code, sentence (a format string, ending in the remedy) and outcome.

    Most resources with a defect are quarantined.
    """

    # The export as a whole
    NO_FOLDER = (
        "E200",
        "The export '{path}' does not exist: give the folder that the FHIR server's $export"
        " was downloaded to.",
        Outcome.FATAL,
    )
    NO_FILES = (
        "E201",
        "The export '{path}' holds no file that is read (*.ndjson, *.jsonl, *.json, *.zip; also"
        " compressed): give the folder that holds the files themselves (subfolders are not"
        " searched).",
        Outcome.FATAL,
    )
    UNREADABLE = (
        "E202",
        "'{path}' cannot be read ({cause}): check its permissions and the disk, and run again.",
        Outcome.FATAL,
    )
    NO_SPOOL = (
        "E222",
        "The temporary database in '{path}' cannot be written ({cause}): free space there (about"
        " the size of the uncompressed export) or give another folder.",
        Outcome.FATAL,
    )
    # A line
    BROKEN_FILE = (
        "E203",
        "The compressed file breaks off or is damaged here; the lines before were read:"
        " download the file again.",
    )
    NOT_UTF8 = ("E205", "The line is not UTF-8, as NDJSON must be: export it again in UTF-8.")
    NOT_JSON = ("E206", "The line is not JSON: export it again, one whole resource a line.")
    TOO_DEEP = (
        "E207",
        "The line's JSON is nested beyond anything FHIR needs: correct the resource at its source.",
    )
    LINE_TOO_LONG = (
        "E208",
        "The line is longer than {limit} MB: move large attachments out of the export, or raise"
        " the limit.",
    )
    NOT_OBJECT = (
        "E209",
        "The line is JSON but no resource: export it again, one resource object a line.",
    )
    NO_TYPE = (
        "E210",
        "resourceType is missing or names no FHIR R4 type: export in FHIR R4 (4.0.1).",
    )
    BAD_ENTRY = (
        "E211",
        "An entry of a Bundle holds no resource (a PATCH, or only a link): export the whole"
        " resource.",
        Outcome.KEPT,
    )
    BAD_ID = (
        "E212",
        "The resource has no id, or one that FHIR does not allow (1-64 letters, digits, '-' and"
        " '.'): give it a valid id at its source.",
    )
    # What it refers to
    NO_SUBJECT = (
        "E213",
        "{field} is missing, so that the resource belongs to no patient: fill it at the source.",
    )
    BAD_REFERENCE = (
        "E214",
        "{field} refers to the patient in a way that cannot be followed (by identifier, search"
        " or a contained resource): export with references like 'Patient/<id>'.",
    )
    NO_PATIENT = (
        "E215",
        "Its patient is not in the export (or is quarantined): export the Patient too.",
    )
    # What it says
    BAD_SHAPE = (
        "E216",
        "{field} is not of the JSON type that FHIR R4 gives it: correct the resource at its"
        " source, or export in R4 (4.0.1).",
    )
    BAD_DATE = (
        "E217",
        "{field} is not a FHIR date: correct it to YYYY-MM-DD, or to YYYY-MM-DDThh:mm:ss with"
        " a time zone.",
    )
    FUTURE_DATE = (
        "E218",
        "{field} lies after today: correct it at the source, or this machine's clock.",
    )
    BAD_BIRTH_DATE = (
        "E219",
        "birthDate is not a date of the past; the patient is read without age: correct it at"
        " the source.",
        Outcome.KEPT,
    )
    BAD_DEATH_DATE = (
        "E220",
        "deceasedDateTime is not a date of the past; the patient is read as dead on an unknown"
        " day: correct it at the source.",
        Outcome.KEPT,
    )
    NO_MEDICATION = (
        "E221",
        "The Medication it refers to is not in the export (or has no code): export Medication too.",
    )
    # Notes
    NO_BINARY = (
        "E204",
        "The note has no text: attachment.url '{reference}' is not in the export: export Binary"
        " too, or put the text into attachment.data.",
    )
    NO_DATA = (
        "E230",
        "The note has no text: no attachment has data or a url: export with the attachments'"
        " content.",
    )
    FOREIGN_URL = (
        "E231",
        "attachment.url points outside the export, where nothing is fetched from: export it as a"
        " Binary, or put the text into attachment.data.",
    )
    BAD_FORMAT = (
        "E232",
        "The attachment's format is not read: export notes as text/plain, text/html,"
        " application/xhtml+xml or RTF.",
    )
    BAD_BASE64 = ("E233", "The attachment's data is not base64: export it again.")
    TOO_LARGE = (
        "E234",
        "The attachment is larger than {limit} MB: check that it is a note; if so, raise the"
        " limit.",
    )
    NOT_TEXT = (
        "E235",
        "The attachment says it is text but holds binary data: correct its contentType, or"
        " export the text.",
    )
    UNKNOWN_CHARSET = (
        "E236",
        "The attachment's charset is not known and its data is not UTF-8: declare the charset"
        " it is in, or export in UTF-8.",
    )
    CHARSET_IGNORED = (
        "E237",
        "The attachment's charset is not known; its data is valid UTF-8 and was read as such:"
        " declare utf-8.",
        Outcome.KEPT,
    )
    SECTIONS_TOO_DEEP = (
        "E239",
        "Composition.section is nested deeper than {limit}: flatten the document at its source.",
    )
    LOST_ATTACHMENT = (
        "E240",
        "One of several attachments was not read, the others were ({cause}): see code {cause}.",
        Outcome.KEPT,
    )
    REPLACED_IN_CIRCLE = (
        "E241",
        "Documents replace one another in a circle, so none is left out: correct relatesTo.",
        Outcome.KEPT,
    )
    LOOKS_BROKEN = (
        "E242",
        "The note's text has lost characters or was wrongly decoded before it was exported; it is"
        " read as it is: export it again in UTF-8.",
        Outcome.KEPT,
    )

    # Files, and what they take away
    UNREAD_FILE = (
        "E284",
        "The file was not read, as its name is of a kind that is not: export NDJSON (or JSON;"
        " gzip, zstd and ZIP are unpacked), or take the file away if it holds no resources.",
        Outcome.KEPT,
    )
    UNREAD_FOLDER = (
        "E285",
        "The folder was not searched, and it holds files that look like resources: put them"
        " beside the others, or run it on its own.",
        Outcome.KEPT,
    )
    BAD_ARCHIVE = (
        "E286",
        "The archive cannot be unpacked (damaged, or it needs a password): unpack it into the"
        " export's folder.",
        Outcome.KEPT,
    )
    BAD_DELETION = (
        "E287",
        "A deletion does not name one resource (a search, or no id), so nothing was removed by"
        " it: export deletions like 'DELETE Patient/<id>'.",
        Outcome.KEPT,
    )
    # Records of one person
    LINK_MISSING = (
        "E288",
        "Patient.link names a record that is not in the export, so the patient's record may be"
        " a part of it only: export all Patients, or correct the link.",
        Outcome.KEPT,
    )
    LINK_CIRCLE = (
        "E289",
        "Patient records are linked in a circle, so that none is the main one; they are kept"
        " apart: correct Patient.link.",
        Outcome.KEPT,
    )
    LINK_CONTRADICTED = (
        "E290",
        "Patient.link joins records of different birth dates, so they are kept apart: correct"
        " the link, or the birth dates.",
        Outcome.KEPT,
    )
    SUBSETTED = (
        "E291",
        "The resource is tagged SUBSETTED, so it is a part of one; it is read as no whole version"
        " is in the export: export whole resources (without _elements or _summary).",
        Outcome.KEPT,
    )
    OTHER_VERSION = (
        "E292",
        "The resource seems to be of FHIR {version}, and what it says there cannot be read as R4"
        " ({cause}): export in FHIR R4 (4.0.1).",
    )
    # What nobody foresaw
    UNFORESEEN = (
        "E299",
        "Reading it failed in a way that nobody foresaw ({error}), so it was left out: report"
        " this line to the maintainers, with what is unusual about the resource and without its"
        " text.",
    )

    def __init__(self, code: str, sentence: str, outcome: Outcome = Outcome.QUARANTINED) -> None:
        self.code = code
        self.sentence = sentence
        self.outcome = outcome

    def problem(
        self, *, file: str | None, line: int | None, resource: str | None, **details: object
    ) -> Problem:
        """Make the quarantine's row for this defect; ``details`` fill the sentence."""
        return Problem(self.code, self.sentence.format(**details), file, line, resource)

    def stop(self, **details: object) -> NoReturn:
        """Raise the fatal error for this defect."""
        raise InputError(self.code, self.sentence.format(**details)) from None


class Unusable(Exception):
    """The resource cannot be used; carries the defect and its details."""

    def __init__(self, defect: Defect, **details: object) -> None:
        super().__init__(defect.code)
        self.defect = defect
        self.details = details


class LeftOut(Exception):
    """The resource is not used, without a defect (entered in error, superseded, no note)."""


def megabytes(count: int) -> str:
    """Return a number of bytes in MB, as the sentences write limits."""
    return f"{count / 1_000_000:g}"


def markdown_table() -> str:
    """Return all defects by code, as the table of ``docs/reference/input.md``."""
    rows = ["| code | what it says | the resource is |", "| --- | --- | --- |"]
    for defect in sorted(Defect, key=lambda defect: defect.code):
        sentence = re.sub(r"{(\w+)}", r"‹\1›", defect.sentence)
        rows.append(f"| {defect.code} | {sentence} | {defect.outcome.value} |")
    return "\n".join(rows)
