"""A tokenizer for clinical notes in Spanish.

spaCy's Spanish tokenizer keeps ``FC80``, ``13/8`` or ``NT-proBNP`` whole or cuts them
by the letters around; measurements and abbreviations then need rules for each case.
This one splits at every change of kind (letters, digits, punctuation), so that ``DM2``
and ``DM 2``, ``FC80`` and ``FC 80`` are the same tokens, and keeps a number with its
decimal comma or thousands point in one token.

The text is never changed: ``doc.text`` is the note, code point for code point. Accents, case,
NFC/NFD, ligatures and soft hyphens are normalised in ``norm_`` instead, on which every rule
of the pipeline matches. Only half of a surrogate pair, which is no character and which spaCy
cannot hold, becomes U+FFFD, so that no note fails on it and offsets stay true.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from spacy.attrs import NORM
from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import DummyTokenizer, registry
from spacy.vocab import Vocab

from clinical_nlp.matching.norms import normalise_word

# Marks that belong to the letter before them (combining accents) or that text editors
# leave inside words (soft hyphen, zero-width spaces and joiners, byte order mark).
_MARKS = "\u0300-\u036f\u00ad\u200b-\u200d\u2060\ufeff"

#: Word forms of a vocabulary before the next note starts a new one. spaCy never forgets a word:
#: 390 bytes each, some 16 a note. Lower would make the frequent words again more often.
MOST_WORDS = 100_000

# A word and the blank after it, or a run of white space that no word's blank begins.
_PIECE = re.compile(
    rf"""
    (
        \d+(?:[.,]\d+)*                 # 80  1,41  3.450  1.234,5
      | [^\W\d_]+(?:[{_MARKS}]+[^\W\d_]*)*  # letters with their marks
      | \S                             # any other code point alone
    )([ ]?)
  | (\s+)
    """,
    re.VERBOSE,
)
_SURROGATE = re.compile("[\ud800-\udfff]")


class ClinicalTokenizer(DummyTokenizer):
    """Callable that turns a text into a :class:`spacy.tokens.Doc`.

    It holds only the vocabulary: the rules are code, so that serialising writes nothing (the
    inherited methods). Runs of white space beyond one blank become white-space tokens, as
    spaCy expects; rules skip them.

    Docs share the pipeline's vocabulary until that holds :data:`MOST_WORDS` words; the notes
    after share a new one, and so on, so that memory does not grow with every note. A Doc
    keeps the vocabulary it was made with (``doc.vocab``), which is freed with the last of its
    Docs. Hashes of strings are the same in all of them.
    """

    def __init__(self, vocab: Vocab) -> None:
        self.vocab = vocab
        # Norms are computed once per word form, by the vocabulary.
        # (Public in spaCy's compiled class, missing from its type stub.)
        vocab.lex_attr_getters[NORM] = normalise_word  # type: ignore[attr-defined]
        for lexeme in vocab:
            lexeme.norm_ = normalise_word(lexeme.orth_)

    def __call__(self, text: str) -> Doc:
        """Split a note into tokens; ``doc.text`` is ``text``, code point for code point."""
        if len(self.vocab) > MOST_WORDS and self.vocab.vectors_length <= 0:
            self.vocab = _emptied(self.vocab)
        pieces = _PIECE.findall(text)
        words = [word or space for word, _, space in pieces]
        spaces = [bool(blank) for _, blank, _ in pieces]
        try:
            return Doc(self.vocab, words=words, spaces=spaces)
        except UnicodeEncodeError:
            words = [_SURROGATE.sub("\ufffd", word) for word in words]
            return Doc(self.vocab, words=words, spaces=spaces)


def _emptied(vocab: Vocab) -> Vocab:
    """Return a vocabulary that makes the same lexemes and holds none yet."""
    return Vocab(
        lex_attr_getters=vocab.lex_attr_getters,  # type: ignore[attr-defined]
        lookups=vocab.lookups,
        writing_system=vocab.writing_system,
        get_noun_chunks=vocab.get_noun_chunks,
    )


@registry.tokenizers("clinical_nlp.ClinicalTokenizer.v1")  # type: ignore[untyped-decorator]
def create_clinical_tokenizer() -> Callable[[Language], ClinicalTokenizer]:
    """Entry for spaCy's config: ``[nlp.tokenizer] @tokenizers = ...``."""

    def create(nlp: Language) -> ClinicalTokenizer:
        return ClinicalTokenizer(nlp.vocab)

    return create
