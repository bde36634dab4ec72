"""FISCO BCOS 3: Ethereum transactions with the bytes that were submitted, and the older evidence sample where logs have no borders."""

import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest

from evidence.verification import TrustStore, Verdict
from evidence.verification.chains import ethereum_transaction
from evidence.verification.codecs.text import CodecError
from evidence.verification.reasons import Reason
from evidence.verification.verdict import Overall
from portal.demonstration import fisco3
from tests.evidence.verification.fisco2_exhibits import rlp
from tests.evidence.verification.fisco3_exhibits import (
    FAILED,
    OPEN,
    OTHER,
    PAGE,
    PASSED,
    answer,
    built,
    examine,
    files,
    finding,
    rebuilt,
    trust,
)

DIGEST = hashlib.sha256(PAGE).digest()
SENDER = fisco3.ecdsa_key("an Ethereum wallet")
ADDRESS = fisco3.hexed(fisco3.keccak(SENDER.public)[-20:])


def wallet(kind: int, data: bytes, *, to: str = fisco3.CONTRACT, chain_id: int = 20200, nonce: int = 7) -> bytes:
    """A signed transaction of one of the three kinds, field by field (EIP-155, EIP-2930, EIP-1559)."""
    receiver = fisco3.raw(to)
    access = [[receiver, [b"\x01" * 32]]]
    if kind == 0:
        body: list[Any] = [nonce, 10, 30_000_000, receiver, 0, data]
        signature = SENDER.sign(fisco3.keccak(rlp([*body, chain_id, 0, 0])))
        v = 35 + 2 * chain_id + signature[64]
    else:
        fees = [10] if kind == 1 else [1, 10]
        body = [chain_id, nonce, *fees, 30_000_000, receiver, 0, data, access]
        signature = SENDER.sign(fisco3.keccak(bytes([kind]) + rlp(body)))
        v = signature[64]
    whole = rlp([*body, v, int.from_bytes(signature[:32]), int.from_bytes(signature[32:64])])
    return (bytes([kind]) if kind else b"") + whole


def call(*, saved: bool = True, digest: bytes = DIGEST) -> bytes:
    if saved:
        return fisco3.keccak(b"voteSaveRequest(bytes32)")[:4] + digest
    return fisco3.keccak(b"createSaveRequest(bytes32,bytes)")[:4] + digest + (64).to_bytes(32) + bytes(32)


def recorded(raw: bytes, *, saved: bool = True, data: bytes | None = None) -> fisco3.Built:
    """A block whose first transaction came as Ethereum bytes; the node prints `data` as its input."""
    chain = built(saved=saved)
    tx = {
        "version": 0, "type": 1, "chainID": "20200", "groupID": "", "blockLimit": 0, "nonce": "7", "to": fisco3.CONTRACT,
        "input": fisco3.hexed(data or call(saved=saved)), "abi": "", "value": "0x0", "gasLimit": 30_000_000,
        "hash": fisco3.hexed(fisco3.keccak(raw)), "from": ADDRESS, "signature": "0x" + "00" * 65, "importTime": 1, "extraData": "",
    }  # fmt: skip
    transactions = [tx, *chain.transactions[1:]]
    receipts = [dict(r) for r in chain.receipts]
    receipts[0].update({"transactionHash": tx["hash"], "from": ADDRESS, "input": tx["input"]})
    block = fisco3.assemble(chain.suite, transactions, receipts, chain.sealers, (0, 1, 3), number=1204, timestamp=1_790_000_000_000)
    return replace(chain, transactions=tuple(transactions), receipts=tuple(receipts), block=block)


def package(chain: fisco3.Built, raw: bytes | str | None) -> dict[str, bytes]:
    more = {} if raw is None else {"raw_tx": raw.hex() if isinstance(raw, bytes) else raw}
    value = fisco3.package(chain, [("page.html", "SHA-256", DIGEST)], **more)
    return {"page.html": PAGE, "p.mjproof.json": json.dumps(value).encode()}


