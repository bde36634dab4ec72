"""A re-verification bundle: what anybody needs to repeat the court's result without the court (spec signed-report §4, §12).

A zip file whose members are all stored, never compressed:

    bundle.json        the contents, canonical JSON; its SHA-256 is the bundle's digest, printed in the report
    blobs/<SHA-256>    every file, member of a trust store and verdict, once, under its digest
    annex.json         the report's annex, when the bundle belongs to a report: it must name these contents, which anybody's can
    report.pdf, README.txt    for people; never read here

    {"format": "mingjian.bundle/1", "report": text, "engine": text,
     "packs":    [{"manifest": SHA-256, "signature": text | null}],
     "exhibits": [{"label": text, "run": text, "number": integer, "at": ISO-8601, "pack": SHA-256 of a manifest,
                   "verdict": SHA-256, "sources": [{"name", "size", "sha256", "sm3"}]}]}

A blob may be absent: files of sealed cases are handed out as digests. What is there must be what its name says. A bundle brings the
court's trust store along, so what it gives is never a verdict on the bundle itself: it says whether the court's result follows from
these files and this trust store. Whether the store is the court's is for the reader to settle, by its signature; whether the contents and
all blobs are, by the digest that the report prints. That digest says nothing of the other members.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from . import anchor_pack, digests, pack_signature, verify
from .codecs import strict_json, zipstrict
from .codecs.octets import FileOctets
from .exhibit import FILES_MAX, NAME_MAX, Exhibit, Source
from .trust import TrustError, TrustStore
from .verdict import ENGINE, Grade, Overall, instant

FORMAT = "mingjian.bundle/1"
CONTENTS, ANNEX, REPORT, README = "bundle.json", "annex.json", "report.pdf", "README.txt"
BLOBS = "blobs/"
EXHIBITS_MAX = 1_000
PACKS_MAX = 100
SOURCES_MAX = FILES_MAX + 200
"""The files of an exhibit and what the court obtained beside them."""
JSON_MAX = 32 << 20
PACK_MAX = 256 << 20
"""All members of all trust stores that are used, together."""
BESIDE_MAX = 50_000
"""Files that may lie beside a bundle: as many as an archive may have members."""
_SHA256 = re.compile(r"[0-9a-f]{64}")
_HEAD = 30 + len(CONTENTS)
"""Bytes up to the end of the first member's name: a bundle begins with its contents."""
_FREE = ("engine", "selftest")
"""Members of a verdict that another version of the engine writes otherwise although it finds the same."""
_OVERALL, _GRADES = frozenset(Overall), frozenset(Grade)


class BundleError(ValueError):
    """Not a bundle, or one that was changed. The message names the member."""


class Repeat(StrEnum):
    """What came of verifying one exhibit again."""

    SAME = "SAME"
    SAME_FINDINGS = "SAME_FINDINGS"
    """Another version of the engine: everything but its name and its self-test is the same."""
    OTHER = "OTHER"
    WITHHELD = "WITHHELD"
    """Files are not in the bundle and were not given beside it."""


@dataclass(frozen=True, slots=True)
class Part:
    """A file by its label and digests; its bytes are the blob `sha256`, if that is there."""

    name: str
    size: int
    sha256: str
    sm3: str


@dataclass(frozen=True, slots=True)
class Item:
    """One exhibit as the court verified it."""

    label: str
    run: str
    number: int
    at: datetime
    pack: str
    verdict: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Repeated:
    """What the bundle says was found, and `verdict`, canonical JSON, what is found now: None when files are `missing`.

    The bundle's own bytes are not kept: a thousand exhibits may name one large blob.
    """

    item: Item
    outcome: Repeat
    said: tuple[Overall, Grade]
    found: tuple[Overall, Grade] | None = None
    verdict: bytes | None = None
    missing: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class _Blob:
    start: int
    size: int


def is_bundle(path: Path) -> bool:
    """Does the file begin like a bundle? It says nothing about whether it is a sound one."""
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEAD)
    except OSError:
        return False
    return head.startswith(b"PK\3\4") and head.endswith(CONTENTS.encode())


