"""Forensic packages 取证包 as a judge reads them: the cleanliness check as a matrix, the times of the capture by step, the time-stamps inside
beside what they stamp (spec snapshots §10). Rows out of a verdict document; every answer in it is the engine's.

A log is written by the capturing side: a line shows that a step was written down, not that it was done.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from evidence.verification.snapshots.cleanliness import ITEMS

from . import moments, timeline
from .points import Document, Point

FORMAT = "forensic-package"
CLEANLINESS, ORDER, STAMPS = "CNP.CLEANLINESS", "CNP.TIME_ORDER", "CNP.STAMPS"
PACKAGES_SHOWN = 5
"""Packages of one exhibit that are drawn; the findings name them all."""
QUOTED_MAX = 10

LABELS: dict[str, Promise] = {
    "TIME": _("时间同步、标准时间"),
    "SYSTEM": _("操作系统与环境"),
    "VIRUS": _("病毒木马扫描"),
    "PROCESS": _("进程列表"),
    "HOSTS": _("hosts 文件"),
    "DNS": _("DNS 与网络配置"),
    "PROXY": _("代理设置"),
    "ROUTE": _("路由跟踪"),
    "BROWSER": _("浏览器缓存、Cookie、历史记录"),
    "PING": _("连通测试（ping）"),
}
STEPS: tuple[tuple[Promise, frozenset[str]], ...] = (
    (_("清洁性检查和操作日志"), frozenset({"LOGGED", "CAPTURE_BEGUN"})),
    (_("保存网页"), frozenset({"CAPTURED", "PUBLISHED", "SERVER_DATE"})),
    (_("计算哈希、打包"), frozenset({"PACKAGED"})),
    (_("登记：上链或时间戳"), frozenset({"RECORDED", "UNANCHORED", "ON_CHAIN", "STAMPED", "CHECKPOINTED", "BOUND"})),
    (_("出证"), frozenset({"ISSUED"})),
    (_("本院收到"), frozenset({"RECEIVED"})),
)
"""The order that the capture, its hash and its record are said to have: log < capture < hash < chain < certificate."""


@dataclass(frozen=True, slots=True)
class Item:
    """`line` of the log that mentions it, from 1; None: not found."""

    number: str
    label: str
    line: int | None


@dataclass(frozen=True, slots=True)
class Cleanliness:
    """One log of the check before the capture. `items` empty: the log was not found or could not be read, and `reason` says why."""

    log: str
    items: tuple[Item, ...]
    abnormal: tuple[tuple[str, str], ...]
    """(line number, text) of lines that report something abnormal."""
    reason: str

    @property
    def found(self) -> int:
        return sum(i.line is not None for i in self.items)


@dataclass(frozen=True, slots=True)
class Step:
    """One step and the times that are said or proven of it, those without a zone last."""

    label: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Stamp:
    """A file and a time-stamp in the package. `state`: STAMPED (the token holds and is the file's), OPEN (the file's, but it does not
    reach an anchor), NO_FILE, NO_TOKEN, UNREADABLE."""

    state: str
    file: str
    token: str
    time: datetime | None = None

    @property
    def court_time(self) -> str:
        return moments.court_time(self.time) if self.time else ""


@dataclass(slots=True)
class Package:
    name: str
    checks: list[Cleanliness] = field(default_factory=list)
    steps: tuple[Step, ...] = ()
    order: str = ""
    """Outcome of CNP.TIME_ORDER, "" when it was not asked."""
    order_reason: str = ""
    stamps: list[Stamp] = field(default_factory=list)

    @property
    def worth_showing(self) -> bool:
        return bool(self.checks or self.stamps or self.order)


def of_document(document: Document, *, received: datetime | None) -> list[Package]:
    """The packages of an exhibit in the order of its files. `document` is a verdict of any engine."""
    found: list[Package] = []
    for source in document.get("sources") or ():
        if source.get("format") != FORMAT or len(found) >= PACKAGES_SHOWN:
            continue
        package = Package(str(source.get("name")))
        findings = [f for f in document.get("findings") or () if _about(f, package.name)]
        package.checks = [_cleanliness(f, package.name) for f in findings if f["check"] == CLEANLINESS]
        package.stamps = [s for f in findings if f["check"] == STAMPS for s in _stamps(f["notes"])]
        order = next((f for f in findings if f["check"] == ORDER), None)
        if order is not None:
            package.order, package.order_reason = str(order["outcome"]), str(order["reason"] or "")
            package.steps = _steps(document, package.name, str(source.get("sha256")), received)
        if package.worth_showing:
            found.append(package)
    return found


def _about(finding: Mapping[str, Any], name: str) -> bool:
    subject = str(finding.get("subject"))
    return subject == name or subject.startswith(f"{name} · ")


# ── the matrix ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _cleanliness(finding: Mapping[str, Any], name: str) -> Cleanliness:
    lines: dict[str, int] = {}
    abnormal: list[tuple[str, str]] = []
    told: set[str] = set()
    for code in finding["notes"]:
        note, _colon, detail = str(code).partition(":")
        if note == "ABNORMAL_LINE":
            number, _blank, text = detail.partition(" ")
            abnormal.append((number, text))
        elif note.startswith("CLEAN_"):
            item = note.removeprefix("CLEAN_").removesuffix("_ABSENT")
            told.add(item)
            if detail.isascii() and detail.isdigit() and len(detail) < 10:
                lines[item] = int(detail)
    items = tuple(
        Item(f"K{n:02d}", str(LABELS[item]), lines.get(item)) for n, (item, _keys) in enumerate(ITEMS, start=1) if told
    )
    log = str(finding["subject"]).removeprefix(name).removeprefix(" · ")
    return Cleanliness(log, items, tuple(abnormal[:QUOTED_MAX]), str(finding["reason"] or ""))


# ── the steps ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _steps(document: Document, name: str, sha256: str, received: datetime | None) -> tuple[Step, ...]:
    track = timeline.track(name, name=name, sha256=sha256, document=document, received=received)
    return tuple(
        Step(str(label), tuple(p for p in (*track.points, *track.unplaced) if p.what in kinds)) for label, kinds in STEPS
    )


# ── the time-stamps ───────────────────────────────────────────────────────────────────────────────────────────────────

_STAMPED = re.compile(r" (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3})?Z) ")


def _stamps(notes: Sequence[str]) -> list[Stamp]:
    found: list[Stamp] = []
    for code in notes:
        note, _colon, detail = str(code).partition(":")
        if note in ("MEMBER_STAMPED", "MEMBER_STAMP_OPEN"):
            found.append(_paired(detail, "STAMPED" if note == "MEMBER_STAMPED" else "OPEN"))
        elif note == "TOKEN_WITHOUT_PARTNER":
            found.append(Stamp("NO_FILE", "", detail))
        elif note == "TOKEN_UNREADABLE":
            found.append(Stamp("UNREADABLE", "", detail))
        elif note == "UNSTAMPED":
            found.append(Stamp("NO_TOKEN", detail, ""))
    return found


def _paired(detail: str, state: str) -> Stamp:
    """`file time token`. A name may hold what looks like a time: then it is not guessed where one ends, all of it is shown."""
    parts = _STAMPED.split(detail)
    if len(parts) != 3:
        return Stamp(state, detail, "")
    return Stamp(state, parts[0], parts[2], moments.parsed(parts[1]))

