"""Handing out a file exactly as it came in, so that no browser runs, shows or renames any of it.

Attachment with the original name (RFC 6266, RFC 8187), a type no program opens by itself, no sniffing, a content policy
of its own, and one byte range at a time (RFC 9110 §14) so that a broken download of a large recording can go on.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import BinaryIO, Protocol

from django.conf import settings
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header

from portal.vault import Vault

CHUNK = 1 << 16
NAME_MAX = 150
"""Characters of a name offered to the browser; file systems take 255 bytes and a Han character needs three."""
RANGE = re.compile(r"bytes=(?:(\d{1,18})-(\d{1,18})?|-(\d{1,18}))", re.ASCII)
UNSAFE = frozenset('\\/:*?"<>|')


class Kept(Protocol):
    """Bytes in the vault under a name: a file of an exhibit, or what the court obtained for a run."""

    name: str
    size: int
    sha256: str
    position: int


def attachment(request: HttpRequest, file: Kept, *, stream: BinaryIO | None = None) -> HttpResponseBase:
    """The whole file, or the one range asked for; 416 for a range outside it. Raises the vault's `Missing` when bytes are gone.

    stream   the bytes, where they lie elsewhere than in the vault; closed here
    """
    tag = f'"{file.sha256}"'
    span = _span(request, file.size, tag)
    if span == ():
        if stream is not None:
            stream.close()
        response: HttpResponseBase = HttpResponse(status=416)
        response["Content-Range"] = f"bytes */{file.size}"
        return _guarded(response, file, tag)
    first, last = span or (0, file.size - 1)
    stream = stream or Vault(settings.PORTAL_VAULT_DIR).open(file.sha256)
    stream.seek(first)
    response = StreamingHttpResponse(_slice(stream, last - first + 1), status=206 if span else 200)
    response["Content-Length"] = str(last - first + 1)
    if span:
        response["Content-Range"] = f"bytes {first}-{last}/{file.size}"
    return _guarded(response, file, tag)


def begins(response: HttpResponseBase) -> bool:
    """Does this answer hold the first byte? A download that is resumed is one download."""
    held = response.headers.get("Content-Range", "bytes 0-")
    return response.status_code in {200, 206} and held.startswith("bytes 0-")


def safe_name(name: str, *, position: int) -> str:
    """The original name without what could mislead: paths, control and direction characters, leading dots.

    >>> safe_name("../\\u202efdp.exe", position=1)
    'fdp.exe'
    """
    last = re.split(r"[\\/]", unicodedata.normalize("NFC", name))[-1]
    kept = "".join(c for c in last if unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Zl", "Zp"} and c not in UNSAFE)
    kept = kept.strip().lstrip(".").strip()
    if len(kept) > NAME_MAX:
        stem, dot, ending = kept.rpartition(".")
        ending = f".{ending}" if dot and stem and len(ending) <= 10 else ""
        kept = kept[: NAME_MAX - len(ending)] + ending
    return kept or f"file-{position}"


def _guarded(response: HttpResponseBase, file: Kept, tag: str) -> HttpResponseBase:
    response["Content-Type"] = "application/octet-stream"
    disposition = content_disposition_header(True, safe_name(file.name, position=file.position))
    response["Content-Disposition"] = disposition or "attachment"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Cache-Control"] = "private, no-store"
    response["Accept-Ranges"] = "bytes"
    response["ETag"] = tag
    return response


def _span(request: HttpRequest, size: int, tag: str) -> tuple[int, int] | tuple[()] | None:
    """(first, last) for one satisfiable range; () for one outside the file; None for the whole file.

    Several ranges, another unit, or an `If-Range` that names other bytes: the whole file, as RFC 9110 allows.
    """
    match = RANGE.fullmatch(request.headers.get("Range", "").strip())
    if not match or request.headers.get("If-Range", tag) != tag:
        return None
    start, end, suffix = match.groups()
    if suffix is not None:
        first, last = max(0, size - int(suffix)), size - 1
        return (first, last) if int(suffix) and size else ()
    first, last = int(start), min(int(end) if end else size - 1, size - 1)
    if end and int(end) < int(start):
        return None
    return (first, last) if first < size else ()


def _slice(stream: BinaryIO, length: int) -> Iterator[bytes]:
    with stream:
        while length > 0 and (chunk := stream.read(min(CHUNK, length))):
            length -= len(chunk)
            yield chunk