@contextmanager
def opened(path: Path) -> "Iterator[Bundle]":
    """Raises BundleError, or OSError when the file cannot be read."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield Bundle(descriptor)
    finally:
        os.close(descriptor)


class Bundle:
    """A bundle whose structure, contents and named digests have been checked; blobs are checked when they are used."""

    def __init__(self, descriptor: int) -> None:
        self._fd = descriptor
        self._packs_read = 0
        self._results: dict[str, tuple[Overall, Grade]] = {}
        self._blobs, others = self._members()
        contents = self._small(others.get(CONTENTS), CONTENTS)
        self.sha256 = hashlib.sha256(contents).hexdigest()
        said = _json(contents, CONTENTS)
        self.report, self.engine = _text(said, "report"), _text(said, "engine")
        self.signatures = _packs(said)
        self.items = _items(said, self.signatures)
        self.annex_sha256 = self._annex(others.get(ANNEX))

    def trust(self, manifest: str, *, by: Sequence[pack_signature.PackKey] = ()) -> TrustStore:
        """The trust store with this digest; with `by`, only under a signature of one of these keys. TrustError otherwise."""
        if by:
            signature = self.signatures[manifest]
            if signature is None:
                raise TrustError("the trust store in the bundle carries no signature")
            pack_signature.check(signature, digest=manifest, by=by)
        listed = self._bytes(manifest, JSON_MAX)
        try:
            members = {m["path"]: m["sha256"] for m in strict_json.loads(listed)["members"]}
            sized = sum(self._blobs[d].size for d in members.values())
        except (strict_json.JsonError, KeyError, TypeError) as fault:
            raise TrustError(f"manifest {manifest}: {type(fault).__name__} {fault}") from fault
        self._packs_read += sized
        if self._packs_read > PACK_MAX:
            raise TrustError(f"manifest {manifest}: trust stores of more than {PACK_MAX} bytes")
        return anchor_pack.of(listed, {path: self._bytes(digest, PACK_MAX) for path, digest in members.items()})

    def repeat(self, item: Item, trust: TrustStore, *, beside: Mapping[str, Path] | None = None) -> Repeated:
        """Verify an exhibit again, as of the court's moment. `beside`: SHA-256 -> a file that the bundle does not hold."""
        beside = beside or {}
        said = self._result(item.verdict)
        missing = tuple(p for p in item.parts if p.sha256 not in self._blobs and p.sha256 not in beside)
        if missing:
            return Repeated(item, Repeat.WITHHELD, said, missing=missing)
        exhibit = Exhibit.of([self._source(p, beside) for p in item.parts])
        try:
            verdict = verify(exhibit, trust, item.at)
        finally:
            exhibit.close()
        now = verdict.to_json()
        outcome = _compared(self._bytes(item.verdict, JSON_MAX), now)
        return Repeated(item, outcome, said, (verdict.overall, verdict.grade), now)

    def _result(self, verdict: str) -> tuple[Overall, Grade]:
        """What a verdict of the bundle concludes. Read once, however many exhibits name it."""
        if verdict not in self._results:
            said = _json(self._bytes(verdict, JSON_MAX), f"{BLOBS}{verdict}")
            overall, grade = said.get("overall"), said.get("grade")
            if not isinstance(overall, str) or overall not in _OVERALL or not isinstance(grade, str) or grade not in _GRADES:
                raise BundleError(f"{BLOBS}{verdict}: not a verdict")
            self._results[verdict] = Overall(overall), Grade(grade)
        return self._results[verdict]

    def _source(self, part: Part, beside: Mapping[str, Path]) -> Source:
        blob = self._blobs.get(part.sha256)
        if blob is None:
            source = Source.from_path(beside[part.sha256], name=part.name)
        else:
            source = Source(part.name, os.dup(self._fd), start=blob.start, size=blob.size)
        if (source.size, source.sha256, source.sm3) != (part.size, part.sha256, part.sm3):
            source.close()
            raise BundleError(f"{part.name}: the bytes are not those of the contents")
        return source

    def _members(self) -> tuple[dict[str, _Blob], dict[str, _Blob]]:
        """Blobs by digest, and the other members by name."""
        size = os.fstat(self._fd).st_size
        directory = zipstrict.read(FileOctets(lambda offset, count: os.pread(self._fd, count, offset), size))
        if not directory.sound:
            raise BundleError(f"the archive is not sound: {directory.faults[0].detail}")
        blobs: dict[str, _Blob] = {}
        others: dict[str, _Blob] = {}
        for member in directory.members:
            if member.method != zipstrict.STORE:
                raise BundleError(f"{member.name}: compressed")
            named = member.name.removeprefix(BLOBS)
            if named != member.name and _SHA256.fullmatch(named):
                blobs[named] = _Blob(member.data, member.size)
            elif member.name in (CONTENTS, ANNEX, REPORT, README):
                others[member.name] = _Blob(member.data, member.size)
            else:
                raise BundleError(f"{member.name}: no member of a bundle (--as-exhibit examines the archive as a file)")
        return blobs, others

    def _small(self, blob: _Blob | None, name: str) -> bytes:
        if blob is None:
            raise BundleError(f"{name} is missing")
        if blob.size > JSON_MAX:
            raise BundleError(f"{name}: larger than {JSON_MAX} bytes")
        return os.pread(self._fd, blob.size, blob.start)

    def _bytes(self, sha256: str, most: int) -> bytes:
        blob = self._blobs.get(sha256)
        if blob is None:
            raise BundleError(f"{BLOBS}{sha256} is missing")
        if blob.size > most:
            raise BundleError(f"{BLOBS}{sha256}: larger than {most} bytes")
        data = os.pread(self._fd, blob.size, blob.start)
        if digests.digest("SHA-256", data).hex() != sha256:
            raise BundleError(f"{BLOBS}{sha256}: the bytes have another digest")
        return data

    def _annex(self, blob: _Blob | None) -> str | None:
        """SHA-256 of the annex, which must state the digest of the contents: one of another report is not taken for this one's."""
        if blob is None:
            return None
        data = self._small(blob, ANNEX)
        said = _json(data, ANNEX).get("reverify")
        if not isinstance(said, dict) or said.get("bundle_digest") not in (self.sha256, {"alg": "SHA-256", "hex": self.sha256}):
            raise BundleError(f"{ANNEX}: belongs to another bundle")
        return hashlib.sha256(data).hexdigest()


