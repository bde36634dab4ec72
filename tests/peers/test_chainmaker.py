"""ChainMaker 2.x on real node answers and on the guomi set, with the findings of spec consortium-chains §4.

The real blocks are of a four-organisation TBFT chain (v2.3.2, SHA-256, P-256, certificates); the `cross_*` transactions of
another chain. The vectors lie beside the repository, or where MINGJIAN_VECTORS says.
"""

import base64
import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import pytest

from evidence.verification import TrustStore, Verdict
from evidence.verification.chains import chainmaker_messages as messages
from evidence.verification.chains.chainmaker_hashing import leaf_bytes
from evidence.verification.chains.chainmaker_votes import TBFT_KEY
from evidence.verification.codecs import protobuf, strict_json
from evidence.verification.codecs.protobuf_json import to_wire
from evidence.verification.reasons import Reason
from evidence.verification.verdict import Overall
from tests.anchor_packs import write_pack
from tests.evidence.verification.chainmaker_exhibits import (
    FAILED,
    OPEN,
    PASSED,
    answer,
    answers,
    examine,
    finding,
)
from tests.evidence.verification.test_chainmaker import protobuf_json

ROOT = Path(__file__).resolve().parents[2]
VECTORS = Path(os.environ.get("MINGJIAN_VECTORS") or ROOT.parent / "shared" / "vectors")
REAL = VECTORS / "consortium" / "chainmaker"
GUOMI = VECTORS / "consortium" / "synthetic-gm"

if not REAL.is_dir():
    pytest.skip(f"NOT RUN: no vectors in {VECTORS}; set MINGJIAN_VECTORS", allow_module_level=True)

OK = (PASSED, None)
WHOLE = "2_blockInfoJsonContractERC20.json"
CUT = {
    "1_blockInfoJsonContract.norwset.json": (48, 2),
    "2_blockInfoJson_1704945589.norwset.json": (3, 0),
    "2_blockInfoJson_1704945597.norwset.json": (34, 0),
}
"""Blocks of the explorer export that cuts bytecode to `md5:…`: (height, round of the votes)."""
SENDER = "sender-cert-2cae3f2a.pem"
CROSS = [
    ("cross_1_txInfoJson.json", "cross_1_txRWSet.json"),
    ("cross_2_txInfoJson_1709178475.json", "cross_2_txRWSetJson_1709178475.json"),
    ("cross_3_txInfoJson_1709189120.json", "cross_3_txRWSetJson_1709189120.json"),
]


def read(*names: str) -> dict[str, bytes]:
    return {name: (REAL / name).read_bytes() for name in names}


def store(**sets: Any) -> TrustStore:
    """A court that has pinned `chain1` with these validators."""
    profile = {
        "id": "chain1",
        "title": {"zh": "实链", "en": "Real chain"},
        "operator": "explorer",
        "family": "chainmaker",
        "chain_id": "chain1",
        "suite": {"hash": "SHA256", "signature": "ECDSA-P256"},
        "consensus": "BFT",
        "path_generation": "unknown",
        "contracts": [
            {"name": "evidence21", "method": "Evidence", "digest_param": "hash", "encoding": "hex-text"}
        ],
    }
    with tempfile.TemporaryDirectory() as folder:
        chains = {"chain1": {"profile": profile, "validators": sets}}
        return TrustStore.load(write_pack(Path(folder) / "pack", chains=chains))


def organisations() -> list[dict[str, str]]:
    """The roots of org1 and org2, as the explorer's own configuration holds them. org3 and org4 are not there."""
    nodes = json.loads((REAL / "0_chainListConfig.json").read_bytes())[0]["NodesList"]
    return [{"org": f"wx-org{i + 1}.chainmaker.org", "pem": n["OrgCA"]} for i, n in enumerate(nodes)]


def consensus_certificates() -> dict[str, bytes]:
    """Organisation -> DER of its consensus node's certificate, collected from the votes and proposers of the four blocks."""
    found: dict[str, bytes] = {}
    for name in (WHOLE, *CUT):
        value = strict_json.loads((REAL / name).read_bytes())
        info = protobuf.parse(to_wire(value, messages.BLOCK_INFO), messages.BLOCK_INFO)
        block = info.message("block")
        assert block is not None
        additional, header = block.message("additional_data"), block.message("header")
        assert additional is not None and header is not None
        votes = protobuf.parse(additional.entries("extra_data")[TBFT_KEY], messages.VOTE_SET)
        endorsements = [v.message("endorsement") for v in votes.entries("votes").values()]
        for member in (header.message("proposer"), *(e and e.message("signer") for e in endorsements)):
            assert member is not None
            der = base64.b64decode(b"".join(member.data("member_info").split(b"\n")[1:-2]))
            assert found.setdefault(member.text("org_id"), der) == der
    return found


