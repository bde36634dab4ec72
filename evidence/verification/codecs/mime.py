"""MIME multipart messages as browsers save pages in them (RFC 2046, RFC 2557): header, parts between boundary lines, and what is
wrong with them.

Not the standard library's reader: its repairs change from one release of Python to the next, and a verdict must be the same on
every machine. Defects carry the names that it made common. Every pass is linear in the size of the message.
"""

import base64
import binascii
import re
from dataclasses import dataclass, field

from .inflate import LimitReached

MESSAGE_MAX = 64 << 20
"""Bytes of a message, which is held in memory whole; pages saved by browsers stay under 30 MiB."""
HEADER_MAX = 64 << 10
"""Bytes of one header block, as of a WARC record."""
FIELDS_MAX = 1_000
PARTS_MAX = 10_000
"""A page with ten thousand resources is none that a browser has saved."""
BOUNDARY_MAX = 70
"""Characters (RFC 2046 §5.1.1)."""

MISSING_SEPARATOR = "MissingHeaderBodySeparator"
NO_BOUNDARY = "NoBoundaryInMultipart"
NO_START = "StartBoundaryNotFound"
NO_CLOSE = "CloseBoundaryNotFound"
NOT_MULTIPART = "NotMultipart"
BAD_BASE64 = "InvalidBase64"
BAD_QUOTED = "InvalidQuotedPrintable"
BAD_ENCODING = "UnknownTransferEncoding"
REPEATED = "RepeatedHeader"
AMBIGUOUS = "AmbiguousParameter"
"""Parameters of a content type that two readers take differently: twice, continued (RFC 2231), escaped, in a comment."""
DEFECTS = (
    MISSING_SEPARATOR, NO_BOUNDARY, NO_START, NO_CLOSE, NOT_MULTIPART, BAD_BASE64, BAD_QUOTED, BAD_ENCODING, REPEATED,
    AMBIGUOUS,
)  # fmt: skip

_FIELD = re.compile(rb"([!-9;-~]++):[ \t]*+([^\r\n]*+)")
_TYPE = re.compile(r"\s*+([\w.+-]++/[\w.+-]++)\s*+", re.ASCII)
_PARAMETER = re.compile(r';\s*+([\w-]++)\s*+=\s*+(?:"([^"]*+)"|([^\s;"]++))', re.ASCII)
_WHOLE_TYPE = re.compile(
    r"\s*+[\w.+-]++/[\w.+-]++(?:\s*+;\s*+[\w.-]++\s*+=\s*+(?:\"[^\"\\]*+\"|[^\s;\"\\()]++))*+\s*+;?\s*+", re.ASCII
)
_SINGLE = (
    "content-type", "content-transfer-encoding", "content-location", "content-id", "content-base", "date", "subject",
    "snapshot-content-location",
)  # fmt: skip
"""Fields that two readers would read differently when they come twice."""
_BAD_QUOTED = re.compile(rb"=(?![0-9A-Fa-f]{2}|\r?\n|\Z)")


