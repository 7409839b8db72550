"""The spaCy component ``alia_encoder``."""

# No ``from __future__ import annotations`` here: spaCy reads a factory's annotations when
# it validates the config and cannot resolve them as strings.

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import srsly  # type: ignore[import-untyped]
from spacy.language import Language
from spacy.tokens import Doc

from clinical_nlp.errors import ModelError
from clinical_nlp.neural.checkpoint import Checkpoint
from clinical_nlp.neural.engine import Engine
from clinical_nlp.neural.locate import EMBEDDED, find_checkpoint
from clinical_nlp.neural.segments import Context
from clinical_nlp.pipeline.engine_component import EngineComponent

_FILE = "encoder.json"
_FOLDER = "checkpoint"
_KEY = "clinical_nlp.vectors"

#: Pieces in a window where nothing else is said: longer ones cost more for each word (global
#: attention is quadratic), and clinical sentences seldom lean on what is farther away.
_WINDOW = 512


@dataclass(frozen=True)
class EncoderSettings:
    """What the encoder is told; see :func:`create_encoder`, whose defaults these are."""

    model: str = EMBEDDED
    revision: str | None = None
    offline: bool = True
    context: Context = "sentence"
    window: int = _WINDOW
    overlap: int = 64
    backend: str = "auto"
    device: str = "cpu"
    cache_mib: float = 64
    keep: bool = True
    carry: bool = False


