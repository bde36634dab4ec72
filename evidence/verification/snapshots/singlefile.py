"""Pages saved by SingleFile: one HTML file with everything in it (spec snapshots §8).

SingleFile writes where the page came from and when into a comment, and signs nothing. What is found here are facts about the file;
none of them decides, and only something outside binds its bytes, so no walk starts here.
"""

import re
from collections.abc import Iterator, Sequence

from ..codecs.inflate import LimitReached
from ..codecs.quotation import quote
from ..exhibit import Source
from ..reasons import Reason
from ..registry import Context
from ..stated import Stated, captured
from ..verdict import Bearing, Examination, Finding, indeterminate, passed

COMMENT, CONTAINED, BINDING = "SF.COMMENT", "SF.SELF_CONTAINED", "SF.BINDING"
NOT_PROVEN = ("NOT_PROVEN.CAPTURE_HOST", "NOT_PROVEN.CAPTURE_TIME", "NOT_PROVEN.REPLAY")

HEAD = 64 << 10
"""Bytes in which SingleFile writes its comment."""
PAGE_MAX = 64 << 20
"""Bytes of a page that is searched for what it lacks; it is held in memory whole."""
NAMED_MAX = 20

_MARK = b"Page saved with SingleFile"
_COMMENT_END = re.compile(r"--!?>")
_BEGINS = (b"<!doctype html", b"<html", b"<!--")


def sniff(source: Source) -> int:
    """An HTML page in whose beginning SingleFile names itself."""
    head = source.head(HEAD)
    if not head.removeprefix(b"\xef\xbb\xbf").lstrip()[:16].lower().startswith(_BEGINS):
        return 0
    return 80 if _MARK in head else 0


def examine(sources: Sequence[Source], context: Context) -> Examination:
    stated: list[Stated] = []
    findings: list[Finding] = []
    for source in sources:
        findings.append(_comment(source, stated))
        findings.append(_contained(source))
        findings.append(indeterminate(BINDING, Reason.NO_POE, source.name, bearing=Bearing.ADVISORY))
    return Examination(findings=tuple(findings), not_proven=NOT_PROVEN, stated=tuple(stated))


def _comment(source: Source, stated: list[Stated]) -> Finding:
    """SF-01: the comment is there, can be read, stands where SingleFile writes it, and is the only one. The words of a page may
    hold another, which its author wrote."""
    from . import capture_log
    from .container import names_at_a_glance

    head = source.head(HEAD).decode("utf-8", "replace").removeprefix("\ufeff")
    comments = list(_comments(head))
    pages = [p for c in comments if (p := capture_log.saved_page(source.name, c)) is not None]
    own = capture_log.saved_page(source.name, head)
    notes = tuple(f"SAVED_FROM:{quote(address)}" for address, _ in pages[:NAMED_MAX])
    notes += ("ALSO_A_ZIP",) if names_at_a_glance(source) else ()
    if own is None:
        notes += ("COMMENT_ELSEWHERE",) if pages else ()
        return indeterminate(COMMENT, Reason.UNSUPPORTED_FORMAT, source.name, notes=notes, bearing=Bearing.ADVISORY)
    time = own[1]
    if time is not None:
        stated.append(captured(source.name, time.text, time.instant))
    if len(comments) > 1:
        return indeterminate(
            COMMENT,
            Reason.FACTS_CONFLICT,
            source.name,
            expected="1",
            actual=str(len(comments)),
            notes=notes,
            bearing=Bearing.ADVISORY,
        )
    return passed(COMMENT, source.name, notes=notes, bearing=Bearing.ADVISORY)


def _comments(head: str) -> Iterator[str]:
    """The comments that begin with SingleFile's name."""
    at = 0
    while (start := head.find("<!--", at)) >= 0:
        end = _COMMENT_END.search(head, start + 2)
        text = head[start : end.start() if end else len(head)]
        if text[4:].lstrip().startswith(_MARK.decode()):
            yield text
        if end is None:
            return
        at = end.end()


def _contained(source: Source) -> Finding:
    """SF-02: whatever the page needs to be shown is inside it, as `data:`."""
    from . import references

    data = source.read(PAGE_MAX)
    try:
        if data is None:
            raise LimitReached("PAGE_MAX")
        missing = references.of_page(data).needed
    except LimitReached as reached:
        return indeterminate(
            CONTAINED, Reason.RESOURCE_LIMIT, source.name, actual=reached.limit, bearing=Bearing.ADVISORY
        )
    if missing:
        return indeterminate(
            CONTAINED,
            Reason.RESOURCE_MISSING,
            source.name,
            expected="0",
            actual=str(len(missing)),
            notes=tuple(f"NEEDED:{quote(a)}" for a in list(missing)[:NAMED_MAX]),
            bearing=Bearing.ADVISORY,
        )
    return passed(CONTAINED, source.name, bearing=Bearing.ADVISORY)