@dataclass(slots=True)
class Header:
    """`fields`: (name in lower case, value unfolded), in order. `end`: where the body begins."""

    fields: list[tuple[str, str]] = field(default_factory=list)
    end: int = 0
    separated: bool = True

    def get(self, name: str) -> str | None:
        """The first value, as mail readers and browsers take it."""
        return next((value for key, value in self.fields if key == name), None)

    @property
    def content_type(self) -> str:
        found = _TYPE.match(self.get("content-type") or "")
        return found[1].lower() if found else "text/plain"

    def parameter(self, name: str) -> str | None:
        for key, quoted, bare in _PARAMETER.findall(self.get("content-type") or ""):
            if key.lower() == name:
                return str(quoted or bare)
        return None

    @property
    def repeated(self) -> bool:
        names = [key for key, _ in self.fields if key in _SINGLE]
        return len(names) != len(set(names))

    @property
    def ambiguous(self) -> bool:
        value = self.get("content-type")
        if value is None:
            return False
        names = [key.lower() for key, _, _ in _PARAMETER.findall(value)]
        return _WHOLE_TYPE.fullmatch(value) is None or len(names) != len(set(names))


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes `start` to `end` of the message are its body, as transferred."""

    header: Header
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Message:
    """`defects`: names of `DEFECTS`; `leading`, `trailing`: bytes before the first and after the closing boundary that are not
    blank. No reader shows them."""

    header: Header
    parts: tuple[Part, ...]
    defects: tuple[str, ...]
    bare_line_feeds: bool
    trailing: int
    leading: int = 0


def read(data: bytes) -> Message:
    """Raises LimitReached and nothing else."""
    if len(data) > MESSAGE_MAX:
        raise LimitReached("MESSAGE_MAX")
    header = read_header(data, 0)
    bare = b"\n" in data[: header.end].replace(b"\r\n", b"")
    defects = [] if header.separated else [MISSING_SEPARATOR]
    defects += [REPEATED] if header.repeated else []
    defects += [AMBIGUOUS] if header.ambiguous else []
    boundary = header.parameter("boundary")
    if not header.separated:
        return Message(header, (), tuple(defects), bare, 0)
    if not header.content_type.startswith("multipart/"):
        return Message(header, (), (*defects, NOT_MULTIPART), bare, 0)
    if not boundary or len(boundary) > BOUNDARY_MAX:
        return Message(header, (), (*defects, NO_BOUNDARY), bare, 0)
    spans, closed_at = _spans(data, header.end, boundary.encode("latin-1", "replace"))
    if not spans:
        return Message(header, (), (*defects, NO_START), bare, 0)
    if closed_at is None:
        defects.append(NO_CLOSE)
    parts = []
    for start, end in spans:
        inner = read_header(data, start, end)
        defects += [] if inner.separated else [MISSING_SEPARATOR]
        defects += [REPEATED] if inner.repeated else []
        defects += [AMBIGUOUS] if inner.ambiguous else []
        parts.append(Part(inner, inner.end, end))
    trailing = len(data[closed_at:].strip()) if closed_at is not None else 0
    leading = len(data[header.end : data.rfind(b"\n", 0, max(0, spans[0][0] - 1)) + 1].strip())
    return Message(header, tuple(parts), tuple(dict.fromkeys(defects)), bare, trailing, leading)


def read_header(data: bytes, start: int, end: int | None = None) -> Header:
    """The header block from `start`: fields up to an empty line. It ends early, `separated` false, at a line that is no field."""
    end = len(data) if end is None else end
    header = Header()
    fields: list[tuple[bytes, list[bytes]]] = []
    at = start
    while at < end:
        stop = data.find(b"\n", at, min(end, start + HEADER_MAX))
        if stop < 0:
            if end - start > HEADER_MAX:
                raise LimitReached("HEADER_MAX")
            stop = end
        line, after = data[at:stop].rstrip(b"\r"), min(stop + 1, end)
        if not line:
            at = after
            break
        if line[:1] in b" \t" and fields:
            fields[-1][1].append(line.strip(b" \t"))
        elif found := _FIELD.fullmatch(line):
            fields.append((found[1].lower(), [found[2].strip(b" \t")]))
        else:
            header.separated = False
            break
        if len(fields) > FIELDS_MAX:
            raise LimitReached("FIELDS_MAX")
        at = after
    header.end = at
    header.fields = [(name.decode("ascii"), _text(b" ".join(lines))) for name, lines in fields]
    return header


def body(data: bytes, part: Part) -> tuple[bytes, str | None]:
    """Content of a part with its transfer encoding removed, and the defect that was met."""
    raw = data[part.start : part.end]
    encoding = (part.header.get("content-transfer-encoding") or "7bit").strip().lower()
    if encoding in ("7bit", "8bit", "binary"):
        return raw, None
    if encoding == "quoted-printable":
        return binascii.a2b_qp(raw), BAD_QUOTED if _BAD_QUOTED.search(raw) else None
    if encoding == "base64":
        packed = raw.translate(None, b" \t\r\n")
        try:
            content = base64.b64decode(packed, validate=True)
            return content, None if base64.b64encode(content) == packed else BAD_BASE64
        except (binascii.Error, ValueError):
            return b"", BAD_BASE64
    return raw, BAD_ENCODING


def _spans(data: bytes, start: int, boundary: bytes) -> tuple[list[tuple[int, int]], int | None]:
    """(first byte, end) of every part, and where the message goes on after the closing boundary (None: there is none).

    A delimiter stands at the beginning of a line and is followed by nothing but blanks; the line end before it belongs to it.
    """
    mark = b"--" + boundary
    spans: list[tuple[int, int]] = []
    opened: int | None = None
    at = start
    while (at := data.find(mark, at)) >= 0:
        stop = data.find(b"\n", at, at + len(mark) + 256)
        line_end = stop if stop >= 0 else min(len(data), at + len(mark) + 256)
        rest = data[at + len(mark) : line_end].rstrip(b" \t\r")
        if (at != start and data[at - 1 : at] != b"\n") or rest not in (b"", b"--"):
            at += len(mark)
            continue
        if opened is not None:
            before = at - (2 if data[at - 2 : at] == b"\r\n" else 1)
            spans.append((opened, max(opened, before)))
        if len(spans) > PARTS_MAX:
            raise LimitReached("PARTS_MAX")
        if rest == b"--":
            return spans, line_end
        opened = at = min(line_end + 1, len(data))
    if opened is not None:
        spans.append((opened, len(data)))
    return spans, None


def _text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")