@pytest.fixture(scope="module")
def pinned() -> TrustStore:
    """The four consensus certificates, each with an operator of its own, and no roots."""
    validators = [
        {"cert_sha256": hashlib.sha256(der).hexdigest(), "org": org, "operator": org, "node_name": org}
        for org, der in sorted(consensus_certificates().items())
    ]
    assert len(validators) == 4
    return store(epochs=[{"from_height": 0, "to_height": None, "validators": validators}])


@pytest.fixture(scope="module")
def roots() -> TrustStore:
    """The two roots at hand, three of four organisations being enough."""
    epoch = {"from_height": 0, "to_height": None, "validators": [], "quorum": 3}
    return store(epochs=[epoch], org_roots=organisations())


def test_a_real_block_whole(pinned: TrustStore) -> None:
    verdict = examine(read(WHOLE, SENDER), pinned)
    expected = dict.fromkeys(
        (
            "INCL.LEDGER_KIND", "INCL.TRANSACTION", "INCL.SENDER", "INCL.PATH", "INCL.HEADER", "INCL.NODE_QUORUM",
            "INCL.EXECUTION", "CHAINMAKER.RW_SET", "CHAINMAKER.RW_SET_ROOT", "CHAINMAKER.DAG", "CHAINMAKER.PROPOSER",
            "CHAINMAKER.ENDORSERS", "CHAINMAKER.TX_ROOT",
        ),
        OK,
    )  # fmt: skip
    assert {c: answer(verdict, c) for c in expected} == expected
    assert finding(verdict, "INCL.NODE_QUORUM").expected == "≥3 / 4"
    assert finding(verdict, "CHAINMAKER.ENDORSERS").expected == "3"
    assert (verdict.overall, verdict.walks[0].grade.value) == (Overall.INDETERMINATE, "B")


def test_the_same_block_in_other_renderings(pinned: TrustStore) -> None:
    raw = (REAL / WHOLE).read_bytes()
    value = strict_json.loads(raw)
    shapes = (raw, protobuf_json(raw), to_wire(value, messages.BLOCK_INFO))
    first, *others = (examine({"block": data, **read(SENDER)}, pinned).findings for data in shapes)
    assert all(found == first for found in others)


def test_two_roots_of_four_organisations(roots: TrustStore) -> None:
    verdict = examine(read(WHOLE, SENDER), roots)
    assert answer(verdict, "INCL.NODE_QUORUM") == (OPEN, Reason.NO_CERTIFICATE_CHAIN_FOUND)
    assert (finding(verdict, "INCL.NODE_QUORUM").actual or "").startswith("2: ")
    assert answer(verdict, "CHAINMAKER.PROPOSER") == answer(verdict, "INCL.SENDER") == OK
    assert answer(verdict, "CHAINMAKER.ENDORSERS") == (OPEN, Reason.NO_CERTIFICATE_CHAIN_FOUND)
    for name, (height, _) in CUT.items():
        proposer = (
            OK if height in (34, 48) else (OPEN, Reason.NO_CERTIFICATE_CHAIN_FOUND)
        )  # block 3 is org4's
        assert answer(examine(read(name), roots), "CHAINMAKER.PROPOSER") == proposer


@pytest.mark.parametrize("name", CUT)
def test_a_real_redacted_export(name: str, pinned: TrustStore) -> None:
    verdict = examine(read(name, SENDER), pinned)
    for check in (
        "INCL.HEADER",
        "INCL.NODE_QUORUM",
        "CHAINMAKER.RW_SET_ROOT",
        "CHAINMAKER.PROPOSER",
        "CHAINMAKER.DAG",
    ):
        assert answer(verdict, check) == OK
    for check in ("INCL.TRANSACTION", "INCL.SENDER", "INCL.PATH", "CHAINMAKER.TX_ROOT", "INCL.EXECUTION"):
        assert answer(verdict, check) == (OPEN, Reason.REDACTED_EXPORT)
    assert not [f for f in verdict.findings if f.outcome.value == FAILED]


def test_single_transactions(pinned: TrustStore) -> None:
    record = examine(read("3_txInfoJson_evidenceList.json", SENDER), pinned)
    assert answer(record, "INCL.SENDER") == OK
    assert answer(record, "INCL.PATH") == (OPEN, Reason.PROOF_NOT_SUPPLIED)
    # its recorded hash is `a412`: no digest of anything, and no prefix of one
    assert answer(record, "INCL.CONTENT") == (OPEN, Reason.DIGEST_NOT_LOCATED)
    cut = examine(read("1_txInfoJsonContract.json", SENDER), pinned)
    assert answer(cut, "INCL.SENDER") == (OPEN, Reason.REDACTED_EXPORT)
    whole = examine(read("2_txInfoJsonContractERC20.json", SENDER), pinned)
    assert answer(whole, "INCL.SENDER") == OK
    nameless = examine(read("2_txInfoJsonContractERC20.json"), pinned)
    assert answer(nameless, "INCL.SENDER") == (OPEN, Reason.NO_SIGNING_CERTIFICATE_FOUND)


