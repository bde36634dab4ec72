"""XuperChain on real data: four linked blocks of a test network, a transaction with its relay proof, published transaction ids.

The vectors lie beside the repository, or where MINGJIAN_VECTORS says.
"""

import json
import os
from pathlib import Path

import pytest

from evidence.verification import TrustStore
from evidence.verification.chains import xuperchain_hashing as hashing
from evidence.verification.chains import xuperchain_records as records
from evidence.verification.chains.xuperchain_messages import Block, Transaction
from evidence.verification.reasons import Reason
from evidence.verification.verdict import Grade, Overall
from tests.evidence.verification import xuperchain_exhibits as x
from tests.evidence.verification.xuperchain_exhibits import answer, examine, finding, findings

ROOT = Path(__file__).resolve().parents[2]
VECTORS = Path(os.environ.get("MINGJIAN_VECTORS") or ROOT.parent / "shared" / "vectors")
REAL = VECTORS / "consortium" / "xuperchain"

if not REAL.is_dir():
    pytest.skip(f"NOT RUN: no vectors in {VECTORS}; set MINGJIAN_VECTORS", allow_module_level=True)

FAILED, OPEN, PASSED = "FAILED", "INDETERMINATE", "PASSED"
OK = (PASSED, None)
BLOCKS = tuple(f"relay-block{i}.pb" for i in range(4))

def read(*names: str) -> dict[str, bytes]:
    return {n: (REAL / n).read_bytes() for n in names}


def block(name: str) -> Block:
    found = records.read((REAL / name).read_bytes(), source=name)
    assert isinstance(found, Block)
    return found


def pinned(*, checkpoints: tuple[str, ...] = ()) -> TrustStore:
    """A court that has pinned the network's one proposer."""
    key = block(BLOCKS[0]).key
    assert key is not None
    chain = x.built()
    sets = {"epochs": [{"from_height": 0, "validators": [{"key": key.point.hex(), "operator": "o", "node_name": "n"}]}]}
    pins = [
        {"height": b.body.number("height"), "hash": b.body.data("blockid").hex(), "recorded_at": None, "basis": "independent"}
        for b in map(block, checkpoints)
    ]
    return x.trust(chain, sets=sets, checkpoints=pins, consensus="SINGLE", accept_raw_hit=True)


def test_four_linked_blocks_of_one_proposer() -> None:
    blocks = [block(n) for n in BLOCKS]
    assert [b.body.number("height") for b in blocks] == [14056, 14057, 14058, 14059]
    assert [hashing.block_id(b) for b in blocks] == [b.body.data("blockid") for b in blocks]
    assert all(b.pre_hash == a.body.data("blockid") for a, b in zip(blocks, blocks[1:], strict=False))
    found = examine(read(*BLOCKS), pinned(checkpoints=BLOCKS[3:]))
    assert {(f.outcome.value, f.reason) for f in findings(found, "INCL.HEADER")} == {OK}
    assert {(f.outcome.value, f.reason) for f in findings(found, "INCL.ROOT")} == {OK}
    assert sorted(f.notes for f in findings(found, "INCL.ROOT")) == [
        ("CHECKPOINT_EQUAL",), ("CHECKPOINT_LINKED:1",), ("CHECKPOINT_LINKED:2",), ("CHECKPOINT_LINKED:3",),
    ]  # fmt: skip
    assert {(f.outcome.value, f.reason) for f in findings(found, "INCL.NODE_QUORUM")} == {OK}


@pytest.mark.parametrize("more", [("relay-proof.json",), ()])
def test_the_transaction_and_its_block(more: tuple[str, ...]) -> None:
    """The relay proof and the block's own tree of five leaves each lead to the root."""
    found = examine(read("relay-tx.pb", BLOCKS[0], *more), pinned())
    for check in ("INCL.LEDGER_KIND", "INCL.TRANSACTION", "INCL.SENDER", "INCL.PATH", "INCL.HEADER", "INCL.NODE_QUORUM", "INCL.EXECUTION"):
        assert answer(found, check) == OK, check
    assert finding(found, "INCL.NODE_QUORUM").notes == ("SINGLE_SIGNER",)
    assert finding(found, "INCL.HEADER").notes == ("HEIGHT_UNPROVEN:14056",)
    assert found.grade is Grade.E and found.overall is Overall.INDETERMINATE  # no file of the exhibit is recorded in it


