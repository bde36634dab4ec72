"""File names as a party sends them: kept as they are, shown so that they cannot deceive."""

import re

from portal.legible import hidden, legible

from .limits import NAME_MAX

_EXTENSION = re.compile(r"\.[0-9A-Za-z]{1,10}\Z")
_UNSTORABLE = {0: "\u2400"} | dict.fromkeys(range(0xD800, 0xE000), "\ufffd")
"""PostgreSQL text holds neither NUL nor half a surrogate pair: SYMBOL FOR NULL and REPLACEMENT CHARACTER stand for them."""
_SEPARATORS = str.maketrans({"/": "／", "\\": "＼"})


def label(name: str) -> str:
    """The name to keep: verbatim but for what the database cannot hold, and for its middle beyond `NAME_MAX`."""
    name = name.translate(_UNSTORABLE)
    if len(name) <= NAME_MAX:
        return name or "\ufffd"
    match = _EXTENSION.search(name)
    ending = match[0] if match else ""
    return name[: NAME_MAX - 1 - len(ending)] + "…" + ending


def shown(name: str) -> str:
    """The name for a page or a receipt: what is invisible, turns the direction of reading or looks like a path is spelt out.

    evil<U+202E>fdp.exe -> evil〔U+202E〕fdp.exe;  ../../etc/passwd -> ..／..／etc／passwd
    """
    return legible(name.translate(_SEPARATORS), breaks="")


def unusual(name: str) -> bool:
    """Does `shown` differ from the name?"""
    return shown(name) != name


def deceives(text: str) -> bool:
    """Does it hold something invisible, or something that turns the direction of reading?"""
    return any(hidden(c) for c in text)


def extension(name: str) -> str:
    """Lower case, without the dot; "" when there is none."""
    match = _EXTENSION.search(name)
    return match[0][1:].lower() if match else ""
