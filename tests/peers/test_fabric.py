"""Hyperledger Fabric on real blocks of 1.4 and 2.x, with the findings of spec consortium-chains §7.

The vectors lie beside the repository, or where MINGJIAN_VECTORS says.
"""

import base64
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from evidence.verification import TrustStore
from evidence.verification.chains import fabric_block, fabric_json
from evidence.verification.chains.fabric_block import BlockError
from evidence.verification.reasons import Reason
from evidence.verification.verdict import Grade, Overall
from tests.evidence.verification import fabric_exhibits as made
from tests.evidence.verification import fabric_printer
from tests.evidence.verification.fabric_exhibits import (
    FAILED,
    OK,
    OPEN,
    PASSED,
    answer,
    examine,
    finding,
    findings,
)
from tests.evidence.verification.fabric_network import Block

ROOT = Path(__file__).resolve().parents[2]
VECTORS = Path(os.environ.get("MINGJIAN_VECTORS") or ROOT.parent / "shared" / "vectors")
REAL = VECTORS / "consortium" / "fabric"
GENESIS_V20 = "39cede29a224a3db58ee6eadcabf9008756868daa11d282f8e83bc1a08189291"

if not REAL.is_dir():
    pytest.skip(f"NOT RUN: no vectors in {VECTORS}; set MINGJIAN_VECTORS", allow_module_level=True)


def read(*names: str) -> dict[str, bytes]:
    return {name: (REAL / name).read_bytes() for name in names}


def verifier(name: str, **profile: Any) -> TrustStore:
    """A court that has pinned the roots of a WeCross verifier file."""
    given = json.loads((REAL / name).read_bytes())
    roots = [{"org": org, "pem": pem, "role": "orderer"} for org, pem in given["ordererCA"].items()]
    roots += [{"org": org, "pem": pem, "role": "member"} for org, pem in given["endorserCA"].items()]
    return pinned(roots=roots, **profile)


def pinned(*, roots: list[dict[str, Any]] | None = None, checkpoints: Any = (), **profile: Any) -> TrustStore:
    whole = {
        "id": "peer",
        "title": {"zh": "对照链", "en": "Peer chain"},
        "operator": "operator",
        "family": "fabric",
        "chain_id": "mychannel",
        "suite": {"hash": "SHA256", "signature": "ECDSA-P256"},
        "consensus": "SINGLE",
        "contracts": [],
        **profile,
    }
    parts = {
        "profile": whole,
        "validators": {"org_roots": roots or []},
        "checkpoints": {"checkpoints": list(checkpoints)},
    }
    return made.store({"peer": parts})


RUNGS = ("INCL.LEDGER_KIND", "INCL.TRANSACTION", "INCL.SENDER", "INCL.PATH", "INCL.HEADER", "INCL.NODE_QUORUM")


def test_block_6_of_a_1_4_chain() -> None:
    verdict = examine(read("wecross-blockBytes.pb"), verifier("wecross-blockVerifier.json"))
    for check in (*RUNGS, "FABRIC.ENDORSEMENT"):
        assert answer(verdict, check) == OK, check
    endorsed = finding(verdict, "FABRIC.ENDORSEMENT")
    assert endorsed.actual is not None and endorsed.actual.startswith("2: Org1MSP")
    assert "Org2MSP" in endorsed.actual
    assert "SINGLE_SIGNER" in finding(verdict, "INCL.NODE_QUORUM").notes
    assert answer(verdict, "INCL.EXECUTION") == (OPEN, Reason.VALIDITY_FLAG_UNSIGNED)
    assert verdict.overall is Overall.INDETERMINATE


def test_what_it_wrote() -> None:
    """The write sacc/a = 123 is found where the court maps it, though it is no digest."""
    contract = {"name": "sacc", "method": "write", "digest_param": "value", "encoding": "hex-text"}
    verdict = examine(
        read("wecross-blockBytes.pb"), verifier("wecross-blockVerifier.json", contracts=[contract])
    )
    found = finding(verdict, "INCL.CONTENT")
    assert (found.expected, found.actual) == ("sacc.write(value)", "123")
    assert finding(verdict, "INCL.TRANSACTION").notes == ("METHOD_FOUND:WeCrossProxy.sendTransaction",)


def test_ordering_is_enough_where_the_court_says_so() -> None:
    store = verifier("wecross-blockVerifier.json", execution_basis="ordering_only")
    verdict = examine(read("wecross-blockBytes.pb"), store)
    assert answer(verdict, "INCL.EXECUTION") == OK
    assert finding(verdict, "INCL.EXECUTION").notes == ("ORDERING_ONLY",)


def test_configuration_block_2() -> None:
    verdict = examine(read("wecross-systemBlockBytes.pb"), verifier("wecross-blockVerifier.json"))
    for check in ("INCL.LEDGER_KIND", "INCL.PATH", "INCL.HEADER", "INCL.NODE_QUORUM"):
        assert answer(verdict, check) == OK, check


