"""``clinical-nlp codes``: what is recognised of an export's codes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from clinical_nlp.errors import OutputError

if TYPE_CHECKING:
    from fhir_adapters.reading.concept_map import ConceptMap

_EXPORT = typer.Argument(
    metavar="EXPORT", help="Folder of a FHIR R4 Bulk Data export, or one file.", show_default=False
)
#: The option of every command that reads an export's codes.
CONCEPT_MAP = typer.Option(
    "--concept-map",
    metavar="FILE",
    help="FHIR R4 ConceptMap (JSON) from the service's own codes to standard ones. Repeatable.",
    show_default=False,
)
_JSON = typer.Option("--json", metavar="FILE", help="Write the whole report there, too.")
_SHOWN = 10

#: Columns of the table, by the report's names.
_VERDICTS = {
    "recognised": "recognised",
    "unmapped": "no concept",
    "unknown": "system not read",
    "words": "words alone",
}


def codes(
    export: Annotated[Path, _EXPORT],
    concept_map: Annotated[list[Path] | None, CONCEPT_MAP] = None,
    json_file: Annotated[Path | None, _JSON] = None,
) -> None:
    """Show what is recognised of an export's codes, and the commonest that are not.

    Reads no note, needs no model, writes nothing but the report. An event is recognised where
    one of its codes stands for a concept of the catalogue (clinical-nlp lexicon show) or for
    heart failure. "No concept": the code system is read, the code says nothing that the model
    looks at (a sprained ankle); nothing is to be done. "System not read": a code of the
    service's own, or of another country. "Words alone": no usable code; only heart failure is
    looked for in them. Map codes that matter to standard ones in a FHIR ConceptMap, a file like:

    {"resourceType": "ConceptMap", "status": "active", "group": [{
    "source": "urn:oid:1.2.3", "target": "http://hl7.org/fhir/sid/icd-10-es", "element": [{
    "code": "DX-100", "target": [{"code": "I50.9", "equivalence": "equivalent"}]}]}]}

    and give it to this command, to 'batch', 'train risk' and 'recalibrate' with --concept-map.
    What fewer than 5 patients have is not named.

    Example: clinical-nlp codes export --concept-map local.json
    """
    # Imported here: 'clinical-nlp --help' must not wait for spaCy.
    from clinical_nlp.lexicon import load_lexicon
    from clinical_nlp.risk.code_report import report_codes
    from fhir_adapters.reading import BulkExport

    translation = load_concept_maps(concept_map)
    with BulkExport(export, concept_map=translation) as source:
        source.scan(lambda read: None)
        report = report_codes(source.coded_events(), load_lexicon(), translation.digest)
    print_codes(Console(highlight=False, markup=False, soft_wrap=True), report)
    if json_file is not None:
        try:
            json_file.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", "utf-8")
        except OSError as error:
            raise OutputError(
                "E515",
                f"the report cannot be written to '{json_file}' ({error.strerror}): "
                "give another place with --json",
            ) from None


def load_concept_maps(paths: Sequence[Path] | None) -> ConceptMap:
    """Read the files given with ``--concept-map``; an empty map without any."""
    from clinical_nlp.lexicon.codes import system_name
    from fhir_adapters.reading.concept_map import read_concept_maps

    return read_concept_maps(paths or (), lambda uri: system_name(uri) is not None)


def print_codes(console: Console, report: Mapping[str, Any], shown: int = _SHOWN) -> None:
    """Print the shares by kind, and the commonest codes that are not recognised."""
    from clinical_nlp.risk.code_report import remedy

    table = Table("coded events", "number", *_VERDICTS.values())
    for kind, counts in report["kinds"].items():
        total = counts["events"]
        shares = (_share(counts[name], total) for name in _VERDICTS)
        table.add_row(kind, str(total), *shares)
    console.print(table)
    if report["unrecognised"]:
        rows = Table("not recognised", "code system", "code", "display", "events")
        for row in report["unrecognised"][:shown]:
            display = row["display"] or ""
            rows.add_row(row["kind"], row["system"], row["code"], display, str(row["events"]))
        console.print(rows)
    if report["suppressed"]["codes"]:
        console.print(
            f"{report['suppressed']['codes']} other codes that fewer than {report['smallest']} "
            f"patients have ({report['suppressed']['events']} events) are not named."
        )
    if advice := remedy(dict(report)):
        console.print(advice)


def _share(count: int, total: int) -> str:
    return f"{count / total:.0%}" if total else "–"
