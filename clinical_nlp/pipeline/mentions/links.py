"""The spaCy component ``mention_links``: concepts for mentions that the lexicon does not know."""

# No ``from __future__ import annotations`` here: spaCy reads a factory's annotations when
# it validates the config and cannot resolve them as strings.

import hashlib
import json
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import minibatch
from spacy.vocab import Vocab

from clinical_nlp.errors import ModelError
from clinical_nlp.lexicon import load_lexicon
from clinical_nlp.neural.locate import EMBEDDED
from clinical_nlp.pipeline.document import HEADINGS, get_findings, get_mentions
from clinical_nlp.pipeline.encoder.component import AliaEncoder, EncoderSettings
from clinical_nlp.pipeline.mentions.knowledge import LinkKnowledge
from clinical_nlp.pipeline.mentions.linking import Taken, put_links
from clinical_nlp.pipeline.mentions.similarity import Catalogue, Floats, Nearest
from clinical_nlp.pipeline.rules import load_rules, norms_of

_FILE = "links.json"
_VECTORS = "vectors.safetensors"
_RULES = load_rules(__package__, "similarity.toml")

#: Pieces that the encoder reads at once; no phrase of a few words has as many.
_WINDOW = 128
#: Phrases whose nearest is remembered: a bound on memory in endless runs.
_REMEMBERED = 50_000


@dataclass(frozen=True)
class LinkSettings:
    """What the component is told; see :func:`create_links`, whose defaults these are."""

    encoder: str = EMBEDDED
    revision: str | None = None
    offline: bool = True
    encoder_weight: float = _RULES["encoder_weight"]
    least_score: float = _RULES["least_score"]
    least_margin: float = _RULES["least_margin"]


