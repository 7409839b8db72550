"""The model card, generated from a training run."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined, Undefined

from clinical_nlp.risk.feature_table import load_features
from clinical_nlp.training.risk.train import TrainedModel

_WEIGHTS_SHOWN = 25


def model_card(model: TrainedModel, energy: Mapping[str, Any] | None = None) -> str:
    """Return the card in Markdown; its first line says whom the model was trained on.

    Parameters
    ----------
    energy
        What the training used: ``kwh``, ``co2_kg``, ``seconds``, ``method``; ``None`` where
        it was not measured.
    """
    template = files("clinical_nlp.training.risk").joinpath("card.md.j2").read_text("utf-8")
    weights: Mapping[str, float] = model.metrics["weights"]
    largest = sorted(weights.items(), key=lambda item: (-abs(item[1]), item[0]))
    card = (
        _environment()
        .from_string(template)
        .render(
            model=model,
            recipe=model.recipe,
            spec=model.parts.spec,
            table=load_features(),
            largest=largest[:_WEIGHTS_SHOWN],
            energy=energy,
            results=results_markdown(model.metrics),
            versions={name: version(name) for name in ("scikit-learn", "clinical-nlp")},
            **model.metrics,
        )
    )
    return card.rstrip() + "\n"


def results_markdown(metrics: Mapping[str, Any]) -> str:
    """Return the tables of results, as the card carries them.

    Parameters
    ----------
    metrics
        Content of ``metrics.json``.
    """
    template = files("clinical_nlp.training.risk").joinpath("results.md.j2").read_text("utf-8")
    return _environment().from_string(template).render(**metrics).strip() + "\n"


def _environment() -> Environment:
    # The output is Markdown, not HTML: escaping would spoil it.
    environment = Environment(
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["measure"] = _interval
    environment.filters["percent"] = lambda value, digits=2: f"{100 * value:.{digits}f}%"
    environment.filters["interval"] = _interval
    environment.filters["share"] = lambda m: _interval(m, 100, 0, "%")
    environment.filters["setting"] = lambda setting: ", ".join(
        f"{key} {value:g}" for key, value in setting.items()
    )
    return environment


def _interval(
    value: Mapping[str, Any] | Undefined | None,
    scale: float = 1,
    digits: int = 3,
    unit: str = "",
) -> str:
    """A number with its bounds: ``0.820 (0.789 to 0.851)``; a dash where there is none.

    A measure that the metrics lack, since nobody had the score, is "not estimable".
    """
    if isinstance(value, Undefined):
        return "not estimable"
    if value is None or value["value"] is None:
        return "–"
    middle, low, high = (
        "–" if value[name] is None else f"{scale * value[name]:.{digits}f}{unit}"
        for name in ("value", "low", "high")
    )
    return f"{middle} ({low} to {high})"
