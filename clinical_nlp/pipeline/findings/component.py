"""The pipeline component ``hf_findings``."""

# No "from __future__ import annotations" here: spaCy reads the factory's annotations.
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc

from clinical_nlp.lexicon import Lexicon, load_lexicon
from clinical_nlp.pipeline.document import get_findings, set_findings
from clinical_nlp.pipeline.document_layout import get_layout
from clinical_nlp.pipeline.findings.matcher import Matcher
from clinical_nlp.pipeline.rules import RuleComponent


class FindingsComponent(RuleComponent):
    """Marks every mention of a lexicon concept in a note.

    Runs after the measurements, whose findings it keeps and does not overlap. Assertion
    flags are set only where the term itself carries them ("eupneico" is dyspnoea, absent);
    the assertion component adds the others.

    The component holds the text of the lexicon's data files: a saved pipeline finds the
    same, whatever lexicon the installed package has.

    Parameters
    ----------
    rules
        ``{"texts": {file name: content}}``, as :attr:`Lexicon.texts`.
    """

    lexicon: Lexicon
    matcher: Matcher

    def compile_rules(self, rules: dict[str, Any]) -> None:
        """Build the matcher from the lexicon's files."""
        self.lexicon = Lexicon(rules["texts"])
        self.matcher = Matcher(self.lexicon)

    def __call__(self, doc: Doc) -> Doc:
        """Add the findings to the doc."""
        taken = get_findings(doc)
        layout = get_layout(doc)
        found = list(self.matcher.find(doc, taken))
        if layout.items:  # a label without an answer says nothing
            found = [f for f in found if not layout.is_unanswered(f.start)]
        set_findings(doc, [*taken, *found])
        return doc


@Language.factory("hf_findings", assigns=["doc._.findings"])
def create_findings(nlp: Language, name: str) -> FindingsComponent:
    """Build the component from the package's lexicon."""
    return FindingsComponent({"texts": dict(load_lexicon().texts)})
