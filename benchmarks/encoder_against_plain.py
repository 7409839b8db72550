"""An encoder of MrBERT-es's shape in our engine and in the plain way, in one run.

    python benchmarks/encoder_against_plain.py EXPORT [--threads 2] [--notes 12] [--rounds 3]

The plain way: transformers, one note at a time, padded to 512 pieces, float32, torch's own
threads; the same once more without padding. Ours: the engine with its defaults, the whole
note as context, so that both see the same and may be compared word by word. The weights are
random (no hub is needed); a linear head is trained on them to mark what the rules find, and
tags the test notes over both. Notes are the first 250 words of the export's longer ones.
Rounds alternate, the median ratio is printed.
"""

from __future__ import annotations

import argparse
import sys
from itertools import pairwise
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from encoder_shapes import MRBERT_ES, write_modernbert
from rich.console import Console
from rich.progress import track
from rich.table import Table
from spacy.tokens import Doc
from torch import nn

import clinical_nlp
from clinical_nlp.lexicon import load_lexicon
from clinical_nlp.neural.checkpoint import Checkpoint
from clinical_nlp.neural.engine import Engine, EngineConfig
from clinical_nlp.neural.locate import find_checkpoint
from clinical_nlp.neural.segments import segment
from clinical_nlp.neural.subwords import SubwordAligner
from clinical_nlp.neural.vectors import WordVectors
from clinical_nlp.neural.windows import tensors, windows

if TYPE_CHECKING:
    from transformers import PreTrainedModel

LENGTH = 512
WORDS = 250
#: Training notes, epochs, and layers from the end that are trained.
TRAINING_NOTES, EPOCHS, TRAINED_LAYERS = 40, 4, 2
Floats = npt.NDArray[np.float32]


class Tagger(nn.Module):
    """The encoder and a linear head, as the engine takes them."""

    def __init__(self, encoder: nn.Module, head: nn.Linear) -> None:
        super().__init__()
        self.vectors = WordVectors(encoder)  # type: ignore[arg-type]
        self.head = head

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Emissions of the words."""
        emissions: torch.Tensor = self.head(self.vectors(*inputs))
        return emissions


class PlainWay:
    """transformers as its documentation has it: one note, one call."""

    def __init__(self, tagger: Tagger, checkpoint: Checkpoint, *, padded: bool) -> None:
        self.model = tagger.vectors.encoder
        self.tokenizer = checkpoint.tokenizer
        self.head = tagger.head
        self.padded = padded
        self.pieces = SubwordAligner(checkpoint.tokenizer)

    def tags(self, doc: Doc) -> npt.NDArray[np.int64]:
        """Tag of each word."""
        (part,) = segment(doc, "note")
        encoded = self.tokenizer(
            part.text,
            return_tensors="pt",
            truncation=True,
            max_length=LENGTH,
            padding="max_length" if self.padded else False,
        )
        with torch.inference_mode():
            hidden = self.model(
                input_ids=encoded["input_ids"], attention_mask=encoded["attention_mask"]
            ).last_hidden_state[0]
            read = self.pieces.read([part.text], [part.starts], [part.ends])[0]
            first = torch.from_numpy(read.first.astype(np.int64)) + 1
            tags: npt.NDArray[np.int64] = self.head(hidden[first]).argmax(-1).numpy()
            return tags


def train_head(encoder: PreTrainedModel, pieces: SubwordAligner, docs: list[Doc]) -> Tagger:
    """A tagger that marks the words of findings by their category, trained in place."""
    concepts = load_lexicon().concepts
    categories = sorted({concept.category for concept in concepts.values()})
    torch.manual_seed(1)
    tagger = Tagger(encoder, nn.Linear(int(encoder.config.hidden_size), len(categories) + 1))
    encoder.requires_grad_(False)
    trained = [*encoder.layers[-TRAINED_LAYERS:], encoder.final_norm, tagger.head]
    for part in trained:
        part.requires_grad_(True)
    weights = [weight for part in trained for weight in part.parameters()]
    optimiser = torch.optim.AdamW(weights, lr=3e-4, weight_decay=0.01)
    for doc in track(docs * EPOCHS, "training", console=Console(stderr=True)):
        tags = np.zeros(len(doc), dtype=np.int64)
        for finding in doc._.findings:
            span = doc.char_span(finding.start, finding.end, alignment_mode="expand")
            tags[span.start : span.end] = 1 + categories.index(concepts[finding.concept].category)
        (part,) = segment(doc, "note")
        (read,) = pieces.read([part.text], [part.starts], [part.ends])
        (window,) = windows(read, LENGTH - pieces.framing, 0)[:1]
        given = tensors(
            [window],
            [np.zeros((len(window.word_bounds), 0), dtype=np.int64)],
            pieces.prefix,
            pieces.suffix,
            pieces.pad,
        )
        emissions = tagger(*(torch.from_numpy(array) for array in given))[0]
        truth = torch.from_numpy(tags[part.tokens[window.words]])
        optimiser.zero_grad()
        nn.functional.cross_entropy(emissions, truth).backward()
        optimiser.step()
    return tagger.eval().requires_grad_(False)


def spans(tags: npt.NDArray[np.int64]) -> set[tuple[int, int, int]]:
    """Mentions: runs of one tag, as (start, end, tag)."""
    cuts = [0, *(np.flatnonzero(np.diff(tags)) + 1).tolist(), len(tags)]
    return {(a, b, int(tags[a])) for a, b in pairwise(cuts) if b > a and tags[a]}


def notes_of(export: Path, wanted: int) -> list[str]:
    """First 250 words of the export's notes that have them."""
    from rule_path import export_texts

    cut = [" ".join(t.split(" ")[:WORDS]) for t in export_texts(export, None)]
    return [text for text in cut if len(text.split()) >= WORDS * 0.9][:wanted]


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("export", type=Path, help="folder of a FHIR bulk export with notes")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--notes", type=int, default=12, help="notes a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--backend", default="auto")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    texts = notes_of(arguments.export, TRAINING_NOTES + arguments.notes * arguments.rounds)
    nlp = clinical_nlp.load(reader=False)
    docs = list(nlp.pipe(texts))
    with TemporaryDirectory() as folder:
        checkpoint = find_checkpoint(write_modernbert(Path(folder), texts, MRBERT_ES))
        config = EngineConfig(LENGTH, context="note", backend=arguments.backend, cache_mib=0)
        pieces = SubwordAligner(checkpoint.tokenizer)
        tagger = train_head(checkpoint.model(), pieces, docs[:TRAINING_NOTES])
        ours = Engine(tagger, checkpoint.tokenizer, config)
        ways = {
            "plain, padded to 512": PlainWay(tagger, checkpoint, padded=True),
            "plain, not padded": PlainWay(tagger, checkpoint, padded=False),
        }
        report(ours, ways, docs[TRAINING_NOTES:], arguments.notes, arguments.threads)


