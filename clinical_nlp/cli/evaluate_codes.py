"""``clinical-nlp evaluate codes``: coded evidence of case reports against the findings."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from clinical_nlp.cli.evaluate_options import AsJson, Markdown
from clinical_nlp.cli.jsonl import read_rows
from clinical_nlp.errors import InputError
from clinical_nlp.evaluation import codes


def evaluate_codes(
    gold: Annotated[str, typer.Argument(help="Coded cases, JSON lines: id, text, codes.")],
    half: Annotated[
        codes.Half, typer.Option("--half", help="All cases, those for tuning, or the others.")
    ] = codes.Half.ALL,
    markdown: Markdown = False,
    as_json: AsJson = False,
) -> None:
    """Score how much of the evidence that coders marked the findings cover, by ICD-10 family."""
    import clinical_nlp
    from clinical_nlp.lexicon import load_lexicon
    from clinical_nlp.pipeline.document import get_findings

    concepts_of = codes.families(load_lexicon().concepts.values())
    nlp = clinical_nlp.load()
    counts = []
    for case in _coded_cases(gold, half):
        found = [(f.start, f.end, f.concept) for f in get_findings(nlp(case.text))]
        counts.append(codes.found_in(case, found, concepts_of))
    rows = codes.recall_all(counts)
    if as_json:
        typer.echo(json.dumps({"cases": len(counts)} | {k: asdict(r) for k, r in rows.items()}))
        return
    table = [
        (
            name,
            ", ".join(sorted(concepts_of.get(name, ()))),
            f"{r.recall:.3f}",
            f"{r.low:.3f}–{r.high:.3f}",
            str(r.found),
            str(r.gold),
        )
        for name, r in rows.items()
    ]
    heading = ("codes", "concepts", "recall", "95% interval", "found", "marked")
    if markdown:
        typer.echo("| " + " | ".join(heading) + " |\n| --- | --- |" + " ---: |" * 4)
        typer.echo("\n".join("| " + " | ".join(row) + " |" for row in table))
        return
    shown = Table(*heading)
    for row in table:
        shown.add_row(*row)
    console = Console(highlight=False)
    console.print(shown)
    console.print(f"{len(counts)} cases; recall with 95% bootstrap intervals over cases.")


def _coded_cases(path: str, half: codes.Half) -> list[codes.CodedCase]:
    cases: list[codes.CodedCase] = []
    for number, row in read_rows(path):
        try:
            if row is None:
                raise ValueError("row")
            case = codes.coded_case(row)
        except (KeyError, TypeError, ValueError):
            raise InputError(
                "E263",
                f'line {number} of \'{path}\' is no coded case; each line needs "id", "text" '
                'and "codes" with "kind", "code" and "fragments".',
            ) from None
        if half.holds(case.id):
            cases.append(case)
    if not cases:
        raise InputError("E264", f"'{path}' has no case of the half asked for; widen it.")
    return cases
