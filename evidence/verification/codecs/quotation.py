"""Names and values out of evidence, made safe to print: short, on one line, nothing that changes what is around them."""

import unicodedata

LENGTH_MAX = 160
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Unicode categories that show nothing or steer the text around them (controls, bidirectional marks, line separators)."""


def quote(value: bytes | str, *, length: int = LENGTH_MAX) -> str:
    """Evidence text -> printable text of at most `length` characters; what cannot be shown appears as an escape."""
    text = value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else value
    shown = "".join(
        c if unicodedata.category(c) not in _HIDDEN else c.encode("unicode_escape").decode("ascii")
        for c in text[: length + 1]
    )
    return shown if len(shown) <= length else shown[: length - 1] + "…"
