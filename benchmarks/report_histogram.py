"""The report's risk histogram: drawn by the template, against matplotlib's SVG.

    python benchmarks/report_histogram.py

Prints the size of the SVG and the seconds of each, the import of matplotlib apart.
"""

from __future__ import annotations

import io
import re
from datetime import date
from time import perf_counter

import numpy as np

from clinical_nlp.batch.run_record import RunOutcome
from clinical_nlp.batch.sinks.report import histogram
from clinical_nlp.batch.sinks.report.page import render
from clinical_nlp.batch.statistics import RunStatistics
from clinical_nlp.records import ModelReference, RunContext, SourceSummary
from clinical_nlp.risk.bands import load_bands

_REPEATS = 20


def main() -> None:
    """Draw 1,000 risks both ways."""
    bands = load_bands()
    model = ModelReference("m", "1", "models:/m/1", "0" * 64)
    context = RunContext(date(2026, 3, 31), "0", "0" * 64, model, 0.03)
    statistics = RunStatistics(context, bands)
    risks = 1 / (1 + np.exp(-np.random.default_rng(0).normal(-3.5, 1.2, 1000)))
    counts = np.histogram(risks, statistics.edges)[0].tolist()
    statistics.histogram = counts
    statistics.patients["scored"] = statistics.patients["seen"] = 1000

    page = render(RunOutcome(context, SourceSummary(), statistics), {}, bands)
    drawn = re.search(r'<svg viewBox="0 0 760.*?</svg>', page, re.DOTALL)
    assert drawn is not None  # noqa: S101
    began = perf_counter()
    for _ in range(_REPEATS):
        histogram.draw(statistics.edges, counts, bands, 0.03)
    print(f"template   {len(drawn[0]):6} bytes  {(perf_counter() - began) / _REPEATS:.5f} s")

    began = perf_counter()
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot as plt

    imported = perf_counter() - began
    for fonttype in ("none", "path"):
        mpl.rcParams["svg.fonttype"] = fonttype
        sizes, began = [], perf_counter()
        for _ in range(_REPEATS):
            sizes.append(_matplotlib(plt, statistics.edges, counts, bands.worklist_threshold))
        seconds = (perf_counter() - began) / _REPEATS
        print(f"matplotlib {sizes[0]:6} bytes  {seconds:.5f} s  text as {fonttype}")
    print(f"matplotlib imported in {imported:.2f} s")


def _matplotlib(plt: object, edges: tuple[float, ...], counts: list[int], threshold: float) -> int:
    figure, axes = plt.subplots(figsize=(7.6, 3.0))  # type: ignore[attr-defined]
    lefts = [edges[1] ** 2 / edges[2], *edges[1:-1]]
    axes.bar(lefts, counts, np.diff([*lefts, edges[-1]]), align="edge")
    axes.set_xscale("log")
    axes.axvline(threshold)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    plt.close(figure)  # type: ignore[attr-defined]
    return len(buffer.getvalue())


if __name__ == "__main__":
    main()
