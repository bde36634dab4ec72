"""Real and hostile archives with one bit changed, in every kind of byte they have: none is CONSISTENT, but for bytes that say nothing.

The vectors lie beside the repository, or where MINGJIAN_VECTORS says.
"""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from evidence.verification.codecs import zipstrict
from evidence.verification.codecs.octets import BytesOctets
from evidence.verification.verdict import Overall
from tests.evidence.verification.snapshot_exhibits import verified

from .test_snapshots import WACZ, court, files

MEANINGLESS = {
    "local": {4, 5, 10, 11, 12, 13},
    "central": {4, 5, 6, 7, 12, 13, 14, 15, 36, 37, *range(38, 42)},
}
"""Offsets in zip headers whose bytes decide nothing: versions of the program that made the file and of the one needed, the time of
change (two seconds, no zone: nobody's evidence), internal and external attributes (of the latter, the type of file is refused when
it is none; see `zipnames`). Whoever changes them changes no member's name, place, size, check sum or content."""
MAGICS = ((b"PK\3\4", "local"), (b"PK\1\2", "central"), (b"PK\5\6", "end"), (b"PK\7\x08", "descriptor"))


def place(data: bytes, at: int) -> tuple[str, int]:
    """The structure of the zip that the byte at `at` (of no member's data) stands in, and its offset there."""
    found = [(data.rfind(magic, 0, at + 1), name) for magic, name in MAGICS]
    start, name = max(found)
    return name, at - start


def places(data: bytes, *, in_data: int, chance: random.Random) -> Iterator[int]:
    """One byte for every kind of place in the structure of the zip, and `in_data` in what the members hold."""
    members = zipstrict.read(BytesOctets(data)).members
    held = [i for m in members for i in range(m.data, m.data + m.compressed)]
    inside = set(held)
    kinds: dict[tuple[str, int], list[int]] = {}
    for at in range(len(data)):
        if at not in inside:
            kinds.setdefault(place(data, at), []).append(at)
    yield from (chance.choice(spots) for spots in kinds.values())
    yield from chance.sample(held, min(in_data, len(held)))


def flipped(data: bytes, at: int, chance: random.Random) -> bytes:
    changed = bytearray(data)
    changed[at] ^= 1 << chance.randrange(8)
    return bytes(changed)


def test_no_bit_of_the_signed_package_of_the_world_may_change() -> None:
    chance, store = random.Random(20261122), court()
    data = (WACZ / "valid_signed_example_1.wacz").read_bytes()
    assert verified(("x.wacz", data), store=store, runs=1).overall is Overall.CONSISTENT
    inside = {i for m in zipstrict.read(BytesOctets(data)).members for i in range(m.data, m.data + m.compressed)}
    survived = set()
    for at in places(data, in_data=300, chance=chance):
        if verified(("x.wacz", flipped(data, at, chance)), store=store, runs=1).overall is Overall.CONSISTENT:
            assert at not in inside, at
            survived.add(place(data, at))
    assert {(n, o) for n, o in survived if o not in MEANINGLESS.get(n, set())} == set()
    assert survived, "nothing is meaningless any more: say so above"


@pytest.mark.parametrize(
    "path", [*files("wacz-attacks-generated"), *(p for p in files("wacz-real") if p.stat().st_size < 200_000 and "valid_signed" not in p.name)], ids=lambda p: p.name
)
def test_a_changed_attack_is_an_attack(path: Path) -> None:
    """No single bit makes an attack on the signed package, or an unsigned package, CONSISTENT; and no error of the engine."""
    chance, store = random.Random(path.name), court()
    data = path.read_bytes()
    for _ in range(25):
        changed = flipped(data, chance.randrange(len(data)), chance)
        assert verified((path.name, changed), store=store, runs=1).overall is not Overall.CONSISTENT


@pytest.mark.parametrize("path", [p for p in files("warc-edge-generated") if 0 < p.stat().st_size < 100_000], ids=lambda p: p.name)
def test_a_changed_archive_never_passes_by_itself(path: Path) -> None:
    """An archive has no walk of its own: whatever is changed, it is never CONSISTENT, and the engine does not stumble."""
    chance = random.Random(path.name)
    data = path.read_bytes()
    for _ in range(12):
        assert verified((path.name, flipped(data, chance.randrange(len(data)), chance)), runs=1).overall is not Overall.CONSISTENT