def contents(*, report: str, packs: Mapping[str, str | None], items: Sequence[Item]) -> bytes:
    """`bundle.json`: `packs` maps the digest of a manifest to its signature."""
    document = {
        "format": FORMAT,
        "report": report,
        "engine": ENGINE,
        "packs": [{"manifest": digest, "signature": packs[digest]} for digest in sorted(packs)],
        "exhibits": [
            {
                "label": i.label,
                "run": i.run,
                "number": i.number,
                "at": instant(i.at),
                "pack": i.pack,
                "verdict": i.verdict,
                "sources": [{"name": p.name, "size": p.size, "sha256": p.sha256, "sm3": p.sm3} for p in i.parts],
            }
            for i in items
        ],
    }
    return _canonical(document)


def _compared(court: bytes, now: bytes) -> Repeat:
    if now == court:
        return Repeat.SAME
    if len(court) > 2 * len(now):  # the name of an engine is not that long
        return Repeat.OTHER
    # Not value by value: what is missing, 1 and 1.0 are not null and true to whoever reads the bytes.
    before, after = _json(court, "verdict"), _json(now, "verdict")
    another = isinstance(before.get("engine"), str) and before["engine"] != after["engine"]
    try:
        if another and _canonical({**after, **{name: before[name] for name in _FREE if name in before}}) == court:
            return Repeat.SAME_FINDINGS
    except TypeError:  # a fraction, which no verdict has
        pass
    return Repeat.OTHER


def _canonical(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _packs(said: Mapping[str, Any]) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for one in _objects(said, "packs", PACKS_MAX):
        signature = one.get("signature")
        if signature is not None and not isinstance(signature, str):
            raise BundleError(f"{CONTENTS}: a signature is no text")
        found[_digest(one, "manifest")] = signature
    return found


def _items(said: Mapping[str, Any], packs: Mapping[str, str | None]) -> tuple[Item, ...]:
    if said.get("format") != FORMAT:
        raise BundleError(f"{CONTENTS}: the format is not {FORMAT}")
    found = []
    for one in _objects(said, "exhibits", EXHIBITS_MAX):
        parts = tuple(
            Part(_text(p, "name"), _whole(p, "size"), _digest(p, "sha256"), _digest(p, "sm3"))
            for p in _objects(one, "sources", SOURCES_MAX)
        )
        item = Item(
            _text(one, "label"), _text(one, "run"), _whole(one, "number"), _moment(_text(one, "at")),
            _digest(one, "pack"), _digest(one, "verdict"), parts,
        )  # fmt: skip
        if item.pack not in packs or not parts:
            raise BundleError(f"{CONTENTS}: {item.label} has no trust store or no files")
        found.append(item)
    if not found:
        raise BundleError(f"{CONTENTS}: no exhibits, so nothing that could be repeated")
    return tuple(found)


def _moment(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
        if at.tzinfo is not None:
            return at.astimezone(UTC)
    except (ValueError, OverflowError) as fault:
        raise BundleError(f"{CONTENTS}: {text!r} is no moment") from fault
    raise BundleError(f"{CONTENTS}: {text!r} has no time zone")


def _json(data: bytes, name: str) -> dict[str, Any]:
    try:
        value = strict_json.loads(data)
    except strict_json.JsonError as fault:
        raise BundleError(f"{name}: {fault}") from fault
    if not isinstance(value, dict):
        raise BundleError(f"{name}: not an object")
    return value


def _objects(said: Mapping[str, Any], name: str, most: int) -> list[dict[str, Any]]:
    value = said.get(name)
    if not isinstance(value, list) or len(value) > most or not all(isinstance(v, dict) for v in value):
        raise BundleError(f"{CONTENTS}: {name} is not a list of at most {most} objects")
    return value


def _text(said: Mapping[str, Any], name: str) -> str:
    value = said.get(name)
    if not isinstance(value, str) or len(value) > NAME_MAX:
        raise BundleError(f"{CONTENTS}: {name} is not a text of at most {NAME_MAX} characters")
    return value


def _whole(said: Mapping[str, Any], name: str) -> int:
    value = said.get(name)
    if type(value) is not int or value < 0:
        raise BundleError(f"{CONTENTS}: {name} is not a number")
    return value


def _digest(said: Mapping[str, Any], name: str) -> str:
    value = said.get(name)
    if not isinstance(value, str) or not _SHA256.fullmatch(value):
        raise BundleError(f"{CONTENTS}: {name} is not a digest")
    return value
