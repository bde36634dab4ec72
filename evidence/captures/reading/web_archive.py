"""Captures in a web archive: its records, read by the engine's own reader, as a judge looks at them.

Pages first that the package lists, then every page; screenshots and printed pages that a recorder put beside them; what
else was captured becomes a list. Redirections are followed backwards, so that a page says where somebody went to get it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from urllib.parse import urljoin

from evidence.verification.codecs.inflate import Budget, LimitReached
from evidence.verification.codecs.octets import Octets
from evidence.verification.snapshots import arc, name_lookups, warc_digests
from evidence.verification.snapshots.warc_records import Record, Records
from evidence.verification.snapshots.warc_stream import Stream

from ..capture import Facts, Kind, Place, Resource, cut
from . import http
from .collected import Collected, kind_of

_KINDS = (b"response", b"resource", b"conversion")
REDIRECTS_MAX = 10


@dataclass(slots=True)
class Package:
    """What the package around the archive says: addresses and titles of its pages, and facts for all of them."""

    titles: Mapping[str, str | None] = field(default_factory=dict)
    user_agent: str | None = None
    software: str | None = None
    capture_ip: str | None = None
    signer: str | None = None
    more: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class _Found:
    """A capture put aside until the archive is read: listed pages come first."""

    id: str
    kind: Kind
    facts: Facts
    place: Place
    payload: bytes
    content_type: str
    notes: tuple[str, ...]
    listed: bool


KEPT_MAX = 96 << 20
"""Bytes of payloads put aside."""


def read(octets: Octets, collected: Collected, budget: Budget, *, sha256: str, member: str | None, package: Package) -> None:
    """All records of one archive. Never raises for what it holds."""
    stream = Stream(octets, budget)
    older = stream.fill(len(arc.MAGIC)) >= len(arc.MAGIC) and stream.buffer.startswith(arc.MAGIC)
    _Archive(collected, sha256, member, package).read(arc.ArcRecords(stream) if older else Records(stream))


class _Archive:
    def __init__(self, collected: Collected, sha256: str, member: str | None, package: Package) -> None:
        self._collected, self._sha256, self._member, self._package = collected, sha256, member, package
        self._found: list[_Found] = []
        self._kept = 0
        self._from: dict[str, str] = {}  # address -> the address that led to it
        self._agents: dict[str, str] = {}
        self._software: str | None = None
        self._lookups: dict[str, set[str]] = {}

    def read(self, records: Records) -> None:
        try:
            for record in records:
                self._take(record, records)
        except LimitReached as reached:
            self._collected.note(reached.limit)
        if records.framing.count or records.headers.count:
            self._collected.note(f"RECORDS_DAMAGED:{records.framing.count + records.headers.count}")
        for found in sorted(self._found, key=lambda f: not f.listed):
            self._collected.add(
                found.id,
                found.kind,
                self._whole(found.facts),
                found.place,
                found.payload,
                content_type=found.content_type,
                notes=(*found.notes, *self._unresolved(found.facts)),
            )

    def _take(self, record: Record, records: Records) -> None:
        kind = (record.get(b"warc-type") or b"").lower()
        if kind == b"revisit":
            # The same bytes as another record has; the capture itself is that record's.
            self._collected.held.lead(_said(record, b"warc-target-uri"), _said(record, b"warc-refers-to-target-uri"))
        if kind not in (*_KINDS, b"request", b"warcinfo"):
            return
        block = self._block(record, records)
        if block is None:
            if kind in _KINDS:
                self._collected.note("PAYLOAD_MAX")
            return
        url = _said(record, b"warc-target-uri").strip("<>")
        if kind == b"warcinfo":
            self._info(block)
        elif kind == b"request":
            asked = http.message(block)
            if asked is not None and url not in self._agents and len(self._agents) < 5_000:
                self._agents[url] = asked.get("user-agent")
        else:
            if url.lower().startswith("dns:"):
                name = url[4:].strip("/").rstrip(".").lower()
                name_lookups.keep(((name, address) for address in name_lookups.answers(block)), self._lookups)
            self._capture(record, block, url)

    def _unresolved(self, facts: Facts) -> tuple[str, ...]:
        return ("IP_NOT_IN_DNS",) if name_lookups.stranger(facts.url or "", facts.ip or "", self._lookups) else ()

    def _block(self, record: Record, records: Records) -> bytes | None:
        if record.block is not None:
            return bytes(record.block)
        if record.length > http.PAYLOAD_MAX:
            return None
        return b"".join(records.pieces())

    def _info(self, block: bytes) -> None:
        for line in block[:65_536].decode("utf-8", "replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip().lower() == "software":
                self._software = self._software or cut(value)
            elif name.strip().lower() == "http-header-user-agent":
                self._agents.setdefault("", value.strip())

    def _capture(self, record: Record, block: bytes, url: str) -> None:
        answer = None
        told = _said(record, b"content-type")
        stored = plain = payload = block
        note = None
        if told.lower().startswith("application/http"):
            answer = http.message(block)
            if answer is None:
                return
            stored, plain, told = answer.stored, answer.plain, answer.get("content-type")
            payload, note = (plain, answer.note) if answer.payload is None else (answer.payload, answer.note)
            where = answer.get("location")
            if where and answer.status and 300 <= answer.status < 400:
                self._leads(url, where)
        sha256 = hashlib.sha256(payload).hexdigest()
        self._collected.resource(
            Resource(
                cut(url) or "", cut(told, 200), answer.status if answer else None, len(payload), sha256, self._member, record.raw
            )
        )
        self._collected.held.keep(url, told, payload, at=instant(_said(record, b"warc-date")), status=answer.status if answer else None)
        self._collected.script(url, told, payload)
        listed = url in self._package.titles
        kind = kind_of(payload, told)
        if kind in (Kind.IMAGE, Kind.PDF) and not (listed or url.startswith(("file:", "urn:"))):
            return  # a picture on a page, not of it
        if kind is Kind.OTHER and not listed:
            return
        if kind is Kind.PAGE and answer is not None and answer.status and 300 <= answer.status < 400:
            return
        if self._kept + len(payload) > KEPT_MAX or len(self._found) >= 1_000:
            self._collected.left_out += 1
            return
        self._kept += len(payload)
        recorded, matched = _matched(record, stored, plain)
        self._found.append(
            _Found(
                id=f"record@{record.raw}" if self._member is None else f"member:{self._member}#record@{record.raw}",
                kind=kind,
                facts=self._facts(record, url, answer, told),
                place=Place(
                    self._sha256, sha256, len(payload), self._member, record.raw, record.length, cut(recorded, 200), matched
                ),
                payload=payload,
                content_type=told,
                notes=(note,) if note else (),
                listed=listed,
            )
        )

    def _leads(self, url: str, where: str) -> None:
        self._collected.held.lead(url, where)
        if len(self._from) < 5_000:
            try:
                self._from.setdefault(urljoin(url, where), url)
            except ValueError:
                return

    def _facts(self, record: Record, url: str, answer: http.Message | None, told: str) -> Facts:
        claimed = _said(record, b"warc-date")
        protocols = [v.decode("utf-8", "replace") for v in record.values(b"warc-protocol")[:8]]
        cipher = _said(record, b"warc-cipher-suite")
        return Facts(
            url=cut(url),
            title=cut(self._package.titles.get(url)),
            claimed_time=cut(claimed),
            claimed_instant=instant(claimed),
            ip=cut(_said(record, b"warc-ip-address")),
            protocol=cut(" · ".join([*protocols, *([cipher] if cipher else [])])),
            status=answer.status if answer else None,
            content_type=cut(told, 200),
            headers=answer.headers if answer else (),
        )

    def _whole(self, facts: Facts) -> Facts:
        """With what stands elsewhere in the archive and in the package around it."""
        url, steps = facts.url or "", 0
        seen = {url}
        while url in self._from and self._from[url] not in seen and steps < REDIRECTS_MAX:
            url, steps = self._from[url], steps + 1
            seen.add(url)
        agent = self._agents.get(facts.url or "") or self._agents.get("") or self._package.user_agent
        return replace(
            facts,
            url=cut(url),
            final_url=facts.url if steps else None,
            user_agent=cut(agent),
            software=self._package.software or self._software,
            capture_ip=self._package.capture_ip,
            signer=self._package.signer,
            more=() if self._collected.captures else self._package.more,  # of the package: said once
        )


def instant(text: str) -> datetime | None:
    """The moment that a text of ISO 8601 with its zone names."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.utcoffset() is not None and 1900 < moment.year < 9000 else None


def _matched(record: Record, stored: bytes, plain: bytes) -> tuple[str | None, bool | None]:
    """The payload digest that the record states, and whether it is that of the body, coded or not."""
    text = record.get(b"warc-payload-digest") or record.get(b"warc-block-digest")
    if not text:
        return None, None
    shown = text.decode("latin-1")
    parsed = warc_digests.parse(text)
    if record.get(b"warc-payload-digest") is None or not isinstance(parsed, warc_digests.Recorded):
        return shown, None
    for body in (stored, plain):
        hasher = parsed.hasher()
        hasher.update(body)
        if hasher.digest() == parsed.value:
            return shown, True
    return shown, False


def _said(record: Record, name: bytes) -> str:
    return (record.get(name) or b"").decode("utf-8", "replace")
