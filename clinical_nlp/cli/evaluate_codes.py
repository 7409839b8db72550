"""``clinical-nlp evaluate codes``: coded evidence of case reports against the findings."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console

from clinical_nlp.cli.evaluate_options import AsJson, Markdown, print_table
from clinical_nlp.cli.jsonl import read_rows
from clinical_nlp.evaluation import coded_evidence
from clinical_nlp.evaluation.held_out import Half


def evaluate_codes(
    gold: Annotated[str, typer.Argument(help="Coded cases, JSON lines: id, text, codes.")],
    half: Annotated[
        Half, typer.Option("--half", help="All cases, those for tuning, or the others.")
    ] = Half.ALL,
    markdown: Markdown = False,
    as_json: AsJson = False,
) -> None:
    """Score how much of the evidence that coders marked the findings cover, by ICD-10 family."""
    import clinical_nlp
    from clinical_nlp.lexicon import load_lexicon
    from clinical_nlp.pipeline.document import get_findings

    concepts_of = coded_evidence.families(load_lexicon().concepts.values())
    nlp = clinical_nlp.load()
    counts = []
    for case in coded_evidence.parse_cases(read_rows(gold), gold, half):
        findings = [(f.start, f.end, f.concept) for f in get_findings(nlp(case.text))]
        counts.append(coded_evidence.found_in(case, findings, concepts_of))
    recalls = coded_evidence.recall_all(counts)
    if as_json:
        typer.echo(json.dumps({"cases": len(counts)} | {k: asdict(r) for k, r in recalls.items()}))
        return
    rows = coded_evidence.recall_rows(recalls, concepts_of)
    print_table(coded_evidence.COLUMNS, rows, markdown, texts=2)
    if not markdown:
        Console(highlight=False).print(
            f"{len(counts)} cases; recall with 95% bootstrap intervals over cases."
        )
