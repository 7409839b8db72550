"""Finds heart failure early in Spanish primary-care records.

Examples
--------
>>> import clinical_nlp
>>> nlp = clinical_nlp.load()
>>> doc = nlp("Refiere disnea de esfuerzo. No ortopnea. TA 13/8.")
>>> [(f.concept, f.negated, f.value) for f in doc._.findings][:2]
[('dyspnea_on_exertion', False, None), ('orthopnea', True, None)]
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spacy.language import Language

try:
    __version__ = version("clinical-nlp")
except PackageNotFoundError:  # run from a source tree that was never installed
    __version__ = "0+unknown"


def load(*, reader: bool = True, mentions: bool = False, backend: str = "auto") -> Language:
    """Build the pipeline with the package's own lexicon, rules and models.

    Parameters
    ----------
    reader
        Let the learned reader decide beside the rules. Without it the rules alone read: several
        times as fast, and worse on notes that are not written as they expect.
    mentions
        Also mark mentions of diseases, symptoms, procedures and medications with the
        shipped model (``doc._.mentions``). Reading then takes longer. Without both no weights
        are touched; with one of them the first note waits for them.
    backend
        How the models run: "auto" (by what the processor can do), "float32",
        "bfloat16" or "int8".

    Returns
    -------
    spacy.language.Language
        Docs it makes carry ``doc._.findings``, a tuple of
        :class:`clinical_nlp.records.Finding`. It can be saved with ``to_disk``, loaded
        with ``spacy.load`` and run with ``n_process``: the findings stay the same.
    """
    # Imported here so that ``import clinical_nlp.records`` stays free of spaCy.
    from clinical_nlp.pipeline.assembly import build

    return build(reader=reader, mentions=mentions, backend=backend)


__all__ = ["__version__", "load"]
