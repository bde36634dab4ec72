"""HTTP archives HAR 1.1 and 1.2, as browsers export them (spec snapshots §9): facts about the recorded exchanges.

The format signs nothing and digests nothing; only something outside binds its bytes, so no walk starts here. Addresses, headers,
cookies and forms in it may hold credentials: findings count them and never repeat them.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..codecs.quotation import quote
from ..exhibit import Source
from ..reasons import Reason
from ..registry import Context
from ..stated import Stated, dated
from ..verdict import Bearing, Examination, Finding, failed, indeterminate, passed

FORM, SIZES, BINDING = "HAR.FORM", "HAR.SIZES", "HAR.BINDING"
NOT_PROVEN = ("NOT_PROVEN.CAPTURE_HOST", "NOT_PROVEN.CAPTURE_TIME", "NOT_PROVEN.REPLAY")

HAR_MAX = 32 << 20
"""Bytes of an archive. Text outside ASCII takes four times that when it is read, twice over, and the jail has 512 MiB."""
ENTRIES_MAX = 50_000
NAMED_MAX = 20
VERSIONS = ("1.1", "1.2", "1.3")
_LOOK = 4096
_LOG = re.compile(rb'\{\s*"log"\s*:\s*\{')
_MEMBER = re.compile(rb'"(?:version|creator|browser|pages|entries)"\s*:')
_SECRETS = ("authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "x-auth-token")


class HarError(ValueError):
    """Not an HTTP archive. The message says where, in words of ours."""


def sniff(source: Source) -> int:
    """One object whose first member is `log`, with members of a log right behind. Surer than any format told by names inside an
    object: the recorded server chooses the names of headers and cookies."""
    head = source.head(_LOOK).removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n")
    return 97 if (found := _LOG.match(head)) and _MEMBER.search(head, found.end()) else 0


def examine(sources: Sequence[Source], context: Context) -> Examination:
    findings: list[Finding] = []
    stated: list[Stated] = []
    for source in sources:
        findings += _examine(source, stated)
        findings.append(indeterminate(BINDING, Reason.NO_POE, source.name, bearing=Bearing.ADVISORY))
    return Examination(findings=tuple(findings), not_proven=NOT_PROVEN, stated=tuple(stated))


def _examine(source: Source, stated: list[Stated]) -> Iterator[Finding]:
    from ..codecs import strict_json

    data = source.read(HAR_MAX)
    if data is None:
        yield _limited(source, "HAR_MAX")
        return
    try:
        found = entries_of(strict_json.loads(data.removeprefix(b"\xef\xbb\xbf")))
        if len(found) > ENTRIES_MAX:
            yield _limited(source, "ENTRIES_MAX")
            return
        bodies = [_body(n, e) for n, e in enumerate(found)]
    except (strict_json.JsonError, HarError) as fault:
        yield failed(FORM, Reason.FORMAT_FAILURE, source.name, actual=quote(str(fault)), bearing=Bearing.ADVISORY)
        return
    times = [t for e in found if (t := dated(source.name, e["startedDateTime"])) is not None]
    known = sorted((t for t in times if t.instant), key=lambda t: (t.instant, t.text))
    stated += dict.fromkeys((known or times)[:1] + (known or times)[-1:])
    secrets = sum(map(has_secrets, found))
    yield passed(
        FORM,
        source.name,
        notes=(f"ENTRIES:{len(found)}", *([f"CREDENTIALS:{secrets}"] if secrets else [])),
        bearing=Bearing.ADVISORY,
    )
    yield _sizes(source, found, bodies)


def entries_of(document: object) -> list[dict[str, Any]]:
    """The entries, each with the members that are read here. Raises HarError."""
    log = document.get("log") if isinstance(document, dict) else None
    if not isinstance(log, dict):
        raise HarError("no log")
    if log.get("version") not in VERSIONS:
        raise HarError("log.version")
    if not isinstance(log.get("creator"), dict) or not isinstance(log["creator"].get("name"), str):
        raise HarError("log.creator")
    entries = log.get("entries")
    if not isinstance(entries, list):
        raise HarError("log.entries")
    for number, entry in enumerate(entries):
        where = f"entry {number}"
        if not isinstance(entry, dict) or not isinstance(entry.get("startedDateTime"), str):
            raise HarError(f"{where}: startedDateTime")
        request, response = entry.get("request"), entry.get("response")
        if not isinstance(request, dict) or not isinstance(request.get("url"), str):
            raise HarError(f"{where}: request")
        if not isinstance(response, dict) or not isinstance(response.get("content"), dict):
            raise HarError(f"{where}: response")
        status = response.get("status")
        if not isinstance(status, int) or isinstance(status, bool):
            raise HarError(f"{where}: status")
    return entries


def body_of(number: int, entry: Mapping[str, Any]) -> bytes | None:
    """The response's body, its base64 removed; text as UTF-8, which is how the archive holds it. None when it does not. Raises
    HarError."""
    from ..codecs.text import CodecError, base64_bytes

    content = entry["response"]["content"]
    text, encoding = content.get("text"), content.get("encoding")
    if text is None:
        return None
    if not isinstance(text, str) or encoding not in (None, "", "base64"):
        raise HarError(f"entry {number}: content")
    try:
        return base64_bytes(text) if encoding == "base64" else text.encode("utf-8")
    except CodecError as fault:
        raise HarError(f"entry {number}: content is not base64") from fault


def _body(number: int, entry: Mapping[str, Any]) -> tuple[int, str] | None:
    """Length and SHA-256 of the response's body. Raises HarError."""
    body = body_of(number, entry)
    return None if body is None else (len(body), hashlib.sha256(body).hexdigest())


def _sizes(source: Source, entries: Sequence[Mapping[str, Any]], bodies: Sequence[tuple[int, str] | None]) -> Finding:
    """HAR-02. Writers mean different lengths, so that another one is a note and nothing more."""
    equal = different = 0
    named: list[str] = []
    for number, (entry, body) in enumerate(zip(entries, bodies, strict=True)):
        if body is None:
            continue
        length, digest = body
        size = entry["response"]["content"].get("size")
        if size == length and not isinstance(size, bool):
            equal += 1
        else:
            different += 1
        if len(named) < NAMED_MAX:
            named.append(f"BODY:{number} {length} B SHA-256 {digest}")
    absent = len(bodies) - equal - different
    notes = (f"SIZES_EQUAL:{equal}", f"SIZES_DIFFERENT:{different}", f"BODIES_ABSENT:{absent}", *named)
    return passed(SIZES, source.name, notes=notes, bearing=Bearing.ADVISORY)


def has_secrets(entry: Mapping[str, Any]) -> bool:
    """Does an exchange hold cookies, a form or the header of a login?"""
    for side in (entry["request"], entry["response"]):
        headers = side.get("headers")
        names = (h.get("name") for h in headers if isinstance(h, dict)) if isinstance(headers, list) else ()
        if side.get("cookies") or any(isinstance(n, str) and n.lower() in _SECRETS for n in names):
            return True
    return bool(entry["request"].get("postData"))


def _limited(source: Source, limit: str) -> Finding:
    return indeterminate(FORM, Reason.RESOURCE_LIMIT, source.name, actual=limit, bearing=Bearing.ADVISORY)