class MentionLinks:
    """Makes findings of mentions that are like a phrase of the catalogue.

    A mention is looked at where the lexicon found nothing in its place, where it stands in no
    heading and holds no negation. It is linked to the concept of the phrase it is most like,
    if that is like enough, and distinctly more like than any phrase of another concept; else
    it stays NIL.

    Parameters
    ----------
    settings
        Which encoder, and how like is like enough.
    knowledge
        The catalogue's phrases.

    Notes
    -----
    Such a finding's ``source`` is ``similarity:`` with the likeness. It is asserted as any
    other. The encoder and the phrases' vectors are loaded when the first mention comes; a
    pipeline saved to disk holds the vectors.
    """

    def __init__(self, settings: LinkSettings, knowledge: LinkKnowledge) -> None:
        _check(settings)
        self.settings = settings
        self.knowledge = knowledge
        self._encoder = _encoder(settings)
        self._expected: str | None = None
        self._catalogue: Catalogue | None = None
        self._saved: tuple[str, Floats] | None = None
        self._nearest: dict[tuple[str, str], Nearest] = {}

    @property
    def catalogue(self) -> Catalogue:
        """The catalogue's phrases with their vectors.

        Raises
        ------
        ModelError
            E440, E448: the encoder cannot be found. E445: it is not the one that the pipeline
            was saved with.
        """
        if self._catalogue is None:
            digest, vectors = self._saved or ("", None)
            self._catalogue = Catalogue(
                self.knowledge.phrases,
                self._words if self._weighs else None,
                self.settings.encoder_weight,
                vectors if self._weighs and digest == self._digest() else None,
            )
        return self._catalogue

    def __call__(self, doc: Doc) -> Doc:
        """Link the mentions of one doc."""
        self._link([doc])
        return doc

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 64) -> Iterator[Doc]:
        """Link the mentions of many docs, ``batch_size`` of them at a time."""
        for docs in minibatch(stream, batch_size):  # type: ignore[no-untyped-call]
            self._link(docs)
            yield from docs

    def forget(self) -> None:
        """Forget the phrases that were read before."""
        self._nearest.clear()

    def _link(self, docs: Sequence[Doc]) -> None:
        asked = [list(self.candidates(doc)) for doc in docs]
        if len(self._nearest) > _REMEMBERED:
            self.forget()
        new = sorted({key[1:] for keys in asked for key in keys} - self._nearest.keys())
        if new:
            categories = [self.knowledge.categories[label] for _, label in new]
            nearest = self.catalogue.nearest([text for text, _ in new], categories)
            self._nearest.update(zip(new, nearest, strict=True))
        for doc, keys in zip(docs, asked, strict=True):
            linked = [(number, self._nearest[text, label]) for number, text, label in keys]
            put_links(doc, [(number, found) for number, found in linked if self._is_like(found)])

    def _is_like(self, found: Nearest) -> bool:
        return (
            found.known.concept != ""
            and found.score >= self.settings.least_score
            and found.margin >= self.settings.least_margin
        )

    def candidates(self, doc: Doc) -> Iterator[tuple[int, str, str]]:
        """Yield number, words and label of each mention that may be linked."""
        mentions = get_mentions(doc)
        if not mentions:
            return
        findings = get_findings(doc)
        headings = doc.spans.get(HEADINGS, ())
        taken = Taken(
            [(f.start, f.end) for f in findings] + [(s.start_char, s.end_char) for s in headings]
        )
        norms, starts = norms_of(doc), [token.idx for token in doc]
        for number, mention in enumerate(mentions):
            if mention.concept is not None or mention.label not in self.knowledge.categories:
                continue
            if taken.touches(mention.start, mention.end):
                continue
            first = bisect_right(starts, mention.start) - 1
            last = bisect_right(starts, mention.end - 1)
            words = [norm for norm in norms[first:last] if norm[0].isalnum()]
            kept = [word for word in words if word not in self.knowledge.glue]
            if kept and not self.knowledge.negators.intersection(words):
                yield number, " ".join(kept), mention.label

    @property
    def _weighs(self) -> bool:
        """Whether vectors count at all."""
        return self.settings.encoder_weight > 0

    def _words(self, phrases: Sequence[Sequence[str]]) -> list[Floats]:
        vocab = Vocab()
        return self._encoder.engine.run([Doc(vocab, words=list(words)) for words in phrases])

    def _encoder_digest(self) -> str:
        found = self._encoder.checkpoint.digest
        if self._expected not in (None, found):
            raise ModelError(
                "E445",
                f"the encoder '{self.settings.encoder}' is not the one whose links the pipeline "
                "was saved with: name its revision, or save the pipeline again with this one",
            )
        return found

    def _digest(self) -> str:
        """Of what the vectors are made from."""
        both = self.knowledge.digest + self._encoder_digest()
        return hashlib.sha256(both.encode()).hexdigest()

    # spaCy saves and loads every component through these four.
    def to_bytes(self, **kwargs: object) -> bytes:
        """Serialise the settings, the phrases and the encoder's digest."""
        return json.dumps(self._described(), ensure_ascii=False, sort_keys=True).encode()

    def from_bytes(self, data: bytes, **kwargs: object) -> Self:
        """Load what :meth:`to_bytes` gave; the encoder itself must be at hand."""
        self._take(json.loads(data), None)
        return self

    def to_disk(self, path: str | Path, **kwargs: object) -> None:
        """Write what :meth:`to_bytes` gives, and the phrases' vectors."""
        folder = Path(path)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / _FILE).write_bytes(self.to_bytes())
        vectors = self.catalogue.vectors if self._weighs else None
        if vectors is not None:
            from safetensors.numpy import save_file

            metadata = {"digest": self._digest()}
            save_file({"vectors": vectors}, folder / _VECTORS, metadata=metadata)

    def from_disk(self, path: str | Path, **kwargs: object) -> Self:
        """Load what :meth:`to_disk` wrote."""
        folder = Path(path)
        try:
            loaded = json.loads((folder / _FILE).read_bytes())
            saved = _read_vectors(folder / _VECTORS)
        except (OSError, ValueError) as error:
            raise ModelError(
                "E467", f"the saved links {path} cannot be read: save the pipeline again"
            ) from error
        self._take(loaded, saved)
        return self

    def _described(self) -> dict[str, Any]:
        return {
            "settings": asdict(self.settings),
            "knowledge": self.knowledge.as_dict(),
            "encoder": self._encoder_digest() if self._weighs else None,
        }

    def _take(self, loaded: dict[str, Any], saved: tuple[str, Floats] | None) -> None:
        self.settings = replace(self.settings, **loaded["settings"])
        self.knowledge = LinkKnowledge.from_dict(loaded["knowledge"])
        self._encoder, self._expected = _encoder(self.settings), loaded["encoder"]
        self._catalogue, self._saved = None, saved
        self.forget()

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what another process builds for itself."""
        return self.__dict__ | {"_catalogue": None, "_nearest": {}}


def _encoder(settings: LinkSettings) -> AliaEncoder:
    """The encoder of phrases; float32, so that every machine links alike."""
    return AliaEncoder(
        EncoderSettings(
            model=settings.encoder,
            revision=settings.revision,
            offline=settings.offline,
            context="note",
            window=_WINDOW,
            overlap=_WINDOW // 4,
            backend="float32",
            cache_mib=0,
            keep=False,
        )
    )


def _read_vectors(path: Path) -> tuple[str, Floats] | None:
    """Vectors with the digest of what they were made from; ``None`` where there are none."""
    if not path.is_file():
        return None
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            return str((file.metadata() or {}).get("digest")), file.get_tensor("vectors")
    except SafetensorError as error:
        raise ValueError("vectors") from error


def _check(settings: LinkSettings) -> None:
    if not 0 <= settings.encoder_weight <= 1:
        raise ModelError(
            "E467",
            f"vectors cannot have {settings.encoder_weight} of the likeness: give encoder_weight "
            "a number from 0 to 1",
        )


@Language.factory(
    "mention_links",
    requires=["doc._.mentions"],
    assigns=["doc._.mentions", "doc._.findings"],
    default_config=asdict(LinkSettings()),
)
def create_links(
    nlp: Language,
    name: str,
    encoder: str,
    revision: str | None,
    offline: bool,
    encoder_weight: float,
    least_score: float,
    least_margin: float,
) -> MentionLinks:
    """Entry for spaCy's config.

    Parameters
    ----------
    encoder, revision, offline
        Whose vectors are compared: see
        :func:`~clinical_nlp.pipeline.encoder.component.create_encoder`.
    encoder_weight
        Share of the vectors in the likeness; 0 compares letters alone and loads no encoder.
    least_score, least_margin
        How like the nearest phrase must be, and how much more so than any of another concept.
    """
    settings = LinkSettings(encoder, revision, offline, encoder_weight, least_score, least_margin)
    return MentionLinks(settings, LinkKnowledge.of(load_lexicon(), _RULES["categories"]))
