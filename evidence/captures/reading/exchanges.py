"""Captures in an HTTP archive (HAR): the pages among the recorded answers, and a list of all answers.

What opens somebody's account is masked: headers by name, values in addresses by name. Forms that were sent are not shown at all.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urljoin

from evidence.verification.codecs import strict_json
from evidence.verification.exhibit import Source
from evidence.verification.snapshots import har

from ..capture import HEADERS_MAX, Facts, Kind, Place, Resource, cut
from . import http
from .collected import Collected, kind_of
from .web_archive import instant

PAGES_MAX = 20
"""Answers that are pages and are shown: the page, its frames, and pages gone to afterwards."""
REDIRECTS_MAX = 10
_QUERY = re.compile(r"([?&;#])([^=&;#]{1,80})=([^&;#]*)")
_PERSON = re.compile(r"^([a-z][a-z0-9+.-]{0,20}://)[^/@?#]*@", re.IGNORECASE)
_SECRET = re.compile(r"(?i)token|key|secret|pass|pwd|session|auth|sig|credential|cookie|code|ticket|sid$")


def read(source: Source, collected: Collected) -> None:
    """Nothing is shown of an archive that is none: the verdict says what is wrong with it."""
    data = source.read(har.HAR_MAX)
    if data is None:
        collected.note("FILE_MAX")
        return
    try:
        document = strict_json.loads(data.removeprefix(b"\xef\xbb\xbf"))
        entries = har.entries_of(document)
    except (strict_json.JsonError, har.HarError):
        collected.note("HAR_UNREADABLE")
        return
    if len(entries) > har.ENTRIES_MAX:
        collected.note("ENTRIES_MAX")
        return
    secrets = sum(map(har.has_secrets, entries))
    if secrets:
        collected.note(f"CREDENTIALS:{secrets}")
    _Archive(source.sha256, document["log"], entries, collected).read()


class _Archive:
    def __init__(self, sha256: str, log: Mapping[str, Any], entries: Sequence[Mapping[str, Any]], collected: Collected) -> None:
        self._sha256, self._entries, self._collected = sha256, entries, collected
        self._software = " · ".join(filter(None, (_tool(log.get("creator")), _tool(log.get("browser"))))) or None
        pages = log.get("pages")
        listed = [p for p in pages if isinstance(p, dict)] if isinstance(pages, list) else []
        self._titles = {p["id"]: _text(p.get("title")) for p in listed if isinstance(p.get("id"), str)}
        self._from: dict[str, str] = {}

    def read(self) -> None:
        shown = 0
        for number, entry in enumerate(self._entries):
            self._redirect(entry)
            try:
                body = har.body_of(number, entry)
            except har.HarError:
                self._collected.note("HAR_UNREADABLE")
                continue
            told = _content_type(entry)
            self._list(number, entry, told, body)
            if not body or self._status(entry) in range(300, 400) or kind_of(body, told) is not Kind.PAGE:
                continue
            if shown >= PAGES_MAX or len(body) > http.PAYLOAD_MAX:
                self._collected.left_out += 1
                continue
            shown += 1
            place = Place(self._sha256, hashlib.sha256(body).hexdigest(), len(body), member=f"log.entries[{number}].response.content")
            # Text in JSON is UTF-8, whatever the page says of itself.
            typed = told if entry["response"]["content"].get("encoding") == "base64" else "text/html; charset=utf-8"
            self._collected.add(
                f"member:log.entries[{number}]", Kind.PAGE, self._facts(entry, told), place, body, content_type=typed
            )
        if not shown:
            self._collected.note("HAR_WITHOUT_PAGE")

    def _list(self, number: int, entry: Mapping[str, Any], told: str, body: bytes | None) -> None:
        url = str(entry["request"]["url"])
        if body is None:
            return
        member = f"log.entries[{number}].response.content"
        digest = hashlib.sha256(body).hexdigest()
        self._collected.resource(
            Resource(cut(legible_url(url)) or "", cut(told, 200), self._status(entry), len(body), digest, member)
        )
        self._collected.held.keep(url, told, body, at=instant(entry["startedDateTime"]), status=self._status(entry))

    def _facts(self, entry: Mapping[str, Any], told: str) -> Facts:
        request, response = entry["request"], entry["response"]
        final = url = str(request["url"])
        seen = {url}
        while (before := self._from.get(url)) and before not in seen and len(seen) <= REDIRECTS_MAX:
            url = before
            seen.add(url)
        versions = dict.fromkeys(filter(None, (_text(response.get("httpVersion")), _tls(entry))))
        agent = next((v for n, v in _headers(request) if n.lower() == "user-agent"), None)
        title = self._titles.get(entry["pageref"]) if isinstance(entry.get("pageref"), str) else None
        started = str(entry["startedDateTime"])
        return Facts(
            url=cut(legible_url(url)),
            final_url=cut(legible_url(final)) if final != url else None,
            title=cut(legible_url(title)) if title else None,
            claimed_time=cut(started),
            claimed_instant=instant(started),
            ip=cut((_text(entry.get("serverIPAddress")) or "").strip("[]")),
            protocol=cut(" · ".join(versions)),
            status=self._status(entry),
            content_type=cut(told, 200),
            headers=tuple((cut(n, 200) or "", cut(http.masked(n, v)) or "") for n, v in _headers(response)),
            user_agent=cut(agent),
            software=cut(self._software),
            more=(("EXCHANGES", str(len(self._entries))),),
        )

    def _redirect(self, entry: Mapping[str, Any]) -> None:
        where = _text(entry["response"].get("redirectURL"))
        if where and self._status(entry) in range(300, 400):
            try:
                target = urljoin(entry["request"]["url"], where)
            except ValueError:
                return
            self._from.setdefault(target, entry["request"]["url"])
            self._collected.held.lead(entry["request"]["url"], where)

    @staticmethod
    def _status(entry: Mapping[str, Any]) -> int | None:
        status: int = entry["response"]["status"]
        return status if 0 < status <= 999 else None


def legible_url(url: str) -> str:
    """An address without the password before its host and without the values of parameters that open something."""
    url = _PERSON.sub(rf"\1{http.MASKED}@", url)
    return _QUERY.sub(lambda m: f"{m[1]}{m[2]}={http.MASKED}" if _SECRET.search(m[2]) and m[3] else m[0], url)


def _headers(side: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    headers = side.get("headers")
    for header in headers[:HEADERS_MAX] if isinstance(headers, list) else ():
        if isinstance(header, dict) and isinstance(header.get("name"), str) and isinstance(header.get("value"), str):
            yield header["name"], legible_url(header["value"])


def _content_type(entry: Mapping[str, Any]) -> str:
    told = _text(entry["response"]["content"].get("mimeType"))
    return told or next((v for n, v in _headers(entry["response"]) if n.lower() == "content-type"), "")


def _tls(entry: Mapping[str, Any]) -> str | None:
    """Firefox writes what it knows of the connection; other browsers nothing."""
    details = entry.get("_securityDetails")
    return _text(details.get("protocol")) if isinstance(details, dict) else None


def _tool(value: object) -> str | None:
    if not isinstance(value, dict):
        return None
    return " ".join(t for t in (_text(value.get("name")), _text(value.get("version"))) if t) or None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value.strip() else None