class AliaEncoder(EngineComponent):
    """Gives each token the vector that an encoder has for it in its place.

    Parameters
    ----------
    settings
        Which encoder, and how to run it.

    Notes
    -----
    ``doc._.vectors`` is float32 [tokens, hidden]; white space has zeros. It is kept in
    half precision in ``doc.user_data``, so that it survives ``DocBin`` (with
    ``store_user_data``), ``Doc.to_bytes`` and ``n_process``; ``keep = false`` keeps nothing.

    The weights are found and loaded when the first doc comes. A saved pipeline holds the
    encoder's name and its digest, and refuses another one of that name; with
    ``carry = true`` it holds the weights too.
    """

    def __init__(self, settings: EncoderSettings) -> None:
        super().__init__()
        self.settings = settings
        self._expected: str | None = None
        self._carried: Path | None = None
        self._unpacked: TemporaryDirectory[str] | None = None
        self._checkpoint: Checkpoint | None = None

    @property
    def checkpoint(self) -> Checkpoint:
        """The encoder's files.

        Raises
        ------
        ModelError
            E440, E448: they cannot be found. E445: they are not those that the pipeline was
            saved with.
        """
        if self._checkpoint is None:
            settings = self.settings
            found = (
                Checkpoint(settings.model, self._carried)
                if self._carried is not None
                else find_checkpoint(
                    settings.model, revision=settings.revision, offline=settings.offline
                )
            )
            if self._expected is not None and found.digest != self._expected:
                raise ModelError(
                    "E445",
                    f"the encoder '{settings.model}' is not the one that the pipeline was saved "
                    "with: name its revision, or save the pipeline again with this one",
                )
            self._checkpoint = found
        return self._checkpoint

    def _load(self) -> Engine:
        from clinical_nlp.neural.vectors import WordVectors

        settings, checkpoint = self.settings, self.checkpoint
        return Engine(
            WordVectors(checkpoint.model()),
            checkpoint.tokenizer,
            window=min(settings.window, checkpoint.window),
            context=settings.context,
            overlap=settings.overlap,
            backend=settings.backend,
            device=settings.device,
            cache_mib=settings.cache_mib,
        )

    def _read(self, docs: Sequence[Doc]) -> None:
        for doc, rows in zip(docs, self.engine.run(docs), strict=True):
            if self.settings.keep:
                set_vectors(doc, rows)

    # spaCy saves and loads every component through these four.
    def to_bytes(self, **kwargs: object) -> bytes:
        """Serialise the settings and the digest; the weights too where they are carried."""
        data = self._described()
        if self.settings.carry:
            data["files"] = {p.name: p.read_bytes() for p in _own_files(self.checkpoint.folder)}
        return bytes(srsly.msgpack_dumps(data))

    def from_bytes(self, data: bytes, **kwargs: object) -> Self:
        """Load what :meth:`to_bytes` gave; carried weights go to a private temporary folder."""
        loaded = srsly.msgpack_loads(data)
        folder = None
        if "files" in loaded:
            self._unpacked = TemporaryDirectory(prefix="clinical-nlp-")
            folder = Path(self._unpacked.name)
            for name, content in loaded["files"].items():
                (folder / Path(name).name).write_bytes(content)
        self._take(loaded, folder)
        return self

    def to_disk(self, path: str | Path, **kwargs: object) -> None:
        """Write the settings, the digest and, where they are carried, the encoder's files."""
        folder = Path(path)
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(self._described(), indent=2, sort_keys=True)
        (folder / _FILE).write_text(text + "\n", "utf-8")
        if self.settings.carry:
            (folder / _FOLDER).mkdir(exist_ok=True)
            for file in _own_files(self.checkpoint.folder):
                shutil.copyfile(file, folder / _FOLDER / file.name)

    def from_disk(self, path: str | Path, **kwargs: object) -> Self:
        """Load what :meth:`to_disk` wrote."""
        folder = Path(path) / _FOLDER
        try:
            loaded = json.loads((Path(path) / _FILE).read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise ModelError(
                "E445", f"the saved encoder {path} cannot be read: save the pipeline again"
            ) from error
        self._take(loaded, folder if folder.is_dir() else None)
        return self

    def _described(self) -> dict[str, Any]:
        return {"settings": asdict(self.settings), "digest": self.checkpoint.digest}

    def _take(self, loaded: dict[str, Any], carried: Path | None) -> None:
        self.settings = replace(self.settings, **loaded["settings"])
        self._expected = loaded["digest"]
        self._carried = carried
        self._checkpoint = self._engine = None

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what another process builds for itself."""
        return super().__getstate__() | {"_unpacked": None}


def _own_files(folder: Path) -> list[Path]:
    """Files of a checkpoint that loading needs: data, no code, no pickle."""
    kinds = {".json", ".safetensors", ".txt", ".model"}
    return sorted(p for p in folder.iterdir() if p.is_file() and p.suffix in kinds)


def get_vectors(doc: Doc) -> npt.NDArray[np.float32] | None:
    """Return the vectors that ``alia_encoder`` left on a doc, float32 [tokens, hidden]."""
    kept = doc.user_data.get(_KEY)
    return None if kept is None else np.asarray(kept, dtype=np.float32)


def set_vectors(doc: Doc, rows: npt.NDArray[np.float32]) -> None:
    """Keep vectors on a doc, in half precision."""
    doc.user_data[_KEY] = rows.astype(np.float16)


Doc.set_extension("vectors", getter=get_vectors, setter=set_vectors, force=True)


@Language.factory("alia_encoder", default_config=asdict(EncoderSettings()))
def create_encoder(
    nlp: Language,
    name: str,
    model: str,
    revision: str | None,
    offline: bool,
    context: int | str,
    window: int,
    overlap: int,
    backend: str,
    device: str,
    cache_mib: float,
    keep: bool,
    carry: bool,
) -> AliaEncoder:
    """Entry for spaCy's config.

    Parameters
    ----------
    model
        Name of a shipped encoder, a folder, or a hub id.
    revision
        Commit, tag or branch on the hub.
    offline
        True takes a hub's encoder from this machine's cache alone.
    context
        ``"sentence"``, ``"note"``, or a number of words up to which sentences are packed.
    window, overlap
        Pieces read at once, and shared by two windows of one unit. A window is never
        longer than the encoder's own context.
    backend
        ``"auto"``, ``"float32"``, ``"bfloat16"`` or ``"int8"``.
    device
        ``"cpu"``, ``"cuda"`` or ``"auto"``.
    cache_mib
        Memory for the results of units that were read before.
    keep
        Whether the vectors stay on the doc.
    carry
        Whether a saved pipeline holds the weights.
    """
    if isinstance(context, str) and context not in ("sentence", "note"):
        raise ModelError("E447", f"no context '{context}': choose sentence, note or a number")
    return AliaEncoder(
        EncoderSettings(
            model=model,
            revision=revision,
            offline=offline,
            context=context,  # type: ignore[arg-type]  # checked above
            window=window,
            overlap=overlap,
            backend=backend,
            device=device,
            cache_mib=cache_mib,
            keep=keep,
            carry=carry,
        )
    )
