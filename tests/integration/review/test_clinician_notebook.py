"""The clinician's notebook runs on a real batch, and is kept without results."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from clinical_nlp.review import open_batch
from clinical_nlp.risk.states import load_states

ROOT = Path(__file__).resolve().parents[3]
NOTEBOOK = ROOT / "notebooks" / "clinician_review.ipynb"


@pytest.fixture
def notebook() -> nbformat.NotebookNode:
    return nbformat.read(NOTEBOOK, as_version=4)


def test_notebook_is_stored_without_outputs(notebook):
    """They would be patient text in the repository."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == [] and cell.execution_count is None


def test_notebook_runs_and_shows_every_part(notebook, demo_batch, monkeypatch):
    monkeypatch.setenv("CLINICAL_NLP_OUT", str(demo_batch / "out"))
    monkeypatch.setenv("CLINICAL_NLP_EXPORT", str(demo_batch / "export"))
    # The kernel of this interpreter, whatever kernels the user has installed.
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "", "language": "python"}
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": demo_batch}}).execute()
    outputs = [o for c in notebook.cells if c.cell_type == "code" for o in c.outputs]
    assert not [o for o in outputs if o.output_type in ("error", "stream")]
    shown = "".join(o.data.get("text/html", "") for o in outputs if "data" in o)
    # The first of the list is suspected in writing, or else at risk.
    suspected = open_batch(demo_batch / "out").patients["status"].iloc[0] == "suspected"
    first = "Sospecha escrita de insuficiencia cardíaca" if suspected else "▲ sube"
    parts = ("Motivos principales", first, "<svg role='img'", "cnr-affirmed", "note_date")
    for part in (*parts, *(state.meaning_es for state in load_states())):
        assert part in shown, part
