"""Where XuperChain hashes too little: heights, marks of the node, ids of failures, and bytes without borders between them."""

import base64
import hashlib

import pytest

from evidence.verification.reasons import Reason
from evidence.verification.verdict import Overall
from tests.evidence.verification import xuperchain_exhibits as x
from tests.evidence.verification.xuperchain_exhibits import answer, built, finding, trust, verdict, wire

FAILED, OPEN, PASSED = "FAILED", "INDETERMINATE", "PASSED"
OK = (PASSED, None)


# ── what is not hashed ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("height", [0, 1, -5, x.HEIGHT + 1, (1 << 62)])
def test_a_height_proves_nothing(height: int) -> None:
    chain = built()
    chain.block["height"] = height
    found = verdict(chain)
    assert found.overall is Overall.CONSISTENT
    assert finding(found, "INCL.HEADER").notes == (f"HEIGHT_UNPROVEN:{height}",)
    assert all("· " in s.end.label and s.end.label.startswith("–") for w in found.walks for s in w.steps if s.check == "INCL.HEADER")
    # Held against a pinned block it refutes itself.
    for pins in ([x.pin(built().block)], [x.pin(chain.blocks[1])]):
        pinned = verdict(chain, trust(chain, checkpoints=pins))
        assert answer(pinned, "INCL.ROOT") == (FAILED, Reason.ANCHOR_MISMATCH)


def test_a_pinned_height_with_another_block() -> None:
    chain = built()
    other = {"height": x.HEIGHT, "hash": "11" * 32, "recorded_at": None, "basis": "independent"}
    found = verdict(chain, trust(chain, checkpoints=[other]))
    assert answer(found, "INCL.ROOT") == (FAILED, Reason.ANCHOR_MISMATCH)


def test_marks_of_the_node_are_not_evidence() -> None:
    chain = built()
    chain.tx.update(received_timestamp=1, modify_block={"marked": 1, "effective_height": 3})
    chain.block.update(in_trunk=False, next_hash=b"\1" * 32)
    assert verdict(chain).overall is Overall.CONSISTENT
    chain.tx["desc"] = b""
    found = verdict(chain)
    assert answer(found, "INCL.TRANSACTION") == (OPEN, Reason.REDACTED_EXPORT)
    assert found.overall is Overall.INDETERMINATE


def test_failures() -> None:
    reason = "contract failed for a reason of its own, at length"
    for listed, outcome in (
        ("mine", (FAILED, Reason.EXECUTION_FAILED)),
        ("00" * 32, (OPEN, Reason.VALIDITY_FLAG_UNSIGNED)),
        ("not an id", (OPEN, Reason.VALIDITY_FLAG_UNSIGNED)),
    ):
        chain = built()
        mine = chain.tx["txid"].hex()
        x.rebuilt(chain, lambda b, k=mine if listed == "mine" else listed: b.update(failed_txs={k: reason}))
        found = verdict(chain)
        assert answer(found, "INCL.HEADER") == OK
        assert answer(found, "INCL.EXECUTION") == outcome
        assert found.overall is not Overall.CONSISTENT
        # The ids are under no hash: swapping them moves the failure, never away.
        chain.block["failed_txs"] = {"11" * 32 if listed == "mine" else mine.upper(): reason}
        swapped = verdict(chain)
        assert answer(swapped, "INCL.HEADER") == OK
        assert swapped.overall is not Overall.CONSISTENT


@pytest.mark.parametrize("text", ["insufficient balance; and so on, and on, and on", "\x03\0\0\0\0\0\0\0\x11\0\0\0\0\0\0\0\x05\0\0\0" * 2])
@pytest.mark.parametrize("length", [4, 12, 16, 20, 28, 40])
@pytest.mark.parametrize("justify", [False, True])
def test_a_failure_shown_as_counters(length: int, justify: bool, text: str) -> None:
    """The bytes behind the root are hashed without borders: a reason of failure read as term, number, target and certificate."""
    chain = built()
    reason = text[:length]

    def fail(block: x.Fields) -> None:
        block.update(failed_txs={chain.tx["txid"].hex(): reason})
        if length == 4:
            block.update(curBlockNum=5 << 32 | 7)  # as no chain counts; its upper half could be a target
        if not justify:
            block.update(Justify=None)

    x.rebuilt(chain, fail)
    block = chain.block
    tail = reason.encode() + block["curTerm"].to_bytes(8, "little") + block["curBlockNum"].to_bytes(8, "little")
    if justify:
        j = block["Justify"]
        tail += j["ProposalId"] + j["Type"].to_bytes(4, "little") + j["ViewNumber"].to_bytes(8, "little")
        tail += b"".join(v["Address"].encode() + v["PublicKey"].encode() + v["Sign"] for v in j["SignInfos"]["QCSignInfos"])
    readings = 0
    for target in (0, 4):
        head, rest = tail[: 16 + target], tail[16 + target :]
        shown = {**block, "failed_txs": {}, "Justify": None}
        shown.update(
            curTerm=int.from_bytes(head[:8], "little", signed=True),
            curBlockNum=int.from_bytes(head[8:16], "little", signed=True),
            targetBits=int.from_bytes(head[16:], "little", signed=True),
        )
        for split in range(0, max(1, len(rest) - 11)):
            if rest:
                if len(rest) < 12:
                    continue
                kind = int.from_bytes(rest[split : split + 4], "little")
                if kind > 4:
                    continue
                view = int.from_bytes(rest[split + 4 : split + 12], "little", signed=True)
                after = rest[split + 12 :]
                shown["Justify"] = {"ProposalId": rest[:split], "Type": kind, "ViewNumber": view}
                shown["Justify"]["SignInfos"] = {"QCSignInfos": [{"Address": "", "PublicKey": "", "Sign": after}]} if after else None
            if x.hashed_block(shown) != block["blockid"]:
                continue
            readings += 1
            found = verdict(chain, block=x.b64(wire(x.BLOCK, {**shown, "transactions": [], "merkle_tree": []})))
            assert answer(found, "INCL.HEADER")[0] == PASSED
            assert answer(found, "INCL.EXECUTION") == (OPEN, Reason.AMBIGUOUS_PREIMAGE)
            assert found.overall is Overall.INDETERMINATE
    assert readings or (not justify and 4 < length < 28 and length != 12), "the attack was not tried"