def pinned(chain: fisco3.Built, **profile: Any) -> TrustStore:
    pin = {"height": 1204, "hash": chain.block["hash"][2:], "recorded_at": "2026-10-01T00:00:00Z", "basis": "independent"}
    return trust(chain, checkpoints=[pin], **profile)


def result(chain: fisco3.Built, raw: bytes | str | None, store: TrustStore | None = None) -> Verdict:
    return examine(package(chain, raw), store or pinned(chain))


# ── what it is ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_published_example_of_eip_155() -> None:
    raw = bytes.fromhex(
        "f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a028ef61340bd939bc2195fe537567866003e1"
        "a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83"
    )
    read = ethereum_transaction.read(raw)
    assert read.sender is not None and read.sender.hex() == "9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f"
    assert (read.to, read.data) == (b"\x35" * 20, b"")
    for at in range(len(raw)):
        try:
            other = ethereum_transaction.read(raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :])
        except CodecError:
            continue
        assert other.hash != read.hash and other.sender != read.sender


@pytest.mark.parametrize("kind", [0, 1, 2])
def test_a_record_made_by_an_ethereum_wallet(kind: int) -> None:
    raw = wallet(kind, call())
    chain = recorded(raw)
    verdict = result(chain, raw)
    assert (verdict.overall, verdict.grade.value) == (Overall.CONSISTENT, "A")
    assert finding(verdict, "INCL.TRANSACTION").notes == ("ETHEREUM_UNCONFIRMED",)
    assert finding(verdict, "INCL.SENDER").actual == ADDRESS
    assert "ETHEREUM_GROUP_UNSAID" in finding(verdict, "INCL.LEDGER_KIND").notes
    assert "METHOD_FOUND:voteSaveRequest(bytes32)" in finding(verdict, "INCL.LEDGER_KIND").notes


def test_the_group_needs_a_pinned_block() -> None:
    raw = wallet(2, call())
    chain = recorded(raw)
    verdict = result(chain, raw, trust(chain))
    assert answer(verdict, "INCL.NODE_QUORUM") == (PASSED, None)
    assert answer(verdict, "INCL.LEDGER_KIND") == (OPEN, Reason.ANCHOR_UNAVAILABLE)
    assert verdict.overall is Overall.INDETERMINATE


def test_without_the_bytes_nothing_is_read() -> None:
    chain = recorded(wallet(2, call()))
    for given in (package(chain, None), files(chain)):
        verdict = examine(given, pinned(chain))
        assert answer(verdict, "INCL.TRANSACTION") == (OPEN, Reason.TX_INCOMPLETE)
        assert answer(verdict, "INCL.CONTENT") == (OPEN, Reason.TX_INCOMPLETE)
        assert verdict.overall is Overall.INDETERMINATE


# ── what is refused ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", [0, 1, 2])
def test_other_bytes(kind: int) -> None:
    raw = wallet(kind, call())
    chain = recorded(raw)
    for wrong, due in (
        (wallet(kind, call(), nonce=8), Reason.HASH_FAILURE),
        (wallet(kind, call(digest=hashlib.sha256(OTHER).digest())), Reason.HASH_FAILURE),
        (raw + b"\0", Reason.FORMAT_FAILURE),
        (raw[:-1], Reason.FORMAT_FAILURE),
        (b"\x01" + rlp([1, 2, 3]), Reason.FORMAT_FAILURE),
        (rlp(b"text"), Reason.FORMAT_FAILURE),
    ):
        verdict = result(chain, wrong)
        assert answer(verdict, "INCL.TRANSACTION") == (FAILED, due)
        assert verdict.overall is Overall.INCONSISTENT
    for text in ("", "zz", "0x" + raw.hex(), raw.hex().upper(), raw.hex()[:-1]):
        verdict = result(chain, text)
        assert verdict.overall is not Overall.CONSISTENT
    assert answer(result(chain, b"\x03" + raw[1:]), "INCL.TRANSACTION") == (OPEN, Reason.UNSUPPORTED_FORMAT)


