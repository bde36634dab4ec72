"""Where the times and facts of one capture do not go together: each a line beside the time line (spec snapshots §14). All of it is
compared between statements, so it refutes nothing; whether a statement contradicts a proof, the engine's STATED.ORDER decides."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from evidence.verification.snapshots.mhtml import instant_of
from evidence.verification.snapshots.time_order import SKEW

from . import moments
from .capture import Capture

ALARMS_MAX = 5
"""Lines of one file; a crawl through a cache with a wrong clock would have one for each page."""
AGE_MAX = 10**9
"""Seconds that an answer may say it lay in a cache: thirty years."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """`code`: FACTS_CONFLICT or TIME_ORDER_CONFLICT; `where`: the page it is about."""

    code: str
    where: str
    text: str


def of_captures(captures: Sequence[Capture]) -> tuple[Alarm, ...]:
    found = (a for c in captures for a in _of(c))
    return tuple(alarm for alarm, _n in zip(found, range(ALARMS_MAX), strict=False))


def _of(capture: Capture) -> Iterator[Alarm]:
    facts = capture.facts
    if "IP_NOT_IN_DNS" in capture.notes:
        text = _("文件写明的服务器 IP %(ip)s 不在同一文件的域名解析记录里。")
        yield Alarm("FACTS_CONFLICT", facts.url or capture.id, text % {"ip": facts.ip or ""})
    claimed = moments.placed(facts.claimed_instant)
    fields = {name.lower(): value for name, value in reversed(facts.headers)}
    if claimed is None or not fields:
        return
    where = facts.url or capture.id
    served = moments.placed(instant_of(fields.get("date", "")))
    if served is not None and served > moments.after(claimed, SKEW):
        text = _("服务器答复的时间（HTTP Date）是 %(served)s，晚于文件写明的取证时间 %(claimed)s。")
        yield Alarm("TIME_ORDER_CONFLICT", where, text % _times(served, claimed))
    elif served is not None and moments.after(served, _age(fields) + SKEW) < claimed:
        text = _("服务器答复的时间（HTTP Date）是 %(served)s，文件写明的取证时间是 %(claimed)s；经过缓存的答复也会这样。")
        yield Alarm("FACTS_CONFLICT", where, text % _times(served, claimed))
    changed = moments.placed(instant_of(fields.get("last-modified", "")))
    if changed is not None and changed > moments.after(claimed, SKEW):
        text = _("服务器写明的最后修改时间是 %(served)s，晚于文件写明的取证时间 %(claimed)s。")
        yield Alarm("TIME_ORDER_CONFLICT", where, text % _times(changed, claimed))


def _times(served: datetime, claimed: datetime) -> dict[str, str]:
    """Both by one clock face, so that they can be compared by eye."""
    return {"served": moments.utc(served), "claimed": moments.utc(claimed)}


def _age(fields: Mapping[str, str]) -> timedelta:
    """For how long the answer had lain in a cache (RFC 9111 §5.1)."""
    text = fields.get("age", "").strip()
    return timedelta(seconds=min(int(text), AGE_MAX) if text.isascii() and text.isdigit() and len(text) <= 12 else 0)
