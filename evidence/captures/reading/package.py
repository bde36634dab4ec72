"""Captures in a zip: a WACZ with its archives and what it says of itself, or saved pages, pictures and documents side by side."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from evidence.verification.codecs import strict_json
from evidence.verification.codecs.inflate import Budget, LimitReached
from evidence.verification.codecs.zipstrict import Member
from evidence.verification.exhibit import Source
from evidence.verification.snapshots import wacz_manifest
from evidence.verification.snapshots.container import Container, open_container

from ..capture import Kind, Place, cut
from . import web_archive
from .collected import Collected, kind_of
from .saved import saved_facts
from .web_archive import Package

PAGE_LIST_MAX = 8 << 20
PAGES_LISTED_MAX = 5_000
SIGNATURE_MAX = 1 << 20
MEMBER_SHOWN_MAX = 32 << 20
"""Bytes of a member that is shown."""
_ARCHIVE = re.compile(r"(?:archive/)?.+\.warc(?:\.gz)?", re.DOTALL)
_PAGES = re.compile(r"pages/.+\.jsonl", re.DOTALL)


def read(source: Source, collected: Collected, budget: Budget) -> None:
    """Nothing is read of an archive that two programs could read differently: the verdict says what is wrong with it."""
    container = open_container(source, budget)
    if not container.sound:
        collected.note("ZIP_NOT_SOUND")
        return
    package = _package(container)
    archives = [m for m in container.files if _ARCHIVE.fullmatch(m.name)]
    for member in archives:
        try:
            web_archive.read(
                container.at(member), collected, budget, sha256=source.sha256, member=cut(member.name, 400), package=package
            )
        except LimitReached as reached:
            collected.note(reached.limit)
    if not archives:
        for member in container.files:
            _member(container, member, collected, source.sha256)


def _member(container: Container, member: Member, collected: Collected, sha256: str) -> None:
    """A file of a package without web archive."""
    if not re.search(r"(?i)\.(?:html?|png|jpe?g|webp|pdf)$", member.name):
        return
    if collected.full:
        collected.left_out += 1
        return
    try:
        payload = container.read(member, limit=MEMBER_SHOWN_MAX, name="MEMBER_SHOWN_MAX")
    except LimitReached as reached:
        collected.note(reached.limit)
        return
    if payload is None:
        collected.note("MEMBER_DAMAGED")
        return
    kind = kind_of(payload)
    if kind is not Kind.OTHER:
        place = Place(sha256, hashlib.sha256(payload).hexdigest(), len(payload), cut(member.name, 400))
        name = re.sub(r"[\x00-\x1f]", "?", member.name)[:400]
        collected.add(f"member:{name}", kind, saved_facts(payload, kind, name=member.name), place, payload)


def _package(container: Container) -> Package:
    """What the package says of itself; nothing where it says it in no readable form."""
    titles: dict[str, str | None] = {}
    for member in container.files:
        if _PAGES.fullmatch(member.name):
            for line in (_bytes(container, member.name, PAGE_LIST_MAX) or b"").splitlines()[:PAGES_LISTED_MAX]:
                page = _object(line)
                if page is not None and isinstance(page.get("url"), str):
                    titles.setdefault(page["url"], _text(page.get("title")))
    manifest = _object(_bytes(container, wacz_manifest.MANIFEST, wacz_manifest.MANIFEST_MAX)) or {}
    extras = manifest.get("extras")
    provenance = extras.get("provenanceInfo") if isinstance(extras, dict) else None
    provenance = provenance if isinstance(provenance, dict) else {}
    main = _text(manifest.get("mainPageUrl"))
    if main:
        titles.setdefault(main, None)
    tool = " ".join(t for t in (_text(provenance.get("software")), _text(provenance.get("version"))) if t)
    return Package(
        titles=titles,
        user_agent=cut(_text(provenance.get("userAgent"))),
        software=cut(" · ".join(t for t in (tool, _text(manifest.get("software"))) if t)),
        capture_ip=cut(_text(provenance.get("captureIp"))),
        signer=_signer(container),
    )


def _signer(container: Container) -> str | None:
    """Whom the package names as its signer; whether that holds is for the verdict to say."""
    document = _object(_bytes(container, wacz_manifest.DIGEST_FILE, SIGNATURE_MAX)) or {}
    signed = document.get("signedData")
    if not isinstance(signed, dict):
        return None
    domain = _text(signed.get("domain"))
    if domain:
        return cut(domain, 300)
    key = _text(signed.get("publicKey"))
    return cut(f"publicKey {key[:40]}…", 300) if key else None


def _bytes(container: Container, name: str, most: int) -> bytes | None:
    member = container.by_name.get(name)
    if member is None or member.is_directory:
        return None
    try:
        return container.read(member, limit=most, name="READ")
    except LimitReached:
        return None


def _object(data: bytes | None) -> Mapping[str, Any] | None:
    try:
        found = strict_json.loads(data) if data else None
    except strict_json.JsonError:
        return None
    return found if isinstance(found, dict) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value.strip() else None
