"""Which of two files is proven to have existed earlier, in one sentence that says no more than the proofs do.

A proof gives an upper bound. So "A by T_A; the earliest point proven for B is T_B" is all that can be said, and only where the two
clocks leave no doubt which of the points lies first; never that B did not exist before.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from evidence.verification import catalogue

from . import moments

if TYPE_CHECKING:
    from .points import Point
    from .timeline import Track

NAMED_MAX = 4
"""Files that cannot be ordered among themselves which a sentence names."""


def of_two(left: "Track", right: "Track") -> tuple[str, tuple[str, ...]]:
    """(the sentence, what must be read with it)."""
    caveats = tuple(_state(t) for t in (left, right) if _state(t))
    if left.sha256 == right.sha256:
        return _("两者是同一个文件（SHA-256 相同），没有先后可分。"), caveats
    refuted = [t for t in (left, right) if t.refuted]
    if refuted:
        names = _("、").join(t.name for t in refuted)
        said = _("%(names)s的核验结论是“核验不一致”，这里不比较先后；请先看核验结论。") % {"names": names}
        return said, caveats
    a, b = left.bound, right.bound
    if a and b:
        return _both(left, a, right, b), caveats
    if a:
        return _only(left, a, right), caveats
    if b:
        return _only(right, b, left), caveats
    return _neither(left, right), caveats


def of_case(tracks: Sequence["Track"]) -> tuple[str, tuple[str, ...]]:
    """The same over every file of a case: `tracks` earliest proven first."""
    proven = [(t, t.bound) for t in tracks if t.bound and not t.refuted]
    refuted = sum(t.refuted for t in tracks)
    caveats = []
    if refuted:
        caveats.append(
            ngettext(
                "%(n)d 个文件所在证据的核验结论是“核验不一致”，没有计入比较。",
                "%(n)d 个文件所在证据的核验结论是“核验不一致”，没有计入比较。",
                refuted,
            )
            % {"n": refuted}
        )
    if not proven:
        return _("没有一个文件有得到证明的时间，分不出先后。本院收到的时间和各自声称的时间列在下面。"), tuple(caveats)
    caveats.append(_("得到证明的时间是上限：文件不晚于此时已存在，不说明何时产生，也不说明别的文件当时还不存在。"))
    count = _("共 %(all)d 个文件，%(proven)d 个有得到证明的时间。") % {"all": len(tracks), "proven": len(proven)}
    first, bound = proven[0]
    level = [t for t, b in proven if not _before(bound, b)]
    if len(level) > 1:
        names = _("、").join(t.name for t in level[:NAMED_MAX])
        more = _("等 %(n)d 个") % {"n": len(level)} if len(level) > NAMED_MAX else ""
        said = _("最早得到证明的是 %(names)s%(more)s，最早一个不晚于 %(time)s已存在；相差在时钟误差之内，它们之间分不出先后。")
        return count + said % {"names": names, "more": more, "time": _time(bound)}, tuple(caveats)
    said = _("最早得到证明的是 %(name)s：不晚于 %(time)s已存在。")
    return count + said % {"name": first.name, "time": _time(bound)}, tuple(caveats)


def _both(left: "Track", a: "Point", right: "Track", b: "Point") -> str:
    if _before(a, b):
        return _ordered(left, a, right, b)
    if _before(b, a):
        return _ordered(right, b, left, a)
    said = _(
        "%(a)s不晚于 %(at)s已存在，%(b)s不晚于 %(bt)s已存在，这两点都已证明；但两个时间相差在时钟误差之内，分不出先后。"
    )
    return said % {"a": left.name, "at": _time(a), "b": right.name, "bt": _time(b)}


def _ordered(first: "Track", a: "Point", second: "Track", b: "Point") -> str:
    said = _(
        "%(a)s不晚于 %(at)s已存在，这一点已证明；%(b)s最早得到证明的时间是 %(bt)s。这不说明%(b_key)s在此之前不存在。"
    )
    return said % {"a": first.name, "at": _time(a), "b": second.name, "bt": _time(b), "b_key": second.key}


def _only(one: "Track", bound: "Point", other: "Track") -> str:
    said = _("%(a)s不晚于 %(at)s已存在，这一点已证明；%(b)s没有得到证明的时间，两者分不出先后。") % {
        "a": one.name,
        "at": _time(bound),
        "b": other.name,
    }
    had = other.received
    if had is not None and had.at is not None:
        said += _("本院收到%(b_key)s的时间是 %(time)s。") % {"b_key": other.key, "time": _time(had)}
    return said


def _neither(left: "Track", right: "Track") -> str:
    said = _("%(a)s和%(b)s都没有得到证明的时间，只有各自的说法，分不出先后。") % {"a": left.name, "b": right.name}
    for track in (left, right):
        had = track.received
        if had is not None and had.at is not None:
            said += _("本院收到%(b_key)s的时间是 %(time)s。") % {"b_key": track.key, "time": _time(had)}
    return said


def _before(a: "Point", b: "Point") -> bool:
    """Is the latest that one clock leaves open earlier than the earliest of the other?"""
    return a.latest is not None and b.earliest is not None and a.latest < b.earliest


def _time(point: "Point") -> str:
    """`2026-03-01 10:00:00（北京时间，时间戳机构的时钟，A 级）`."""
    moment = point.court_time
    parts = [_("北京时间"), *([clock] if (clock := clock_of(point)) else [])]
    if point.grade:
        parts.append(_("%(grade)s 级") % {"grade": point.grade})
    return _("%(moment)s（%(parts)s）") % {"moment": moment, "parts": _("，").join(parts)}


def clock_of(point: "Point") -> str:
    """Whose clock a proven or received time is by."""
    if point.clock == "COURT":
        return _("本院的时钟")
    try:
        return catalogue.statement(f"TIME.{point.clock}", moments.language()) if point.clock else ""
    except catalogue.CatalogueError:
        return point.clock


def _state(track: "Track") -> str:
    """What keeps the times of a file from being read as they stand."""
    if not track.overall:
        return _("%(name)s还没有您可以看的核验结果。") % {"name": track.name}
    if track.late:
        return _("%(name)s写明的时间有的晚于已证明或本院收到的时间，两者不能同时成立，见下面标出的各行。") % {"name": track.name}
    return ""
