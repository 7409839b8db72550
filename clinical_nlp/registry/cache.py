"""Cache of the last verified model, for runs that cannot reach the registry.

One folder for each pair of store and model URI: the model's files, and a note of their version.
They are verified again, by the digest in the note, each time they are used.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from clinical_nlp.artifacts import MODEL_FOLDER, replace_file, replace_folder
from clinical_nlp.records import ModelReference
from clinical_nlp.registry.local_store import ARTIFACTS, database, is_local

_NOTE = "verified.json"


@dataclass(frozen=True, slots=True)
class LastVerified:
    """A model that was resolved and verified before.

    Parameters
    ----------
    folder
        Its MLflow model.
    verified
        When (ISO 8601, UTC).
    card
        Its card in Markdown; empty where it had none.
    """

    reference: ModelReference
    folder: Path
    verified: str
    card: str = ""


def cache_folder(store: str, asked: str) -> Path:
    """Return the folder that caches the last model of a store and URI.

    Beside a local store; else in ``CLINICAL_NLP_CACHE``, ``$XDG_CACHE_HOME/clinical-nlp`` or
    ``~/.cache/clinical-nlp``.
    """
    if is_local(store):
        root = database(store).parent / ARTIFACTS / "last-verified"
    elif "CLINICAL_NLP_CACHE" in os.environ:
        root = Path(os.environ["CLINICAL_NLP_CACHE"])
    else:
        home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        root = Path(home) / "clinical-nlp"
    # Without user and password: a password may change and must not be guessed from a name.
    without_user = re.sub(r"//[^/@]*@", "//", store)
    return root / hashlib.sha256(f"{without_user} {asked}".encode()).hexdigest()[:20]


def cache_model(
    store: str, asked: str, reference: ModelReference, model: Path, card: str = ""
) -> str:
    """Cache a model that has just been verified; return the time of the note.

    Raises
    ------
    OSError
        The folder cannot be written.
    """
    folder = cache_folder(store, asked)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    kept = last_verified(store, asked)
    if kept is None or kept.reference.digest != reference.digest:
        folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with replace_folder(folder, shared=True) as fresh:
            shutil.copytree(model, fresh / MODEL_FOLDER)
    note = {"reference": asdict(reference), "verified": now, "asked": asked, "card": card}
    with replace_file(folder / _NOTE) as unfinished:
        unfinished.write_text(json.dumps(note, indent=2) + "\n", "utf-8")
    return now


def last_verified(store: str, asked: str) -> LastVerified | None:
    """Return what :func:`cache_model` kept; ``None`` without a readable one."""
    folder = cache_folder(store, asked)
    try:
        note = json.loads((folder / _NOTE).read_text("utf-8"))
        reference = ModelReference(**note["reference"])
        card = str(note.get("card", ""))
        return LastVerified(reference, folder / MODEL_FOLDER, str(note["verified"]), card)
    except (OSError, ValueError, KeyError, TypeError):
        return None