@pytest.mark.parametrize("name", ["wecross-blockBytes.pb", "wecross-systemBlockBytes.pb"])
def test_wrong_verifier(name: str) -> None:
    store = verifier("wecross-wrongBlockVerifier.json", execution_basis="ordering_only")
    verdict = examine(read(name), store)
    assert answer(verdict, "INCL.NODE_QUORUM") == (OPEN, Reason.NO_CERTIFICATE_CHAIN_FOUND)
    assert verdict.overall is not Overall.CONSISTENT


def test_pinned_configuration_of_block_2_speaks_for_block_6() -> None:
    """Block 6 names block 2 as its configuration; the court has pinned that block and nothing else."""
    config = read("wecross-systemBlockBytes.pb")
    pin = {"height": 2, "hash": header_hash(config["wecross-systemBlockBytes.pb"]).hex(), "basis": "copied"}
    verdict = examine({**config, **read("wecross-blockBytes.pb")}, pinned(checkpoints=[pin]))
    for check in (*RUNGS, "FABRIC.ENDORSEMENT"):
        assert answer(verdict, check, contains="block 6") == OK, check
    alone = examine(read("wecross-blockBytes.pb"), pinned(checkpoints=[pin]))
    assert answer(alone, "INCL.NODE_QUORUM") == (OPEN, Reason.ANCHOR_UNAVAILABLE)


def header_hash(block: bytes) -> bytes:
    """By hand: the block's first field is its header, {1 number, 2 previous_hash, 3 data_hash}."""
    header = block[2 : 2 + block[1]]
    if header[0] != 8:  # number 0 is left out, and so is the hash before it
        number, at = 0, 0
        previous = b""
    else:
        number, at = header[1], 2
        previous, at = header[at + 2 : at + 34], at + 34
    data = header[at + 2 : at + 34]
    body = b"\x02\x01" + bytes([number]) + b"\x04" + bytes([len(previous)]) + previous + b"\x04\x20" + data
    return hashlib.sha256(b"\x30" + bytes([len(body)]) + body).digest()


# ── blockfiles ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_20_linked_blocks_up_to_the_pinned_genesis() -> None:
    """Five configurations follow one another from the genesis that the court has pinned; all 19 signatures count."""
    store = pinned(chain_id="testchannel", genesis_hash=GENESIS_V20)
    verdict = examine(read("fabric-v20-testchannel.blockfile"), store)
    for check in ("INCL.PATH", "INCL.HEADER"):
        assert [f.outcome.value for f in findings(verdict, check)] == [PASSED] * 20, check
    signed = findings(verdict, "INCL.NODE_QUORUM")
    assert [f.outcome.value for f in signed] == [PASSED] * 19
    assert finding(verdict, "INCL.ROOT", "block 0").notes == ("GENESIS_PINNED",)
    unpinned = examine(read("fabric-v20-testchannel.blockfile"), pinned(chain_id="testchannel"))
    assert answer(unpinned, "INCL.NODE_QUORUM", contains="block 0") == (OPEN, Reason.PROOF_NOT_SUPPLIED)
    for check in RUNGS:
        assert answer(verdict, check, contains="tx ") == OK, check
    assert not any(f.outcome.value == FAILED for f in verdict.findings)


def test_20_linked_blocks_lead_back_from_the_last() -> None:
    blocks = read("fabric-v20-testchannel.blockfile")
    last = examine(blocks, pinned(chain_id="testchannel"))
    hashes = {f.subject: f.actual for f in findings(last, "INCL.HEADER")}
    pin = {
        "height": 19,
        "hash": next(h for s, h in hashes.items() if s.endswith("block 19")),
        "basis": "independent",
        "recorded_at": "2026-01-01T00:00:00Z",
    }
    verdict = examine(blocks, pinned(chain_id="testchannel", checkpoints=[pin]))
    roots = findings(verdict, "INCL.ROOT")
    assert [f.outcome.value for f in roots] == [PASSED] * 20
    assert {n for f in roots for n in f.notes} == {"CHECKPOINT_EQUAL"} | {f"CHECKPOINT_LINKED:{n}" for n in range(1, 20)}
    assert {w.grade for w in verdict.walks} == {Grade.A}


@pytest.mark.parametrize("name", ["sample_prod.blockfile"])
def test_8_linked_blocks(name: str) -> None:
    raw = read("fabric-sample_prod-block0.pb")["fabric-sample_prod-block0.pb"]
    verdict = examine(read(name), pinned(genesis_hash=header_hash(raw).hex()))
    for check in ("INCL.PATH", "INCL.HEADER"):
        assert [f.outcome.value for f in findings(verdict, check)] == [PASSED] * 8, check
    assert [f.outcome.value for f in findings(verdict, "INCL.NODE_QUORUM")] == [PASSED] * 7
    assert not any(f.outcome.value == FAILED for f in verdict.findings)


