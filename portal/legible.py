"""Words that other people wrote, shown so that they can neither hide, nor turn the words around them, nor lie over them.

A page escapes markup by itself; this is about what stays text: a name that reverses the direction of reading reverses the
sentence of the portal beside it, and a tower of accents is painted over the lines above.
"""

import unicodedata

MARKS_MAX = 2
"""Combining marks on one letter: Vietnamese needs two."""
JOINERS = "\u200c\u200d"
"""Needed inside emoji and several scripts; they move nothing."""
BREAKS = "\n\r\t"


def legible(text: str, *, breaks: str = BREAKS) -> str:
    """The text with each such character spelt out, as 〔U+202E〕, except the `breaks` between lines."""
    if text.isascii() and text.isprintable():
        return text
    shown: list[str] = []
    marks = 0
    for character in text:
        marks = marks + 1 if unicodedata.category(character) in {"Mn", "Me"} else 0
        misleads = marks > MARKS_MAX or (hidden(character) and character not in breaks)
        shown.append(f"〔U+{ord(character):04X}〕" if misleads else character)
    return "".join(shown)


def hidden(character: str) -> bool:
    """Is it invisible, or does it turn the direction of reading? Half a surrogate pair, which no page can hold, is too."""
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"} and character not in JOINERS
