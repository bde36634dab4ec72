"""Texts that people brought, made safe to print: they can neither hide, reorder nor overpaint anything on the page."""

import unicodedata

NAME_MAX = 200
TEXT_MAX = 2_000
VALUE_MAX = 400
"""Characters shown of an expected or actual value; the annex carries it whole."""
MARKS_MAX = 2
"""Combining marks on one letter: Vietnamese needs two. A tower of them would be painted over the lines above."""
TAG_START, TAG_END = "⟨", "⟩"

_BIDI = frozenset(chr(c) for c in (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C))
_VARIATION = frozenset(chr(c) for c in (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)))
_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn")


def clean(text: str, limit: int) -> str:
    """NFC, controls out, bidirectional controls and towers of marks shown as numbers, cut at `limit` characters."""
    kept: list[str] = []
    marks = 0
    for character in unicodedata.normalize("NFC", text[: 2 * limit]):
        category = unicodedata.category(character)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if character in _VARIATION:
            continue  # chooses among the shapes of the letter before it; fonts here have one
        if character in _BIDI or marks > MARKS_MAX:
            kept.append(number(character))
        elif character in "\n\t\u2028\u2029" or category == "Zs":
            kept.append(" ")
        elif category not in _UNSEEN:
            kept.append(character)
    joined = "".join(kept)
    return joined if len(joined) <= limit else joined[: limit - 1] + "…"


def number(character: str) -> str:
    """A character as its code point: ⟨U+202E⟩."""
    return f"{TAG_START}U+{ord(character):04X}{TAG_END}"
