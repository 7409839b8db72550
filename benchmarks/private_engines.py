"""What our own inference modules save against the libraries they replace.

    python benchmarks/private_engines.py EXPORT [--notes 200] [--rounds 5]

The shipped mention model reads the same sentences with our modules, with transformers'
ModernBERT in place of ours, and with torch's LSTM over packed sequences in place of ours, in
float32 and in eight bits. Times are processor seconds of one thread, so that other load counts
little; rounds alternate and the median ratio is printed. Peak memory is that of a fresh process
that loads the pipeline and reads the notes once.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from statistics import median
from time import process_time

import torch
from rich.console import Console
from rich.table import Table
from rule_path import export_texts
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import clinical_nlp
from clinical_nlp.neural.batch_invariant import MIN_ROWS
from clinical_nlp.neural.engine import Engine
from clinical_nlp.neural.tagger.files import ENGINE_CONFIG, find_mention_model
from clinical_nlp.neural.tagger.inference import InferenceTagger
from clinical_nlp.neural.tagger.model import load_mention_model
from clinical_nlp.neural.tagger.word_features import doc_features

OURS, TRANSFORMERS, TORCH_LSTM = "our modules", "transformers' ModernBERT", "torch's packed LSTM"


class TorchBiLSTM(nn.Module):
    """Torch's bidirectional LSTM with the interface of ``PackedBiLSTM``."""

    def __init__(self, forwards: nn.LSTM, backwards: nn.LSTM) -> None:
        super().__init__()
        self.lstm = nn.LSTM(
            forwards.input_size, forwards.hidden_size, batch_first=True, bidirectional=True
        )
        weights = dict(forwards.named_parameters())
        weights |= {f"{name}_reverse": w for name, w in backwards.named_parameters()}
        self.lstm.load_state_dict(weights)

    def forward(self, states: Tensor, lengths: Tensor) -> Tensor:
        """Float [words, 2 x width] of packed segments."""
        count, longest = len(lengths), int(lengths.max())
        # Idle rows, so that a step's products do not depend on how many segments are left.
        filled = torch.cat((lengths, lengths.new_full((MIN_ROWS,), longest)))
        padded = states.new_zeros((len(filled), longest, states.shape[1]))
        within = torch.arange(longest) < lengths[:, None]
        padded[:count][within] = states
        packed = pack_padded_sequence(padded, filled, batch_first=True, enforce_sorted=False)
        out, _ = pad_packed_sequence(self.lstm(packed)[0], batch_first=True)
        return out[:count][within]


class PlainEncoder(nn.Module):
    """Transformers' own encoder with the interface of ``ModernBertForInference``."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def get_input_embeddings(self) -> nn.Module:
        """The table of the subwords."""
        table: nn.Module = self.encoder.get_input_embeddings()
        return table

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor]:
        """Hidden states, float [B, L, hidden]."""
        return (self.encoder(input_ids=input_ids, attention_mask=attention_mask)[0],)


def build_engine(variant: str, backend: str) -> Engine:
    """The engine of the shipped model, with one module exchanged."""
    model = load_mention_model(find_mention_model(), for_inference=variant != TRANSFORMERS)
    tagger = InferenceTagger(model.tagger)
    if variant == TRANSFORMERS:
        tagger.encoder = PlainEncoder(model.tagger.encoder)
    if variant == TORCH_LSTM:
        tagger.lstm = TorchBiLSTM(model.tagger.forward_lstm, model.tagger.backward_lstm)
    return Engine(
        tagger.eval(),
        model.tokenizer,
        replace(ENGINE_CONFIG, backend=backend, cache_mib=0),
        decode=model.decoder,
    )


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("export", type=Path, help="folder of a FHIR bulk export with notes")
    parser.add_argument("--notes", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--at-once", type=int, default=64, help="notes read at once")
    parser.add_argument("--memory-of", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rules = clinical_nlp.load(reader=False)
    docs = list(rules.pipe(export_texts(arguments.export, arguments.notes)))
    features = [doc_features(doc) for doc in docs]
    variants = (OURS, TRANSFORMERS, TORCH_LSTM)
    if arguments.memory_of:
        build_engine(variants[int(arguments.memory_of)], "int8").run(docs, features)
        sys.stdout.write(str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))
        return
    table = Table(title=f"{len(docs)} notes, {sum(map(len, docs)):,} tokens")
    for column in ("back end", "modules", "notes/s", "time, ours = 1", "peak MiB"):
        table.add_column(column, justify="left" if column in ("back end", "modules") else "right")
    memory = [_peak_mib(number) for number in range(len(variants))]
    for backend in ("float32", "int8"):
        engines = {variant: build_engine(variant, backend) for variant in variants}
        seconds: dict[str, list[float]] = {variant: [] for variant in variants}
        for _ in range(arguments.rounds + 1):
            for variant, engine in engines.items():
                began = process_time()
                for at in range(0, len(docs), arguments.at_once):
                    part = slice(at, at + arguments.at_once)
                    engine.run(docs[part], features[part])
                seconds[variant].append(process_time() - began)
        for variant, peak in zip(variants, memory, strict=True):
            taken = seconds[variant][1:]  # the first round warms up
            ratio = median(a / b for a, b in zip(taken, seconds[OURS][1:], strict=True))
            speed = f"{len(docs) / median(taken):.0f}"
            table.add_row(
                backend, variant, speed, f"{ratio:.2f}", f"{peak:.0f}" if backend == "int8" else ""
            )
    Console().print(table)


def _peak_mib(number: int) -> float:
    """Peak memory of a process that reads the notes with one variant, in eight bits."""
    done = subprocess.run(
        [sys.executable, *sys.argv, "--memory-of", str(number)],
        check=True,
        capture_output=True,
        text=True,
    )
    return float(done.stdout.split()[-1])


if __name__ == "__main__":
    main()