# ── versions 1 and 2 hash the writes without borders ──────────────────────────────────────────────────────────────────


def test_writes_cut_in_another_way() -> None:
    """On the chain: two writes of the forger's own contracts. In court: one write of the court's evidence contract."""
    digest = hashlib.sha256(x.PAGE).hexdigest().encode()
    contract = {"name": "evidence2026", "method": "write", "digest_param": "hash12", "encoding": "hex-text"}
    made = [
        {"bucket": "mine", "key": b"k", "value": base64.b64decode("evidence2026")},
        {"bucket": x.b64(b"hash12"), "key": digest},
    ]
    shown = [{"bucket": "mine", "key": b"k"}, {"bucket": "evidence2026", "key": b"hash12", "value": digest}]
    for version in (1, 2, 3):
        chain = built(version=version)
        chain.tx.update(tx_outputs_ext=made, contract_requests=[])
        x.signed_tx(chain.tx, [x.key("user")])
        x.rebuilt(chain)
        chain.tx["tx_outputs_ext"] = shown
        found = verdict(chain, trust(chain, contracts=[contract]))
        if version == 3:
            assert answer(found, "INCL.TRANSACTION") == (FAILED, Reason.HASH_FAILURE)
            continue
        assert answer(found, "INCL.TRANSACTION") == OK
        assert "WRITES_AMBIGUOUS" in finding(found, "INCL.LEDGER_KIND").notes
        assert found.overall is Overall.INDETERMINATE
        assert answer(found, "INCL.CONTENT") == (OPEN, Reason.DIGEST_NOT_LOCATED)
        assert verdict(chain, trust(chain, contracts=[contract], accept_raw_hit=True)).overall is not Overall.CONSISTENT


@pytest.mark.parametrize("version", [1, 2, 3])
def test_writes_that_can_be_cut_in_one_way(version: int) -> None:
    digest = hashlib.sha256(x.PAGE).hexdigest().encode()
    contract = {"name": x.CONTRACT, "method": "write", "digest_param": "record-4-of-the-court", "encoding": "hex-text"}
    chain = built(version=version)
    assert verdict(chain, trust(chain, contracts=[contract])).overall is Overall.CONSISTENT
    keyed = {"name": x.CONTRACT, "method": "write", "digest_param": "#key", "encoding": "hex-text"}
    chain.tx["tx_outputs_ext"] = [{"bucket": x.CONTRACT, "key": digest, "value": b"1"}]
    x.signed_tx(chain.tx, [x.key("user")])
    assert verdict(x.rebuilt(chain), trust(chain, contracts=[keyed])).overall is Overall.CONSISTENT


def test_a_write_without_its_key_is_no_reading() -> None:
    """A bucket and one text: the chain had it as the key, and in court it is the value."""
    digest = hashlib.sha256(x.PAGE).hexdigest().encode()
    chain = built(version=1)
    chain.tx.update(tx_outputs_ext=[{"bucket": "evidence2026", "key": digest}], contract_requests=[])
    x.signed_tx(chain.tx, [x.key("user")])
    x.rebuilt(chain)
    chain.tx["tx_outputs_ext"] = [{"bucket": "evidence2026", "value": digest}]
    found = verdict(chain, trust(chain, accept_raw_hit=True, contracts=[]))
    assert answer(found, "INCL.TRANSACTION") == OK
    assert "WRITES_AMBIGUOUS" in finding(found, "INCL.LEDGER_KIND").notes
    assert found.overall is not Overall.CONSISTENT
