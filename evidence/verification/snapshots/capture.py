"""The logs of a capture inside a forensic package: what was said to be checked before, what was done, and when
(CNP-06 to CNP-08; spec snapshots §10). Only a digest in a log that contradicts the file it names refutes anything."""

import re
from collections.abc import Sequence

from .. import stated as stated_times
from ..certificates.claim import Claim
from ..codecs.inflate import LimitReached
from ..codecs.quotation import quote
from ..reasons import Reason
from ..stated import What
from ..verdict import Bearing, Finding, failed, indeterminate, instant, passed
from . import capture_log, hash_rows
from .capture_log import Log, Stated
from .cleanliness import ITEMS, matrix
from .container import Container
from .hash_rows import NotAHashList

CLEANLINESS = "CNP.CLEANLINESS"
OPERATIONS = "CNP.OPERATIONS"
TIME_ORDER = "CNP.TIME_ORDER"

NAMED_MAX = 5
LOG_MAX = 4 << 20
"""Bytes of a log that is read."""

_CHECK_LOG = re.compile(r"清洁|环境检查|自检|check_?log|clean", re.IGNORECASE)
_OPERATION_LOG = re.compile(
    r"操作日志|操作记录|取证日志|过程日志|process_?log|operation|oplog", re.IGNORECASE
)
_PAGE = re.compile(r"\.html?$", re.IGNORECASE)
_TEXT = re.compile(r"\.(?:txt|log|json|jsonl|csv)$", re.IGNORECASE)


def is_log(name: str) -> bool:
    """Is a member named like one of the two logs of a capture?"""
    base = name.rpartition("/")[2]
    return bool(_CHECK_LOG.search(base) or _OPERATION_LOG.search(base))


def has_operation_log(container: Container) -> bool:
    return any(_OPERATION_LOG.search(m.name.rpartition("/")[2]) for m in container.files)


def findings(container: Container, claims: Sequence[Claim], stated: list[stated_times.Stated]) -> list[Finding]:
    """CNP-06 to CNP-08, for what looks like a capture: a zip with neither log nor saved page is not asked about them. `stated`
    takes the times of the logs (first and last) and of the saved pages."""
    check_log = _text_of(container, _CHECK_LOG)
    operations = _text_of(container, _OPERATION_LOG)
    pages = _saved_pages(container)
    if check_log is None and operations is None and not pages:
        return []
    log = capture_log.read_log(*operations) if operations is not None else None
    checked = list(capture_log.read_log(*check_log).times) if check_log is not None else []
    for told in (checked, list(log.times) if log is not None else []):
        known = sorted((t for t in told if t.instant is not None), key=lambda t: (str(t.instant), t.text)) or told
        stated += [_as_stated(container, t, What.LOGGED) for t in dict.fromkeys(known[:1] + known[-1:])]
    stated += [_as_stated(container, t, What.CAPTURED) for _, _, t in pages if t is not None]
    return [
        _cleanliness(container, check_log),
        _operations(container, log, pages),
        _time_order(container, checked, log, pages, claims),
    ]


def _as_stated(container: Container, time: Stated, what: What) -> stated_times.Stated:
    return stated_times.captured(f"{container.subject} · {quote(time.source)}", time.text, time.instant, what=what)


def _cleanliness(container: Container, check_log: tuple[str, str] | None) -> Finding:
    """CNP-06."""
    if check_log is None:
        return indeterminate(
            CLEANLINESS, Reason.SIGNED_DATA_NOT_FOUND, container.subject, bearing=Bearing.ADVISORY
        )
    name, text = check_log
    found = matrix(text.splitlines())
    notes = [f"CLEAN_{item}:{found.found[item]}" for item, _ in ITEMS if item in found.found]
    notes += [f"CLEAN_{item}_ABSENT" for item in found.absent]
    notes += [f"ABNORMAL_LINE:{n} {quote(line)}" for n, line in found.abnormal]
    subject = f"{container.subject} · {quote(name)}"
    total, count = str(len(ITEMS)), str(len(found.found))
    if found.absent:
        return indeterminate(
            CLEANLINESS,
            Reason.CLEANLINESS_ITEM_ABSENT,
            subject,
            expected=total,
            actual=count,
            notes=tuple(notes),
            bearing=Bearing.ADVISORY,
        )
    return passed(
        CLEANLINESS, subject, expected=total, actual=count, notes=tuple(notes), bearing=Bearing.ADVISORY
    )


