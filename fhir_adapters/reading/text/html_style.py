"""What a page's styles hide or strike through: attributes and style sheets."""

from __future__ import annotations

import re

_ATTRIBUTE = re.compile(
    r"""([^\s=/"'<>]+)(?:\s*+=\s*+(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?""", re.DOTALL
)
# Nobody reads text that is struck through or not shown, so it is none of the note.
_UNREAD = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|mso-hide\s*:\s*all"
    r"|text-decoration(?:-line)?\s*:[^;]*line-through|font-size\s*:\s*0(?![.\d])",
    re.IGNORECASE,
)
_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_PRINT = re.compile(r"@media[^{]*\bprint\b[^{]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}", re.IGNORECASE)
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_SIMPLE = re.compile(r"([a-z][a-z0-9]*)?(?:([.#])([\w-]+))?", re.IGNORECASE)
#: Elements whose text is struck through (https://html.spec.whatwg.org/multipage/rendering.html).
_STRUCK = frozenset({"s", "strike", "del"})


def attributes(tag: str) -> dict[str, str]:
    """Return a tag's attributes by name in lower case; the first of a name counts.

    Examples
    --------
    >>> attributes('type=checkbox CHECKED value="a b"')
    {'type': 'checkbox', 'checked': '', 'value': 'a b'}
    """
    found: dict[str, str] = {}
    for match in _ATTRIBUTE.finditer(tag):
        found.setdefault(match[1].lower(), match[2] or match[3] or match[4] or "")
    return found


class Styles:
    """The style sheets of a page, as far as they hide text or strike it through.

    Only selectors of one element are followed (``p``, ``.old``, ``p.old``, ``#draft``): a
    note's styles are a template's or a word processor's, which write nothing else.
    """

    def __init__(self) -> None:
        self._hidden: set[tuple[str, str, str]] = set()  # element or "", "." or "#" or "", name

    def add(self, sheet: str) -> None:
        """Read a style sheet; rules for printing are not those of the screen."""
        for rule in _RULE.finditer(_PRINT.sub("", _COMMENT.sub("", sheet))):
            if _UNREAD.search(rule[2]):
                for selector in rule[1].split(","):
                    match = _SIMPLE.fullmatch(selector.strip())
                    if match and match[0]:
                        self._hidden.add(((match[1] or "").lower(), match[2] or "", match[3] or ""))

    def unread(self, name: str, attrs: dict[str, str]) -> bool:
        """Return whether an element's text is hidden or struck through."""
        if name in _STRUCK or "hidden" in attrs or attrs.get("revised") == "delete":
            return True
        if _UNREAD.search(attrs.get("style", "")):
            return True
        if not self._hidden:
            return False
        keys = [("", "")] + [(".", part) for part in attrs.get("class", "").split()]
        if "id" in attrs:
            keys.append(("#", attrs["id"]))
        return any((element, *key) in self._hidden for element in (name, "") for key in keys)
