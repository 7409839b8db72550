"""Tables of scores, as cells and as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from clinical_nlp.evaluation.finding_scores import WRONGLY_FLAGGED
from clinical_nlp.evaluation.measures import Score

SCORE_COLUMNS = ("precision", "recall", "F1", "95% interval", "gold", "found")

#: Rows of cells, each with its name first.
Cells = Sequence[Sequence[str]]


def score_rows(scores: Mapping[str, Score]) -> list[tuple[str, ...]]:
    """Return the cells of each score: its name, then :data:`SCORE_COLUMNS`."""
    return [(name, *_score_cells(name, score)) for name, score in scores.items()]


def _score_cells(name: str, score: Score) -> tuple[str, ...]:
    if name == WRONGLY_FLAGGED:  # a share, not a detection
        return ("", f"{score.recall:.3f}", "", "", str(score.gold), str(score.predicted))
    return (
        f"{score.precision:.3f}",
        f"{score.recall:.3f}",
        f"{score.f1:.3f}",
        f"{score.low:.3f}–{score.high:.3f}",
        str(score.gold),
        str(score.predicted),
    )


def markdown_table(header: Sequence[str], rows: Cells, texts: int = 1) -> str:
    """Return a Markdown table whose columns after the first ``texts`` are aligned right."""
    rules = ["---"] * texts + ["---:"] * (len(header) - texts)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (header, rules, *rows))
