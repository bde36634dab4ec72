"""Hyperledger Fabric: bits flipped anywhere, bytes cut out and put in, and bytes made to hurt the reader."""

import random
from collections.abc import Callable

import pytest

from evidence.verification import Source, TrustStore
from evidence.verification.chains import fabric as engine
from evidence.verification.verdict import Overall
from tests.evidence.verification.fabric_exhibits import (
    OK,
    PAGE,
    Chain,
    answer,
    built,
    court_run,
    examine,
    trust,
)
from tests.evidence.verification.fabric_network import Block, blockfile, kept, number, text, varint


@pytest.fixture(scope="module")
def pinned() -> TrustStore:
    chain = built()
    return trust(chain, epochs=court_run(chain))


def beside(block: Block) -> set[int]:
    """Offsets of the block that nobody signs and on which nothing that is read depends:

    metadata 4   the commit hash, which only other peers could confirm
    metadata 2   the flag of the transaction that is not about the file; that of the one that is, is read by rung E

    (Metadata 1 and 3 are empty here; what frames the items is read strictly.)
    """
    last, flags = kept(1, block.metadata[4]), kept(1, block.metadata[2])
    end = len(block.pb)
    after_flags = end - len(last) - len(kept(1, block.metadata[3]))
    assert len(block.metadata[2]) == 2 and block.pb[after_flags - len(flags) : after_flags] == flags
    return {after_flags - 1, *range(end - len(last) + 2, end)}


def test_mutations(pinned: TrustStore) -> None:
    """Seeded: one bit, anywhere. Never CONSISTENT, but in the bytes of which it is known that nobody signs them."""
    chain = built()
    good = chain.block.pb
    chance = random.Random(20261122)  # noqa: S311
    free = beside(chain.block)
    seen = 0
    for _ in range(600):
        at = chance.randrange(len(good))
        changed = bytearray(good)
        changed[at] ^= 1 << chance.randrange(8)
        given = {"genesis.block": chain.genesis.pb, "block.pb": bytes(changed), "page.html": PAGE}
        if examine(given, pinned).overall is Overall.CONSISTENT:
            assert at in free, at
            seen += 1
    assert seen  # the campaign reaches the bytes that are free to change


@pytest.mark.parametrize("place", range(5))
def test_bytes_cut_out_or_put_in(place: int, pinned: TrustStore) -> None:
    chain = built()
    good = chain.block.pb
    chance = random.Random(place)  # noqa: S311
    for _ in range(40):
        at = chance.randrange(len(good))
        for changed in (good[:at], good[:at] + good[at + 1 :], good[:at] + bytes([chance.randrange(256)]) + good[at:]):
            given = {"genesis.block": chain.genesis.pb, "block.pb": changed, "page.html": PAGE}
            assert examine(given, pinned).overall is not Overall.CONSISTENT


def test_mutations_of_the_pinned_genesis() -> None:
    """Its hash is pinned: a changed configuration is none, and what is not under the hash changes nothing."""
    chain = built()
    good = chain.genesis.pb
    chance = random.Random(7)  # noqa: S311
    pinned_genesis = trust(chain, epochs=court_run(chain), execution_basis=None)
    for _ in range(60):
        changed = bytearray(good)
        changed[chance.randrange(len(good))] ^= 1 << chance.randrange(8)
        given = {"g": bytes(changed), "block.pb": chain.block.pb, "page.html": PAGE}
        verdict = examine(given, pinned_genesis)
        assert answer(verdict, "INCL.PATH", contains="tx ") == OK
        custody = examine(given, trust(chain))
        assert custody.overall is not Overall.CONSISTENT


HOSTILE: dict[str, Callable[[Chain], bytes]] = {
    "a blockfile of enormous counts": lambda c: b"\xff\x01\x01" + b"\x20" + bytes(32) + b"\x20" + bytes(32) + b"\xff" * 9 + b"\x01",
    "a number that is not the shortest": lambda c: b"\x80\x80\x80\x00" + blockfile(c.block)[2:],
    "a blockfile that breaks off": lambda c: blockfile(c.genesis, c.block)[:-20],
    "bytes behind the last field": lambda c: (lambda b: varint(len(b) + 1) + b + b"\0")(blockfile(c.block)[2:]),
    "a header of short hashes": lambda c: kept(1, number(1, 1) + text(2, b"x" * 31) + text(3, b"y" * 32)) + kept(2, b""),
    "a block of a million empty envelopes": lambda c: kept(1, c.block.header_pb) + kept(2, b"\x0a\x00" * 1_000_000),
    "metadata without end": lambda c: kept(1, c.block.header_pb) + kept(2, b"") + kept(3, b"\x0a\x00" * 500_000),
    "an unknown field": lambda c: c.block.pb + text(9, b"new"),
    "the header twice": lambda c: kept(1, c.block.header_pb) * 2 + c.block.pb[len(kept(1, c.block.header_pb)) :],
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_hostile_bytes(name: str, pinned: TrustStore) -> None:
    chain = built()
    data = HOSTILE[name](chain)
    found = examine({"x.block": data, "page.html": PAGE}, pinned)
    assert found.overall is not Overall.CONSISTENT
    source = Source.from_bytes("x", data)
    assert 0 <= engine.sniff(source) <= 100
    source.close()


def test_cut_anywhere_nothing_breaks(pinned: TrustStore) -> None:
    whole = blockfile(built().genesis, built().block)
    for length in range(0, len(whole), 97):
        assert examine({"b": whole[:length] or b"\0", "page.html": PAGE}, pinned).overall is not Overall.CONSISTENT
