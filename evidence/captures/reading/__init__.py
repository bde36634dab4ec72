"""What runs in the jail: a party's file -> a reading of it, with re-encoded pictures (`capture.pack`).

Imported by a zygote of its own before any evidence arrives; all parsers and codecs are imported here, by name.
"""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Sequence

from evidence.verification.codecs import gzipmembers
from evidence.verification.codecs.inflate import Budget, LimitReached
from evidence.verification.codecs.octets import BytesOctets, FileOctets
from evidence.verification.exhibit import Source
from evidence.verification.snapshots import arc, har, mhtml

from ..capture import Facts, Kind, Place, pack
from . import exchanges, message, package, recordings, web_archive
from .collected import Collected, kind_of
from .saved import saved_facts

ENTRY = "evidence.captures.reading:read"
ENTRY_WITHOUT_PICTURES = "evidence.captures.reading:read_without_pictures"
_ALONE_MAX = 64 << 20
"""Bytes of a page, picture or PDF that was handed in by itself."""
_HEAVY = (
    "_strptime",
    "PIL.GifImagePlugin",
    "PIL.Image",
    "PIL.PngImagePlugin",
    "PIL.JpegImagePlugin",
    "PIL.WebPImagePlugin",
    "brotli",
    "encodings.big5",
    "encodings.big5hkscs",
    "encodings.cp1252",
    "encodings.euc_jp",
    "encodings.euc_kr",
    "encodings.gb18030",
    "encodings.idna",
    "encodings.iso2022_jp",
    "encodings.latin_1",
    "encodings.shift_jis",
    "encodings.utf_16_be",
    "encodings.utf_16_le",
    "pypdfium2",
    "zipfile",
)


def read(files: Sequence[tuple[str, int]], trust_dir: str, at: str) -> bytes:
    """The reading of one file (label, descriptor), packed. Trust and time play no part."""
    return _read(files, Collected())


def read_without_pictures(files: Sequence[tuple[str, int]], trust_dir: str, at: str) -> bytes:
    """The same when drawing took more than it may: facts and text."""
    return _read(files, Collected(draw=False))


def _read(files: Sequence[tuple[str, int]], collected: Collected) -> bytes:
    ((name, descriptor),) = files
    source = Source(name, descriptor)
    budget = Budget()
    try:
        _look(source, collected, budget)
    except LimitReached as reached:
        collected.note(reached.limit)
    if not collected.captures and not collected.notes:
        collected.note("NOTHING_TO_SHOW")
    return pack(collected.reading(), collected.blobs)


def _look(source: Source, collected: Collected, budget: Budget) -> None:
    """By what the file begins with, never by its name."""
    head = source.head(4096)
    start = gzipmembers.beginning(BytesOctets(head), 0, 5) if head.startswith(gzipmembers.MAGIC) else head[:5]
    if head.startswith(b"PK\3\4"):
        package.read(source, collected, budget)
    elif start in (b"WARC/", arc.MAGIC[:5]):
        octets = FileOctets(source.pread, source.size)
        package_of_none = web_archive.Package()
        web_archive.read(octets, collected, budget, sha256=source.sha256, member=None, package=package_of_none)
    elif mhtml.sniff(source):
        message.read(source, collected)
    elif har.sniff(source):
        exchanges.read(source, collected)
    else:
        _alone(source, collected)


def _alone(source: Source, collected: Collected) -> None:
    head = source.head(1024)
    kind = kind_of(head)
    if kind is Kind.OTHER:
        film = recordings.kind_of(head)
        if film:
            place = Place(source.sha256, source.sha256, source.size)
            collected.add("file", kind, Facts(content_type=film), place, b"", notes=(recordings.NOT_SHOWN,))
        return
    payload = source.read(_ALONE_MAX)
    if payload is None:
        collected.note("FILE_MAX")
        return
    place = Place(source.sha256, hashlib.sha256(payload).hexdigest(), len(payload))
    collected.add("file", kind, saved_facts(payload, kind, name=source.name), place, payload)


def _prepare() -> None:
    for name in _HEAVY:
        importlib.import_module(name)


_prepare()
