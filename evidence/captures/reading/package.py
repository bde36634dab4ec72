"""Captures in a zip: a WACZ with its archives and what it says of itself, or saved pages, pictures and documents side by side."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from evidence.verification.codecs import strict_json
from evidence.verification.codecs.inflate import Budget, LimitReached
from evidence.verification.codecs.zipstrict import Member
from evidence.verification.exhibit import Source
from evidence.verification.snapshots import wacz_manifest
from evidence.verification.snapshots.container import Container, open_container

from ..capture import Facts, Kind, Place, Resource, cut
from . import recordings, web_archive
from .collected import Collected, kind_of
from .http import MASKED, SECRET
from .saved import saved_facts
from .web_archive import Package

PAGE_LIST_MAX = 8 << 20
PAGES_LISTED_MAX = 5_000
SIGNATURE_MAX = 1 << 20
MEMBER_SHOWN_MAX = 32 << 20
"""Bytes of a member that is shown."""
_ARCHIVE = re.compile(r"(?:archive/)?.+\.warc(?:\.gz)?", re.DOTALL)
_PAGES = re.compile(r"pages/.+\.jsonl", re.DOTALL)
TEXT_SHOWN_MAX = 1 << 20
"""Bytes of a log or list that is shown as text."""
_SHOWN = tuple(
    re.compile(rf"(?i)\.(?:{kinds})$")
    for kinds in ("html?", "png|jpe?g|webp", "pdf", "mp4|mov|avi|mts|m2ts|ts|wmv|flv|mkv|webm|mpe?g|mp3|wav|amr|m4a|ogg", "txt|log|csv|tsv|json|jsonl")
)
"""By name, in the order in which a judge looks at them: pages, pictures, documents, recordings, logs and lists."""
BLOCKED_SHOWN = 5


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
        order = {m.name: next((n for n, kind in enumerate(_SHOWN) if kind.search(m.name)), len(_SHOWN)) for m in container.files}
        for member in sorted(container.files, key=lambda m: order[m.name]):
            _member(container, member, order[member.name], collected, source.sha256)


def _member(container: Container, member: Member, place_in_order: int, collected: Collected, sha256: str) -> None:
    """A file of a package without web archive: listed with its digest, and shown as far as that is possible."""
    name = cut(member.name, 400) or ""
    try:
        head, digest = _digested(container, member)
        if digest is None:
            collected.note("MEMBER_DAMAGED")
            return
        collected.resource(Resource(name, None, None, member.size, digest, name))
        if place_in_order == len(_SHOWN):
            return
        if collected.full:
            collected.left_out += 1
            return
        kind, film = kind_of(head), recordings.kind_of(head)
        is_text = kind is Kind.OTHER and place_in_order == len(_SHOWN) - 1
        payload: bytes | None = b""
        if kind is not Kind.OTHER or is_text:
            most = TEXT_SHOWN_MAX if is_text else MEMBER_SHOWN_MAX
            payload = container.read(member, limit=most, name="TEXT_SHOWN_MAX" if is_text else "MEMBER_SHOWN_MAX")
        elif not film:
            return
    except LimitReached as reached:
        collected.note(reached.limit)
        return
    if payload is None:
        collected.note("MEMBER_DAMAGED")
        return
    if kind is Kind.OTHER:
        facts = Facts(title=name, content_type="text/plain" if is_text else film)
    else:
        facts = saved_facts(payload, kind, name=member.name)
        facts = facts if facts.title or facts.url else replace(facts, title=name)
    one = re.sub(r"[\x00-\x1f]", "?", member.name)[:400]
    place = Place(sha256, digest, member.size, name)
    notes = (recordings.NOT_SHOWN,) if kind is Kind.OTHER and not is_text else ()
    collected.add(f"member:{one}", kind, facts, place, payload, notes=notes)


def _digested(container: Container, member: Member) -> tuple[bytes, str | None]:
    """The first bytes of a member and its SHA-256, None when it is not as declared. Raises LimitReached."""
    hasher, head, size = hashlib.sha256(), b"", 0
    for piece in container.pieces(member):
        hasher.update(piece)
        head = head if len(head) >= 1024 else head + piece[:1024]
        size += len(piece)
    return head, hasher.hexdigest() if size == member.size else None


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
        more=tuple(_more(manifest, provenance)),
        signer=_signer(container),
    )


def _more(manifest: Mapping[str, Any], provenance: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What Scoop and Perma say of the machine and the way of the capture."""
    system = " ".join(t for n in ("osType", "osName", "osVersion", "cpuArchitecture") if (t := _text(provenance.get(n))))
    options = provenance.get("options")
    said = (
        ("PACKAGE_CREATED", _text(manifest.get("created"))),
        ("PACKAGE_MODIFIED", _text(manifest.get("modified"))),
        ("SYSTEM", system),
        ("CERTIFICATES", _listed(provenance.get("certificates"), "host")),
        ("BLOCKED", _listed(provenance.get("blockedRequests"), "match")),
        ("NOT_ARCHIVED", _listed(provenance.get("noArchiveUrls"), "url")),
        ("YT_DLP", _text(provenance.get("ytDlpHash"))),
        ("CRIP", _text(provenance.get("cripHash"))),
        ("OPTIONS", _options(options) if isinstance(options, dict) else None),
    )
    for code, value in said:
        shown = cut(value)
        if shown:
            yield code, shown


def _listed(value: object, key: str) -> str | None:
    """How many, and the first of them. "0" is a statement too."""
    if not isinstance(value, list):
        return None
    named = [t for v in value[:BLOCKED_SHOWN] if (t := _text(v.get(key) if isinstance(v, dict) else v))]
    return " · ".join([str(len(value)), *(n[:200] for n in named)])


def _options(options: Mapping[str, Any]) -> str:
    """Switches and numbers by name; lists by how many they hold, secrets masked."""
    told = []
    for name, value in list(options.items())[:60]:
        shown = MASKED if SECRET.search(name) else f"[{len(value)}]" if isinstance(value, (list, dict)) else str(value)[:80]
        told.append(f"{name[:60]}={shown}")
    return "; ".join(told)


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
