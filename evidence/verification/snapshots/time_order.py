"""Times that a file states of itself against the time by which its bytes are proven to have existed (spec snapshots §10, CNP-08).

Statements refute nothing among themselves. But a file that stood on a chain or under a time-stamp by some moment cannot hold, say, a
log of what was done hours later: then the statement is untrue, whoever's clock it was.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from ..reasons import Reason
from ..registry import Context
from ..stated import By, Stated, What
from ..verdict import Bearing, Examination, Finding, Walk, bound, failed, indeterminate, instant, passed

ORDER = "STATED.ORDER"
SKEW = timedelta(minutes=10)
"""By how much the clock of a capturing machine may run ahead of the proving one before it says something: nobody set either
by the other. A wrong time zone is off by half an hour at least."""
DECIDING = ("forensic-package",)
"""Formats whose order of times is one of the checks that decide (spec snapshots §1.3: CNP-08); of others it is shown."""
NAMED_MAX = 5


def examine(context: Context, walks: Sequence[Walk], stated: Sequence[Stated]) -> Examination:
    """One finding for each content file that has a proven time and states times with their zones, and one for each certificate
    issued before anything was proven."""
    content = {s.sha256 for s in context.content}
    proven = [w.time.not_after for w in walks if w.file in content and w.complete and w.time is not None]
    early = _issued_too_early(stated, min(proven)) if proven else ()
    return Examination(findings=(*_findings(context, walks, stated), *early))


def _findings(context: Context, walks: Sequence[Walk], stated: Sequence[Stated]) -> Iterator[Finding]:
    names = [s.name for s in context.exhibit.sources]
    for source in context.content:
        proven = [w.time.not_after for w in walks if w.file == source.sha256 and w.complete and w.time is not None]
        mine = sorted(
            (t.instant, t.source, t.text)
            for t in stated
            if t.instant is not None and t.by is By.CAPTURE and source.name in _owners(t.source, names)
        )
        if not proven or not mine:
            continue
        limit = min(proven)
        late = [t for t in mine if t[0] > limit + SKEW]
        deciding = context.formats[source].name in DECIDING
        bearing = Bearing.REFUTING if deciding else Bearing.ADVISORY
        expected, actual = f"≤ {bound(limit)}", instant(mine[-1][0])
        if late:
            notes = tuple(f"TIME_STATED:{where} {text}" for _, where, text in late[-NAMED_MAX:])
            owners = {name for _, where, _ in late for name in _owners(where, names)}
            if len({s.sha256 for s in context.exhibit.sources if s.name in owners}) > 1:
                # Which of the files of such names states it is not known: no contradiction, and no escape from one.
                unclear = Bearing.DECISIVE if deciding else Bearing.ADVISORY
                yield indeterminate(
                    ORDER,
                    Reason.TIMESTAMP_ORDER_FAILURE,
                    source.name,
                    expected=expected,
                    actual=actual,
                    notes=notes,
                    bearing=unclear,
                )
                continue
            yield failed(
                ORDER,
                Reason.TIMESTAMP_ORDER_FAILURE,
                source.name,
                expected=expected,
                actual=actual,
                notes=notes,
                bearing=bearing,
            )
        else:
            yield passed(ORDER, source.name, expected=expected, actual=actual, bearing=bearing)


def _issued_too_early(stated: Sequence[Stated], limit: datetime) -> Iterator[Finding]:
    """A certificate that was issued before what it speaks of was recorded anywhere. `limit`: the earliest proven time of the
    exhibit. A proof says "not later than", so this refutes nothing."""
    for time in stated:
        if time.by is By.PLATFORM and time.what is What.ISSUED and time.instant and time.instant < limit - SKEW:
            yield indeterminate(
                ORDER,
                Reason.TIMESTAMP_ORDER_FAILURE,
                time.source,
                expected=f"≥ {instant(limit)}",
                actual=instant(time.instant),
                bearing=Bearing.ADVISORY,
            )


def _owners(where: str, names: Iterable[str]) -> frozenset[str]:
    """The files that a place such as `page.zip · log.json` can lie in: one, unless names were chosen to be mistaken."""
    return frozenset(n for n in names if where == n or where.startswith(f"{n} · "))
