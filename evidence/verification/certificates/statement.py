"""What a platform certificate in JSON states: member names of every spelling -> one record (spec consortium-chains §10.2).

Reading is strict about the members it uses and ignores the others, which are listed. Nothing here is trusted: the record is
what the certificate says.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from .. import digests
from ..codecs.text import CodecError, base64_bytes, decimal, hex_bytes
from . import printed_time, spellings
from .claim import Claim, ClaimedFile, ClaimedTime
from .spellings import Concept, Dialect

FILES_MAX = 1000
"""Files named by one certificate; an exhibit holds at most fifty."""
DEPTH_MAX = 4
"""Envelopes within envelopes; the deepest known reply has two."""
ADDRESSES_MAX = 200
"""Addresses of which the host is looked at."""
TEXT_MAX = 256
"""Characters of a member that is kept: ids are under 130."""

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{1,15}://|javascript:|data:|mailto:", re.ASCII)
_PLAIN_ADDRESS = re.compile(
    r"https?://([a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?)(?::\d{1,5})?(?:[/?#][\x21-\x5b\x5d-\x7e]*)?", re.ASCII
)
"""The only form whose host every program reads alike: lower case, no user part, no backslash, nothing outside ASCII."""

Value = TypeVar("Value")


class CertificateError(ValueError):
    """A member of the certificate is not what its name says; the message names the member."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate as read.

    captured, issued   the times before and after the recording that it states, if any
    objects            for each of `claim.files`, which object of the certificate states it: one object speaks of one file
    unknown            algorithm names that are none of ours, by position in `claim.files`
    conflicts          members that state one thing twice, differently: (what, one value, the other)
    unread             names of members that nothing was read from
    """

    claim: Claim
    dialect: Dialect | None
    captured: ClaimedTime | None = None
    issued: ClaimedTime | None = None
    objects: tuple[int, ...] = ()
    unknown: Mapping[int, str] = field(default_factory=dict)
    conflicts: tuple[tuple[str, str, str], ...] = ()
    unread: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    further_records: tuple[str, ...] = ()


@dataclass
class _Scope:
    """The members of one object by concept: (name, value), in the order of the certificate."""

    members: list[tuple[Concept, str, Any]] = field(default_factory=list)

    def of(self, concept: Concept) -> list[tuple[str, Any]]:
        return [(name, value) for c, name, value in self.members if c is concept]


def read(value: object, *, source: str) -> Certificate:
    """Parsed JSON of the file `source` -> certificate. CertificateError when a member is not what its name says."""
    if not isinstance(value, dict):
        raise CertificateError("not a JSON object")
    scopes: list[_Scope] = []
    names: list[str] = []
    unread: list[str] = []
    common = _Scope()
    _collect(value, common, scopes, names, unread, 0)
    dialect = spellings.dialect(names)
    conflicts: list[tuple[str, str, str]] = []
    files, objects, unknown = _files(common, scopes, dialect, conflicts)
    times = {c: _time(common, c, dialect, conflicts) for c in (Concept.CAPTURED, Concept.RECORDED, Concept.ISSUED)}
    addresses = tuple(_addresses(value))
    claim = Claim(
        source=source,
        platform=dialect.platform if dialect else None,
        certificate_no=_single(common, Concept.CERTIFICATE_NO, _text, conflicts),
        files=files,
        chain_family=None,
        chain_id=_single(common, Concept.CHAIN_ID, _text, conflicts),
        tx_id=_single(common, Concept.TX_ID, _text, conflicts, same=same_id),
        block_height=_single(common, Concept.HEIGHT, _height, conflicts),
        block_hash=_single(common, Concept.BLOCK_HASH, lambda n, v: _hash(n, v, dialect), conflicts),
        time=times[Concept.RECORDED],
        hosts=tuple(dict.fromkeys(h for a in addresses if (h := host_of(a)))),
    )
    main = {name for name, _ in common.of(Concept.TX_ID)}
    further = [n for n in names if spellings.normal(n).endswith("txhash") and n not in main]
    return Certificate(
        claim,
        dialect,
        captured=times[Concept.CAPTURED],
        issued=times[Concept.ISSUED],
        objects=objects,
        unknown=unknown,
        conflicts=tuple(conflicts),
        unread=tuple(dict.fromkeys(unread)),
        addresses=addresses,
        further_records=tuple(dict.fromkeys(further)),
    )


def host_of(address: str) -> str | None:
    """The host of an address that every program reads alike; None for any other, however much it looks like one."""
    found = _PLAIN_ADDRESS.fullmatch(address)
    return found[1] if found and ".." not in found[1] else None


def _collect(
    value: Mapping[str, Any], common: _Scope, scopes: list[_Scope], names: list[str], unread: list[str], depth: int
) -> None:
    """Members of the certificate and of its envelopes into `common`, one scope per listed file."""
    for name, member in value.items():
        names.append(name)
        concept = spellings.concept(name)
        if isinstance(member, dict) and spellings.is_envelope(name) and depth < DEPTH_MAX:
            _collect(member, common, scopes, names, unread, depth + 1)
        elif isinstance(member, list) and spellings.is_list(name) and all(isinstance(m, dict) for m in member):
            if len(scopes) + len(member) > FILES_MAX:
                raise CertificateError(f"{shown(name)} names too many files")
            for item in member:
                scope = _Scope()
                _collect(item, scope, scopes, names, unread, DEPTH_MAX)
                scopes.append(scope)
        elif concept is None or member is None or member == "":
            unread.append(name)
        else:
            common.members.append((concept, name, member))


def _files(
    common: _Scope, scopes: Sequence[_Scope], dialect: Dialect | None, conflicts: list[tuple[str, str, str]]
) -> tuple[tuple[ClaimedFile, ...], tuple[int, ...], dict[int, str]]:
    """One claimed file per digest: several digests of one file (SM3 beside SHA-256) are as many statements about it."""
    files: list[ClaimedFile] = []
    objects: list[int] = []
    unknown: dict[int, str] = {}
    for number, scope in enumerate([*scopes, common]):
        named = _single(scope, Concept.FILE_NAME, _text, conflicts)
        size = _single(scope, Concept.FILE_SIZE, _size, [])
        for member, value in _digests_of(scope):
            algorithm, foreign = _algorithm(member, scope, common, dialect)
            digest = _hash(member, value, None)
            if algorithm and len(digest) != digests.LENGTH[algorithm]:
                due = digests.LENGTH[algorithm]
                raise CertificateError(f"{shown(member)} has {len(digest)} bytes, {algorithm} has {due}")
            if foreign:
                unknown[len(files)] = foreign
            files.append(ClaimedFile(named, size, algorithm, digest))
            objects.append(number)
    return tuple(files), tuple(objects), unknown


def _digests_of(scope: _Scope) -> list[tuple[str, Any]]:
    """The digests an object states. A bare "hash" beside a file's hash is somebody else's: of the record, or of a page."""
    stated = scope.of(Concept.DIGEST)
    particular = [(name, value) for name, value in stated if spellings.normal(name) not in spellings.BARE_HASH]
    return particular or stated


def _algorithm(
    member: str, scope: _Scope, common: _Scope, dialect: Dialect | None
) -> tuple[str | None, str | None]:
    """(algorithm, None); (None, None) when none is named; (None, name) when the named one is not ours."""
    by_name = spellings.DIGEST_NAMES.get(spellings.normal(member))
    if by_name:
        return by_name, None
    stated = scope.of(Concept.ALGORITHM) or common.of(Concept.ALGORITHM)
    if not stated:
        return (dialect.default if dialect else None), None
    text = str(stated[0][1]).strip()
    if dialect and text in dialect.algorithms:
        return dialect.algorithms[text], None
    found = digests.canonical_name(text.removeprefix("国密").removesuffix("算法"))
    return (found, None) if found and found != "KECCAK-256" else (None, shown(text))


def _time(
    common: _Scope, concept: Concept, dialect: Dialect | None, conflicts: list[tuple[str, str, str]]
) -> ClaimedTime | None:
    def value(name: str, member: Any) -> ClaimedTime:
        unit = dialect.units.get(spellings.normal(name)) if dialect else None
        found = printed_time.read(member, unit=unit)
        return found or ClaimedTime(shown(str(member)), None, None, None)

    # A certificate may print its time twice, once for people: only two readable instants can disagree.
    return _single(common, concept, value, conflicts, same=lambda a, b: None in (a.instant, b.instant) or a.instant == b.instant)


def _single(
    scope: _Scope,
    concept: Concept,
    reader: Callable[[str, Any], Value],
    conflicts: list[tuple[str, str, str]],
    *,
    same: Callable[[Value, Value], bool] = lambda a, b: a == b,
) -> Value | None:
    """The one value of a concept; a second, different one is a conflict of the certificate with itself."""
    values = [reader(name, value) for name, value in scope.of(concept)]
    for other in values[1:]:
        if not same(values[0], other):
            conflicts.append((concept.value, _printed(values[0]), _printed(other)))
    readable = [v for v in values if not isinstance(v, ClaimedTime) or v.instant is not None]
    return next(iter(readable or values), None)


def _text(name: str, value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or len(value) > TEXT_MAX:
        raise CertificateError(f"{shown(name)} is not a text, or too long")
    return value.strip()


def _height(name: str, value: object) -> int:
    try:
        number = decimal(value.strip()) if isinstance(value, str) else value
    except CodecError as fault:
        raise CertificateError(f"{shown(name)}: {fault}") from fault
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < 1 << 64:
        raise CertificateError(f"{shown(name)} is not a block height")
    return number


def _size(name: str, value: object) -> int | None:
    """Sizes are for people ("1.2 MB"): read when they are plain numbers, never insisted on."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _hash(name: str, value: object, dialect: Dialect | None) -> bytes:
    """Hex in either case, with or without 0x; base64 where the platform documents it, or where hex is impossible."""
    text = _text(name, value)
    is_base64 = dialect is not None and spellings.normal(name) in dialect.base64
    try:
        return base64_bytes(text) if is_base64 else hex_bytes(text.removeprefix("0x"), any_case=True)
    except CodecError:
        pass
    try:
        data = base64_bytes(text)
    except CodecError as fault:
        raise CertificateError(f"{shown(name)} is neither hex nor base64") from fault
    if len(data) not in digests.LENGTH.values():
        raise CertificateError(f"{shown(name)} has no digest's length")
    return data


def _addresses(value: object) -> Iterator[str]:
    """Every text that begins like an address, as it stands."""
    found = 0
    pending: list[object] = [value]
    while pending and found < ADDRESSES_MAX:
        item = pending.pop()
        if isinstance(item, dict):
            pending.extend(reversed(list(item.values())))
        elif isinstance(item, list):
            pending.extend(reversed(item))
        elif isinstance(item, str) and _ADDRESS.match(item):
            found += 1
            yield item


def _printed(value: object) -> str:
    if isinstance(value, bytes):
        return value.hex()
    return shown(value.text if isinstance(value, ClaimedTime) else str(value))


def shown(text: str) -> str:
    """A text of the party's, short and without anything that could act where it is printed."""
    safe = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[:TEXT_MAX])
    return safe if len(text) <= TEXT_MAX else safe + "…"


def same_id(a: str, b: str) -> bool:
    return a.lower().removeprefix("0x") == b.lower().removeprefix("0x")
