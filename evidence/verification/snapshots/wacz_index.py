"""The indexes and page lists inside a WACZ against the records they point to (WACZ-06; spec snapshots §5).

CDXJ lines carry `recordDigest`, SHA-256 of the stored bytes of one record; `.idx` lines carry `digest`, SHA-256 of one block
of a compressed CDXJ. Both are compared. A CDXJ line also names the address of its record: a program that plays the archive back
shows under that address whatever stands at `offset`, so a record of another address there is a contradiction. A listed page without a capture is missing data, not a contradiction: a page that
failed to load is listed too.
"""

import hashlib
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_to_bytes

from ..codecs import gzipmembers, inflate, strict_json
from ..codecs.octets import Octets, blocks
from ..codecs.quotation import quote
from ..codecs.zipstrict import Member
from ..reasons import Reason
from ..verdict import Finding, failed, indeterminate, passed
from .container import Container
from .wacz_manifest import algorithm_and_digest
from .warc_survey import Originals, key

INDEX = "WACZ.INDEX"
LINE_MAX = 64 << 10
"""Bytes of one line. Page lists with the full text of a page may exceed it: then this check stays open, nothing else."""
LINES_MAX = 100_000
"""Lines of all indexes and page lists; 512 MiB of small captures need about 40,000."""
NAMED_MAX = 5
HEAD_MAX = 16 << 10
"""Bytes of a record in which its own header is looked for; headers of real records stay below 2 KiB."""

_CDXJ = re.compile(r"indexes/.+\.cdxj?(?:\.gz)?", re.DOTALL)
_IDX = re.compile(r"indexes/.+\.idx", re.DOTALL)
_PAGES = re.compile(r"pages/.+\.jsonl", re.DOTALL)
_TARGET = re.compile(rb"(?i)\r?\nWARC-Target-URI[ \t]*:([^\r\n]*)\r?\n(?![ \t])")
_LOOSE = re.compile(rb"[\s<>]")


@dataclass(slots=True)
class _Count:
    lines: int = 0
    matched: int = 0
    undigested: int = 0
    mismatched: list[str] = field(default_factory=list)
    pages: int = 0
    missing: list[str] = field(default_factory=list)
    limit: str | None = None


def finding(container: Container, originals: Originals) -> Finding | None:
    """None when the package has neither index nor page list."""
    members = [m for m in container.files if any(p.fullmatch(m.name) for p in (_CDXJ, _IDX, _PAGES))]
    if not members:
        return None
    count = _Count()
    for member in members:
        try:
            _read(container, member, originals, count)
        except inflate.LimitReached as reached:
            count.limit = count.limit or reached.limit
    notes = (f"INDEX_LINES_MATCHED:{count.matched}", f"PAGES_LISTED:{count.pages}")
    subject = container.subject
    if count.mismatched:
        named = tuple(f"INDEX_LINE:{line}" for line in count.mismatched[:NAMED_MAX])
        return failed(
            INDEX, Reason.INDEX_MISMATCH, subject, actual=str(len(count.mismatched)), notes=notes + named
        )
    if count.missing:
        named = tuple(f"PAGE_WITHOUT_RECORD:{page}" for page in count.missing[:NAMED_MAX])
        return indeterminate(
            INDEX, Reason.INDEX_MISMATCH, subject, actual=str(len(count.missing)), notes=notes + named
        )
    if count.limit:
        return indeterminate(INDEX, Reason.RESOURCE_LIMIT, subject, actual=count.limit, notes=notes)
    if count.undigested or not count.matched:
        return indeterminate(
            INDEX,
            Reason.NO_DIGEST,
            subject,
            expected=str(count.matched + count.undigested),
            actual=str(count.matched),
            notes=notes,
        )
    return passed(INDEX, subject, notes=notes)


def _read(container: Container, member: Member, originals: Originals, count: _Count) -> None:
    blocks_file = member.name.removesuffix(".idx") + ".cdx.gz"
    for line in _lines(container.at(member), container.budget, compressed=member.name.endswith(".gz")):
        count.lines += 1
        if count.lines > LINES_MAX:
            raise inflate.LimitReached("LINES_MAX")
        if _PAGES.fullmatch(member.name):
            _page(line, originals, count)
        else:
            _indexed(container, member, line, blocks_file, count)


def _page(line: bytes, originals: Originals, count: _Count) -> None:
    page = _object(line)
    url = page.get("url") if page is not None else None
    if not isinstance(url, str):
        return  # the header line of the list, or a page that names no address
    count.pages += 1
    address = url.encode("utf-8").partition(b"#")[0]
    if originals.uris is not None and key(address) not in originals.uris:
        count.missing.append(quote(url))


