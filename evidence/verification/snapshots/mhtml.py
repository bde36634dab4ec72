"""Pages saved as MHTML (RFC 2557; Chromium's "Saved by Blink"): is the message whole, and does the page find its parts in it?
(spec snapshots §7)

The format signs nothing and digests nothing. What is found here are facts about the file; none of them decides, and only something
outside (a chain, a time-stamp) binds its bytes, so no walk starts here.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING
from urllib.parse import unquote, urljoin

from ..codecs.inflate import LimitReached
from ..codecs.quotation import quote
from ..exhibit import Source
from ..reasons import Reason
from ..registry import Context
from ..stated import Stated, captured
from ..verdict import Bearing, Examination, Finding, failed, indeterminate, passed

if TYPE_CHECKING:
    from ..codecs.mime import Message, Part

FORM, RESOURCES, BINDING = "MHT.FORM", "MHT.RESOURCES", "MHT.BINDING"
NOT_PROVEN = ("NOT_PROVEN.CAPTURE_HOST", "NOT_PROVEN.CAPTURE_TIME", "NOT_PROVEN.REPLAY")

SAME_IDENTITY = "RepeatedContentID"
"""A defect of ours: two parts with other content under one Content-ID, of which each reader takes the one it likes."""
NAMED_MAX = 20
"""Parts and missing addresses that are named; the counts are of all."""
_LOOK = 16 << 10
_PAGES = ("text/html", "application/xhtml+xml")
_RELATED = re.compile(rb"^content-type:(?:[ \t]|\r?\n[ \t])*multipart/related", re.IGNORECASE | re.MULTILINE)
_BROWSER = re.compile(rb"^(?:snapshot-content-location:|from:[ \t]*<saved by )", re.IGNORECASE | re.MULTILINE)
_FIELD = re.compile(rb"[!-9;-~]{1,80}:")
_MAIL = re.compile(rb"^(?:received|to|message-id|delivered-to|return-path):", re.IGNORECASE | re.MULTILINE)
_DATE = re.compile(
    r"(?:[A-Za-z]{3},\s*)?([0-9]{1,2}) ([A-Za-z]{3}) ([0-9]{4}) ([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?"
    r" (?:(GMT|UTC?|Z)|([+-])([0-9]{2})([0-9]{2}))",
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def sniff(source: Source) -> int:
    """A message header that says `multipart/related` and was not delivered as mail."""
    head = source.head(_LOOK)
    if _FIELD.match(head) is None or b"multipart/related" not in head.lower():
        return 0
    header = re.split(rb"\r?\n\r?\n", head, maxsplit=1)[0]
    if _RELATED.search(header) is None or _MAIL.search(header):
        return 0
    return 85 if _BROWSER.search(header) else 40


def examine(sources: Sequence[Source], context: Context) -> Examination:
    findings: list[Finding] = []
    stated: list[Stated] = []
    for source in sources:
        findings += _examine(source, stated)
        findings.append(indeterminate(BINDING, Reason.NO_POE, source.name, bearing=Bearing.ADVISORY))
    return Examination(findings=tuple(findings), not_proven=NOT_PROVEN, stated=tuple(stated))


def _examine(source: Source, stated: list[Stated]) -> Iterator[Finding]:
    from ..codecs import mime

    try:
        data = source.read(mime.MESSAGE_MAX)
        if data is None:
            raise LimitReached("MESSAGE_MAX")
        message = mime.read(data)
    except LimitReached as reached:
        yield _limited(FORM, source, reached)
        return
    date = message.header.get("date")
    if date:
        stated.append(captured(source.name, date, instant_of(date)))
    yield _form(source, data, message)
    yield _resources(source, data, message)


def _form(source: Source, data: bytes, message: "Message") -> Finding:
    """MHT-01, with the digest of every part (the first `NAMED_MAX` are named)."""
    from ..codecs import mime
    from .container import names_at_a_glance

    defects = list(message.defects)
    named: list[str] = []
    by_identity: dict[str, bytes] = {}
    by_address: dict[str, set[bytes]] = {}
    for part in message.parts:
        content, defect = mime.body(data, part)
        defects += [defect] if defect else []
        whole = hashlib.sha256(content).digest()
        identity, address = part.header.get("content-id"), part.header.get("content-location")
        if identity and by_identity.setdefault(identity.strip(), whole) != whole:
            defects.append(SAME_IDENTITY)
        if address:
            by_address.setdefault(_plain(address.strip()), set()).add(whole)
        if len(named) < NAMED_MAX:
            place = part.header.get("content-location") or part.header.get("content-id") or "–"
            digest = f"SHA-256 {whole.hex()}" if defect is None else defect
            named.append(f"PART:{part.header.content_type} {quote(place, length=100)} {digest}")
    defects = list(dict.fromkeys(defects))
    nested = sum(p.header.content_type.startswith("multipart/") for p in message.parts)
    notes = (
        f"PARTS:{len(message.parts)}",
        *(["LINE_FEEDS"] if message.bare_line_feeds else []),
        *([f"NESTED_MESSAGE:{nested}"] if nested else []),
        *([f"BEFORE_THE_PARTS:{message.leading}"] if message.leading else []),
        *([f"AFTER_THE_END:{message.trailing}"] if message.trailing else []),
        *(["START_ELSEWHERE"] if _starts_elsewhere(message) else []),
        *(f"SAME_ADDRESS:{quote(a)}" for a in [a for a, n in by_address.items() if len(n) > 1][:NAMED_MAX]),
        *(["ALSO_A_ZIP"] if names_at_a_glance(source) else []),
        *(f"DEFECT:{name}" for name in defects),
        *named,
    )
    if not defects:
        return passed(FORM, source.name, notes=notes, bearing=Bearing.ADVISORY)
    reason = Reason.TRUNCATED if defects == [mime.NO_CLOSE] else Reason.FORMAT_FAILURE
    return failed(FORM, reason, source.name, actual=", ".join(defects), notes=notes, bearing=Bearing.ADVISORY)


def _starts_elsewhere(message: "Message") -> bool:
    """Does `start` (RFC 2387 §3.2) name another part than the first page, which browsers show?"""
    start = message.header.parameter("start")
    page = next((p for p in message.parts if p.header.content_type in _PAGES), None)
    return start is not None and (page is None or (page.header.get("content-id") or "").strip() != start.strip())


def _resources(source: Source, data: bytes, message: "Message") -> Finding:
    """MHT-02: what the first page of the message needs is among its parts, by content id or by address."""
    from ..codecs import mime
    from . import references

    page = next((p for p in message.parts if p.header.content_type in _PAGES), None)
    if page is None:
        return indeterminate(RESOURCES, Reason.SIGNED_DATA_NOT_FOUND, source.name, bearing=Bearing.ADVISORY)
    try:
        needed = references.of_page(mime.body(data, page)[0])
    except LimitReached as reached:
        return _limited(RESOURCES, source, reached)
    place = page.header.get("content-location") or message.header.get("snapshot-content-location") or ""
    place = place if len(place) <= references.ADDRESS_MAX else ""
    base = _joined(place, needed.base) if needed.base else place
    there = set(_places(message.parts, place))
    missing = [a for a in needed.needed if not there & {_plain(a), _plain(_joined(base, a))}]
    expected, actual = str(len(needed.needed)), str(len(needed.needed) - len(missing))
    if not missing:
        return passed(RESOURCES, source.name, expected=expected, actual=actual, bearing=Bearing.ADVISORY)
    return indeterminate(
        RESOURCES,
        Reason.RESOURCE_MISSING,
        source.name,
        expected=expected,
        actual=actual,
        notes=tuple(f"NEEDED:{quote(a)}" for a in missing[:NAMED_MAX]),
        bearing=Bearing.ADVISORY,
    )


def _places(parts: Sequence["Part"], place: str) -> Iterator[str]:
    """Under which names a page finds a part: `cid:` and its Content-ID, or its Content-Location."""
    from .references import ADDRESS_MAX

    for part in parts:
        identity, location = part.header.get("content-id"), part.header.get("content-location")
        if identity:
            yield _plain("cid:" + identity.strip().removeprefix("<").removesuffix(">"))
        if location:
            yield _plain(_joined(place, location.strip()[:ADDRESS_MAX]))


def _plain(address: str) -> str:
    """Without fragment and percent escapes, which writers use as they please."""
    return unquote(address.partition("#")[0])


def _joined(base: str, address: str) -> str:
    try:
        return urljoin(base, address)
    except ValueError:  # an address that is none, such as an unfinished IPv6 host
        return address


def _limited(check: str, source: Source, reached: LimitReached) -> Finding:
    return indeterminate(
        check, Reason.RESOURCE_LIMIT, source.name, actual=reached.limit, bearing=Bearing.ADVISORY
    )


def instant_of(date: str) -> datetime | None:
    """The moment of a `Date` field (RFC 5322 §3.3); None without a zone. `-0000` is UTC of an unknown place."""
    found = _DATE.match(date.strip())
    if found is None or found[2].lower() not in _MONTHS:
        return None
    offset = timedelta(hours=int(found[9] or 0), minutes=int(found[10] or 0)) * (-1 if found[8] == "-" else 1)
    try:
        return datetime(
            int(found[3]),
            _MONTHS.index(found[2].lower()) + 1,
            int(found[1]),
            int(found[4]),
            int(found[5]),
            int(found[6] or 0),
            tzinfo=timezone(offset),
        ).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
