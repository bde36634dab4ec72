"""FISCO BCOS 2 on real node answers and on the guomi set, with the findings of spec consortium-chains §5.

The vectors lie beside the repository, or where MINGJIAN_VECTORS says.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from evidence.verification import TrustStore
from evidence.verification.reasons import Reason
from evidence.verification.verdict import Overall
from tests.evidence.verification.fisco3_exhibits import LADDER, answer, examine, finding, findings, trust

ROOT = Path(__file__).resolve().parents[2]
VECTORS = Path(os.environ.get("MINGJIAN_VECTORS") or ROOT.parent / "shared" / "vectors")
REAL = VECTORS / "consortium" / "fisco2"
GUOMI = VECTORS / "consortium" / "synthetic-gm"

if not REAL.is_dir():
    pytest.skip(f"NOT RUN: no vectors in {VECTORS}; set MINGJIAN_VECTORS", allow_module_level=True)

FAILED, OPEN, PASSED = "FAILED", "INDETERMINATE", "PASSED"
OK = (PASSED, None)
WECROSS = "ProofVerifierUtilityTest."
ECDSA_BLOCK = "java-sdk.testECDSAGetBlockAndCalculateHash.L1580"
ECDSA_TX = "java-sdk.testECDSAGetTransactionAndCalculateHash.L1544"
GUOMI_BLOCK = "java-sdk.testSMGetBlockAndCalculateHash.L1495"
GUOMI_TXS = ("java-sdk.testSMGetTransactionAndCalculateHash.L1426", "java-sdk.testSMGetTransactionAndCalculateHash.L1460")
EDITED = "ClientWrapperImplMock.blockHeader1"


def read(*names: str, folder: Path = REAL) -> dict[str, bytes]:
    return {f"{name}.json": (folder / f"{name}.json").read_bytes() for name in names}


def pinned(header: str, *, folder: Path = REAL, guomi: bool = False, **profile: Any) -> TrustStore:
    """A court that has pinned the sealers of this header, each with an operator of its own."""
    block = json.loads((folder / f"{header}.json").read_bytes())
    validators = [
        {"key": key, "weight": 1, "operator": f"operator {i}", "node_name": f"node{i}"}
        for i, key in enumerate(block["sealerList"])
    ]

    class Chain:
        pass

    chain: Any = Chain()
    suite = ("SM3", "SM2") if guomi else ("KECCAK256", "ECDSA-SECP256K1")
    chain.profile = {
        "id": "peer",
        "title": {"zh": "对照链", "en": "Peer chain"},
        "operator": "operator 0",
        "family": "fisco2",
        "chain_id": "1",
        "group_id": "1",
        "suite": {"hash": suite[0], "signature": suite[1]},
        "consensus": "BFT",
        "contracts": [],
    }
    chain.validators = {"epochs": [{"from_height": 0, "to_height": None, "validators": validators}]}
    return trust(chain, **profile)


def with_path(name: str, *units: dict[str, list[str]]) -> bytes:
    return json.dumps({"transaction": json.loads(read(name)[f"{name}.json"]), "txProof": list(units)}).encode()


EMPTY: dict[str, list[str]] = {"left": [], "right": []}


# ── ECDSA, end to end ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", [True, False])
def test_block_1_of_the_java_sdk(path: bool) -> None:
    given = read(ECDSA_BLOCK, ECDSA_TX)
    if path:
        given[f"{ECDSA_TX}.json"] = with_path(ECDSA_TX, EMPTY)
    verdict = examine(given, pinned(ECDSA_BLOCK))
    for check in ("INCL.LEDGER_KIND", "INCL.TRANSACTION", "INCL.SENDER", "INCL.PATH", "INCL.HEADER", "INCL.NODE_QUORUM"):
        assert answer(verdict, check) == OK, check
    quorum = finding(verdict, "INCL.NODE_QUORUM")
    assert quorum.expected == "≥3/4" and (quorum.actual or "").startswith("3/4: ")
    assert answer(verdict, "INCL.EXECUTION") == (OPEN, Reason.PROOF_NOT_SUPPLIED)
    assert verdict.overall is Overall.INDETERMINATE


def test_a_path_that_is_too_long() -> None:
    given = read(ECDSA_BLOCK) | {"t.json": with_path(ECDSA_TX, EMPTY, EMPTY)}
    verdict = examine(given, pinned(ECDSA_BLOCK))
    assert answer(verdict, "INCL.PATH") == (FAILED, Reason.PROOF_FAILURE)


# ── guomi ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_real_guomi_block() -> None:
    verdict = examine(read(GUOMI_BLOCK), pinned(GUOMI_BLOCK, guomi=True))
    assert answer(verdict, "INCL.HEADER") == OK
    assert answer(verdict, "INCL.NODE_QUORUM") == OK
    assert finding(verdict, "INCL.NODE_QUORUM").actual == "3/4: node0, node3, node1"
    assert answer(verdict, "INCL.TRANSACTION") == (OPEN, Reason.PROOF_NOT_SUPPLIED)
    assert verdict.overall is Overall.INDETERMINATE


@pytest.mark.parametrize("name", GUOMI_TXS)
def test_real_guomi_transactions(name: str) -> None:
    verdict = examine(read(name), trust(None))
    assert answer(verdict, "INCL.TRANSACTION") == OK
    assert answer(verdict, "INCL.SENDER") == OK
    assert finding(verdict, "INCL.SENDER").actual == "0xdba1e9f40baa1b956b509b04eb738eccfa8d784c"
    assert "SUITE_GUESSED:SM3" in finding(verdict, "INCL.LEDGER_KIND").notes
    # Together with the block of another chain the path must not pass.
    both = examine(read(name, GUOMI_BLOCK), pinned(GUOMI_BLOCK, guomi=True))
    assert answer(both, "INCL.TRANSACTION") == OK
    assert answer(both, "INCL.PATH")[0] != PASSED
    assert both.overall is not Overall.CONSISTENT
    moved = examine(read(GUOMI_BLOCK) | {"t.json": with_path(name, EMPTY)}, pinned(GUOMI_BLOCK, guomi=True))
    assert answer(moved, "INCL.PATH") == (FAILED, Reason.PROOF_FAILURE)


# ── nodes before 2.7.0 ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("suffix", ["", "0"])
def test_wecross_blocks(suffix: str) -> None:
    """Blocks 9 (one transaction) and 35 (five, index 2): path and receipt hold, the body is not complete."""
    names = [f"{WECROSS}{n}{suffix}" for n in ("blockJson", "transactionAndProofJson", "transactionReceiptAndProofJson")]
    verdict = examine(read(*names), pinned(names[0]))
    for check in ("INCL.HEADER", "INCL.PATH", "INCL.EXECUTION"):
        assert answer(verdict, check) == OK, check
    assert finding(verdict, "INCL.PATH").notes == ("LEAF_CLAIMED",)
    for check in ("INCL.TRANSACTION", "INCL.SENDER", "INCL.CONTENT"):
        assert answer(verdict, check) == (OPEN, Reason.TX_INCOMPLETE), check
    assert "blockLimit" in (finding(verdict, "INCL.TRANSACTION").actual or "")
    assert answer(verdict, "INCL.NODE_QUORUM") == (OPEN, Reason.PROOF_NOT_SUPPLIED)
    assert verdict.overall is Overall.INDETERMINATE
    assert {w.state.value for w in verdict.walks} == {"ASSERTED"}


@pytest.mark.parametrize(("block", "flat"), [("", "getTransactionReceiptAndReceiptProofJson"), ("0", "getGetTransactionReceiptAndReceiptProofJson0")])  # fmt: skip
def test_the_flat_answer_with_both_paths(block: str, flat: str) -> None:
    verdict = examine(read(f"{WECROSS}blockJson{block}", WECROSS + flat), trust(None))
    for check in ("INCL.HEADER", "INCL.PATH", "INCL.EXECUTION"):
        assert answer(verdict, check) == OK, check
    assert answer(verdict, "INCL.TRANSACTION") == (OPEN, Reason.TX_INCOMPLETE)


@pytest.mark.parametrize(("one", "other"), [("0", ""), ("", "0")])
def test_answers_of_two_blocks_do_not_mix(one: str, other: str) -> None:
    names = [f"{WECROSS}blockJson{one}", *(f"{WECROSS}{n}{other}" for n in ("transactionAndProofJson", "transactionReceiptAndProofJson"))]
    verdict = examine(read(*names), trust(None))
    assert answer(verdict, "INCL.PATH") == (FAILED, Reason.PROOF_FAILURE)
    assert answer(verdict, "INCL.EXECUTION")[0] != PASSED
    # The receipt of the other block beside the transaction of this one.
    mixed = [*(f"{WECROSS}{n}{one}" for n in ("blockJson", "transactionAndProofJson")), f"{WECROSS}transactionReceiptAndProofJson{other}"]
    assert examine(read(*mixed), trust(None)).overall is not Overall.CONSISTENT


def test_header_edited_behind_its_signatures() -> None:
    """Three of four signatures are valid over `hash`, and the header is another one."""
    for store in (trust(None), pinned(EDITED)):
        verdict = examine(read(EDITED), store)
        assert answer(verdict, "INCL.HEADER") == (FAILED, Reason.HASH_FAILURE)
        assert verdict.overall is Overall.INCONSISTENT


# ── guomi, sixteen and more transactions ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("index", [0, 15, 17])
def test_two_groups_of_a_guomi_block(index: int) -> None:
    given = read("fisco2-gm-blockHeader", f"fisco2-gm-txproof{index}", folder=GUOMI)
    verdict = examine(given, pinned("fisco2-gm-blockHeader", folder=GUOMI, guomi=True))
    for check in ("INCL.HEADER", "INCL.PATH", "INCL.NODE_QUORUM"):
        assert answer(verdict, check) == OK, check
    assert (finding(verdict, "INCL.NODE_QUORUM").actual or "").startswith("3/4")
    assert answer(verdict, "INCL.TRANSACTION") == (OPEN, Reason.TX_INCOMPLETE)
    assert verdict.overall is Overall.INDETERMINATE


@pytest.mark.parametrize("index", [0, 15, 17])
def test_another_index_is_refused(index: int) -> None:
    name = f"fisco2-gm-txproof{index}"
    moved = json.loads((GUOMI / f"{name}.json").read_bytes())
    moved["transaction"]["transactionIndex"] = "0x1"
    given = read("fisco2-gm-blockHeader", folder=GUOMI) | {"t.json": json.dumps(moved).encode()}
    assert answer(examine(given, trust(None)), "INCL.PATH") == (FAILED, Reason.PROOF_FAILURE)


# ── packages, and every field ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("suffix", ["", "0"])
def test_packaged_twins_say_the_same(suffix: str) -> None:
    names = [f"{WECROSS}{n}{suffix}" for n in ("blockJson", "transactionAndProofJson", "transactionReceiptAndProofJson")]
    given, store = read(*names), pinned(names[0])
    block, transaction, receipt = (json.loads(given[f"{n}.json"]) for n in names)
    twin = {
        "format": "mingjian.chain-proof",
        "version": 1,
        "family": "fisco2",
        "chain": {
            "chain_id": "1", "group_id": 1, "genesis_hash": "00" * 32, "engine": "2.2.0", "hash": "KECCAK256",
            "signature": "ECDSA-SECP256K1",
        },
        "evidence": [{"name": "none", "digest_alg": "SHA-256", "digest": "00" * 32}],
        "transaction": transaction,
        "receipt": receipt,
        "header": block,
    }  # fmt: skip
    apart, packed = examine(given, store), examine({"p.json": json.dumps(twin).encode()}, store)
    for check in LADDER:
        if check != "INCL.LEDGER_KIND":  # the package names the chain, the answers do not
            assert answer(packed, check) == answer(apart, check), check
    twin["chain"]["engine"] = "v2.1.0"  # type: ignore[index]
    old = examine({"p.json": json.dumps(twin).encode()}, store)
    assert answer(old, "INCL.PATH") == (OPEN, Reason.UNSUPPORTED_FORMAT)
    assert finding(old, "INCL.PATH").actual == "2.1.0"


@pytest.mark.parametrize(
    "field",
    [
        "parentHash", "stateRoot", "transactionsRoot", "receiptsRoot", "dbHash", "logsBloom", "number", "gasLimit", "gasUsed",
        "timestamp", "extraData", "sealer", "sealerList", "hash", "signatureList",
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", [ECDSA_BLOCK, GUOMI_BLOCK])
def test_every_field_of_a_real_header_is_bound(field: str, name: str) -> None:
    block = json.loads(read(name)[f"{name}.json"])
    value = block[field]
    if field == "extraData":
        block[field] = ["0x00"]
    elif field == "number":
        block[field] = value + 1
    elif field == "sealerList":
        value[2] = "0" + value[2][1:] if value[2][0] != "0" else "1" + value[2][1:]
    elif field == "signatureList":
        text = value[1]["signature"]
        value[1]["signature"] = text[:9] + ("1" if text[9] != "1" else "2") + text[10:]
    else:
        at = 3 if field in ("timestamp",) else 2
        block[field] = value[:at] + ("1" if value[at] != "1" else "2") + value[at + 1 :]
    verdict = examine({"block.json": json.dumps(block).encode()}, pinned(name, guomi=name == GUOMI_BLOCK))
    assert verdict.overall is Overall.INCONSISTENT
    assert any(f.outcome.value == FAILED for f in findings(verdict, "INCL.HEADER") + findings(verdict, "INCL.NODE_QUORUM"))
