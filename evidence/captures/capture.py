"""The contract of a reading: what one file of an exhibit shows, as frozen values with one canonical form in bytes.

A reading is made in the jail from a party's bytes and is never believed: `Reading.from_bytes` takes back only what keeps
to every bound named here, and an answer is a row of bytes (`pack`, `unpack`) in which each picture is named by its digest.
No Django, no parsers of evidence.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from evidence.verification.codecs import strict_json

READER = "mingjian-reader/2"
"""Name and version of the reader: another version reads every file again, beside the older reading."""
VALUE_MAX = 2_000
"""Characters of one fact; longer ones are cut and end with an ellipsis."""
HEADERS_MAX = 100
MORE_MAX = 40
CAPTURES_MAX = 50
"""Pages, pictures and documents of one file that are read; a crawl may hold thousands, which nobody looks at in a row."""
RESOURCES_MAX = 2_000
TEXT_MAX = 2 << 20
"""Bytes of visible text of one reading."""
RUNS_MAX = 40_000
"""Pieces of text of one reading."""
VIEWS_MAX = 60
NOTES_MAX = 50
DOCUMENT_MAX = 12 << 20
"""Bytes of a reading in its canonical form."""
BLOB_MAX = 16 << 20
"""Bytes of one picture or page."""
BLOBS_TOTAL_MAX = 96 << 20
_WHOLE_MAX = 1 << 53
_SHA256 = re.compile(r"[0-9a-f]{64}")
_CODE = re.compile(r"[A-Z][A-Z0-9_]{1,59}(?::[0-9]{1,12})?")
_MORE = re.compile(r"[A-Z][A-Z_]{1,39}")
_ID = re.compile(r"(?:file|record@[0-9]{1,16}|member:[^\x00-\x1f]{1,400}(?:#record@[0-9]{1,16})?)(?:\.[0-9]{1,2})?")


class ReadingFault(ValueError):
    """These bytes are not a reading."""


class Kind(StrEnum):
    PAGE = "PAGE"
    IMAGE = "IMAGE"
    PDF = "PDF"
    OTHER = "OTHER"


class ViewKind(StrEnum):
    SCREENSHOT = "SCREENSHOT"
    PAGE_IMAGE = "PAGE_IMAGE"
    SAFE_HTML = "SAFE_HTML"


@dataclass(frozen=True, slots=True)
class Facts:
    """What the file says of a capture; None where it says nothing. `headers`: (name, value), secrets masked. `more`: (code, value)
    of what only some kinds of file say; left out of the canonical form when there is none, as in readings of before."""

    url: str | None = None
    final_url: str | None = None
    title: str | None = None
    claimed_time: str | None = None
    claimed_instant: datetime | None = None
    ip: str | None = None
    protocol: str | None = None
    status: int | None = None
    content_type: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    user_agent: str | None = None
    software: str | None = None
    capture_ip: str | None = None
    signer: str | None = None
    more: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where the bytes of a capture lie.

    record_offset     in the member (or the file): of the plain record, or of the gzip member that it starts in
    payload_sha256    of the decoded payload, into which `Run.at` counts: transfer and content coding removed
    digest_in_record  "sha1:…" as the file states it; `matched` None: nothing to compare, or not compared here
    """

    file_sha256: str
    payload_sha256: str
    payload_size: int
    member: str | None = None
    record_offset: int | None = None
    record_length: int | None = None
    digest_in_record: str | None = None
    matched: bool | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """A piece of visible text as it is written, and its bytes: `length` of them from `at` of the decoded payload.

    The runs of a capture, one after another, are its text; a break between lines is a run of its own with no bytes. Blanks are
    those of the source (`lines` collapses them). Where the file's text cannot be placed, a run spans the whole payload.
    """

    text: str
    at: int
    length: int


@dataclass(frozen=True, slots=True)
class Resource:
    """One thing that was captured with a page; `size` and `sha256` of its decoded payload."""

    url: str
    content_type: str | None
    status: int | None
    size: int
    sha256: str
    member: str | None = None
    offset: int | None = None


@dataclass(frozen=True, slots=True)
class View:
    """A picture or page to be shown, made in the jail; its bytes are the blob `sha256`."""

    kind: ViewKind
    sha256: str
    width: int
    height: int
    page: int | None = None


