"""Times that the files of an exhibit state of themselves: when something was captured, packed, logged, recorded, issued.

Every one of them is the word of whoever wrote the file. They stand in the verdict as data beside the proven time, for the time
line of a judge; none of them bears on the verdict, and none is a proof.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from .certificates import printed_time
from .certificates.claim import ClaimedTime
from .codecs.quotation import quote

TEXT_MAX = 80
"""Characters of a time as it is written; the longest of real files is JavaScript's with the name of its zone (73)."""
STATED_MAX = 100
"""Times of one exhibit: a package with thousands of saved pages would bury the others."""


class What(StrEnum):
    """What is said to have happened then."""

    CAPTURE_BEGUN = "CAPTURE_BEGUN"
    CAPTURED = "CAPTURED"
    PACKAGED = "PACKAGED"
    LOGGED = "LOGGED"
    RECORDED = "RECORDED"
    ISSUED = "ISSUED"


class By(StrEnum):
    """Whose word it is."""

    CAPTURE = "CAPTURE"
    """The software or person that made the capture."""
    PLATFORM = "PLATFORM"
    """The platform that issued the certificate."""


@dataclass(frozen=True, slots=True)
class Stated:
    """`text` as written, made safe to print; `instant` (UTC) only when its zone is written down."""

    source: str
    what: What
    text: str
    instant: datetime | None
    by: By


def captured(source: str, text: str, instant: datetime | None, *, what: What = What.CAPTURED) -> Stated:
    """A time that the maker of a capture wrote."""
    return Stated(source, what, quote(text.strip(), length=TEXT_MAX), instant, By.CAPTURE)


def dated(source: str, text: str, *, what: What = What.CAPTURED) -> Stated | None:
    """The same from text in the manner of ISO 8601; None when it does not read as a time."""
    read = printed_time.read(text, unit=None)
    if read is None or not any(c.isdigit() for c in text):
        return None
    return captured(source, text, read.instant, what=what)


def certified(source: str, times: Iterable[tuple[What, ClaimedTime | None]]) -> tuple[Stated, ...]:
    """The times on a platform's certificate."""
    return tuple(
        Stated(source, what, quote(t.text, length=TEXT_MAX), t.instant, By.PLATFORM) for what, t in times if t is not None
    )


def kept(times: Iterable[Stated]) -> tuple[Stated, ...]:
    """Each once, in the order of reading, as many as `STATED_MAX`."""
    return tuple(dict.fromkeys(times))[:STATED_MAX]
