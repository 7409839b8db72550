"""JSON of a training run: ``metrics.json`` and ``predictions.json``."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from typing import Any


def to_plain(value: Any) -> Any:  # noqa: ANN401  # any value that JSON can hold
    """Values as JSON has them: rounded to six decimals; not finite is null."""
    if is_dataclass(value) and not isinstance(value, type):
        return to_plain(asdict(value))
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    return value


def metrics_to_json(metrics: Mapping[str, Any]) -> str:
    """Plain values as JSON text, keys in order."""
    return json.dumps(metrics, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def predictions_to_json(predictions: Mapping[str, Any]) -> str:
    """Predictions as JSON text, one column per line: a line per number would be a long file."""
    columns = sorted(predictions["columns"].items())
    others = sorted((key, item) for key, item in predictions.items() if key != "columns")
    body = ",\n".join(f"  {json.dumps(name)}: {_compact(column)}" for name, column in columns)
    parts = [f' "columns": {{\n{body}\n }}']
    parts += [f" {json.dumps(key)}: {_compact(item)}" for key, item in others]
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _compact(value: Any) -> str:  # noqa: ANN401  # any JSON value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
