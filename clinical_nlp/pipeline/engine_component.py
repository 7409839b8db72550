"""Base of the spaCy components that run a neural model: loading, batching, saving."""

from __future__ import annotations

import json
import os
import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from inspect import Parameter, Signature
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar, get_type_hints

import srsly  # type: ignore[import-untyped]
from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import minibatch

from clinical_nlp.errors import ModelError

if TYPE_CHECKING:
    from clinical_nlp.neural.engine import Engine


@dataclass(frozen=True)
class EngineSettings:
    """Config that the components share.

    Attributes
    ----------
    model
        Name of a shipped model, or the folder of one.
    backend, device
        See :func:`clinical_nlp.neural.backends.choose`.
    cache_mib
        Memory for the results of segments that were read before, in MiB; 0 turns it off.
    """

    model: str
    backend: str = "auto"
    device: str = "cpu"
    cache_mib: float = 64


S = TypeVar("S", bound=EngineSettings)


class EngineComponent(ABC, Generic[S]):
    """A component that reads docs with an :class:`~clinical_nlp.neural.engine.Engine`.

    Parameters
    ----------
    settings
        The fields of the component's config.

    Notes
    -----
    The weights are loaded with the first doc, separately in each process. A saved
    component holds its settings and the model's digest, and refuses another model of the same
    name; some also hold the model's files.
    """

    #: File of the settings and folder of the model's files in a saved pipeline.
    settings_file: ClassVar[str]
    model_folder: ClassVar[str]
    #: Name of the model in messages; error codes if the settings file cannot be read and if the
    #: model is not the one that was saved.
    model_noun: ClassVar[str]
    settings_error: ClassVar[str]
    mismatch_error: ClassVar[str]

    def __init__(self, settings: S) -> None:
        self.settings = settings
        self._expected_digest: str | None = None
        self._saved_folder: Path | None = None
        self._unpacked: TemporaryDirectory[str] | None = None
        self._engine: Engine | None = None
        self._process = os.getpid()

    @abstractmethod
    def _find_model(self) -> tuple[Path, str]:
        """Find the model on this machine; return its folder and digest."""

    @abstractmethod
    def _model_files(self, folder: Path, *, on_disk: bool) -> list[Path]:
        """Files of the model that are saved with the pipeline, to disk or to bytes."""

    @abstractmethod
    def _load(self) -> Engine:
        """Load the engine."""

    @abstractmethod
    def _annotate(self, docs: Sequence[Doc]) -> None:
        """Run the engine over docs and set its results on them."""

    @cached_property
    def resolved_model(self) -> tuple[Path, str]:
        """Folder and digest of the model.

        Raises
        ------
        ModelError
            E440, E448, E460: it cannot be found. E461: a file is missing. E445, E463: it is not
            the one that the pipeline was saved with.
        """
        folder, digest = self._find_model()
        if self._expected_digest not in (None, digest):
            raise ModelError(
                self.mismatch_error,
                f"the {self.model_noun} '{self.settings.model}' is not the one that the pipeline "
                "was saved with: name its folder or revision, or save the pipeline again with this "
                "one",
            )
        return folder, digest

    @property
    def engine(self) -> Engine:
        """The engine, loaded."""
        if self._process != os.getpid():
            # After fork the thread pool is gone; torch would deadlock, so use one thread.
            import torch

            torch.set_num_threads(1)
            self._process = os.getpid()
        if self._engine is None:
            self._engine = self._load()
        return self._engine

    def __call__(self, doc: Doc) -> Doc:
        """Process one doc."""
        self._annotate([doc])
        return doc

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 64) -> Iterator[Doc]:
        """Process many docs, ``batch_size`` of them at a time."""
        for docs in minibatch(stream, batch_size):  # type: ignore[no-untyped-call]
            self._annotate(docs)
            yield from docs

    def clear_cache(self) -> None:
        """Empty the cache of results."""
        if self._engine is not None:
            self._engine.cache.clear()

    def to_bytes(self, **kwargs: object) -> bytes:
        """Serialise the settings and the model's digest, as one line of JSON; then its files."""
        files = self._model_files(self.resolved_model[0], on_disk=False)
        data = json.dumps(self._config_dict(), sort_keys=True).encode()
        if files:
            data += b"\n" + srsly.msgpack_dumps({p.name: p.read_bytes() for p in files})
        return data

    def from_bytes(self, data: bytes, **kwargs: object) -> Self:
        """Load :meth:`to_bytes`; files of a model go to a private temporary folder."""
        described, _, files = data.partition(b"\n")
        folder = None
        if files:
            self._unpacked = TemporaryDirectory(prefix="clinical-nlp-")
            folder = Path(self._unpacked.name)
            for name, content in srsly.msgpack_loads(files).items():
                (folder / Path(name).name).write_bytes(content)
        self._restore(json.loads(described), folder)
        return self

    def to_disk(self, path: str | Path, **kwargs: object) -> None:
        """Write the settings and the model's digest, and its files where they are saved."""
        target = Path(path)
        text = json.dumps(self._config_dict(), indent=2, sort_keys=True)
        target.mkdir(parents=True, exist_ok=True)
        (target / self.settings_file).write_text(text + "\n", "utf-8")
        for file in self._model_files(self.resolved_model[0], on_disk=True):
            (target / self.model_folder).mkdir(exist_ok=True)
            shutil.copyfile(file, target / self.model_folder / file.name)

    def from_disk(self, path: str | Path, **kwargs: object) -> Self:
        """Load what :meth:`to_disk` wrote."""
        folder = Path(path) / self.model_folder
        try:
            described = json.loads((Path(path) / self.settings_file).read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise ModelError(
                self.settings_error,
                f"the saved {self.model_noun} {path} cannot be read: save the pipeline again",
            ) from error
        self._restore(described, folder if folder.is_dir() else None)
        return self

    def _config_dict(self) -> dict[str, Any]:
        return {"settings": asdict(self.settings), "digest": self.resolved_model[1]}

    def _restore(self, described: dict[str, Any], folder: Path | None) -> None:
        self.settings = replace(self.settings, **described["settings"])
        self._expected_digest = described["digest"]
        self._saved_folder = folder
        self._engine = None
        vars(self).pop("resolved_model", None)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what another process builds for itself."""
        return self.__dict__ | {"_engine": None, "_unpacked": None}


def register_component(
    name: str,
    component: type[EngineComponent[S]],
    settings: type[S],
    *,
    assigns: Sequence[str] = (),
) -> Callable[..., EngineComponent[S]]:
    """Register a spaCy factory whose arguments are the fields of a settings dataclass.

    spaCy reads a factory's signature to validate its config: it is made from the dataclass, so
    that names, types and defaults are written once.
    """

    def create(nlp: Language, name: str, **values: Any) -> EngineComponent[S]:  # noqa: ANN401 - spaCy has validated them
        return component(settings(**values))

    hints = {"nlp": Language, "name": str, **get_type_hints(settings)}
    create.__signature__ = Signature(  # type: ignore[attr-defined]
        [Parameter(n, Parameter.KEYWORD_ONLY, annotation=kind) for n, kind in hints.items()]
    )
    defaults = asdict(settings())  # type: ignore[call-arg]
    Language.factory(name, assigns=assigns, default_config=defaults, func=create)
    return create