def test_a_certificate_hash_names_the_certificate() -> None:
    text = (REAL / SENDER).read_text()
    der = base64.b64decode("".join(text.strip().splitlines()[1:-1]))
    sender = json.loads((REAL / WHOLE).read_bytes())["block"]["txs"][0]["sender"]["signer"]
    assert sender["member_type"] == messages.CERT_HASH
    assert base64.b64decode(sender["member_info"]) == hashlib.sha256(der).digest()


@pytest.mark.parametrize(("tx", "rw_set"), CROSS)
def test_cross_chain_transactions_are_of_an_sm3_chain(tx: str, rw_set: str, pinned: TrustStore) -> None:
    """The list of vectors calls these edited, because SHA-256 of the read-write set misses. It is SM3 that fits: for all three
    the read-write set hash, and for all three the sender's P-256 signature over the payload, which no edit could keep. So
    they are unedited answers of a chain with SM3 and P-256 in public-key mode, and both checks pass."""
    verdict = examine(read(tx, rw_set), pinned)
    assert answer(verdict, "CHAINMAKER.RW_SET") == OK
    assert finding(verdict, "CHAINMAKER.RW_SET").notes == ("HASHED_WITH:SM3",)
    assert answer(verdict, "INCL.SENDER") == OK
    # the court's SHA-256 chain of the same name is another chain
    assert answer(verdict, "INCL.LEDGER_KIND") == (OPEN, Reason.ANCHOR_UNTRUSTED)
    value = json.loads(read(rw_set)[rw_set])
    value["tx_writes"][0]["value"] = "AAAA"
    verdict = examine({**read(tx), rw_set: json.dumps(value).encode()}, pinned)
    assert answer(verdict, "CHAINMAKER.RW_SET") == (FAILED, Reason.HASH_FAILURE)


# ── guomi, made for this purpose ──────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def guomi() -> TrustStore:
    nodes = json.loads((GUOMI / "chainmaker-sm-validators.json").read_bytes())
    validators = [
        {
            "key": base64.b64decode("".join(n["public_key_pem"].strip().splitlines()[1:-1])).hex(),
            "org": n["org_id"],
            "operator": n["org_id"],
            "node_name": n["node_id"],
        }
        for n in nodes["nodes"]
    ]
    profile = {
        "id": "guomi",
        "title": {"zh": "国密链", "en": "Guomi chain"},
        "operator": "org1",
        "family": "chainmaker",
        "chain_id": "chain1",
        "suite": {"hash": nodes["crypto"]["hash"], "signature": "SM2"},
        "consensus": "BFT",
        "path_generation": "current",
        "contracts": [
            {"name": "evidence", "method": "Evidence", "digest_param": "hash", "encoding": "hex-text"}
        ],
    }
    sets = {"epochs": [{"from_height": 0, "to_height": None, "validators": validators}]}
    with tempfile.TemporaryDirectory() as folder:
        chains = {"guomi": {"profile": profile, "validators": sets}}
        return TrustStore.load(write_pack(Path(folder) / "pack", chains=chains))


@pytest.mark.parametrize("shape", ["json", "pb"])
@pytest.mark.parametrize("place", range(5))
def test_the_guomi_block(shape: str, place: int, guomi: TrustStore) -> None:
    exhibit = {
        "file": b"file %d" % place,
        "block": (GUOMI / f"chainmaker-sm-blockinfo.{shape}").read_bytes(),
    }
    path = GUOMI / f"chainmaker-sm-merklepath-tx{place}.json"
    if path.is_file():
        exhibit["path"] = path.read_bytes()
    verdict = examine(exhibit, guomi)
    assert (verdict.overall, verdict.grade.value) == (Overall.CONSISTENT, "B")
    seen = answers(verdict)
    assert {c for c, a in seen.items() if a != OK} == {"INCL.ROOT"}
    assert (finding(verdict, "INCL.NODE_QUORUM").actual or "").startswith("3: ")
    assert finding(verdict, "INCL.PATH").notes == (() if path.is_file() else ("RECOMPUTED_FROM_LEAVES",))


def test_a_guomi_path_of_another_transaction(guomi: TrustStore) -> None:
    path = json.loads((GUOMI / "chainmaker-sm-merklepath-tx1.json").read_bytes())
    block = (GUOMI / "chainmaker-sm-blockinfo.json").read_bytes()
    verdict = examine({"file": b"file 0", "block": block, "path": json.dumps(path[::-1]).encode()}, guomi)
    assert (verdict.overall, answer(verdict, "INCL.PATH")) == (
        Overall.INCONSISTENT,
        (FAILED, Reason.PROOF_FAILURE),
    )
    assert examine({"file": b"file 5", "block": block}, guomi).overall is Overall.INCONSISTENT