def _indexed(container: Container, member: Member, line: bytes, blocks_file: str, count: _Count) -> None:
    """One line of a CDXJ (`key time {…}`) or of its block index (`key [time] {…}`)."""
    start = line.find(b"{")
    if line.startswith(b"!meta") or start < 0:
        return
    entry = _object(line[start:])
    shown = f"{quote(member.name)} {quote(line[:start].strip(), length=80)}"
    if entry is None:
        count.mismatched.append(shown)
        return
    of_block = member.name.endswith(".idx")
    if not of_block and _of_another_address(container, entry):
        count.mismatched.append(shown)
        return
    text = entry.get("digest" if of_block else "recordDigest")
    if not isinstance(text, str):
        count.undigested += 1
        return
    name = entry.get("filename")
    if of_block:
        path = f"indexes/{name}" if isinstance(name, str) else blocks_file
    else:
        path = f"archive/{name}"
    if _digest_agrees(container, path, entry, text):
        count.matched += 1
    else:
        count.mismatched.append(shown)


def _digest_agrees(container: Container, path: str, entry: Mapping[str, Any], text: str) -> bool:
    algorithm, due, _ = algorithm_and_digest(text)
    offset, length = _number(entry.get("offset")), _number(entry.get("length"))
    target = container.by_name.get(path)
    if algorithm != "SHA-256" or offset is None or length is None or target is None:
        return False
    if offset + length > target.size:
        return False
    container.budget.charge(length)
    h = hashlib.sha256()
    for block in blocks(container.at(target), start=offset, end=offset + length):
        h.update(block)
    return h.digest() == due


def _of_another_address(container: Container, entry: Mapping[str, Any]) -> bool:
    """Does a record begin at the place of this line that names one address, and another one than the line?

    False wherever one of the two cannot be read: a place that is wrong is found by the digest. Writers spell an address in several
    ways and so does the standard's own history (`<…>` in WARC 1.0 examples), so only the spelling-independent part is compared.
    """
    url, offset = entry.get("url"), _number(entry.get("offset"))
    target = container.by_name.get(f"archive/{entry.get('filename')}")
    if not isinstance(url, str) or offset is None or target is None or offset >= target.size:
        return False
    stored = container.at(target).read(offset, min(HEAD_MAX, target.size - offset))
    if stored.startswith(gzipmembers.MAGIC):
        try:
            stored = zlib.decompressobj(31).decompress(stored, HEAD_MAX)
        except zlib.error:
            return False
    container.budget.charge(len(stored))
    header, ended, _ = stored.partition(b"\r\n\r\n")
    named = _TARGET.findall(header + b"\r\n") if ended and header.startswith(b"WARC/") else []
    return len(named) == 1 and _address(named[0]) != _address(url.encode("utf-8", "replace"))


def _address(text: bytes) -> bytes:
    """An address without what honest writers spell differently: scheme, port of the scheme, escapes, letter case, blanks, angle
    brackets, a fragment, a final slash, and the method and body that replay programs append to the address of a POST."""
    text = unquote_to_bytes(unquote_to_bytes(text.partition(b"#")[0]))
    text = _LOOSE.sub(b"", text).lower()
    text = re.split(rb"[?&]__wb_(?:method|post)", text)[0]
    scheme, colon, rest = text.partition(b"://")
    host, slash, path = (rest if colon else scheme).partition(b"/")
    return (host.removesuffix(b":80").removesuffix(b":443") + slash + path).rstrip(b"/?")


def _number(value: object) -> int | None:
    """Offsets are written as JSON numbers or as decimal text."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,18}", value, re.ASCII):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _object(line: bytes) -> Mapping[str, Any] | None:
    try:
        value = strict_json.loads(line)
    except strict_json.JsonError:
        return None
    return value if isinstance(value, dict) else None


def _lines(octets: Octets, budget: inflate.Budget, *, compressed: bool) -> Iterator[bytes]:
    """Lines without their ends, each at most LINE_MAX bytes."""
    rest = b""
    for piece in _inflated(octets, budget) if compressed else blocks(octets):
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            if len(line) > LINE_MAX:
                raise inflate.LimitReached("LINE_MAX")
            if line.strip():
                yield line
        if len(rest) > LINE_MAX:
            raise inflate.LimitReached("LINE_MAX")
    if rest.strip():
        yield rest


def _inflated(octets: Octets, budget: inflate.Budget) -> Iterator[bytes]:
    """Member after member; damage shows in the hash of the file, here the lines just end."""
    at = 0
    while gzipmembers.header_size(octets, at) is not None:
        member = gzipmembers.Member(octets, at, budget)
        yield from member.pieces()
        if not member.ended:
            return
        at = member.end
