"""The log's line: one event, one line that begins with a time, whatever the words in it come from.

Exceptions and arguments may carry what a party wrote. A line break in it would begin a line of the sender's own making, an
escape sequence would steer the terminal of whoever reads it; both are spelt out. Tracebacks keep their lines, indented, so
that none of them looks like an event.
"""

import logging
import unicodedata
from types import TracebackType

HIDDEN = {"Cc", "Cf", "Zl", "Zp", "Cs"}
MARGIN = "  | "

Fault = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class Line(logging.Formatter):
    def formatMessage(self, record: logging.LogRecord) -> str:
        return spelt_out(super().formatMessage(record))

    def formatException(self, ei: Fault) -> str:
        return _indented(super().formatException(ei))

    def formatStack(self, stack_info: str) -> str:
        return _indented(super().formatStack(stack_info))


def spelt_out(text: str) -> str:
    """Line breaks, control characters and what turns the direction of reading, as escapes: \\n, \\x1b, \\u202e."""
    if text.isprintable():
        return text
    return "".join(c.encode("unicode_escape").decode("ascii") if unicodedata.category(c) in HIDDEN else c for c in text)


def _indented(text: str) -> str:
    return "\n".join(MARGIN + spelt_out(line) for line in text.split("\n"))