def test_linked_back_to_the_last_block() -> None:
    found = examine(read("relay-tx.pb", "relay-proof.json", *BLOCKS), pinned(checkpoints=BLOCKS[3:]))
    assert finding(found, "INCL.ROOT").notes == ("CHECKPOINT_LINKED:3",)
    assert finding(found, "INCL.HEADER").notes == ()


def test_packaged_twin() -> None:
    """The same bytes in a proof package give the same rungs."""
    proof = json.loads((REAL / "relay-proof.json").read_bytes())
    package = x.built().package(
        transaction=x.b64((REAL / "relay-tx.pb").read_bytes()),
        block=x.b64((REAL / BLOCKS[0]).read_bytes()),
        tx_index=proof["txIndex"],
        merkle_path=proof["proofPath"],
        next_block=x.b64((REAL / BLOCKS[1]).read_bytes()),
        links=[x.b64((REAL / n).read_bytes()) for n in BLOCKS[2:]],
    )
    for store in (pinned(), pinned(checkpoints=BLOCKS[3:])):
        twin = examine({"p.mjproof.json": json.dumps(package).encode()}, store)
        bare = examine(read("relay-tx.pb", "relay-proof.json", *BLOCKS), store)
        for check in ("INCL.TRANSACTION", "INCL.SENDER", "INCL.PATH", "INCL.HEADER", "INCL.NODE_QUORUM", "INCL.ROOT", "INCL.EXECUTION"):
            assert [(f.outcome, f.reason, f.notes) for f in findings(twin, check)] == [
                (f.outcome, f.reason, f.notes) for f in findings(bare, check)
            ], check


def test_a_proposer_that_is_not_pinned() -> None:
    found = examine(read("relay-tx.pb", "relay-proof.json", BLOCKS[0]), x.trust(x.built()))
    assert answer(found, "INCL.NODE_QUORUM") == (OPEN, Reason.ANCHOR_UNTRUSTED)
    assert answer(found, "INCL.LEDGER_KIND") == (OPEN, Reason.ANCHOR_UNTRUSTED)


def test_published_transaction_ids() -> None:
    raw = (REAL / "txhash-testdata-tx.pb").read_bytes()
    found = records.read(raw, source="")
    assert isinstance(found, Transaction)
    published = {1: ("1dadd163", "b2af"), 2: ("852da114", "6a02"), 3: ("30190490", "7b05")}
    versioned = b"\x50\x01"  # field 10, version 1
    assert raw.count(versioned) == 1
    for version, (head, tail) in published.items():
        again = records.read(raw.replace(versioned, bytes([0x50, version])), source="")
        assert isinstance(again, Transaction)
        hashed = hashing.transaction_hash(again)
        assert hashed is not None
        assert (hashed.id.hex()[:8], hashed.id.hex()[-4:]) == (head, tail)


def spans(raw: bytes) -> dict[int, range]:
    """Field number -> offsets of its tag, length and content; of the last of each."""
    found, at = {}, 0

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
        found[tag >> 3] = range(start, at)
    return found


UNHASHED = {"relay-tx.pb": {30: "received_timestamp"}, BLOCKS[0]: {9: "height", 15: "next_hash"}}
"""Fields outside every hash and signature. What they say is not used; the height is told as unproven."""


@pytest.mark.parametrize("name", list(UNHASHED))
def test_a_bit_in_any_byte_of_the_real_bytes(name: str) -> None:
    """Some rung no longer passes, unless the bit lies in a field that nothing hashes."""
    files, store = read("relay-tx.pb", "relay-proof.json", BLOCKS[0]), pinned()
    rungs = ("INCL.TRANSACTION", "INCL.SENDER", "INCL.PATH", "INCL.HEADER", "INCL.NODE_QUORUM", "INCL.EXECUTION")
    where = spans(files[name])
    free = {at for number in UNHASHED[name] for at in where[number]}
    quiet = set()
    for at in range(0, len(files[name]), 2):
        data = bytearray(files[name])
        data[at] ^= 1 << at // 2 % 8
        found = examine({**files, name: bytes(data)}, store)
        if all(answer(found, check) == OK for check in rungs if findings(found, check)) and findings(found, rungs[0]):
            quiet.add(at)
    assert quiet <= free, sorted(quiet - free)
    assert quiet, "the campaign changed nothing that is free, so it shows nothing"
