"""Switches off the telemetry and the log chatter of libraries.

MLflow and Hugging Face report their use by default. Both read the environment when they are
first imported, so this must run before.
"""

from __future__ import annotations

import logging
import os

#: Variables that switch telemetry off. They overrule the operator's settings on purpose.
_SWITCHES = {
    "DO_NOT_TRACK": "1",  # https://donottrack.sh; Hugging Face honours it
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "HF_HUB_DISABLE_TELEMETRY": "1",
}

#: Defaults that the operator may change.
_DEFAULTS = {
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "GIT_PYTHON_REFRESH": "quiet",  # MLflow looks for a git binary and warns without one
    # No links to runs and no progress bars of MLflow on the terminal.
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    # A registry that does not answer is an error within seconds, not after MLflow's
    # seven retries with doubling waits (about two minutes).
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
}


def silence_telemetry() -> None:
    """Switch off every library's telemetry and the chatter of MLflow's migrations.

    Call it before importing ``mlflow`` or ``transformers``. Calling it again is harmless.
    """
    os.environ.update(_SWITCHES)
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