def test_the_node_prints_another_call_than_was_submitted() -> None:
    """The fields that the chain runs are the node's own: they must be those of the bytes."""
    raw = wallet(2, call(digest=hashlib.sha256(OTHER).digest()))
    chain = recorded(raw)
    verdict = result(chain, raw)
    assert answer(verdict, "INCL.TRANSACTION") == (FAILED, Reason.HASH_FAILURE)
    assert verdict.overall is Overall.INCONSISTENT


def test_a_wallet_of_somebody_else() -> None:
    raw = wallet(2, call())
    chain = recorded(raw)
    chain.transactions[0]["from"] = "0x" + "11" * 20
    chain.receipts[0]["from"] = "0x" + "11" * 20
    assert answer(result(chain, raw), "INCL.SENDER") == (FAILED, Reason.HASH_FAILURE)


def test_success_alone_is_not_enough() -> None:
    """A mapped method without a final event: its hash was written by the node, so the call data alone prove nothing was run."""
    raw = wallet(2, call(saved=False))
    chain = recorded(raw, saved=False)
    assert answer(result(chain, raw), "INCL.EXECUTION") == (OPEN, Reason.PROMISE_ONLY)
    method = "put(bytes32)"
    data = fisco3.keccak(method.encode())[:4] + DIGEST
    raw = wallet(2, data)
    chain = recorded(raw, data=data)
    contracts = [{"name": fisco3.CONTRACT, "method": method, "digest_param": "0", "encoding": "bytes"}]
    verdict = result(chain, raw, pinned(chain, contracts=contracts))
    assert answer(verdict, "INCL.EXECUTION") == (OPEN, Reason.RECEIPT_NOT_BOUND)
    assert verdict.overall is Overall.INDETERMINATE


def test_native_bytes_are_no_ethereum_transaction() -> None:
    """The fields of a native transaction, handed in as if they were an Ethereum one with the same hash."""
    chain = built()
    native = fisco3.transaction_bytes(chain.transactions[0])
    assert fisco3.keccak(native) == fisco3.raw(chain.tx_hash)
    chain.transactions[0]["type"] = 1
    assert answer(result(chain, native), "INCL.TRANSACTION") == (FAILED, Reason.FORMAT_FAILURE)


# ── the older sample, where output and logs are hashed without borders ─────────────────────────────────────────────────

NEW = "newEvidence(string)"
CHILD = "c1" * 20


