"""Which charset a note's bytes are in, where they are not UTF-8.

Spanish systems mix Windows-1252, Latin-1, the code pages of DOS (850, 437) and, rarely,
MacRoman, and declare them wrongly in all directions. The bytes past ASCII are the same in
all of them, and only one reading is Spanish: letters with accents within words of their own
case, signs where they belong. Each reading is scored by what Spanish has and has not.
charset-normalizer, which knows a hundred charsets, was right for 57 of 176 short notes in
these four, and three times as slow: it needs longer texts than many notes are.
"""

from __future__ import annotations

import re

#: Charsets of Western Europe, the likeliest first; 858 is 850 with the euro sign.
_CANDIDATES = ("cp1252", "cp858", "iso8859-15", "cp437", "mac-roman")
#: Names that stand for one of the candidates.
_SAME = {"cp850": "cp858", "iso8859-1": "cp1252", "latin-1": "cp1252", "ascii": "cp1252"}
#: Bytes of the lines that are scored; more do not change the verdict.
_SAMPLE = 20_000
#: What a reading has to be better by than the declared charset's, or Windows-1252's.
_PRIOR = 1.0
# Decoded UTF-8 of Spanish text has Latin letters, general punctuation, signs and emoji. Two
# accented capitals or signs in Windows-1252 can be valid UTF-8, but of other scripts.
_FOREIGN = re.compile("[\x80-\x9f\u0180-\u0390\u03ca-\u1fff\u2c00-\ud7ff\ue000-\uf8ff]")

_LOWER, _UPPER = "a-záéíóúüñçàèòï", "A-ZÁÉÍÓÚÜÑÇÀÈÒÏ"
_LETTER = _LOWER + _UPPER
#: What speaks for a reading and against it, by its weight.
_EVIDENCE = tuple(
    (re.compile(pattern), weight)
    for pattern, weight in (
        # Accented letters within a word of their case, or at its beginning
        (f"(?<=[{_LOWER}])[áéíóúüñ](?![{_UPPER}])", 2.0),
        (f"(?<![{_LETTER}])[áéíóúñ](?=[a-z])|(?<=[A-ZÁÉÍÓÚÑ])[áéíóúñ](?=[a-z])", 2.0),
        (f"(?<=[{_UPPER}])[ÁÉÍÓÚÜÑ](?![{_LOWER}])", 2.0),
        (f"(?<![{_LETTER}])[ÁÉÍÓÚÑ](?=[{_LETTER}])", 1.8),
        ("(?<=[a-z])[àèòï](?![A-Z])|(?<=[A-Z])[ÀÈÒÏ](?![a-z])", 1.0),
        ("(?<![a-zA-Z])[àè](?![a-zA-Z])|(?<![A-Z])ç(?=[aouóú])|(?<![a-z])Ç(?=[AOU])", 1.0),
        # Signs where they belong
        (r"(?<!\w)[¿¡](?=\w)", 2.0),
        (r"(?<=[\dNnDAada.])[ \xa0]?[ºª°]", 1.5),
        (r"(?<!\w)«[^«»\n]{1,200}»(?!\w)|(?<!\w)“[^“”\n]{1,200}”(?!\w)", 2.0),
        (r"\b[lLdDnNmMsStT]’(?=[aeiouhAEIOUHàèéíòóú])", 2.5),
        (r"(?<![A-Za-z])[–—•€±≤≥…≈→](?![a-z])|(?<=\w)…(?!\w)|(?<=l)·(?=l)", 0.7),
        (r"(?<=m)[²³]|µ(?=[glmM])|(?<![\w])[½¼¾×](?!\w)", 1.0),
        # What no Spanish text has
        (r"\ufffd(?!\Z)", -4.0),
        (r"[\x01-\x08\x0e-\x1f\x7f-\x9f]", -3.0),
        ("[─-▟]", -2.5),
        ("(?<=[A-Za-z])[^\x00-\x7f\xa0’·À-ÖØ-öø-ÿ](?=[a-z])", -2.0),
        ("[^\x00-\x7f\xa0-\xbfÁÉÍÓÚÜÑÇÀÈÒÏáéíóúüñçàèòïôêâäöëãõ×\u2000-\u2bff\ufffd]", -1.5),
        ("[ôêâäöëãõ¢£¤¥¦§¨©¬\xad¯´¸‡†‰‹›ˆ˜]", -1.0),
        ("(?<=[A-Za-z])[√†‡‰•∂∑∏π∫Ω≈∆◊ƒ]", -1.5),
        (f"(?<=[{_LOWER}])[ÁÉÍÓÚÜÑÀÈÒÏÇ]", -2.0),
        ("(?<=[A-Z])[áéíóúüñàèòï](?=[A-Z])", -2.0),
        (f"(?<![{_LETTER}])[ÁÉÍÓÚÑÀÈÒÇ](?=[A-Z][a-z])", -2.5),
        # "Última" in cp850 is "éltima" in Windows-1252
        (r"\bé(?=lti|nic|lcer|ter[oi]|ric|til)", -4.0),
        # A space that does not break is common between words, an accent is not beside a vowel
        ("(?<=[aeiou])á|á(?=[aeiou])", -3.5),
        (r"[¿¡](?!\w)|(?<=\w)[¿¡]", -0.5),
    )
)


def is_western(codec: str) -> bool:
    """Return whether a charset is one of those that are mistaken for one another."""
    return _SAME.get(codec, codec) in _CANDIDATES


def plausible_utf8(data: bytes) -> str | None:
    """Return data decoded as UTF-8; ``None`` where it is not valid, or no Western text."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if _FOREIGN.search(text) else text


def decode_run(data: bytes, codec: str) -> str:
    """Decode a piece of text that may be in UTF-8, whatever its document says."""
    if data.isascii():
        return data.decode("ascii")
    text = plausible_utf8(data)
    if text is not None:
        return text
    try:
        return data.decode(codec, "replace")
    except LookupError:
        return data.decode("cp1252", "replace")


def decode_western(data: bytes, declared: str | None) -> str:
    """Decode data that is not UTF-8 as a whole, by the likeliest charset.

    Lines that are UTF-8 are read as such: files are put together of parts of several
    systems. The others are in one charset, or in UTF-8 with broken bytes (a damaged copy).

    Parameters
    ----------
    data
        The bytes.
    declared
        Python's name of the declared charset; it decides where the evidence does not.
    """
    lines = data.split(b"\n")
    texts = [plausible_utf8(line) for line in lines]
    rest = [line for line, text in zip(lines, texts, strict=True) if text is None]
    best = _best(_sample(rest), _SAME.get(declared or "", declared))
    return "\n".join(
        line.decode(best, "replace") if text is None else text
        for line, text in zip(lines, texts, strict=True)
    )


def _sample(lines: list[bytes]) -> bytes:
    taken: list[bytes] = []
    room = _SAMPLE
    for line in lines:
        taken.append(line[:room])
        room -= len(taken[-1])
        if room <= 0:
            break
    return b"\n".join(taken)


def _best(sample: bytes, declared: str | None) -> str:
    candidates = [*_CANDIDATES, "utf-8"]
    if declared in candidates:
        candidates.remove(declared)
        candidates.insert(0, declared)
    scores = {codec: _score(sample, codec) for codec in candidates}
    for likely in {"cp1252", candidates[0]} - {"utf-8"}:  # broken bytes are no evidence
        scores[likely] += _PRIOR
    return max(candidates, key=lambda codec: scores[codec])


def _score(sample: bytes, codec: str) -> float:
    text = sample.decode(codec, "replace")
    return sum(weight * len(pattern.findall(text)) for pattern, weight in _EVIDENCE)
