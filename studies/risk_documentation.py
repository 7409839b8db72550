"""Puts the figures of a trained model into the documentation.

``python -m studies.risk_documentation models/hf-risk docs`` rewrites the feature table of
``docs/reference/features.md`` and the figures in ``docs/img`` from ``models/hf-risk/metrics.json``.
The results themselves are in the model's card, which the site shows.
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path

from clinical_nlp.risk.feature_table import FeatureTable, load_features
from clinical_nlp.training.risk.plots import figures

PAGE = "reference/features.md"

_SIGNS = {1: "raises", -1: "lowers", 0: "either"}


def features_markdown(table: FeatureTable) -> str:
    """Return a Markdown table with a row per topic."""
    rows = [
        "| topic | kind | concepts | features | direction | unit | source |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for topic in table.topics:
        cells = (
            topic.key,
            topic.kind.replace("_", " "),
            ", ".join(sorted(topic.concepts)) or topic.definition,
            ", ".join(f"`{name}`" for name in topic.features),
            _SIGNS[topic.direction],
            topic.unit or ("0/1" if topic.kind in ("condition", "drug") else "see kind"),
            topic.source,
        )
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows) + "\n"


def refreshed(page: str, parts: dict[str, str]) -> str:
    """Replace what stands between ``<!-- name: begin -->`` and ``<!-- name: end -->``.

    Raises
    ------
    ValueError
        A part has no place in the page.
    """
    for name, text in parts.items():
        place = re.compile(rf"(<!-- {name}: begin[^>]*-->\n).*?(<!-- {name}: end -->)", re.DOTALL)
        page, found = place.subn(lambda m, text=text: f"{m[1]}{text}\n{m[2]}", page)  # type: ignore[misc]
        if found != 1:
            raise ValueError(f"the page has {found} places for '{name}'")
    return page


def write_report(folder: Path, docs: Path) -> None:
    """Refresh page and figures.

    Parameters
    ----------
    folder
        As written by ``clinical-nlp train risk``.
    docs
        The documentation's folder.
    """
    metrics = json.loads((folder / "metrics.json").read_text("utf-8"))
    page = docs / PAGE
    parts = {"features": features_markdown(load_features())}
    page.write_text(refreshed(page.read_text("utf-8"), parts), "utf-8")
    images = docs / "img"
    images.mkdir(exist_ok=True)
    for name, figure in figures(metrics).items():
        # Without the library's version in it, the same figure is the same file.
        figure.savefig(images / f"risk-{name}.png", dpi=90, metadata={"Software": None})


def main() -> None:
    """Run from the command line."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("folder", type=Path, nargs="?", default=Path("models/hf-risk"))
    options.add_argument("docs", type=Path, nargs="?", default=Path("docs"))
    chosen = options.parse_args()
    write_report(chosen.folder, chosen.docs)


if __name__ == "__main__":
    main()