def _operations(
    container: Container, log: Log | None, pages: Sequence[tuple[str, str, Stated | None]]
) -> Finding:
    """CNP-07: digests in the log against the files, addresses in the log against those in saved pages."""
    subject = container.subject
    if log is None:
        return indeterminate(OPERATIONS, Reason.SIGNED_DATA_NOT_FOUND, subject, bearing=Bearing.ADVISORY)
    for name, values in log.named.items():
        member = container.named(name)
        have = container.digests.get(member.name, {}) if member is not None else {}
        actual = {d.hex() for d in have.values()}
        for value in values:
            if actual and value not in actual:
                return failed(
                    OPERATIONS,
                    Reason.HASH_FAILURE,
                    f"{subject} · {quote(name)}",
                    expected=value,
                    actual=have["SHA-256"].hex(),
                )
    everything = {d.hex() for have in container.digests.values() for d in have.values()}
    strangers = [d for d in log.digests if d not in everything]
    conflicts = [f"CONFLICT:{d}" for d in dict.fromkeys(strangers)]
    visited = set(log.urls)
    conflicts += [
        f"CONFLICT:{quote(name)} {quote(url)}" for name, url, _ in pages if visited and url not in visited
    ]
    agreed = (f"LOGGED_DIGESTS_MATCHED:{len(log.digests) - len(strangers)}",)
    if conflicts:
        return indeterminate(
            OPERATIONS, Reason.FACTS_CONFLICT, subject, notes=agreed + tuple(conflicts[:NAMED_MAX])
        )
    return passed(OPERATIONS, subject, notes=agreed)


def _time_order(
    container: Container,
    checked: Sequence[Stated],
    log: Log | None,
    pages: Sequence[tuple[str, str, Stated | None]],
    claims: Sequence[Claim],
) -> Finding:
    """CNP-08: cleanliness check, operations, saved pages, certificate. All of them are statements, so no order of theirs refutes anything."""
    subject = container.subject
    captured = [t for _, _, t in pages if t is not None]
    logged = list(log.times) if log is not None else []
    certified = [Stated(c.source, c.time.text, c.time.instant, "") for c in claims if c.time is not None]
    times = [*checked, *logged, *captured, *certified]
    notes = tuple(
        f"TIME_STATED:{quote(t.source)} {quote(t.text, length=60)}"
        for t in ([*checked[-1:]] + logged[-1:] + captured + certified)[:NAMED_MAX]
    )
    if len(times) < 2:
        return indeterminate(
            TIME_ORDER, Reason.SIGNED_DATA_NOT_FOUND, subject, notes=notes, bearing=Bearing.ADVISORY
        )
    faces = {
        (a.face, b.face) for a in logged for b in captured if a.face == b.face and a.instant != b.instant
    }
    if faces or any(t.instant is None for t in times):
        return indeterminate(
            TIME_ORDER, Reason.TIME_ZONE_AMBIGUOUS, subject, notes=notes, bearing=Bearing.ADVISORY
        )
    moments = [t.instant for t in (*checked, *logged) if t.instant is not None]
    latest_capture = max((t.instant for t in (*checked, *logged, *captured) if t.instant is not None), default=None)
    ends = [t.instant for t in certified if t.instant is not None]
    in_order = moments == sorted(moments) and (
        latest_capture is None or not ends or latest_capture <= min(ends)
    )
    if checked and captured:
        before = max((t.instant for t in checked if t.instant is not None), default=None)
        after = min((t.instant for t in captured if t.instant is not None), default=None)
        in_order = in_order and (before is None or after is None or before <= after)
    if not in_order:
        return indeterminate(
            TIME_ORDER, Reason.TIMESTAMP_ORDER_FAILURE, subject, notes=notes, bearing=Bearing.ADVISORY
        )
    last = latest_capture or min(ends)
    return passed(TIME_ORDER, subject, actual=instant(last), notes=notes, bearing=Bearing.ADVISORY)


def _text_of(container: Container, name: re.Pattern[str]) -> tuple[str, str] | None:
    """Name and text of the first member whose file name fits and whose bytes are text."""
    for member in container.files:
        base = member.name.rpartition("/")[2]
        if name.search(base) and _TEXT.search(base):
            try:
                data = container.read(member, limit=LOG_MAX, name="LOG_MAX")
                return member.name, hash_rows.decode(data or b"")[0]
            except (NotAHashList, LimitReached):
                continue
    return None


def _saved_pages(container: Container) -> list[tuple[str, str, Stated | None]]:
    """(member, address, time) of every page that SingleFile saved."""
    found = []
    for member in container.files:
        if _PAGE.search(member.name):
            try:
                head = container.at(member).read(0, capture_log.PAGE_HEAD)
            except LimitReached:  # said by ZIP.LIMITS
                continue
            page = capture_log.saved_page(member.name, head.decode("utf-8", "replace"))
            if page is not None:
                found.append((member.name, *page))
    return found
