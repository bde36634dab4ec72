"""What a file holds beside its pages, by address: where a page finds its pictures and style sheets, and nowhere else."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote, unquote_to_bytes, urldefrag, urljoin, urlsplit, urlunsplit

from . import pictures

HELD_MAX = 64 << 20
"""Bytes of pictures and style sheets kept for the pages of a file; a page with its pictures has a few MiB."""
ONE_MAX = 8 << 20
"""Bytes of one of them."""
ADDRESSES_MAX = 20_000
ADDRESS_MAX = 4_000
"""Characters of an address that is looked up; `data:` addresses are read instead."""
HOPS_MAX = 5
_SAFE = "%/:@!$&'()*+,;=~?[]"


@dataclass(frozen=True, slots=True)
class Thing:
    content_type: str
    payload: bytes
    at: datetime | None
    url: str


@dataclass(slots=True)
class Held:
    """`keep` and `lead` while a file is read, `find` when its pages are shown."""

    _things: dict[str, list[Thing]] = field(default_factory=dict)
    _leads: dict[str, str] = field(default_factory=dict)
    _bytes: dict[str, bytes] = field(default_factory=dict)
    _size: int = 0

    def keep(self, url: str, content_type: str, payload: bytes, *, at: datetime | None = None, status: int | None = None) -> None:
        """A picture or style sheet; anything else, and what an error page sent in its place, is not kept."""
        name = key(url)
        if name is None or (status is not None and status != 200) or not 0 < len(payload) <= ONE_MAX:
            return
        if not (is_picture(payload) or is_vector(content_type, payload) or is_style(content_type, url)):
            return
        digest = hashlib.sha256(payload).hexdigest()
        if digest not in self._bytes:
            if self._size + len(payload) > HELD_MAX:
                return
            self._size += len(payload)
            self._bytes[digest] = payload
        if len(self._things) < ADDRESSES_MAX or name in self._things:
            self._things.setdefault(name, []).append(Thing(content_type, self._bytes[digest], at, url))

    def lead(self, url: str, to: str) -> None:
        """What was asked for at one address was answered with another."""
        one, other = key(url), key(join(url, to) or "")
        if one and other and one != other and len(self._leads) < ADDRESSES_MAX:
            self._leads.setdefault(one, other)

    def find(self, url: str, *, near: datetime | None) -> Thing | None:
        """As captured nearest to the page, the earlier of two as near; without times, the first."""
        name = key(url)
        for _ in range(HOPS_MAX):
            if name is None:
                return None
            things = self._things.get(name)
            if things:
                if near is None:
                    return things[0]
                return min(things, key=lambda t: abs((t.at - near).total_seconds()) if t.at else float("inf"))
            name = self._leads.get(name)
        return None


def key(url: str) -> str | None:
    """The address as a browser would ask for it; None for one that is none."""
    if not url or len(url) > ADDRESS_MAX:
        return None
    try:
        url = urldefrag(url.strip("\t\n\f\r "))[0].replace("\t", "").replace("\n", "").replace("\r", "")
        if url[:4].lower() == "cid:":
            return "cid:" + unquote_to_bytes(url[4:]).decode("utf-8", "replace")
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna").decode("ascii") if not (parts.hostname or "").isascii() else parts.hostname or ""
        port = parts.port
    except (ValueError, UnicodeError):
        return None
    if parts.scheme.lower() not in ("http", "https", "file", "package"):
        return None
    usual = {"http": 80, "https": 443}.get(parts.scheme.lower())
    where = host if port in (None, usual) else f"{host}:{port}"
    return urlunsplit((parts.scheme.lower(), where, quote(parts.path or "/", safe=_SAFE), quote(parts.query, safe=_SAFE), ""))


def join(base: str | None, url: str) -> str | None:
    """`url` as it stands on a page at `base`."""
    url = url.strip("\t\n\f\r ")
    if len(url) > ADDRESS_MAX or url[:4].lower() == "cid:" or not base:
        return url if len(url) <= ADDRESS_MAX else None
    try:
        return urljoin(base, url)
    except ValueError:
        return None


def is_picture(payload: bytes) -> bool:
    return payload.startswith((*pictures.MAGIC, b"GIF8")) or (payload[:4] == b"RIFF" and payload[8:12] == b"WEBP")


def is_vector(content_type: str, payload: bytes) -> bool:
    return "svg" in content_type.lower() or b"<svg" in payload[:1024].lower()


def is_style(content_type: str, url: str) -> bool:
    try:
        path = urlsplit(url).path.lower()
    except ValueError:
        path = ""
    return content_type.partition(";")[0].strip().lower() == "text/css" or path.endswith(".css")
