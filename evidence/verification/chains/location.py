"""Step T: where in a transaction does the digest of a file stand? (spec consortium-chains §3.1)

A chain profile may map the evidence contract: then the mapped place, decoded as the court says, is compared as a whole.
Without a map a hit anywhere is reported with its offset, "meaning unknown". Digests are compared whole, never by prefix.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .. import digests
from ..codecs.text import CodecError, base64_bytes, hex_bytes
from ..exhibit import Source
from ..trust import ChainProfile, EvidenceContract

_ADDRESS = re.compile(r"(?:0x)?[0-9a-fA-F]{40}", re.ASCII)
NAME_SHOWN = 64
"""Characters shown of a name that a transaction brings; chains allow long ones, findings are short texts."""


@dataclass(frozen=True, slots=True)
class Place:
    """One value inside a transaction: parameter `key` of `method` of `contract`, as the bytes the chain hashed."""

    contract: str
    method: str
    key: str
    value: bytes

    @property
    def label(self) -> str:
        return f"{self.contract[:NAME_SHOWN]}.{self.method[:NAME_SHOWN]}({self.key[:NAME_SHOWN]})"


@dataclass(frozen=True, slots=True)
class Hit:
    """`source` has digest `value` under `alg`, and it stands at `place` (from `offset`)."""

    source: Source
    alg: str
    value: bytes
    place: Place
    offset: int
    mapped: bool


@dataclass(frozen=True, slots=True)
class Location:
    hits: tuple[Hit, ...]
    mapped: tuple[tuple[Place, str | None, bytes | None], ...]
    """Every mapped place: (place, algorithm the profile names, decoded digest; None when it does not decode)."""


def locate(
    content: Sequence[Source], places: Sequence[Place], profile: ChainProfile | None, height: int | None
) -> Location:
    """Look for the digest of each content file in the places of one transaction."""
    mapped = tuple(_mapped(places, profile, height)) if profile else ()
    hits: list[Hit] = []
    for place, alg, value in mapped:
        hits.extend(
            Hit(source, name, value, place, 0, True)
            for source in content
            if value is not None
            for name in algorithms(alg, value)
            if source.digest(name) == value
        )
    if not mapped:
        hits.extend(_raw_hits(content, places))
    return Location(tuple(hits), mapped)


def algorithms(alg: str | None, value: bytes) -> tuple[str, ...]:
    """The named algorithm, or every strong one whose digests have this length."""
    if alg is not None:
        return (alg,)
    return tuple(a for a in digests.STRONG if digests.LENGTH[a] == len(value))


def _mapped(
    places: Sequence[Place], profile: ChainProfile, height: int | None
) -> Iterator[tuple[Place, str | None, bytes | None]]:
    for contract in profile.contracts:
        for place in places:
            if (
                _is_contract(place.contract, contract.name)
                and place.method == contract.method
                and place.key == contract.digest_param
                and (height is None or height >= contract.from_height)
            ):
                yield place, contract.alg, decode(contract, place.value)


def _is_contract(name: str, mapped: str) -> bool:
    """Addresses are printed in either case; a name is another name when its case differs (`Notary` may be anybody's)."""
    return name == mapped or (_ADDRESS.fullmatch(mapped) is not None and name.lower() == mapped.lower())


def decode(contract: EvidenceContract, value: bytes) -> bytes | None:
    """The digest as the contract writes it, or None when it cannot be a digest of the named algorithm."""
    try:
        if contract.encoding == "bytes":
            decoded = value
        elif contract.encoding == "hex-text":
            text = value.decode("ascii")
            decoded = hex_bytes(text.removeprefix("0x").removeprefix("0X"), any_case=True)
        elif contract.encoding == "base64-text":
            decoded = base64_bytes(value.decode("ascii"))
        else:
            return None
    except (CodecError, UnicodeDecodeError):
        return None
    return decoded if algorithms(contract.alg, decoded) and len(decoded) >= 32 else None


def _raw_hits(content: Sequence[Source], places: Sequence[Place]) -> Iterator[Hit]:
    """Search order: raw bytes, then hex text in either case; the place and offset are all that is claimed.

    The values are searched as one: fifty files against a batch of ten thousand records are half a million comparisons otherwise.
    """
    starts: list[int] = []
    joined = bytearray()
    for place in places:
        starts.append(len(joined))
        joined += place.value
    raw = bytes(joined)
    lowered = raw.lower()
    for source in content:
        for alg in digests.STRONG:
            value = source.digest(alg)
            found: dict[int, int] = {}
            for needle, haystack in ((value, raw), (value.hex().encode(), lowered)):
                for index, offset in _inside(needle, haystack, starts):
                    found.setdefault(index, offset)
            for index in sorted(found):
                yield Hit(source, alg, value, places[index], found[index], False)


def _inside(needle: bytes, haystack: bytes, starts: Sequence[int]) -> Iterator[tuple[int, int]]:
    """(value, offset in it) of the first occurrence within each of the values that begin at `starts`."""
    at = haystack.find(needle)
    while at >= 0:
        index = bisect_right(starts, at) - 1
        end = starts[index + 1] if index + 1 < len(starts) else len(haystack)
        inside = at + len(needle) <= end
        if inside:
            yield index, at - starts[index]
        at = haystack.find(needle, end if inside else at + 1)
