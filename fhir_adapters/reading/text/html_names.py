"""HTML's elements by what they do to the lines of a page.

From the rendering section of the HTML standard
(https://html.spec.whatwg.org/multipage/rendering.html); ``paragraph``, ``list`` and ``item``
are those of the CDA narrative block.
"""

from __future__ import annotations

HEADINGS = frozenset(f"h{level}" for level in range(1, 7))
#: Elements that begin and end a line …
BLOCKS = frozenset(
    """
    address article aside body caption center details dialog dir div fieldset
    figcaption figure footer form header hgroup legend main menu nav ol section summary
    ul list dl dt dd li item table thead tbody tfoot tr
    """.split()  # noqa: SIM905 - a list of 40 quoted words is harder to read
)
#: … and those with an empty line around them.
PARAGRAPHS = HEADINGS | {"blockquote", "hr", "p", "paragraph", "pre"}
ITEMS = frozenset({"li", "item"})
CELLS = frozenset({"td", "th"})
#: Elements that may stand between the cells of a row, or its rows.
TABULAR = CELLS | {"tr", "thead", "tbody", "tfoot", "col", "colgroup", "form"}
#: Elements without an end tag.
VOID = frozenset(
    """
    area base basefont br col embed frame hr img input link meta param source track wbr
    """.split()  # noqa: SIM905 - as above
)
#: Elements that may stand in ``head``; any other ends it.
IN_HEAD = frozenset({"base", "link", "meta", "html", "head"})
#: Elements that a start tag ends where they are open, up to a container.
ENDED_BY = {
    "li": (frozenset({"li"}), frozenset({"ul", "ol", "menu", "dir", "td", "th", "table"})),
    "item": (frozenset({"item"}), frozenset({"list", "td", "th"})),
    "dt": (frozenset({"dt", "dd"}), frozenset({"dl", "td", "th"})),
    "dd": (frozenset({"dt", "dd"}), frozenset({"dl", "td", "th"})),
    "td": (frozenset({"td", "th"}), frozenset({"tr", "table"})),
    "th": (frozenset({"td", "th"}), frozenset({"tr", "table"})),
    "tr": (frozenset({"tr"}), frozenset({"table"})),
    "tbody": (frozenset({"tr", "thead", "tbody", "tfoot"}), frozenset({"table"})),
    "option": (frozenset({"option"}), frozenset({"select"})),
}
ENDED_BY["thead"] = ENDED_BY["tfoot"] = ENDED_BY["tbody"]
#: What a block's start tag ends: an open paragraph, not past another block.
PARAGRAPH = (frozenset({"p"}), BLOCKS | CELLS | PARAGRAPHS - {"p"})
#: Elements whose text is set apart from the text around them.
FIELDS = frozenset({"select", "option", "textarea", "output"})
#: Inputs that show no value of the note's.
BUTTONS = frozenset({"hidden", "submit", "button", "reset", "image", "file", "password"})
#: Elements and roles that are a checkbox (https://www.w3.org/TR/wai-aria-1.2/#checkbox).
BOXES = frozenset({"checkbox", "radio"})
