"""Captures in an MHTML message: its pages, each at the bytes of its part, and the parts saved with them."""

from __future__ import annotations

import hashlib

from evidence.verification.codecs import mime
from evidence.verification.exhibit import Source
from evidence.verification.snapshots import mhtml

from ..capture import Facts, Kind, Place, Resource, cut
from .collected import Collected, kind_of

_PAGES = ("text/html", "application/xhtml+xml")


def read(source: Source, collected: Collected) -> None:
    """The first page is the one that was saved; frames follow as pages of their own. Raises LimitReached."""
    data = source.read(mime.MESSAGE_MAX)
    if data is None:
        collected.note("FILE_MAX")
        return
    found = mime.read(data)
    date = found.header.get("date")
    for part in found.parts:
        payload, _defect = mime.body(data, part)
        sha256 = hashlib.sha256(payload).hexdigest()
        address, told = part.header.get("content-location"), part.header.content_type
        collected.resource(Resource(cut(address) or "", cut(told, 200), None, len(payload), sha256, None, part.start))
        for name in (address, f"cid:{cid.strip(' <>')}" if (cid := part.header.get("content-id")) else None):
            if name:
                collected.held.keep(name, told, payload)
        if told not in _PAGES or kind_of(payload, told) is not Kind.PAGE:
            continue
        first = not collected.captures
        facts = Facts(
            url=cut(found.header.get("snapshot-content-location") or address) if first else cut(address),
            claimed_time=cut(date),
            claimed_instant=mhtml.instant_of(date) if date else None,
            content_type=cut(told, 200),
            software=cut(found.header.get("from")),
        )
        place = Place(source.sha256, sha256, len(payload), record_offset=part.start, record_length=part.end - part.start)
        charset = part.header.parameter("charset")
        typed = f"{told}; charset={charset}" if charset else told
        collected.add(f"record@{part.start}", Kind.PAGE, facts, place, payload, content_type=typed)
