"""`datapackage.json`: what a WACZ says it holds, in the dialects 1.0.0, 1.1.1 and 1.2.0 (spec snapshots §5)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .. import digests
from ..codecs import strict_json
from ..codecs.inflate import LimitReached
from ..codecs.quotation import quote
from ..codecs.text import CodecError, hex_bytes
from ..reasons import Reason

MANIFEST = "datapackage.json"
DIGEST_FILE = "datapackage-digest.json"
LEGACY_MANIFEST = "webarchive.yaml"
MULTI_PROFILE = "multi-wacz-package"
MULTI = "multi"
"""A package that lists other packages: they are hashed like any file, and not opened."""
MANIFEST_MAX = 8 << 20
"""Bytes of a manifest: about 20,000 listed members. A hostile one of this size still fits the jail's memory when parsed."""
ENTRIES_MAX = 50_000
"""Listed members, the same as members of a zip."""


_NAME = re.compile(r"[-a-z0-9._/]+", re.ASCII)


class ManifestError(ValueError):
    """The manifest cannot be read as one. The message says where; `reason` whether it is broken or merely lists nothing."""

    def __init__(self, problem: str, *, reason: Reason = Reason.FORMAT_FAILURE) -> None:
        super().__init__(problem)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Entry:
    """One listed member. `digest` and `algorithm`, or `fault`: why there is no digest to compare."""

    path: str
    size: int | None
    algorithm: str | None
    digest: bytes | None
    fault: Reason | None


@dataclass(frozen=True, slots=True)
class Manifest:
    dialect: str
    entries: tuple[Entry, ...]
    created: str | None
    page_date: str | None
    """The time of the main page: `mainPageDate` (1.1.1) or `home.ts` (1.2.0)."""
    odd_names: int
    """Names outside the pattern of the data package standard, which some validators refuse and Scoop writes."""


def read(data: bytes) -> Manifest:
    """Raises ManifestError and LimitReached."""
    try:
        document = strict_json.loads(data)
    except strict_json.JsonError as fault:
        raise ManifestError(str(fault)) from fault
    if not isinstance(document, dict) or not isinstance(document.get("resources", []), list):
        raise ManifestError("not an object with a list of resources")
    if "resources" not in document:
        raise ManifestError("no list of resources", reason=Reason.PROOF_NOT_SUPPLIED)
    if len(document["resources"]) > ENTRIES_MAX:
        raise LimitReached("ENTRIES_MAX")
    home = document.get("home")
    return Manifest(
        dialect=_dialect(document),
        entries=tuple(_entry(number, r) for number, r in enumerate(document["resources"])),
        created=_text(document.get("created")),
        page_date=_text(document.get("mainPageDate")) or (_text(home.get("ts")) if isinstance(home, dict) else None),
        odd_names=sum(map(_is_odd, document["resources"])),
    )


def algorithm_and_digest(text: str) -> tuple[str | None, bytes | None, Reason | None]:
    """`sha256:…` -> (algorithm, digest, None), or why not."""
    label, colon, value = text.partition(":")
    algorithm = digests.canonical_name(label) if colon else None
    if algorithm is None or algorithm == "KECCAK-256":
        return None, None, Reason.DIGEST_ALGORITHM_UNKNOWN
    try:
        return algorithm, hex_bytes(value, length=digests.LENGTH[algorithm], any_case=True), None
    except CodecError:
        return algorithm, None, Reason.DIGEST_MALFORMED


def _dialect(document: Mapping[str, Any]) -> str:
    version = _text(document.get("wacz_version"))
    if version is not None:
        return quote(version, length=16)
    profile = document.get("profile")
    if profile == MULTI_PROFILE:
        return MULTI
    # The draft of 1.2.0 has no version; what bears none of its marks is nobody's dialect.
    return "1.2.0" if profile == "wacz" or isinstance(document.get("home"), dict) else "unknown"


def _entry(number: int, resource: object) -> Entry:
    if not isinstance(resource, dict) or not isinstance(resource.get("path"), str):
        raise ManifestError(f"resource {number} has no path")
    path = resource["path"]
    stats = resource.get("stats")
    size = resource.get("bytes")
    text = resource.get("hash")
    if isinstance(stats, dict):  # 1.0.0: bare hex beside the name of the algorithm
        size = stats.get("bytes", size)
        if text is None and stats.get("hash") is not None:
            text = f"{resource.get('hashing', '')}:{stats['hash']}"
    if size is not None and (not isinstance(size, int) or isinstance(size, bool) or size < 0):
        raise ManifestError(f"resource {number} has no proper size")
    if text is None:
        return Entry(path, size, None, None, Reason.NO_DIGEST)
    if not isinstance(text, str):
        raise ManifestError(f"resource {number} has no proper hash")
    return Entry(path, size, *algorithm_and_digest(text))


def _is_odd(resource: Mapping[str, Any]) -> bool:
    name = resource.get("name")
    return isinstance(name, str) and _NAME.fullmatch(name) is None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
