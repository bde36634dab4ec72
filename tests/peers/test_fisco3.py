"""FISCO BCOS 3 on real node answers and on the guomi set, with the findings of spec consortium-chains §6; hostile certificates.

The vectors lie beside the repository, or where MINGJIAN_VECTORS says.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from evidence.verification import TrustStore
from evidence.verification.certificates import statement
from evidence.verification.codecs import strict_json
from evidence.verification.reasons import Reason
from evidence.verification.verdict import Overall, ProofState
from tests.evidence.verification.fisco3_exhibits import LADDER, answer, examine, finding, findings, trust

ROOT = Path(__file__).resolve().parents[2]
VECTORS = Path(os.environ.get("MINGJIAN_VECTORS") or ROOT.parent / "shared" / "vectors")
REAL = VECTORS / "consortium" / "fisco3"
GUOMI = VECTORS / "consortium" / "synthetic-gm"
HOSTILE = VECTORS / "hostile" / "hostile"

if not REAL.is_dir():
    pytest.skip(f"NOT RUN: no vectors in {VECTORS}; set MINGJIAN_VECTORS", allow_module_level=True)

FAILED, OPEN, PASSED = "FAILED", "INDETERMINATE", "PASSED"
OK = (PASSED, None)


def read(*paths: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in paths}


def pinned(header: Path, *, hashed: str = "KECCAK256", signed: str = "ECDSA-SECP256K1", **profile: Any) -> TrustStore:
    """A court that has pinned the sealers of this header, each with an operator of its own."""
    block = json.loads(header.read_bytes())
    validators = [
        {"key": key[2:], "weight": weight, "operator": f"operator {i}", "node_name": f"node{i}"}
        for i, (key, weight) in enumerate(zip(block["sealerList"], block["consensusWeights"], strict=True))
    ]

    class Chain:
        pass

    chain: Any = Chain()
    chain.profile = {
        "id": "peer",
        "title": {"zh": "对照链", "en": "Peer chain"},
        "operator": "operator 0",
        "family": "fisco3",
        "chain_id": "chain0",
        "group_id": "group0",
        "suite": {"hash": hashed, "signature": signed},
        "consensus": "BFT",
        "contracts": [],
    }
    chain.validators = {"epochs": [{"from_height": 0, "to_height": None, "validators": validators}]}
    return trust(chain, **profile)


def wecross(suffix: str, stem: str = "ProofVerifierUtilityTest") -> dict[str, bytes]:
    names = ("blockJson", "transactionAndProofJson", "transactionReceiptAndProofJson")
    return read(*(REAL / f"{stem}.{name}{suffix}.json" for name in names))


def test_block_60_of_707_equal_receipts() -> None:
    verdict = examine(wecross(""), pinned(REAL / "ProofVerifierUtilityTest.blockJson.json"))
    for check in ("INCL.LEDGER_KIND", "INCL.TRANSACTION", "INCL.SENDER", "INCL.PATH", "INCL.HEADER", "INCL.NODE_QUORUM"):
        assert answer(verdict, check) == OK
    assert finding(verdict, "INCL.NODE_QUORUM").actual == "4/4: node0, node1, node2, node3"
    assert answer(verdict, "INCL.EXECUTION") == (OPEN, Reason.RECEIPT_NOT_BOUND)
    assert verdict.overall is Overall.INDETERMINATE


def test_block_72_of_one_transaction() -> None:
    verdict = examine(wecross("0"), pinned(REAL / "ProofVerifierUtilityTest.blockJson0.json"))
    for check in (
        "INCL.TRANSACTION", "INCL.SENDER", "INCL.PATH", "INCL.HEADER", "INCL.NODE_QUORUM", "INCL.EXECUTION",
    ):  # fmt: skip
        assert answer(verdict, check) == OK
    assert finding(verdict, "INCL.NODE_QUORUM").actual == "3/4: node0, node1, node3"


def test_block_9_of_an_old_node() -> None:
    given = wecross("", "ClientWrapperTxVerifyMock")
    verdict = examine(given, pinned(REAL / "ClientWrapperTxVerifyMock.blockJson.json"))
    for check in ("INCL.TRANSACTION", "INCL.SENDER", "INCL.PATH", "INCL.HEADER", "INCL.NODE_QUORUM"):
        assert answer(verdict, check) == OK
    assert finding(verdict, "INCL.PATH").notes == ("RECOMPUTED_FROM_LEAVES:51",)
    assert finding(verdict, "INCL.NODE_QUORUM").actual == "2/2: node0, node1"
    assert answer(verdict, "INCL.EXECUTION") == (OPEN, Reason.PROOF_UNUSABLE)
    without = dict(given)
    block = json.loads(without["ClientWrapperTxVerifyMock.blockJson.json"])
    del block["transactions"]
    without["ClientWrapperTxVerifyMock.blockJson.json"] = json.dumps(block).encode()
    assert answer(examine(without, trust(None)), "INCL.PATH") == (OPEN, Reason.PROOF_UNUSABLE)


def test_transaction_without_its_block() -> None:
    verdict = examine(read(REAL / "java-sdk.testECDSAGetTransactionAndCalculateHash.L1015.json"), trust(None))
    assert answer(verdict, "INCL.TRANSACTION") == OK
    assert answer(verdict, "INCL.SENDER") == OK
    assert answer(verdict, "INCL.HEADER") == (OPEN, Reason.PROOF_NOT_SUPPLIED)
    assert verdict.overall is Overall.INDETERMINATE


@pytest.mark.parametrize("name", ["java-sdk.testBlockHeaderResponse.L62", "java-sdk.testBcosBlockWithTransaction.L206"])
def test_edited_headers(name: str) -> None:
    verdict = examine(read(REAL / f"{name}.json"), trust(None))
    assert answer(verdict, "INCL.HEADER") == (FAILED, Reason.HASH_FAILURE)
    assert verdict.overall is Overall.INCONSISTENT


@pytest.mark.parametrize("mixed", [("0", ""), ("", "0")])
def test_proofs_of_two_blocks_do_not_mix(mixed: tuple[str, str]) -> None:
    one, other = wecross(mixed[0]), wecross(mixed[1])
    block = next(n for n in other if "blockJson" in n)
    given = {n: d for n, d in one.items() if "blockJson" not in n} | {block: other[block]}
    verdict = examine(given, pinned(REAL / block))
    assert answer(verdict, "INCL.PATH")[0] != PASSED
    assert verdict.overall is not Overall.CONSISTENT


@pytest.mark.parametrize(("suffix", "stem"), [("", "ProofVerifierUtilityTest"), ("0", "ProofVerifierUtilityTest"), ("", "ClientWrapperTxVerifyMock")])  # fmt: skip
def test_packaged_twins_say_the_same(suffix: str, stem: str) -> None:
    given = wecross(suffix, stem)
    store = pinned(REAL / f"{stem}.blockJson{suffix}.json")
    block, receipt, transaction = (
        json.loads(next(d for n, d in given.items() if name in n))
        for name in ("blockJson", "transactionReceiptAndProofJson", "transactionAndProofJson")
    )
    twin = {
        "format": "mingjian.chain-proof",
        "version": 1,
        "family": "fisco3",
        "chain": {
            "chain_id": "chain0", "group_id": "group0", "genesis_hash": "00" * 32, "engine": "v3",
            "hash": "KECCAK256", "signature": "ECDSA-SECP256K1",
        },
        "evidence": [{"name": "none", "digest_alg": "SHA-256", "digest": "00" * 32}],
        "transaction": transaction,
        "receipt": receipt,
        "header": block,
    }  # fmt: skip
    apart, packed = examine(given, store), examine({"p.json": json.dumps(twin).encode()}, store)
    for check in LADDER:
        assert answer(packed, check) == answer(apart, check), check


# ── guomi ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def guomi(index: int, tx: str = "") -> dict[str, bytes]:
    given = read(GUOMI / "fisco3-gm-block.json", GUOMI / f"fisco3-gm-tx{index}{tx}.json", GUOMI / f"fisco3-gm-receipt{index}.json")
    return {**given, f"file {index}.txt": f"file {index}".encode()}


CONTRACT = {
    "name": "0x1111111111111111111111111111111111111111",
    "method": "createSaveRequest(bytes32,bytes)",
    "digest_param": "hash",
    "encoding": "bytes",
    "alg": "SM3",
    "final_event": "EvidenceSaved(bytes32)",
}


@pytest.mark.parametrize(("index", "tx"), [(0, ""), (4, ""), (0, "-hexnonce")])
def test_guomi_request(index: int, tx: str) -> None:
    store = pinned(GUOMI / "fisco3-gm-block.json", hashed="SM3", signed="SM2", contracts=[CONTRACT])
    verdict = examine(guomi(index, tx), store)
    for check in (
        "INCL.LEDGER_KIND", "DIGEST.MATCH", "INCL.CONTENT", "INCL.TRANSACTION", "INCL.SENDER", "INCL.PATH", "INCL.HEADER",
        "INCL.NODE_QUORUM",
    ):  # fmt: skip
        assert answer(verdict, check) == OK, check
    quorum = finding(verdict, "INCL.NODE_QUORUM")
    assert quorum.expected == "≥3/4" and quorum.actual == "3/4: node0, node2, node3"
    assert answer(verdict, "INCL.EXECUTION") == (OPEN, Reason.PROMISE_ONLY)
    assert verdict.overall is Overall.INDETERMINATE
    assert {w.state for w in verdict.walks} == {ProofState.PROMISED}
    if tx:
        assert finding(verdict, "INCL.TRANSACTION").notes == ("RENDERING_USED:nonce=hex",)


def test_guomi_producer_test_without_trust() -> None:
    """§9.7: with `--trust none` the producer's own steps pass, and nothing that only the court can pin does."""
    verdict = examine(guomi(0), trust(None))
    for check in ("DIGEST.MATCH", "INCL.TRANSACTION", "INCL.SENDER", "INCL.PATH", "INCL.HEADER"):
        assert answer(verdict, check) == OK
    assert answer(verdict, "INCL.LEDGER_KIND") == (OPEN, Reason.ANCHOR_UNTRUSTED)
    assert answer(verdict, "INCL.NODE_QUORUM") == (OPEN, Reason.ANCHOR_UNTRUSTED)
    assert answer(verdict, "INCL.CONTENT") == (OPEN, Reason.CONTRACT_UNKNOWN)
    assert answer(verdict, "INCL.EXECUTION") == (OPEN, Reason.PROMISE_ONLY)


