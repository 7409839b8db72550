"""Dates of column headers and rows: '15/11/23', 'nov-24', '(2023)', '28/08'."""

from __future__ import annotations

import re

from clinical_nlp.matching.norms import normalise_word

_MONTHS = (
    ("ene", "enero", "gener", "xaneiro", "urtarrila", "urt"),
    ("feb", "febrero", "febrer", "febreiro", "otsaila", "ots"),
    ("mar", "marzo", "marc", "martxoa"),
    ("abr", "abril", "apirila", "api"),
    ("may", "mayo", "maig", "maio", "maiatza"),
    ("jun", "junio", "juny", "xuno", "ekaina"),
    ("jul", "julio", "juliol", "xullo", "uztaila"),
    ("ago", "agosto", "agost", "abuztua"),
    ("sep", "sept", "set", "septiembre", "setiembre", "setembre", "setembro", "iraila"),
    ("oct", "octubre", "out", "outubro", "urria"),
    ("nov", "noviembre", "novembre", "novembro", "azaroa"),
    ("dic", "diciembre", "desembre", "decembro", "des", "abendua"),
)
_MONTH_OF = {name: number for number, names in enumerate(_MONTHS, 1) for name in names}
_DATE = re.compile(
    r"""
    (?<![\d/,.-])(?:
        (?P<iso_year>(?:19|20)\d\d)-(?P<iso_month>\d\d)(?:-(?P<iso_day>\d\d))?
      | (?P<day>\d{1,2})(?P<sign>[/.-])(?P<month>\d{1,2})(?:(?P=sign)(?P<year>\d{4}|\d\d))?
      | (?P<month2>\d{1,2})/(?P<year2>(?:19|20)\d\d)
      | (?:(?P<day3>\d{1,2})[ -]+(?:de[ ]+)?)?
        (?<![^\W\d_])(?P<name>[^\W\d_]{3,10})\.?
        (?:[ /.'-]*(?:de[ ]+|del[ ]+)?(?P<year3>(?:19|20)\d\d|\d\d))?
      | (?P<year4>(?:19|20)\d\d)
    )(?![\d/%-]|,\d)
    """,
    re.VERBOSE,
)
MONTH_NAMES = frozenset(_MONTH_OF)
_HINT = re.compile(
    rf"(?:19|20)\d\d|\d[/.-]\d|(?<!\w)(?:{'|'.join(_MONTH_OF)})(?![^\W\d_])", re.IGNORECASE
)
_CENTURY, _LATEST = 2000, 50
_LONGEST_WORD = 4  # beside a date in a cell: 'lun', '(hoy)'
_DAYS, _MOST_MONTHS = 31, 12


def may_hold_date(text: str) -> bool:
    """Whether a text has what looks like a date; cheap, for texts that have none."""
    return _HINT.search(text) is not None


def date_in(text: str, *, whole: bool = False) -> str | None:
    """Return the date in a text as far as it is given, in the form of ISO 8601.

    Parameters
    ----------
    text
        A cell or header.
    whole
        Only a text that holds a date and no more than a word, a time or brackets beside it.

    Returns
    -------
    str or None
        ``2024-03-12``, ``2024-03``, ``2024``, or ``--03-12`` without a year.
    """
    for match in _DATE.finditer(text):
        found = _iso(match)
        if found is None:
            continue
        rest = text[: match.start()] + text[match.end() :]
        if whole and len(re.sub(r"[\W\d_]|h\b", "", rest)) > _LONGEST_WORD:
            return None
        return found
    return None


def dates_of(text: str) -> list[tuple[int, int, str]]:
    """Return start, end and date of each date of a text, the date as :func:`date_in` has it."""
    found: list[tuple[int, int, str]] = []
    match = _DATE.search(text)
    while match is not None:
        iso, end = _iso(match), match.end()
        if iso is not None:
            found.append((match.start(), end, iso))
        elif match["name"]:
            end = match.end("name")  # 'FEVI 2019': the word is no month
        match = _DATE.search(text, end)
    return found


def _iso(match: re.Match[str]) -> str | None:
    if match["iso_year"]:
        year, month, day = match["iso_year"], int(match["iso_month"]), int(match["iso_day"] or 0)
    elif match["name"]:
        number = _MONTH_OF.get(normalise_word(match["name"]))
        if number is None:
            return None
        year, month, day = match["year3"] or "", number, int(match["day3"] or 0)
    elif match["year4"]:
        return match["year4"]
    elif match["month2"]:
        year, month, day = match["year2"], int(match["month2"]), 0
    else:
        year, month, day = match["year"] or "", int(match["month"]), int(match["day"])
        if match["sign"] == "." and not year:
            return None  # '1.41' is a number
        if not year and day <= _MOST_MONTHS < month:  # '7/23'
            year, month, day = f"{month:02d}", day, 0
    if not 1 <= month <= _MOST_MONTHS or not 0 <= day <= _DAYS:
        return None
    if len(year) == 2:
        year = str(_CENTURY + int(year) - (100 if int(year) > _LATEST else 0))
    if not year and not day:
        return f"--{month:02d}"
    return f"{year or '-'}-{month:02d}" + (f"-{day:02d}" if day else "")