def report(
    ours: Engine, ways: dict[str, PlainWay], docs: list[Doc], size: int, threads: int
) -> None:
    """Time the rounds, compare the tags, print."""
    seconds: dict[str, list[float]] = {name: [] for name in (*ways, "ours")}
    same = words = 0
    plain_spans: set[tuple[int, ...]] = set()
    our_spans: set[tuple[int, ...]] = set()
    fitting = SubwordAligner(next(iter(ways.values())).tokenizer)
    for begin in range(0, len(docs), size):
        batch = [doc for doc in docs[begin : begin + size] if _fits(fitting, doc)]
        total = sum(len(doc.text.split()) for doc in batch)
        tags = {}
        for name, way in ways.items():
            began = perf_counter()
            tags[name] = [way.tags(doc) for doc in batch]
            seconds[name].append((perf_counter() - began) / total * WORDS)
        began = perf_counter()
        rows = ours.run(batch)
        seconds["ours"].append((perf_counter() - began) / total * WORDS)
        for number, (doc, exact) in enumerate(zip(batch, tags["plain, not padded"], strict=True)):
            near = rows[number].argmax(-1)[[t.i for t in doc if not t.is_space]]
            same += int((near == exact).sum())
            words += len(exact)
            plain_spans |= {(begin + number, *span) for span in spans(exact)}
            our_spans |= {(begin + number, *span) for span in spans(near)}
    table = Table(title=f"MrBERT-es's shape, {threads} threads, {words:,} words")
    for column in ("way", "notes/s (250 words)", "ours is faster by"):
        table.add_column(column, justify="left" if column == "way" else "right")
    for name, taken in seconds.items():
        ratio = median(a / b for a, b in zip(taken, seconds["ours"], strict=True))
        shown = f"{ours.backend}" if name == "ours" else ""
        table.add_row(f"{name} {shown}".strip(), f"{1 / median(taken):.2f}", f"{ratio:.2f}x")
    console = Console(file=sys.stdout)
    console.print(table)
    both = len(plain_spans & our_spans)
    agreed = 2 * both / max(1, len(plain_spans) + len(our_spans))
    console.print(
        f"words with the same tag {same / words:.2%}; mentions that agree "
        f"{agreed:.2%} of {len(plain_spans):,}"
    )


def _fits(pieces: SubwordAligner, doc: Doc) -> bool:
    (part,) = segment(doc, "note")
    read = pieces.read([part.text], [part.starts], [part.ends])[0]
    return len(read.ids) <= LENGTH - pieces.framing


if __name__ == "__main__":
    main()
