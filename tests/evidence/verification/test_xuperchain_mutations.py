"""A bit flipped in every byte of a packaged XuperChain proof: no verdict stays CONSISTENT, but where the byte binds nothing.

What binds nothing is listed here with its reason; a byte that is not listed and still passes fails the test.
"""

import base64
import json
import random
from typing import Any

import pytest

from evidence.verification.verdict import Overall
from tests.evidence.verification import xuperchain_exhibits as x
from tests.evidence.verification.xuperchain_exhibits import built, examine, trust

FREE = {
    "transaction": {30: "received_timestamp: when a node saw it; under no hash, read for nothing"},
    "block": {
        9: "height: under no hash; told as HEIGHT_UNPROVEN, never drawn, never compared",
        14: "in_trunk: a note of the node to itself; under no hash, read for nothing",
    },
    "next_block": {
        9: "height: as above, and of a block that only carries votes",
        14: "in_trunk: as above",
    },
}
"""Member -> number of the field -> why a change in it changes nothing."""

STATEMENTS = {
    "engine": "version of the node: information",
    "where": "location: the court's own map says where a digest stands",
    "contract": "location, as above",
    "method": "location, as above",
    "key": "location, as above",
    "encoding": "location, as above",
    "name": "name of the file: it is found by its digest",
}
"""Texts of the package's JSON that bind nothing."""


def spans(raw: bytes) -> list[tuple[int, range]]:
    """(field number, offsets of its tag, length and content), outermost fields only."""
    found: list[tuple[int, range]] = []
    at = 0

    def number() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte, at = raw[at], at + 1
            value, shift = value | (byte & 127) << shift, shift + 7
            if byte < 128:
                return value

    while at < len(raw):
        start, tag = at, number()
        value = number()
        at += value if tag & 7 == 2 else 0
        found.append((tag >> 3, range(start, at)))
    return found


@pytest.mark.parametrize(("suite", "version", "stride"), [(x.P256, 3, 1), (x.P256, 1, 4), (x.SM2, 2, 9)])
@pytest.mark.parametrize("member", list(FREE))
def test_a_bit_in_every_byte_of_the_nodes_bytes(member: str, suite: str, version: int, stride: int) -> None:
    chain = built(suite, version=version)
    package, store = chain.package(), trust(chain)
    raw = base64.b64decode(package[member])
    free = {at for number, where in spans(raw) if number in FREE[member] for at in where}
    chance = random.Random(f"{member} {suite} {version}")  # noqa: S311
    passed = set()
    for at in range(chance.randrange(stride), len(raw), stride):
        changed = bytearray(raw)
        changed[at] ^= 1 << chance.randrange(8)
        files = {"page.html": x.PAGE, "p.mjproof.json": json.dumps({**package, member: x.b64(bytes(changed))}).encode()}
        if examine(files, store).overall is Overall.CONSISTENT:
            passed.add(at)
    assert passed <= free, [(at, [n for n, where in spans(raw) if at in where]) for at in sorted(passed - free)]
    if stride == 1:
        assert passed, "nothing that is free was met: the list says more than was tried"


def test_a_bit_in_every_byte_of_the_packages_own_text() -> None:
    chain = built()
    package, store = chain.package(), trust(chain)
    text = json.dumps(package).encode()
    bytes_within = [package[m].encode() for m in ("transaction", "block", "next_block")]
    inside = {at for b in bytes_within for at in range(text.index(b), text.index(b) + len(b))}
    free: set[int] = set()

    def values(node: Any) -> None:
        for key, value in node.items():
            for item in value if isinstance(value, list) else [value]:
                if isinstance(item, dict):
                    values(item)
                elif key in STATEMENTS:
                    start = text.index(json.dumps(item).encode(), text.index(f'"{key}":'.encode()))
                    free.update(range(start, start + len(json.dumps(item))))

    values(package)
    blanks = {at for at, byte in enumerate(text) if byte == 0x20}
    chance = random.Random("package")  # noqa: S311
    passed = set()
    for at in sorted(set(range(len(text))) - inside):
        changed = bytearray(text)
        changed[at] ^= 1 << chance.randrange(8)
        if examine({"page.html": x.PAGE, "p.mjproof.json": bytes(changed)}, store).overall is Overall.CONSISTENT:
            passed.add(at)
    assert passed <= free | blanks, [text[max(0, at - 20) : at + 20] for at in sorted(passed - free - blanks)]
    assert passed & free


def test_bits_of_bare_files() -> None:
    """The same bytes as separate files, where nothing says what each of them is."""
    chain = built()
    files, store = x.raw_files(chain), trust(chain)
    free = {"tx.pb": {30}, "block0.pb": {9, 14}, "block1.pb": {9, 14}}
    chance = random.Random("bare")  # noqa: S311
    for name, numbers in free.items():
        raw = files[name]
        allowed = {at for number, where in spans(raw) if number in numbers for at in where}
        for _ in range(200):
            at, changed = chance.randrange(len(raw)), bytearray(raw)
            changed[at] ^= 1 << chance.randrange(8)
            if examine({**files, name: bytes(changed)}, store).overall is Overall.CONSISTENT:
                assert at in allowed, (name, at)


def test_bits_of_a_block_with_all_its_transactions() -> None:
    """Bodies of strangers' transactions too are those that the block's root was made of."""
    chain = built(version=1)
    files = {"page.html": x.PAGE, "block.pb": x.wire(x.BLOCK, chain.block), "next.pb": x.wire(x.BLOCK, chain.blocks[1])}
    store, raw = trust(chain), files["block.pb"]
    assert examine(files, store).overall is Overall.CONSISTENT
    allowed = {at for number, where in spans(raw) if number in {9, 14} for at in where}
    for number, where in spans(raw):
        if number == 11:
            start = where.start + 3  # tag, and a length of two bytes
            allowed |= {start + at for n, inner in spans(raw[start : where.stop]) if n == 30 for at in inner}
    chance = random.Random("whole")  # noqa: S311
    for _ in range(400):
        at, changed = chance.randrange(len(raw)), bytearray(raw)
        changed[at] ^= 1 << chance.randrange(8)
        if examine({**files, "block.pb": bytes(changed)}, store).overall is Overall.CONSISTENT:
            assert at in allowed, (at, [n for n, where in spans(raw) if at in where])


def test_pieces_of_two_exhibits() -> None:
    """Members of two good packages in any mixture: a package that is not one of the two proves nothing."""
    one, two = built(index=1), x.rebuilt(built(index=3, count=6), lambda b: b.update(curTerm=9))
    store, packages = trust(one), (one.package(), two.package())
    members = ("transaction", "block", "tx_index", "merkle_path", "next_block")
    for choice in range(1, (1 << len(members)) - 1):
        mixed = {**packages[0], **{m: packages[1][m] for i, m in enumerate(members) if choice >> i & 1}}
        found = examine({"page.html": x.PAGE, "p.mjproof.json": json.dumps(mixed).encode()}, store)
        assert found.overall is not Overall.CONSISTENT, bin(choice)
