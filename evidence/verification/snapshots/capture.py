"""The logs of a capture inside a forensic package: what was said to be checked before, what was done, and when
(CNP-06 to CNP-08; spec snapshots §10). Only a digest in a log that contradicts the file it names refutes anything."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .. import stated as stated_times
from ..certificates.claim import Claim
from ..codecs.inflate import LimitReached
from ..codecs.quotation import quote
from ..reasons import Reason
from ..stated import What
from ..verdict import Bearing, Finding, failed, indeterminate, instant, passed
from . import capture_log, hash_rows, name_lookups
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
LOGS_MAX = 10
"""Logs of one kind: of a computer and of a telephone, before and after."""

_CHECK_LOG = re.compile(r"清洁|环境检查|自检|check_?log|clean", re.IGNORECASE)
_OPERATION_LOG = re.compile(
    r"操作日志|操作记录|取证日志|过程日志|process_?log|operation|oplog", re.IGNORECASE
)
_PAGE = re.compile(r"\.html?$", re.IGNORECASE)
_TEXT = re.compile(r"\.(?:txt|log|json|jsonl|csv)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Text:
    """A log. `text` None: it could not be read, `limit` says at which bound, if any."""

    name: str
    text: str | None
    limit: str | None = None


def is_log(name: str) -> bool:
    """Is a member named like one of the two logs of a capture?"""
    base = name.rpartition("/")[2]
    return bool(_CHECK_LOG.search(base) or _OPERATION_LOG.search(base))


def has_operation_log(container: Container) -> bool:
    return any(_OPERATION_LOG.search(m.name.rpartition("/")[2]) for m in container.files)


def findings(container: Container, claims: Sequence[Claim], stated: list[stated_times.Stated]) -> list[Finding]:
    """CNP-06 to CNP-08, for what looks like a capture: a zip with neither log nor saved page is not asked about them. `stated`
    takes the times of the logs (first and last) and of the saved pages."""
    checks, operations = _texts_of(container, _CHECK_LOG), _texts_of(container, _OPERATION_LOG)
    pages = _saved_pages(container)
    if not checks and not operations and not pages:
        return []
    check_logs = [capture_log.read_log(x.name, x.text) for x in checks if x.text is not None]
    logs = [capture_log.read_log(x.name, x.text) for x in operations if x.text is not None]
    limit = _limit(operations, logs)
    checked = [log.times for log in check_logs]
    logged = [log.times for log in logs if not any(t.source == x.name for t in log.times[:1] for x in checks)]
    for told in ([t for times in checked for t in times], [t for times in logged for t in times]):
        known = sorted((t for t in told if t.instant is not None), key=lambda t: (str(t.instant), t.text)) or told
        stated += [_as_stated(container, t, What.LOGGED) for t in dict.fromkeys(known[:1] + known[-1:])]
    stated += [_as_stated(container, t, What.CAPTURED) for _, _, t in pages if t is not None]
    cleanliness = [_cleanliness(container, x) for x in checks] or [_cleanliness(container, None)]
    return [
        *cleanliness,
        _operations(container, logs, check_logs, pages, limit),
        _time_order(container, checked, logged, pages, claims, limit or _limit(checks, check_logs)),
    ]


def _limit(texts: Sequence[_Text], logs: Sequence[Log]) -> str | None:
    """The first bound at which one of them was not read to its end."""
    return next((limit for limit in [*(x.limit for x in texts), *(log.limit for log in logs)] if limit), None)


def _as_stated(container: Container, time: Stated, what: What) -> stated_times.Stated:
    return stated_times.captured(f"{container.subject} · {quote(time.source)}", time.text, time.instant, what=what)


def _cleanliness(container: Container, check_log: _Text | None) -> Finding:
    """CNP-06."""
    if check_log is None:
        return indeterminate(
            CLEANLINESS, Reason.SIGNED_DATA_NOT_FOUND, container.subject, bearing=Bearing.ADVISORY
        )
    subject = f"{container.subject} · {quote(check_log.name)}"
    if check_log.text is None:
        reason = Reason.RESOURCE_LIMIT if check_log.limit else Reason.UNSUPPORTED_FORMAT
        return indeterminate(CLEANLINESS, reason, subject, actual=check_log.limit, bearing=Bearing.ADVISORY)
    found = matrix(capture_log.lines_of(check_log.text))
    notes = [f"CLEAN_{item}:{found.found[item]}" for item, _ in ITEMS if item in found.found]
    notes += [f"CLEAN_{item}_ABSENT" for item in found.absent]
    notes += [f"ABNORMAL_LINE:{n} {quote(line)}" for n, line in found.abnormal]
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
    container: Container,
    logs: Sequence[Log],
    check_logs: Sequence[Log],
    pages: Sequence[tuple[str, str, Stated | None]],
    limit: str | None,
) -> Finding:
    """CNP-07: digests in the logs against the files, addresses in the logs against those in saved pages, the servers spoken to against
    what their names were resolved to."""
    subject = container.subject
    if not logs and limit is None:
        return indeterminate(OPERATIONS, Reason.SIGNED_DATA_NOT_FOUND, subject, bearing=Bearing.ADVISORY)
    for name, values in [item for log in logs for item in log.named.items()]:
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
    logged = [d for log in logs for d in log.digests]
    strangers = [d for d in logged if d not in everything]
    conflicts = [f"CONFLICT:{d}" for d in dict.fromkeys(strangers)]
    visited = {url for log in logs for url in log.urls}
    conflicts += [
        f"CONFLICT:{quote(name)} {quote(url)}" for name, url, _ in pages if visited and url not in visited
    ]
    lookups: dict[str, set[str]] = {}
    for log in (*logs, *check_logs):
        for name, addresses in log.lookups.items():
            lookups.setdefault(name, set()).update(addresses)
    conflicts += dict.fromkeys(
        f"CONFLICT:{quote(host)} {address}, DNS {', '.join(sorted(lookups[host])[:NAMED_MAX])}"
        for log in logs
        for host, address in name_lookups.strangers(log.visits, lookups)
    )
    agreed = (f"LOGGED_DIGESTS_MATCHED:{len(logged) - len(strangers)}",)
    if conflicts:
        return indeterminate(
            OPERATIONS, Reason.FACTS_CONFLICT, subject, notes=agreed + tuple(conflicts[:NAMED_MAX])
        )
    if limit is not None:
        return indeterminate(
            OPERATIONS, Reason.RESOURCE_LIMIT, subject, actual=limit, notes=agreed, bearing=Bearing.ADVISORY
        )
    return passed(OPERATIONS, subject, notes=agreed)


def _time_order(
    container: Container,
    check_logs: Sequence[Sequence[Stated]],
    operations: Sequence[Sequence[Stated]],
    pages: Sequence[tuple[str, str, Stated | None]],
    claims: Sequence[Claim],
    limit: str | None,
) -> Finding:
    """CNP-08: cleanliness check, operations, saved pages, certificate. All of them are statements, so no order of theirs refutes anything."""
    subject = container.subject
    captured = [t for _, _, t in pages if t is not None]
    checked, logged = [t for times in check_logs for t in times], [t for times in operations for t in times]
    certified = [Stated(c.source, c.time.text, c.time.instant, "") for c in claims if c.time is not None]
    times = [*checked, *logged, *captured, *certified]
    notes = tuple(
        f"TIME_STATED:{quote(t.source)} {quote(t.text, length=60)}"
        for t in [*checked[-1:], *logged[-1:], *captured, *certified][:NAMED_MAX]
    )
    if limit is not None:
        return indeterminate(
            TIME_ORDER, Reason.RESOURCE_LIMIT, subject, actual=limit, notes=notes, bearing=Bearing.ADVISORY
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
    told = [[t.instant for t in times if t.instant is not None] for times in (*check_logs, *operations)]
    first, last_check = (
        min((t.instant for t in logged if t.instant is not None), default=None),
        max((t.instant for t in checked if t.instant is not None), default=None),
    )
    latest_capture = max((t.instant for t in (*checked, *logged, *captured) if t.instant is not None), default=None)
    ends = [t.instant for t in certified if t.instant is not None]
    in_order = all(moments == sorted(moments) for moments in told) and (
        latest_capture is None or not ends or latest_capture <= min(ends)
    )
    saved = min((t.instant for t in captured if t.instant is not None), default=None)
    in_order = in_order and all(t is None or last_check is None or last_check <= t for t in (first, saved))
    if not in_order:
        return indeterminate(
            TIME_ORDER, Reason.TIMESTAMP_ORDER_FAILURE, subject, notes=notes, bearing=Bearing.ADVISORY
        )
    last = latest_capture or min(ends)
    return passed(TIME_ORDER, subject, actual=instant(last), notes=notes, bearing=Bearing.ADVISORY)


def _texts_of(container: Container, name: re.Pattern[str]) -> list[_Text]:
    """The members whose file name fits and says that they are text."""
    found: list[_Text] = []
    for member in container.files:
        base = member.name.rpartition("/")[2]
        if name.search(base) and _TEXT.search(base):
            if len(found) >= LOGS_MAX:
                found.append(_Text(member.name, None, "LOGS_MAX"))
                break
            try:
                data = container.read(member, limit=LOG_MAX, name="LOG_MAX")
                found.append(_Text(member.name, hash_rows.decode(data or b"")[0]))
            except NotAHashList:
                found.append(_Text(member.name, None))
            except LimitReached as reached:
                found.append(_Text(member.name, None, reached.limit))
    return found


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
