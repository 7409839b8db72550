"""The spaCy component ``es_reader``: decides flags, concepts and findings beside the rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from spacy.tokens import Doc

from clinical_nlp.neural.engine import Engine
from clinical_nlp.neural.reader.decode import decode
from clinical_nlp.neural.reader.files import (
    ENGINE_CONFIG,
    MODEL_FILES,
    SHIPPED,
    find_reader,
    model_digest,
    other_format,
)
from clinical_nlp.neural.reader.network import FLAG_COUNT
from clinical_nlp.pipeline.document import Sections, get_findings, set_findings
from clinical_nlp.pipeline.engine_component import (
    EngineComponent,
    EngineSettings,
    register_component,
)
from clinical_nlp.pipeline.reader.decision import READER, DecisionRule, Names, decide
from clinical_nlp.pipeline.reader.features import Vocabulary, Words, of_tokens, word_features
from clinical_nlp.pipeline.reader.numbers import Measure
from clinical_nlp.records import FLAGS, Finding


@dataclass(frozen=True)
class ReaderSettings(EngineSettings):
    """Config of ``es_reader``."""

    model: str = SHIPPED
    cache_mib: float = 16


class EsReader(EngineComponent[ReaderSettings]):
    """Reads every note with the encoder; the rules' findings are input features.

    Notes
    -----
    Measurements of the rules stay as they are. Any other finding gets a ``probability``: that of
    its least sure flag; ``source`` is "reader" where the reader found it or changed it. A
    pipeline saved to disk holds the model's files; one turned into bytes holds only its digest.
    """

    settings_file = "reader.json"
    model_folder = "model"
    model_noun = "reader"
    settings_error, mismatch_error = "E471", "E473"

    def _find_model(self) -> tuple[Path, str]:
        folder = self._saved_folder or find_reader(self.settings.model)
        return folder, model_digest(folder)

    def _model_files(self, folder: Path, *, on_disk: bool) -> list[Path]:
        return [folder / name for name in MODEL_FILES] if on_disk else []

    def _load(self) -> Engine:
        from clinical_nlp.neural.backends import choose
        from clinical_nlp.neural.reader.inference import InferenceReader
        from clinical_nlp.neural.reader.model import load_reader

        settings = self.settings
        _, device = choose(settings.backend, settings.device)
        model = load_reader(self.resolved_model[0], for_inference=device == "cpu")
        return Engine(
            InferenceReader(model.network) if device == "cpu" else model.network,
            model.tokenizer,
            replace(
                ENGINE_CONFIG,
                backend=settings.backend,
                device=settings.device,
                cache_mib=settings.cache_mib,
            ),
            decode=decode,
        )

    @cached_property
    def _described(self) -> tuple[Names, Vocabulary, DecisionRule]:
        """Names, vocabulary and decision rule of the model."""
        from clinical_nlp.neural.reader.model import read_config

        folder = self.resolved_model[0]
        config = read_config(folder)
        try:
            measures = {key: Measure(**facts) for key, facts in config["measures"].items()}
            names = Names(config["concepts"], measures)
            vocabulary = Vocabulary.of(names.concepts, config["sections"], config["cues"])
            return names, vocabulary, DecisionRule.from_dict(config["decision"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise other_format(folder) from error

    def _annotate(self, docs: Sequence[Doc]) -> None:
        names, _, rule = self._described
        by_rules = [get_findings(doc) for doc in docs]
        for doc, words, rows, findings in zip(*self._read(docs, by_rules), strict=True):
            decided = decide(rule, names, words, rows, findings, doc)
            set_findings(doc, _in_sections(doc, words, decided))

    def _read(
        self, docs: Sequence[Doc], by_rules: Sequence[Sequence[Finding]]
    ) -> tuple[Sequence[Doc], list[Words], list[Any], Sequence[Sequence[Finding]]]:
        """What the reader says of every word, given the rules' findings."""
        _, vocabulary, _ = self._described
        words = [Words(doc) for doc in docs]
        features = [
            of_tokens(doc, of_doc, word_features(doc, of_doc, findings, vocabulary))
            for doc, of_doc, findings in zip(docs, words, by_rules, strict=True)
        ]
        rows = self.engine.run(docs, features)
        picked = [row[of_doc.tokens] for row, of_doc in zip(rows, words, strict=True)]
        return docs, words, picked, by_rules

    def flags(
        self, doc: Doc, spans: Sequence[tuple[tuple[int, int], tuple[bool, ...]]]
    ) -> list[tuple[bool, ...]]:
        """Flags of any spans.

        Parameters
        ----------
        doc
            With sentences, sections and the cues that the rules found beside the spans.
        spans
            Each span's start and end, in code points, and its flags by the rules.
        """
        rule = self._described[2]
        targets = [
            Finding(start, end, "", "", *flags)  # type: ignore[arg-type]  # five flags
            for (start, end), flags in spans
        ]
        _, (words,), (rows,), _ = self._read([doc], [targets])
        decided: list[tuple[bool, ...]] = []
        for target in targets:
            first, stop = words.span(target.start, target.end)
            if first == stop:
                decided.append(target.flags)
                continue
            logits = np.asarray(rows[first:stop, :FLAG_COUNT].mean(axis=0))
            decided.append(rule.decide_flags(logits.tolist(), target.flags)[0])
        return decided

    def _restore(self, described: dict[str, Any], folder: Path | None) -> None:
        super()._restore(described, folder)
        vars(self).pop("_described", None)


def _in_sections(doc: Doc, words: Words, findings: Sequence[Finding]) -> list[Finding]:
    """Findings with the section that they stand in, as those of the rules have it."""
    if all(f.section or f.source != READER for f in findings):
        return list(findings)
    sections = Sections(doc)
    firsts = [int(words.tokens[words.span(f.start, f.end)[0]]) for f in findings]
    return [
        f if f.section or f.source != READER else replace(f, section=sections.at(first))
        for f, first in zip(findings, firsts, strict=True)
    ]


assert len(FLAGS) == FLAG_COUNT  # noqa: S101 - the network's heads are the flags

create_reader = register_component(
    "es_reader", EsReader, ReaderSettings, assigns=["doc._.findings"]
)
