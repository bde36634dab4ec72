"""Texts that people brought, made safe to print: `portal.legible`, on one line, and no longer than the page has room for."""

import unicodedata

from portal.legible import legible

NAME_MAX = 200
TEXT_MAX = 2_000
VALUE_MAX = 400
"""Characters shown of an expected or actual value; the annex carries it whole."""
BREAKS = "\n\r\t"

_VARIATION = dict.fromkeys((*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)))
"""Selectors that choose among the shapes of the letter before them; the fonts here have one."""


def clean(text: str, limit: int) -> str:
    """NFC, hidden and turning characters and towers of marks spelt out, one line, cut at `limit` characters."""
    shown = legible(unicodedata.normalize("NFC", text[: 2 * limit]).translate(_VARIATION), breaks=BREAKS)
    line = "".join(" " if c in BREAKS or unicodedata.category(c) == "Zs" else c for c in shown)
    return line if len(line) <= limit else line[: limit - 1] + "…"


def number(character: str) -> str:
    """A character as its code point, as `legible` writes it."""
    return f"〔U+{ord(character):04X}〕"
