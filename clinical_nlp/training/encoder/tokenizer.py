"""Trains the encoder's tokenizer: byte-pair encoding within the words of the pipeline.

Text is normalised as for the rules: no case, accents or invisible characters; words are cut
where the kind of character changes (``FC80`` is two words), a number with its decimal comma is
one word. Tokens never cross the border of a word, which is also where mentions of the corpora
begin and end: 99.9% of the 70,056 gold mentions of CardioCCC and SPACCC.
"""

from __future__ import annotations

from collections.abc import Iterable

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
from tokenizers.processors import TemplateProcessing
from tokenizers.trainers import BpeTrainer
from transformers import PreTrainedTokenizerFast

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
PAD, UNKNOWN, FIRST, LAST, MASK = range(len(SPECIAL))

#: Prefix of a token that continues a word.
CONTINUED = "##"

_INVISIBLE = r"[\p{M}\u00ad\u200b-\u200d\u2060\ufeff]"
_WORDS = r"\p{N}+(?:[.,]\p{N}+)*|\p{L}+|."


def train_tokenizer(texts: Iterable[str], vocabulary: int) -> PreTrainedTokenizerFast:
    """Train a tokenizer that frames a text with ``[CLS]`` and ``[SEP]``.

    Parameters
    ----------
    vocabulary
        Largest size of the vocabulary, special tokens included.
    """
    tokenizer = Tokenizer(
        models.BPE(unk_token=SPECIAL[UNKNOWN], continuing_subword_prefix=CONTINUED)
    )
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFKD(), normalizers.Replace(Regex(_INVISIBLE), ""), normalizers.Lowercase()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Split(Regex(_WORDS), "isolated")]
    )
    tokenizer.decoder = decoders.WordPiece()
    trainer = BpeTrainer(
        vocab_size=vocabulary,
        min_frequency=2,
        special_tokens=list(SPECIAL),
        continuing_subword_prefix=CONTINUED,
        limit_alphabet=200,
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B [SEP]",
        special_tokens=[("[CLS]", FIRST), ("[SEP]", LAST)],
    )
    names = ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token")
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        **dict(zip(names, SPECIAL, strict=True)),
        model_max_length=1024,
        clean_up_tokenization_spaces=False,
    )