@pytest.mark.parametrize("number", [4, 7])
def test_single_blocks_are_the_same_as_in_the_blockfile(number: int) -> None:
    """Genesis and block as separate files give what the row of blocks gives."""
    names = ("fabric-sample_prod-block0.pb", f"fabric-sample_prod-block{number}.pb")
    given = read(*names)
    verdict = examine(given, pinned(genesis_hash=header_hash(given[names[0]]).hex()))
    for check in RUNGS:
        assert answer(verdict, check, contains=f"block {number}") == OK, check


def test_a_bad_ledger() -> None:
    verdict = examine(read("sample_bad.blockfile"), pinned())
    wrong = {(f.check, f.reason, f.subject.rsplit(" · ", 1)[-1]) for f in verdict.findings if f.outcome.value == FAILED}
    assert wrong == {
        ("INCL.PATH", Reason.PROOF_FAILURE, "block 0"),
        ("INCL.ROOT", Reason.PROOF_FAILURE, "block 1"),
    }
    assert verdict.overall is Overall.INCONSISTENT


# ── packages ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def package(block: bytes, **more: Any) -> bytes:
    return json.dumps(
        {
            "format": "mingjian.chain-proof",
            "version": 1,
            "family": "fabric",
            "chain": {
                "chain_id": "mychannel", "genesis_hash": "00" * 32, "engine": "v1.4.4",
                "hash": "SHA256", "signature": "ECDSA-P256",
            },
            "evidence": [{"name": "none", "digest_alg": "SHA-256", "digest": "00" * 32}],
            "block": base64.b64encode(block).decode(),
            "tx_id": "808235cc9487022c1b923590f9f914758b0d95f24ce49509da6c5d24720de28a",
            **more,
        }
    ).encode()  # fmt: skip


@pytest.mark.parametrize("trusted", [None, "wecross-blockVerifier.json", "wecross-wrongBlockVerifier.json"])
def test_packaged_twin_says_the_same(trusted: str | None) -> None:
    store = verifier(trusted) if trusted else made.store({})
    block = read("wecross-blockBytes.pb")
    apart, packed = examine(block, store), examine({"p.json": package(*block.values())}, store)
    for check in (*RUNGS, "INCL.ROOT", "INCL.EXECUTION", "INCL.CONTENT", "FABRIC.ENDORSEMENT"):
        assert answer(packed, check) == answer(apart, check), check


# ── printed ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["wecross-blockBytes.pb", "fabric-sample_prod-block4.pb", "fabric-sample_prod-block7.pb"])
def test_a_printed_block_says_the_same(name: str) -> None:
    block = read(name)
    store = verifier("wecross-blockVerifier.json")
    apart, printed = examine(block, store), examine({"b.json": fabric_printer.text(*block.values())}, store)
    for check in (*RUNGS, "INCL.ROOT", "INCL.EXECUTION", "INCL.CONTENT", "FABRIC.ENDORSEMENT"):
        assert answer(printed, check) == answer(apart, check), check


def test_printed_blocks_that_lose_what_the_client_wrote() -> None:
    """Clients of the Node SDK write `is_init = false` out, which print and reading back leave away: four of 29 real blocks."""
    lost, kept = [], 0
    for name in ("sample_prod.blockfile", "sample_bad.blockfile", "fabric-v20-testchannel.blockfile"):
        for block in fabric_block.from_blockfile((REAL / name).read_bytes(), name):
            if block.is_config:
                continue
            whole = Block(block.number, block.previous_hash, block.envelopes or (), block.metadata, block.data_hash)
            try:
                assert fabric_json.block(fabric_printer.text(whole.pb), name).envelopes == block.envelopes
                kept += 1
            except BlockError:
                lost.append((name, block.number))
    assert kept == 25 and lost == [("sample_bad.blockfile", n) for n in (6, 7, 8, 9)]


# ── every bit ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_no_changed_byte_of_a_real_block_goes_unseen() -> None:
    """Every 7th byte of block 6, one bit each. What may change without being seen is what the peer wrote beside the block."""
    store = verifier("wecross-blockVerifier.json", execution_basis="ordering_only")
    (block,) = read("wecross-blockBytes.pb").values()
    good = examine({"b.pb": block}, store)
    unseen = []
    for at in range(0, len(block), 7):
        changed = bytearray(block)
        changed[at] ^= 1 << (at % 8)
        verdict = examine({"b.pb": bytes(changed)}, store)
        checks = (*RUNGS, "INCL.EXECUTION", "FABRIC.ENDORSEMENT")
        if all(findings(verdict, c) and answer(verdict, c) == answer(good, c) for c in checks):
            unseen.append(at)
    # The last 34 bytes are the commit hash (metadata 4); the bytes before it hold last_config (metadata 1), the orderer's old
    # slot (3) and the flags (2): unsigned, and read only where rung E says so.
    beside = len(block) - 34 - 2 - 3 - 2 - 6
    assert all(at >= beside for at in unseen), [hex(a) for a in unseen if a < beside]
