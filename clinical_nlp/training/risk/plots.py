"""The figures of a training run, drawn from its metrics alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Blue, orange, grey of a palette that colour-blind readers tell apart (Okabe & Ito 2008).
_MODEL, _OTHER, _QUIET = "#0072B2", "#D55E00", "#777777"


def figures(metrics: Mapping[str, Any]) -> dict[str, Figure]:
    """Draw every figure that the metrics hold the numbers of.

    Parameters
    ----------
    metrics
        Content of ``metrics.json``.

    Returns
    -------
    dict
        ``calibration``, ``decision_curve``, ``subgroups``, ``lead_time``.
    """
    drawn = {
        "calibration": _calibration(metrics),
        "decision_curve": _decision_curve(metrics),
        "subgroups": _subgroups(metrics),
    }
    if metrics["lead_time"]:
        drawn["lead_time"] = _lead_time(metrics)
    return drawn


def _figure(width: float, height: float) -> tuple[Figure, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _calibration(metrics: Mapping[str, Any]) -> Figure:
    """Predicted against observed risk by tenth; risks are rare, so both axes are logarithmic."""
    figure, axes = _figure(5, 5)
    points = [(100 * row["predicted"], 100 * row["observed"]) for row in metrics["calibration"]]
    top = max(max(pair) for pair in points) * 1.3
    low = min(min(p for p, _ in points), min((o for _, o in points if o > 0), default=top)) / 1.3
    axes.plot([low, top], [low, top], linestyle=":", color=_QUIET, label="ideal")
    shown = [(p, o) for p, o in points if o > 0]  # a tenth without an outcome has no logarithm
    axes.plot(*zip(*shown, strict=True), marker="o", color=_MODEL, label="model")
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="predicted risk (%)",
        ylabel="observed (%)",
        title="Calibration by tenth, out of fold",
    )
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter("{x:g}")
    axes.legend(frameon=False)
    return figure


def _decision_curve(metrics: Mapping[str, Any]) -> Figure:
    figure, axes = _figure(6, 4)
    rows = metrics["decision_curve"]
    at = [100 * row["threshold"] for row in rows]
    for name, colour in (("model", _MODEL), ("age and sex only", _OTHER), ("everyone", _QUIET)):
        axes.plot(at, [row[name] for row in rows], color=colour, marker=".", label=name)
    axes.axhline(0, color="black", linewidth=0.8, label="nobody")
    best = max(row["model"] for row in rows)
    axes.set(
        ylim=(-best / 4, best * 1.15),
        xlabel="threshold: risk from which a patient is referred (%)",
        ylabel="net benefit, outcomes found per 1,000",
        title="Decision curve, out of fold",
    )
    axes.legend(frameon=False)
    return figure


def _subgroups(metrics: Mapping[str, Any]) -> Figure:
    rows = [row for row in metrics["subgroups"] if row["auroc"]]
    figure, axes = _figure(7, 1.2 + 0.32 * (len(rows) + 1))
    overall = metrics["test"]["model"]["auroc"]
    names = ["all", *(f"{row['group'].replace('_', ' ')}: {row['level']}" for row in rows)]
    values = [overall, *(row["auroc"] for row in rows)]
    for place, value in enumerate(reversed(values)):
        colour = _MODEL if place == len(values) - 1 else _QUIET
        axes.plot([value["low"], value["high"]], [place, place], color=colour)
        axes.plot([value["value"]], [place], marker="s", color=colour)
    axes.axvline(overall["value"], linestyle=":", color=_MODEL)
    axes.set_yticks(range(len(names)), list(reversed(names)))
    axes.set(xlabel="AUROC, 95% interval over patients", title="Subgroups, out of fold")
    return figure


def _lead_time(metrics: Mapping[str, Any]) -> Figure:
    """Share already alerted against days before the diagnosis, at the work list's threshold."""
    figure, axes = _figure(6, 4)
    at = metrics["worklist_threshold"]
    ours = next(
        i
        for i, row in enumerate(metrics["lead_time"])
        if row["name"] == "model" and abs(row["threshold"] - at) < 1e-9
    )
    pair = zip(metrics["lead_time"][ours : ours + 2], (_MODEL, _OTHER), strict=True)
    for row, colour in pair:
        days = [point["days"] for point in row["alerted_by"]]
        share = [100 * point["share"] for point in row["alerted_by"]]
        axes.plot(days, share, color=colour, marker=".", label=row["name"])
    per_1000 = metrics["lead_time"][ours]["per_1000"]
    axes.invert_xaxis()
    axes.set(
        ylim=(0, 100),
        xlabel="days before the diagnosis",
        ylabel="already alerted (% of cases)",
        title=f"Lead time at {100 * at:g}%: {per_1000:.0f} alerts per 1,000",
    )
    axes.legend(frameon=False)
    return figure
