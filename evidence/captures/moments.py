"""Moments as the time line shows them: as written, in court time, in UTC, and how far they lie from each other. Nothing is converted
without the original beside it, and nothing without a zone is converted at all."""

import re
from datetime import UTC, datetime, timedelta

from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from evidence.exhibits.words import BEIJING

WEB_BEGAN = 1990
"""Years before this are clocks that were never set (1601, 1970, 1980) or fields that were never filled in (0001)."""

HEADINGS: dict[str, Promise] = {
    "claimed": gettext_lazy("声称"),
    "proven": gettext_lazy("已证明"),
    "received": gettext_lazy("本院收到"),
}
SAID: dict[str, Promise] = {
    "PUBLISHED": gettext_lazy("网页文字写明的发布时间"),
    "SERVER_DATE": gettext_lazy("服务器答复写明的时间（HTTP Date）"),
    "CAPTURE_BEGUN": gettext_lazy("文件写明的开始取证时间"),
    "CAPTURED": gettext_lazy("文件写明的取证时间"),
    "PACKAGED": gettext_lazy("文件写明的打包时间"),
    "LOGGED": gettext_lazy("日志写明的时间"),
    "RECORDED": gettext_lazy("证书写明的登记时间"),
    "ISSUED": gettext_lazy("证书写明的出证时间"),
    "UNANCHORED": gettext_lazy("证明材料写明的时间，没有核到法院的信任锚"),
    "STAMPED": gettext_lazy("时间戳：不晚于此时已存在"),
    "ON_CHAIN": gettext_lazy("区块链：不晚于此时已存在"),
    "CHECKPOINTED": gettext_lazy("法院检查点：不晚于此时已存在"),
    "BOUND": gettext_lazy("不晚于此时已存在"),
    "RECEIVED": gettext_lazy("不晚于此时已存在"),
}
_ZONE = re.compile(
    r"(?:(?P<z>Z)|(?:[:时分]\d{2}(?:[.,]\d{1,9})?秒?\s?|(?:UTC|GMT)\s?)(?P<off>[+-]\d{1,2}:?\d{0,2})|(?P<utc>UTC|GMT)|(?P<cn>北京时间|中国标准时间))[)）]?(?:\s*\([^()]*\))?\s*$"
)
_UNITS = (
    (timedelta(days=730), timedelta(days=365)),
    (timedelta(days=2), timedelta(days=1)),
    (timedelta(hours=2), timedelta(hours=1)),
    (timedelta(minutes=2), timedelta(minutes=1)),
    (timedelta(seconds=1), timedelta(seconds=1)),
    (timedelta(0), timedelta(milliseconds=1)),
)


def heading(stands: str) -> str:
    return str(HEADINGS[stands])


def said(what: str) -> str:
    """What happened at a time; a kind that is not known here is just a time."""
    return str(SAID[what]) if what in SAID else _("文件写明的时间")


def zone(text: str) -> str:
    """The zone that a time as written names, as `UTC+08:00`; "" where it names none."""
    if text.strip().isdigit():
        return _("UTC（自 1970 年起的计数）")
    found = _ZONE.search(text)
    if found is None:
        return ""
    if found["cn"]:
        return "UTC+08:00"
    off = (found["off"] or "").replace(":", "")
    if not off.strip("+-0"):
        # RFC 5322 §3.3: -0000 is UTC, and says that it is not known where the clock stood.
        return "UTC-00:00" if off.startswith("-") else "UTC"
    return f"UTC{off[0]}{off[1:3].zfill(2)}:{off[3:] or '00'}"


def parsed(text: object) -> datetime | None:
    """An instant of a verdict; None for what is none, or none that a calendar here can show."""
    try:
        return placed(datetime.fromisoformat(text)) if isinstance(text, str) else None
    except ValueError:
        return None


def placed(moment: datetime | None) -> datetime | None:
    """The moment in UTC; None without a zone, or where court time would fall out of the calendar."""
    try:
        if moment is None or moment.utcoffset() is None:
            return None
        moment.astimezone(BEIJING)
        return moment.astimezone(UTC)
    except (OverflowError, ValueError):
        return None


def before(moment: datetime, by: timedelta) -> datetime:
    try:
        return moment - by
    except OverflowError:
        return moment


def after(moment: datetime, by: timedelta) -> datetime:
    try:
        return moment + by
    except OverflowError:
        return moment


def court_time(moment: datetime, *, seconds: bool = False) -> str:
    """`2026-11-22 15:35:24`, with milliseconds where there are any, unless whole `seconds` are asked for."""
    return _face(moment.astimezone(BEIJING), seconds=seconds)


def utc(moment: datetime, *, seconds: bool = False) -> str:
    return _face(moment.astimezone(UTC), seconds=seconds).replace(" ", "T") + "Z"


def _face(moment: datetime, *, seconds: bool) -> str:
    # Not strftime, whose %Y has fewer than four digits in early years on some systems.
    precision = "milliseconds" if moment.microsecond and not seconds else "seconds"
    return moment.replace(tzinfo=None).isoformat(sep=" ", timespec=precision)


def gap(apart: timedelta) -> str:
    """From one row to the next."""
    return _("相隔 %(span)s") % {"span": span(apart)} if apart else _("同一时刻")


def span(apart: timedelta) -> str:
    """`25 年`, `10 毫秒`: in the largest unit of which there are at least two, rounded down; seconds from one on."""
    apart = abs(apart)
    if apart < timedelta(milliseconds=1):
        return _("不到 1 毫秒")
    unit = next(unit for least, unit in _UNITS if apart >= least)
    count = apart // unit
    named = {"n": count}
    if unit == timedelta(days=365):
        return ngettext("%(n)d 年", "%(n)d 年", count) % named
    if unit == timedelta(days=1):
        return ngettext("%(n)d 天", "%(n)d 天", count) % named
    if unit == timedelta(hours=1):
        return ngettext("%(n)d 小时", "%(n)d 小时", count) % named
    if unit == timedelta(minutes=1):
        return ngettext("%(n)d 分钟", "%(n)d 分钟", count) % named
    if unit == timedelta(seconds=1):
        return ngettext("%(n)d 秒", "%(n)d 秒", count) % named
    return ngettext("%(n)d 毫秒", "%(n)d 毫秒", count) % named


def language() -> str:
    """Of the engine's catalogue: `zh` or `en`."""
    return "en" if (get_language() or "").startswith("en") else "zh"