def text(*values: bytes, fixed: bytes) -> bytes:
    head, tail, at = b"", b"", 32 * (len(values) + 1)
    for value in values:
        head += (at + len(tail)).to_bytes(32)
        tail += len(value).to_bytes(32) + value.ljust(-(-len(value) // 32) * 32, b"\0")
    return head + fixed + tail


def sample(*logs: tuple[str, str, bytes], evi: bytes | None = None) -> tuple[fisco3.Built, TrustStore]:
    """A call of `newEvidence`, and what was logged: (address, event, data)."""
    evi = evi or DIGEST.hex().encode()
    data = fisco3.keccak(NEW.encode())[:4] + (32).to_bytes(32) + len(evi).to_bytes(32) + evi.ljust(-(-len(evi) // 32) * 32, b"\0")

    def said(receipts: list[Any]) -> None:
        receipts[0]["output"] = fisco3.hexed(bytes.fromhex(CHILD).rjust(32, b"\0"))
        receipts[0]["logEntries"] = [
            {"address": a, "topics": [fisco3.hexed(fisco3.keccak(e.encode()))], "data": fisco3.hexed(d)} for a, e, d in logs
        ]

    chain = rebuilt(built(), transactions=lambda txs: txs[0].update(input=fisco3.hexed(data)), receipts=said)
    mapped = {"name": fisco3.CONTRACT, "method": NEW, "digest_param": "evi", "encoding": "hex-text", "alg": "SHA-256"}
    return chain, trust(chain, contracts=[mapped])


FACTORY = fisco3.CONTRACT[2:]
FACTORY_WORD = bytes.fromhex(FACTORY).rjust(32, b"\0")
MADE = (FACTORY, "newEvidenceEvent(address)", bytes.fromhex(CHILD).rjust(32, b"\0"))


def stored(evi: bytes, event: str = "newSignaturesEvent") -> tuple[str, str, bytes]:
    return CHILD, f"{event}(string,address)", text(evi, fixed=FACTORY_WORD)


def test_the_older_sample() -> None:
    evi = DIGEST.hex().encode()
    chain, store = sample(stored(evi), MADE)
    verdict = examine(files(chain), store)
    assert verdict.overall is Overall.CONSISTENT
    assert "ONE_PARTY_SIGNED" in finding(verdict, "INCL.EXECUTION").notes
    chain, store = sample(stored(evi, "errorNewSignaturesEvent"), MADE)
    assert answer(examine(files(chain), store), "INCL.EXECUTION") == (FAILED, Reason.EXECUTION_FAILED)
    chain, store = sample(MADE)
    assert answer(examine(files(chain), store), "INCL.EXECUTION") == (OPEN, Reason.PROMISE_ONLY)


def test_a_log_written_into_the_text_of_a_refusal() -> None:
    """The contract refused; its event repeats the sender's text, which spells another log. The receipt's bytes can be split either way."""
    wanted = DIGEST.hex().encode()
    forged_data = text(wanted, fixed=FACTORY_WORD)
    forged = CHILD.encode() + fisco3.keccak(b"newSignaturesEvent(string,address)") + forged_data
    evi = bytes(-len(forged) % 32) + forged
    refusal = stored(evi, "errorNewSignaturesEvent")
    # What the chain recorded: the refusal, then the factory's event.
    honest, store = sample(refusal, MADE, evi=evi)
    at = refusal[2].index(forged)
    split = [(refusal[0], refusal[1], refusal[2][:at]), (CHILD, "newSignaturesEvent(string,address)", forged_data), MADE]
    shown, _ = sample(*split, evi=evi)
    assert fisco3.receipt_bytes(honest.receipts[0]) == fisco3.receipt_bytes(shown.receipts[0])
    for court in (store, trust(shown, contracts=[], accept_raw_hit=True)):
        verdict = examine(files(shown), court)
        assert verdict.overall is Overall.INDETERMINATE
        # A topic is no text in UTF-8, so neither the call nor the event is read.
        assert answer(verdict, "INCL.EXECUTION") == (OPEN, Reason.PROMISE_ONLY)


def test_a_log_of_unknown_form_leaves_the_borders_open() -> None:
    evi = DIGEST.hex().encode()
    chain, store = sample(stored(evi), MADE, (FACTORY, "Other(uint256)", bytes(32)))
    assert answer(examine(files(chain), store), "INCL.EXECUTION") == (OPEN, Reason.AMBIGUOUS_PREIMAGE)


def test_a_request_in_another_form_is_no_record() -> None:
    """A known method whose parameters are not in canonical form: success of the call says nothing, whatever the court accepts."""
    data = fisco3.keccak(b"createSaveRequest(bytes32,bytes)")[:4] + DIGEST + (96).to_bytes(32) + bytes(64)
    chain = rebuilt(built(saved=False), transactions=lambda txs: txs[0].update(input=fisco3.hexed(data)))
    verdict = examine(files(chain), trust(chain, contracts=[], accept_raw_hit=True))
    assert "CALL_NOT_CANONICAL" in finding(verdict, "INCL.LEDGER_KIND").notes
    assert answer(verdict, "INCL.EXECUTION") == (OPEN, Reason.PROMISE_ONLY)
    assert verdict.overall is Overall.INDETERMINATE