# ── the same in packages (spec §9.7: every vector has a packaged twin with the same findings) ─────────────────────────────


def packaged(*, digest: bytes, algorithm: str, suite: tuple[str, str], **members: Any) -> bytes:
    value = {
        "format": "mingjian.chain-proof",
        "version": 1,
        "family": "chainmaker",
        "chain": {
            "chain_id": "chain1", "genesis_hash": "00" * 32, "engine": "v2.3.2", "hash": suite[0], "signature": suite[1],
        },
        "evidence": [{"name": "file", "digest_alg": algorithm, "digest": digest.hex()}],
        **members,
    }  # fmt: skip
    return json.dumps(value).encode()


def shown(verdict: Verdict) -> list[tuple[Any, ...]]:
    return [
        (f.check, f.outcome, f.reason, f.expected, f.actual, f.notes)
        for f in verdict.findings
        if f.check.startswith(("INCL.", "CHAINMAKER."))
    ]


def sender_certificate() -> str:
    return "".join((REAL / SENDER).read_text().strip().splitlines()[1:-1])


@pytest.mark.parametrize("form", ["json", "pb"])
@pytest.mark.parametrize("name", [WHOLE, *CUT])
def test_real_blocks_in_packages(name: str, form: str, pinned: TrustStore) -> None:
    value = json.loads((REAL / name).read_bytes())
    octets = base64.b64encode(to_wire(strict_json.loads((REAL / name).read_bytes()), messages.BLOCK_INFO)).decode()
    package = packaged(
        digest=bytes(32), algorithm="SHA-256", suite=("SHA256", "ECDSA-P256"),
        block={"json": value} if form == "json" else {"pb": octets},
        finality={"certs": [sender_certificate()]},
    )  # fmt: skip
    verdict = examine({"p.mjproof.json": package}, pinned)
    assert shown(verdict) == shown(examine(read(name, SENDER), pinned))


def test_a_real_transaction_with_its_header_in_a_package(pinned: TrustStore) -> None:
    """Only what one record needs: the transaction, an empty path (it is alone in its block), header and votes."""
    block = json.loads((REAL / WHOLE).read_bytes())["block"]
    package = packaged(
        digest=bytes(32), algorithm="SHA-256", suite=("SHA256", "ECDSA-P256"),
        transaction={"json": block["txs"][0], "tx_index": 0, "sender_cert": sender_certificate()},
        inclusion={"merkle_path": []},
        header={"json": block["header"]},
        finality={"voteset": block["additional_data"]["extra_data"][TBFT_KEY]},
    )  # fmt: skip
    verdict = examine({"p.mjproof.json": package}, pinned)
    for check in ("INCL.LEDGER_KIND", "INCL.TRANSACTION", "INCL.SENDER", "INCL.PATH", "INCL.HEADER", "INCL.NODE_QUORUM", "INCL.EXECUTION"):
        assert answer(verdict, check) == OK, check
    assert answer(verdict, "CHAINMAKER.ENDORSERS") == OK


@pytest.mark.parametrize("place", range(5))
def test_the_guomi_records_in_packages(place: int, guomi: TrustStore) -> None:
    file = b"file %d" % place
    block = json.loads((GUOMI / "chainmaker-sm-blockinfo.json").read_bytes())["block"]
    path = GUOMI / f"chainmaker-sm-merklepath-tx{place}.json"
    info = protobuf.parse((GUOMI / "chainmaker-sm-blockinfo.pb").read_bytes(), messages.BLOCK_INFO)
    inner = info.message("block")
    assert inner is not None
    header = inner.message("header")
    assert header is not None
    leaves = [hashlib.new("sm3", leaf_bytes(tx, header.number("block_version"))).hexdigest() for tx in inner.messages("txs")]
    given = {"merkle_path": json.loads(path.read_bytes())} if path.is_file() else {"tx_hashes": leaves}
    package = packaged(
        digest=hashlib.new("sm3", file).digest(), algorithm="SM3", suite=("SM3", "SM2"),
        transaction={"json": block["txs"][place], "tx_index": place},
        inclusion=given,
        header={"json": block["header"]},
        finality={"voteset": block["additional_data"]["extra_data"][TBFT_KEY]},
    )  # fmt: skip
    verdict = examine({"file": file, "p.mjproof.json": package}, guomi)
    assert (verdict.overall, verdict.grade.value) == (Overall.CONSISTENT, "B")
    assert finding(verdict, "INCL.PATH").notes == (() if path.is_file() else ("RECOMPUTED_FROM_LEAVES",))
