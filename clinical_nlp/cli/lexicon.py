"""``clinical-nlp lexicon``: the medical knowledge, checked and looked up."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from clinical_nlp.lexicon import load_lexicon

app = typer.Typer(help="Check the lexicon, or look a concept up in it.", no_args_is_help=True)

#: Exit code of a check that found issues.
EXIT_ISSUES = 5


@app.command("check")
def check_lexicon() -> None:
    """Find duplicates, dead terms, clashes between concepts and unused gates."""
    # Imported here: spaCy takes seconds to load, and "show" does without it.
    from clinical_nlp.pipeline.findings.check import check

    lexicon = load_lexicon()
    console = Console(highlight=False, markup=False, soft_wrap=True)
    issues = check(lexicon)
    table = Table("kind", "concept", "term", "what to do")
    for issue in issues:
        table.add_row(issue.kind, issue.concept, issue.term, issue.reason)
    if issues:
        console.print(table)
    languages = Counter(term.language for term in lexicon.terms)
    console.print(
        f"{len(lexicon.concepts)} concepts, {len(lexicon.terms)} terms "
        f"({', '.join(f'{name} {n}' for name, n in languages.items())}), "
        f"{len(issues)} to mend"
    )
    if issues:
        raise typer.Exit(EXIT_ISSUES)


@app.command()
def show(
    concept: Annotated[str, typer.Argument(help="Key of the concept, e.g. orthopnea.")],
) -> None:
    """Print what the lexicon holds of one concept."""
    lexicon = load_lexicon()
    console = Console(highlight=False, markup=False, soft_wrap=True)
    found = lexicon.concepts.get(concept)
    if found is None:
        close = [key for key in lexicon.concepts if concept in key]
        raise typer.BadParameter(
            f"no concept '{concept}' in the lexicon"
            + (f"; did you mean {', '.join(close)}?" if close else "")
        )
    console.print(f"{found.key} ({found.category}): {found.name_es}")
    for system, code in found.codes.items():
        console.print(f"  {system} {code} ({found.code_status.get(system, 'no status')})")
    for term in lexicon.terms:
        if term.concept == concept:
            notes = [f"gate {term.gate}"] if term.gate else []
            notes += ["negated"] if term.negated else []
            console.print(f"  {term.language}  {term.text}" + "".join(f"  [{n}]" for n in notes))
