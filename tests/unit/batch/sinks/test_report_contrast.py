"""The report's colours can be told apart, by day and by night (WCAG 2.2, 1.4.3 and 1.4.11)."""

from __future__ import annotations

import re

import pytest

from clinical_nlp.batch.sinks.report.page import _read

#: (colour, behind it, least ratio): 4.5 for text, 3 for what a chart draws.
PAIRS = [
    *(("ink", b, 4.5) for b in ("paper", "card", "accent-soft", "warn-soft")),
    *(("soft", b, 4.5) for b in ("paper", "card", "accent-soft")),
    *((c, b, 4.5) for c in ("accent", "good", "warn") for b in ("paper", "card")),
    *((c, "card", 3.0) for c in ("affirmed", "negated", "other", "accent")),
    *((f"band-{i}", "card", 3.0) for i in range(4)),
]


def palettes() -> dict[str, dict[str, str]]:
    day, night = re.findall(r":root \{(.*?)\}", _read("report.css"), re.DOTALL)
    return {
        name: dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block))
        for name, block in (("day", day), ("night", night))
    }


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("name", ["day", "night"])
def test_report_colours_have_enough_contrast(name):
    colours = palettes()[name]
    for front, back, least in PAIRS:
        dark, light = sorted((luminance(colours[front]), luminance(colours[back])))
        assert (light + 0.05) / (dark + 0.05) >= least, (front, back)
