"""Prints the feature table as Markdown: ``python -m clinical_nlp.risk.features_markdown``."""

from __future__ import annotations

from clinical_nlp.risk.feature_table import FeatureTable, load_features

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


if __name__ == "__main__":
    print(features_markdown(load_features()), end="")