@dataclass(frozen=True, slots=True)
class Capture:
    """One page, picture, document or recording. `resources` stand with the first capture of their file only; `encoding`, a name
    of Python's, is the one in which `text` is written in the payload, None where runs are not byte for byte."""

    id: str
    kind: Kind
    facts: Facts
    place: Place
    text: tuple[Run, ...] = ()
    resources: tuple[Resource, ...] = ()
    views: tuple[View, ...] = ()
    notes: tuple[str, ...] = ()
    encoding: str | None = None

    @property
    def has_words(self) -> bool:
        """Is there any text but blanks and breaks?"""
        return any(run.text.strip() for run in self.text)


@dataclass(frozen=True, slots=True)
class Reading:
    """All that one file shows. `notes`: codes, such as the bounds that were reached."""

    captures: tuple[Capture, ...]
    notes: tuple[str, ...] = ()
    reader: str = READER

    def to_bytes(self) -> bytes:
        """The one canonical form: UTF-8 JSON, names sorted, no blanks."""
        text = json.dumps(_plain(self), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return text.encode("utf-8")

    @classmethod
    def from_bytes(cls, data: bytes) -> Reading:
        """Raises ReadingFault for anything but the canonical form within the bounds."""
        if len(data) > DOCUMENT_MAX:
            raise ReadingFault("larger than DOCUMENT_MAX")
        try:
            found: Reading = _reading(strict_json.loads(data))
        except strict_json.JsonError as fault:
            raise ReadingFault(str(fault)) from fault
        if found.to_bytes() != data:
            raise ReadingFault("not the canonical form")
        runs = [r for c in found.captures for r in c.text]
        if len(runs) > RUNS_MAX or sum(len(r.text.encode()) for r in runs) > TEXT_MAX:
            raise ReadingFault("more text than TEXT_MAX")
        if sum(len(c.resources) for c in found.captures) > RESOURCES_MAX:
            raise ReadingFault("more than RESOURCES_MAX")
        if len(found.views) > VIEWS_MAX or len({c.id for c in found.captures}) != len(found.captures):
            raise ReadingFault("too many views, or one id twice")
        return found

    @property
    def views(self) -> tuple[View, ...]:
        return tuple(v for c in self.captures for v in c.views)


def pack(reading: Reading, blobs: Mapping[str, bytes]) -> bytes:
    """A reading and its blobs as one answer: length and bytes of the reading, then of each blob in order of digest."""
    parts = [reading.to_bytes(), *(blobs[sha256] for sha256 in sorted({v.sha256 for v in reading.views}))]
    return b"".join(len(p).to_bytes(8, "big") + p for p in parts)


def unpack(answer: bytes) -> tuple[Reading, dict[str, bytes]]:
    """What `pack` made: exactly the blobs that the reading names, under their digests. Raises ReadingFault."""
    parts = _parts(answer)
    reading = Reading.from_bytes(next(parts, b""))
    blobs: dict[str, bytes] = {}
    for blob in parts:
        if len(blob) > BLOB_MAX:
            raise ReadingFault("a blob larger than BLOB_MAX")
        blobs[hashlib.sha256(blob).hexdigest()] = blob
    if set(blobs) != {v.sha256 for v in reading.views}:
        raise ReadingFault("other blobs than the reading names")
    return reading, blobs


def cut(text: str | None, most: int = VALUE_MAX) -> str | None:
    """A fact as it may stand in a reading: no half characters, at most `most` characters; None for nothing."""
    if text is None:
        return None
    text = text.encode("utf-8", "replace").decode("utf-8").replace("\0", "\N{REPLACEMENT CHARACTER}").strip()
    return (text if len(text) <= most else text[: most - 1] + "\N{HORIZONTAL ELLIPSIS}") or None


# ── forms ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

Check = Callable[[Any], Any]


def _parts(answer: bytes) -> Iterator[bytes]:
    if len(answer) > DOCUMENT_MAX + BLOBS_TOTAL_MAX:
        raise ReadingFault("larger than an answer may be")
    at = 0
    while at < len(answer):
        size = int.from_bytes(answer[at : at + 8], "big")
        at += 8 + size
        if at > len(answer):
            raise ReadingFault("cut short")
        yield answer[at - size : at]


def _plain(value: Any) -> Any:
    if isinstance(value, (Reading, Capture, Facts, Place, Run, Resource, View)):
        named = {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
        return {n: v for n, v in named.items() if n != "more" or v}
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value


def _text(most: int = VALUE_MAX, *, form: re.Pattern[str] | None = None) -> Check:
    def check(value: Any) -> str:
        if not isinstance(value, str) or len(value) > most or "\0" in value or (form and not form.fullmatch(value)):
            raise ReadingFault("not such a text")
        return value

    return check


def _whole(most: int = _WHOLE_MAX) -> Check:
    def check(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
            raise ReadingFault("not such a number")
        return value

    return check


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ReadingFault("neither true nor false")
    return value


def _moment(value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError) as fault:
        raise ReadingFault("not a moment") from fault
    if moment.utcoffset() is None or not 1900 < moment.year < 9000:
        raise ReadingFault("not such a moment")
    return moment


def _maybe(check: Check) -> Check:
    return lambda value: None if value is None else check(value)


def _many(check: Check, most: int) -> Check:
    def all_of(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list) or len(value) > most:
            raise ReadingFault("not such a list")
        return tuple(check(v) for v in value)

    return all_of


def _pair(value: Any) -> tuple[str, str]:
    if not isinstance(value, list) or len(value) != 2:
        raise ReadingFault("not a pair")
    return _text(200)(value[0]), _text()(value[1])


def _coded(value: Any) -> tuple[str, str]:
    code, text = _pair(value)
    return _text(60, form=_MORE)(code), text


def _record(cls: Callable[..., Any], *, may_lack: str = "", **checks: Check) -> Check:
    def check(value: Any) -> Any:
        if not isinstance(value, dict) or not checks.keys() - {may_lack} <= value.keys() <= checks.keys():
            raise ReadingFault("other names than those of the form")
        return cls(**{name: inner(value[name]) for name, inner in checks.items() if name in value})

    return check


def _named(kind: Callable[[Any], Any]) -> Check:
    def check(value: Any) -> Any:
        try:
            return kind(value)
        except ValueError as fault:
            raise ReadingFault("an unknown kind") from fault

    return check


_said = _maybe(_text())
_digest = _text(64, form=_SHA256)
_notes = _many(_text(80, form=_CODE), NOTES_MAX)
_facts = _record(
    Facts,
    may_lack="more",
    **dict.fromkeys(("url", "final_url", "title", "claimed_time", "ip", "protocol", "content_type"), _said),
    **dict.fromkeys(("user_agent", "software", "capture_ip", "signer"), _said),
    claimed_instant=_maybe(_moment),
    status=_maybe(_whole(999)),
    headers=_many(_pair, HEADERS_MAX),
    more=_many(_coded, MORE_MAX),
)
_place = _record(
    Place,
    file_sha256=_digest,
    payload_sha256=_digest,
    payload_size=_whole(),
    member=_said,
    record_offset=_maybe(_whole()),
    record_length=_maybe(_whole()),
    digest_in_record=_said,
    matched=_maybe(_truth),
)
_run = _record(Run, text=_text(TEXT_MAX), at=_whole(), length=_whole())
_resource = _record(
    Resource,
    url=_text(),
    content_type=_said,
    status=_maybe(_whole(999)),
    size=_whole(),
    sha256=_digest,
    member=_said,
    offset=_maybe(_whole()),
)
_view = _record(
    View,
    kind=_named(ViewKind),
    sha256=_digest,
    width=_whole(100_000),
    height=_whole(100_000),
    page=_maybe(_whole(100_000)),
)
_capture = _record(
    Capture,
    id=_text(500, form=_ID),
    kind=_named(Kind),
    facts=_facts,
    place=_place,
    text=_many(_run, RUNS_MAX),
    resources=_many(_resource, RESOURCES_MAX),
    views=_many(_view, VIEWS_MAX),
    notes=_notes,
    encoding=_maybe(_text(30, form=re.compile(r"[a-z0-9_-]+"))),
)
_reading = _record(
    Reading,
    reader=_text(60, form=re.compile(r"mingjian-reader/[0-9]{1,4}")),
    captures=_many(_capture, CAPTURES_MAX),
    notes=_notes,
)


def lines(runs: Sequence[Run]) -> list[str]:
    """The text line by line, blanks collapsed, empty lines left out."""
    text = "".join("\v" if not r.length else r.text for r in runs)
    return [line for line in (" ".join(part.split()) for part in text.split("\v")) if line]
