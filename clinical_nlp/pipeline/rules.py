"""What the rule components share: rules kept as data, saved with the pipeline, and a doc's norms.

A component's knowledge is a TOML file beside it. What is read from it is kept as plain
values, so that a saved pipeline, a pipeline sent to another process and a pipeline built
from the package hold the same rules.
"""

from __future__ import annotations

import json
import tomllib
from abc import ABC, abstractmethod
from importlib.resources import files
from pathlib import Path
from typing import Any, Self

from spacy.strings import StringStore
from spacy.tokens import Doc

from clinical_nlp.errors import PipelineError

_FILE = "rules.json"
_MOST_NORMS = 200_000  # about 30 MB


def load_rules(package: str, name: str) -> dict[str, Any]:
    """Read a TOML file of rules that lies in a package.

    Raises
    ------
    PipelineError
        E330 where the file is absent or no TOML.
    """
    try:
        return tomllib.loads(files(package).joinpath(name).read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise PipelineError(
            "E330", f"the rules {package}/{name} cannot be read ({error}): correct the file"
        ) from error


class _Norms:
    """Norms by their hash, which is the same in every vocabulary.

    A string store decodes a string anew each time it is asked, and each copy is hashed anew in
    every set that it is looked up in. Components ask for the norms of a note one after the
    other: those of the last note are kept together.
    """

    def __init__(self) -> None:
        self._known: dict[int, str] = {}
        self._last: tuple[bytes, list[str]] = (b"", [])

    def of(self, doc: Doc) -> list[str]:
        """Return the norms of a doc, in a list of the caller's own."""
        hashes = doc.to_array("NORM")
        asked = hashes.tobytes()
        last, norms = self._last
        if asked != last:
            norms = self._look_up(hashes.tolist(), doc.vocab.strings)
            self._last = asked, norms
        return norms.copy()

    def _look_up(self, hashes: list[int], strings: StringStore) -> list[str]:
        known = self._known
        if len(known) > _MOST_NORMS:
            known.clear()
        for key in set(hashes).difference(known):
            known[key] = strings[key] or " "
        return [known[key] for key in hashes]


_norms = _Norms()


def norms_of(doc: Doc) -> list[str]:
    """Return the norm of every token of ``doc``; far quicker than token by token.

    A token that is nothing but invisible marks has no norm: it is given as a blank.
    """
    return _norms.of(doc)


class RuleComponent(ABC):
    """A pipeline component that is nothing but its rules.

    Parameters
    ----------
    rules
        Plain values (what a TOML file holds). :meth:`compile_rules` turns them into
        whatever the component looks things up in.
    """

    def __init__(self, rules: dict[str, Any]) -> None:
        self._take(rules)

    @abstractmethod
    def compile_rules(self, rules: dict[str, Any]) -> None:
        """Build the look-up tables from the rules.

        Raises
        ------
        KeyError, TypeError, ValueError
            Where the rules lack something; reported as E331.
        """

    def _take(self, rules: dict[str, Any]) -> None:
        try:
            self.compile_rules(rules)
        except (KeyError, TypeError, ValueError) as error:
            raise PipelineError(
                "E331",
                f"the rules of {type(self).__name__} are broken ({error!r}): correct its data file",
            ) from error
        self.rules = rules

    def to_bytes(self, **kwargs: object) -> bytes:
        """Return the rules as canonical JSON: equal rules give equal bytes."""
        return json.dumps(self.rules, ensure_ascii=False, sort_keys=True).encode()

    def from_bytes(self, data: bytes, **kwargs: object) -> Self:
        """Replace the rules by saved ones."""
        try:
            rules = json.loads(data)
        except ValueError as error:
            raise PipelineError(
                "E330", f"the saved rules of {type(self).__name__} are no JSON: save them again"
            ) from error
        self._take(rules)
        return self

    def to_disk(self, path: str | Path, **kwargs: object) -> None:
        """Write the rules to ``path/rules.json``."""
        folder = Path(path)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / _FILE).write_bytes(self.to_bytes())

    def from_disk(self, path: str | Path, **kwargs: object) -> Self:
        """Read the rules that :meth:`to_disk` wrote."""
        try:
            data = (Path(path) / _FILE).read_bytes()
        except OSError as error:
            raise PipelineError(
                "E330", f"the saved rules {path} cannot be read: save the pipeline again"
            ) from error
        return self.from_bytes(data)