def test_guomi_sealers_pinned_on_another_chain() -> None:
    store = pinned(REAL / "ProofVerifierUtilityTest.blockJson.json", hashed="SM3", signed="SM2")
    assert answer(examine(guomi(0), store), "INCL.NODE_QUORUM") == (OPEN, Reason.ANCHOR_UNTRUSTED)


def test_guomi_file_of_the_other_record() -> None:
    store = pinned(GUOMI / "fisco3-gm-block.json", hashed="SM3", signed="SM2", contracts=[CONTRACT])
    given = {n: d for n, d in guomi(0).items() if n.endswith(".json")}
    verdict = examine({**given, "file 4.txt": b"file 4"}, store)
    assert answer(verdict, "DIGEST.MATCH") == (FAILED, Reason.HASH_FAILURE)
    assert verdict.overall is Overall.INCONSISTENT


# ── every digit ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("field", ["txsRoot", "receiptsRoot", "stateRoot", "hash", "sealerList", "signatureList", "timestamp"])
def test_every_field_of_a_real_header_is_bound(field: str) -> None:
    given = wecross("0")
    name = next(n for n in given if "blockJson" in n)
    store = pinned(REAL / name)
    block = json.loads(given[name])
    value = block[field]
    if isinstance(value, int):
        block[field] = value + 1
    elif isinstance(value, str):
        block[field] = value[:7] + ("1" if value[7] != "1" else "2") + value[8:]
    elif field == "sealerList":
        value[2] = value[2][:7] + ("1" if value[2][7] != "1" else "2") + value[2][8:]
    else:
        signature = value[1]["signature"]
        value[1]["signature"] = signature[:7] + ("1" if signature[7] != "1" else "2") + signature[8:]
    verdict = examine({**given, name: json.dumps(block).encode()}, store)
    assert verdict.overall is Overall.INCONSISTENT


# ── hostile certificates ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", sorted(HOSTILE.glob("cert-*.json")), ids=lambda p: p.name)
def test_hostile_certificates_never_pass(path: Path) -> None:
    for given in (read(path), {**read(path), "page.html": b"a page"}):
        verdict = examine(given, trust(None))
        assert verdict.overall is not Overall.CONSISTENT
        assert verdict.grade.value == "E" and not any(w.complete for w in verdict.walks)
        assert not findings(verdict, "ENGINE.RUN")
        assert verdict.to_json()


def test_hostile_certificates_that_say_they_are_certificates() -> None:
    """The others name nothing that certificates name: they stay evidence without a proof."""
    verdict = examine(read(HOSTILE / "cert-bigint.json"), trust(None))
    assert answer(verdict, "CERT.READ") == (FAILED, Reason.FORMAT_FAILURE)
    assert verdict.overall is Overall.INCONSISTENT
    data = (HOSTILE / "cert-float-precision.json").read_bytes()
    assert statement.read(strict_json.loads(data), source="c").claim.block_height == 9007199254740993
    assert answer(examine(read(HOSTILE / "cert-float-precision.json"), trust(None)), "CERT.READ") == OK
