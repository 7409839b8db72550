"""Fixtures every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of corpora and tools beside the checkout; skips where it is absent."""
    folder = Path(os.environ.get("CLINICAL_NLP_SHARED", ROOT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip("the shared corpora are not beside the checkout")
    return folder


@pytest.fixture(scope="session")
def nlp():  # type: ignore[no-untyped-def]
    """The pipeline, built once for the whole run."""
    from clinical_nlp.pipeline.assembly import build

    return build()
