"""Times as platforms print them. An instant is given only when unit and zone are written down; nothing is guessed.

`2026-03-01 09:30:00` without a zone may be Beijing time or UTC, eight hours apart; `1772328600` may count seconds on one
platform and be cut from milliseconds on another. Both stay text.
"""

import re
from datetime import UTC, datetime, timedelta, timezone

from .claim import ClaimedTime

TEXT_MAX = 64
DIGITS_MAX = 20
"""Digits of a count: nanoseconds have nineteen."""
UNITS = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
"""Nanoseconds of each unit."""
UNIT_OF_DIGITS = {10: "s", 13: "ms"}
"""Where a platform documents that it writes either."""
EARLIEST = datetime(2009, 1, 3, tzinfo=UTC)
"""The first block of any public ledger. A count that falls before it was not written in the unit that was assumed."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_PRINTED = re.compile(
    r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?[T\s]*(\d{1,2})[:时](\d{2})(?:[:分](\d{2})(?:[.,](\d{1,9}))?秒?)?\s*(.*)",
    re.ASCII,
)
_ZONE = re.compile(r"[(（]?\s*(?:(Z|UTC|GMT)|(?:UTC|GMT)?\s*([+-])(\d{1,2}):?(\d{2})?|(北京时间|中国标准时间))\s*[)）]?")


def read(value: object, *, unit: str | None) -> ClaimedTime | None:
    """A JSON value -> the time it states; None when it states none (null, list, object).

    unit   what the platform documents for numbers: `s`, `ms`, `us`, `ns`, `digits`, or None
    """
    if isinstance(value, bool) or value is None or not isinstance(value, str | int):
        return None
    text = str(value).strip()
    if text.isascii() and text.isdigit():
        return _number(text, unit)
    return _text(text[:TEXT_MAX])


def _number(text: str, unit: str | None) -> ClaimedTime:
    known = UNIT_OF_DIGITS.get(len(text)) if unit == "digits" else unit
    instant = _counted(text, known) if known else None
    if instant is None or instant < EARLIEST:
        # Seconds where milliseconds are documented fall into January 1970: the unit is not the documented one.
        return ClaimedTime(text[:TEXT_MAX], None, None, None)
    return ClaimedTime(text, instant, known, "UTC")


def _counted(text: str, unit: str) -> datetime | None:
    if len(text) > DIGITS_MAX:
        return None
    try:
        return _EPOCH + timedelta(microseconds=int(text) * UNITS[unit] // 1000)
    except OverflowError:
        return None


def readings(time: ClaimedTime, *, until: datetime) -> tuple[tuple[str, datetime], ...]:
    """What a number without a documented unit would mean in each unit, as far as it could be: (unit, instant)."""
    if time.instant is not None or not (time.text.isascii() and time.text.isdigit()):
        return ()
    counted = ((unit, _counted(time.text, unit)) for unit in UNITS)
    return tuple((unit, moment) for unit, moment in counted if moment and EARLIEST <= moment <= until)


def _text(text: str) -> ClaimedTime:
    found = _PRINTED.fullmatch(text)
    if not found:
        return ClaimedTime(text, None, None, None)
    year, month, day, hour, minute, second = (int(found[i] or 0) for i in range(1, 7))
    micro = int((found[7] or "0")[:6].ljust(6, "0"))
    zone = _ZONE.fullmatch(found[8]) if found[8] else None
    if zone is None:
        return ClaimedTime(text, None, None, None)
    offset, label = _offset(zone)
    try:
        local = datetime(year, month, day, hour, minute, second, micro, tzinfo=timezone(offset))
        return ClaimedTime(text, local.astimezone(UTC), None, label)
    except (ValueError, OverflowError):
        return ClaimedTime(text, None, None, None)


def _offset(zone: re.Match[str]) -> tuple[timedelta, str]:
    if zone[1]:
        return timedelta(0), "UTC"
    if zone[5]:
        return timedelta(hours=8), "UTC+08:00"
    amount = timedelta(hours=int(zone[3]), minutes=int(zone[4] or 0))
    label = f"UTC{zone[2]}{int(zone[3]):02d}:{int(zone[4] or 0):02d}"
    return (amount if zone[2] == "+" else -amount), label
