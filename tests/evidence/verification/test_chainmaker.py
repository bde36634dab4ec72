"""ChainMaker 2.x: blocks written field by field by an independent builder, in every shape and suite, under every kind of trust."""

import base64
import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from evidence.verification import Exhibit, Source, TrustStore
from evidence.verification.certificates.claim import Claim, ClaimedFile
from evidence.verification.chains import assembly, chainmaker
from evidence.verification.chains.chainmaker_messages import sniff
from evidence.verification.codecs.protobuf_json import camel
from evidence.verification.reasons import Reason
from evidence.verification.registry import FORMATS, UNKNOWN, Context
from evidence.verification.verdict import Overall, ProofState
from portal.demonstration.chainmaker import SUITES, b, build_block, m, n
from tests.evidence.verification.chainmaker_exhibits import (
    AT,
    BESIDE,
    FAILED,
    LADDER,
    MINE,
    OPEN,
    OTHER,
    PAGE,
    PASSED,
    alone,
    answer,
    built,
    changed,
    examine,
    files,
    finding,
    network,
    trust,
)

MODES = ("public_key", "certificate", "cert_hash")


@pytest.fixture(scope="module")
def store() -> TrustStore:
    return trust(built())


# ── what holds ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("suite", SUITES)
def test_a_good_block_is_consistent(suite: str, mode: str) -> None:
    block = built(suite, mode)
    more = {"members.pem": block.certificates_pem} if mode == "cert_hash" else {}
    verdict = examine(files(block, **more), trust(block))
    assert (verdict.overall, verdict.grade.value, verdict.reasons) == (Overall.CONSISTENT, "B", ())
    assert {c: answer(verdict, c) for c in (*LADDER, *BESIDE)} == dict.fromkeys(
        (*LADDER, *BESIDE), (PASSED, None)
    )
    assert answer(verdict, "INCL.ROOT") == (OPEN, Reason.ANCHOR_UNAVAILABLE)
    assert verdict.time is not None
    assert (verdict.time.not_after, verdict.time.basis) == (
        datetime(2026, 1, 1, 0, 0, 10, tzinfo=UTC),
        "PROPOSER",
    )
    walk = next(w for w in verdict.walks if w.complete)
    assert walk.file == hashlib.sha256(PAGE).hexdigest() and walk.state is ProofState.PROVEN
    assert [s.end.kind.value for s in walk.steps] == [
        "DIGEST", "RECORD", "TRANSACTION", "LEAF", "ROOT", "BLOCK", "VALIDATORS", "ANCHOR",
    ]  # fmt: skip
    assert finding(verdict, "INCL.NODE_QUORUM").expected == "≥3 / 4"
    assert finding(verdict, "INCL.TRANSACTION").actual == block.txs[MINE].leaf.hex()
    assert finding(verdict, "INCL.HEADER").actual == block.block_hash.hex()


def test_every_shape_of_one_block_gives_the_same_findings(store: TrustStore) -> None:
    block = built()
    whole = {
        "JSON": block.block_json,
        "protobuf": block.block_pb,
        "protobuf JSON": protobuf_json(block.block_json),
    }
    inner = json.loads(block.block_json)["block"]
    bare = {"JSON": json.dumps(inner).encode(), "protobuf": inner_bytes(block.block_pb)}
    for shapes in (whole, bare):
        seen = {
            name: examine({"page.html": PAGE, "block": data, "path.json": block.paths_json[MINE]}, store)
            for name, data in shapes.items()
        }
        assert {v.overall for v in seen.values()} == {Overall.CONSISTENT}
        first, *others = (v.findings for v in seen.values())
        assert all(other == first for other in others)


def test_a_transaction_its_path_and_a_header_with_votes_are_enough(store: TrustStore) -> None:
    verdict = examine(alone(built()), store)
    assert verdict.overall is Overall.CONSISTENT
    assert finding(verdict, "INCL.PATH").notes == ()
    assert answer(verdict, "CHAINMAKER.TX_ROOT") == (OPEN, Reason.PROOF_NOT_SUPPLIED)
    as_protobuf = {**alone(built()), "tx.json": built().info_pb[MINE]}
    assert examine(as_protobuf, store).findings == verdict.findings


def test_without_a_path_the_tree_is_recomputed_from_all_transactions(store: TrustStore) -> None:
    exhibit = files(built())
    del exhibit["path.json"]
    verdict = examine(exhibit, store)
    assert verdict.overall is Overall.CONSISTENT
    assert finding(verdict, "INCL.PATH").notes == ("RECOMPUTED_FROM_LEAVES",)


def test_two_files_two_transactions_and_their_paths(store: TrustStore) -> None:
    block = built()
    verdict = examine(files(block, **{"other.html": OTHER, "path3.json": block.paths_json[3]}), store)
    assert verdict.overall is Overall.CONSISTENT
    assert {w.file for w in verdict.walks} == {hashlib.sha256(d).hexdigest() for d in (PAGE, OTHER)}
    assert [f.notes for f in verdict.findings if f.check == "INCL.PATH"] == [(), ()]
    # what concerns the block as a whole is said once
    assert len([f for f in verdict.findings if f.check == "INCL.NODE_QUORUM"]) == 1


def test_the_proof_of_a_file_that_was_not_handed_in_refutes_nothing(store: TrustStore) -> None:
    """Both paths are there, one file is not: the other keeps its own proof, and the exhibit stays open for the one missing."""
    verdict = examine(files(built(), **{"path3.json": built().paths_json[3]}), store)
    assert verdict.overall is Overall.INDETERMINATE
    assert verdict.reasons == (Reason.SIGNED_DATA_NOT_FOUND,)
    assert [w.complete for w in verdict.walks if w.file] == [True]


def test_the_gas_number_is_not_hashed_from_version_2300_on(store: TrustStore) -> None:
    def other_gas(block: Any) -> None:
        for tx in block["block"]["txs"]:
            tx["result"]["contract_result"]["gas_used"] = 99

    def no_gas(block: Any) -> None:
        for tx in block["block"]["txs"]:
            del tx["result"]["contract_result"]["gas_used"]

    for change in (other_gas, no_gas):
        exhibit = {**files(built()), "block.json": changed(built().block_json, change)}
        assert examine(exhibit, store).overall is Overall.CONSISTENT
    chain = network()
    old = chain.block([chain.record(chain.hash(PAGE), record_id="a", block_version=2200)], block_version=2200)
    assert examine({"page": PAGE, "b": old.block_json}, store).overall is Overall.CONSISTENT
    for change in (other_gas, no_gas):
        assert (
            examine({"page": PAGE, "b": changed(old.block_json, change)}, store).overall
            is Overall.INCONSISTENT
        )


def test_an_emptied_contract_result_stays_in_its_place() -> None:
    """Dropping the gas number from a contract result that holds nothing else leaves an empty message, not none."""
    chain = network()
    tx = chain.record(chain.hash(PAGE), record_id="a")
    block = chain.block([tx])
    payload = json.loads(block.block_json)["block"]["txs"][0]
    payload["result"]["contract_result"] = {"gas_used": 5}
    from evidence.verification.chains.chainmaker_hashing import leaf_bytes
    from evidence.verification.chains.chainmaker_messages import TRANSACTION
    from evidence.verification.codecs import protobuf
    from evidence.verification.codecs.protobuf_json import to_wire

    message = protobuf.parse(to_wire(payload, TRANSACTION), TRANSACTION)
    payload["result"]["contract_result"] = {}
    assert leaf_bytes(message, 2300) == to_wire(payload, TRANSACTION)
    assert leaf_bytes(message, 2299) == message.raw
    result = message.message("result")
    assert result is not None
    assert leaf_bytes(message, 2300).find(b"\x12\x00\x1a\x20") > 0


def test_one_transaction_alone_in_its_block(store: TrustStore) -> None:
    block = build_block([network().hash(PAGE)], suite="P256", fillers=0)
    assert block.paths_json == (b"[]",)
    for exhibit in ({"page": PAGE, "b": block.block_json}, {"page": PAGE, "b": block.block_json, "p": b"[]"}):
        assert examine(exhibit, store).overall is Overall.CONSISTENT


# ── records ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_record_within_a_batch(store: TrustStore) -> None:
    chain = network()
    block = chain.block([chain.batch([chain.hash(b"x"), chain.hash(PAGE), chain.hash(OTHER)])])
    verdict = examine({"page": PAGE, "other": OTHER, "b": block.block_json}, store)
    assert verdict.overall is Overall.CONSISTENT
    assert finding(verdict, "INCL.CONTENT").expected == "evidence.EvidenceBatch(hash)"


def test_a_later_update_of_the_record_is_shown(store: TrustStore) -> None:
    chain = network()
    first = chain.block([chain.record(chain.hash(PAGE), record_id="EV-7")])
    update = chain.record(chain.hash(OTHER), record_id="EV-7", method="UpdateEvidence")
    second = chain.block([update], height=10, previous=first.block_hash)
    alone_ = examine({"page": PAGE, "b": first.block_json}, store)
    assert "LATER_UPDATE_POSSIBLE" in finding(alone_, "INCL.EXECUTION").notes
    both = examine({"page": PAGE, "b9": first.block_json, "b10": second.block_json}, store)
    assert both.overall is Overall.CONSISTENT
    notes = finding(both, "INCL.EXECUTION").notes
    assert notes == ("CONTRACT_METHOD:evidence.Evidence", f"SUPERSEDED_BY_UPDATE:{update.tx_id}")


def test_what_the_court_has_not_mapped_is_only_found(store: TrustStore) -> None:
    unmapped = trust(built(), contracts=[])
    assert answer(examine(files(built()), unmapped), "INCL.CONTENT") == (OPEN, Reason.CONTRACT_UNKNOWN)
    accepted = trust(built(), contracts=[], accept_raw_hit=True)
    assert examine(files(built()), accepted).overall is Overall.CONSISTENT
    chain = network(contract="another")
    elsewhere = chain.block([chain.record(chain.hash(PAGE), record_id="a")])
    verdict = examine({"page": PAGE, "b": elsewhere.block_json}, store)
    assert (verdict.overall, answer(verdict, "INCL.CONTENT")) == (
        Overall.INDETERMINATE,
        (OPEN, Reason.CONTRACT_UNKNOWN),
    )


def test_a_recording_that_failed_or_is_not_complete() -> None:
    chain = network()
    for codes in ({"code": 4}, {"contract_code": 1}):
        block = chain.block([chain.record(chain.hash(PAGE), record_id="a", **codes)])
        verdict = examine({"page": PAGE, "b": block.block_json}, trust(block))
        assert verdict.overall is Overall.INCONSISTENT
        assert answer(verdict, "INCL.EXECUTION") == (FAILED, Reason.EXECUTION_FAILED)
    block = built()
    contracts = [{**block.profile["contracts"][0], "final_event": "EvidenceSaved"}]
    verdict = examine(files(block), trust(block, contracts=contracts))
    assert (verdict.overall, answer(verdict, "INCL.EXECUTION")) == (
        Overall.INDETERMINATE,
        (OPEN, Reason.PROMISE_ONLY),
    )
    contracts = [{**block.profile["contracts"][0], "final_event": "Evidence"}]
    assert examine(files(block), trust(block, contracts=contracts)).overall is Overall.CONSISTENT


def test_a_certificate_that_names_the_transaction(store: TrustStore) -> None:
    """The transaction a certificate names is examined even when nothing else points to it, and the two are compared."""
    block = built()
    claim = Claim(
        source="certificate.json",
        platform=None,
        certificate_no="1",
        files=(ClaimedFile(None, None, None, network().hash(OTHER)),),
        chain_family="chainmaker",
        chain_id=block.profile["chain_id"],
        tx_id=block.tx_ids[3].upper(),
        block_height=10,
        block_hash=None,
        time=None,
        hosts=(),
    )
    exhibit = Exhibit.of([Source.from_bytes("b", block.block_json), Source.from_bytes("other", OTHER)])
    named = {"b": next(f for f in FORMATS if f.name == "chainmaker"), "other": UNKNOWN}
    context = Context(exhibit, store, AT, {s: named[s.name] for s in exhibit.sources}, (claim,))
    context = replace(context, proofs=chainmaker.examine(context.of("chainmaker"), context).proofs)
    found = assembly.climb(context)
    by_check = {f.check: f for f in found.findings}
    assert by_check["CERT.FIELDS"].reason is Reason.CERT_FIELDS_CONFLICT
    assert by_check["CERT.FIELDS"].expected == "height 9"
    assert by_check["INCL.TRANSACTION"].outcome.value == PASSED


# ── what is missing or cannot be used ─────────────────────────────────────────────────────────────────────────────────


def test_missing_parts_are_never_a_contradiction(store: TrustStore) -> None:
    block = built()
    for exhibit, reason in (
        ({"page": PAGE, "tx": block.info_json[MINE]}, Reason.PROOF_NOT_SUPPLIED),
        ({"page": PAGE, "tx": json.dumps(json.loads(block.info_json[MINE])["transaction"]).encode()}, None),
        ({"page": PAGE, "path": block.paths_json[MINE]}, None),
        ({"page": PAGE, "h": block.header_json}, None),
        ({"page": PAGE, "h": block.header_json, "p": block.paths_json[MINE]}, None),
        ({"page": PAGE, "tx": block.info_json[MINE], "h": block.header_json}, Reason.PROOF_NOT_SUPPLIED),
        ({"block": block.block_json}, Reason.SIGNED_DATA_NOT_FOUND),
    ):
        verdict = examine(exhibit, store)
        assert verdict.overall is Overall.INDETERMINATE, exhibit.keys()
        assert not [f for f in verdict.findings if f.outcome.value == FAILED]
        assert reason is None or reason in verdict.reasons


def test_a_request_without_its_result(store: TrustStore) -> None:
    request = changed(built().info_json[MINE], lambda t: t["transaction"].pop("result"))
    verdict = examine({**alone(built()), "tx.json": request}, store)
    for check in ("INCL.TRANSACTION", "INCL.PATH", "INCL.CONTENT", "INCL.EXECUTION"):
        assert answer(verdict, check) == (OPEN, Reason.TX_INCOMPLETE)
    assert answer(verdict, "INCL.SENDER") == (PASSED, None)


def test_a_block_without_some_of_its_transactions(store: TrustStore) -> None:
    partial = changed(built().block_json, lambda b: b["block"]["txs"].pop(0) and b.pop("rwset_list"))
    exhibit = {**files(built()), "block.json": partial}
    verdict = examine(exhibit, store)
    assert (verdict.overall, answer(verdict, "INCL.PATH")) == (
        Overall.INDETERMINATE,
        (OPEN, Reason.PROOF_NOT_SUPPLIED),
    )
    # with its place stated, the path is as good as ever
    assert examine({**exhibit, "tx.json": built().info_json[MINE]}, store).overall is Overall.CONSISTENT


def test_a_redacted_export_lowers_and_never_raises(store: TrustStore) -> None:
    chain = network()
    block = chain.block(
        [chain.record(chain.hash(PAGE), record_id="a"), chain.record(chain.hash(OTHER), record_id="b")]
    )
    markers = [b"md5:" + b"0" * 32, hashlib.sha256(b"cut").digest(), b""]
    for marker in markers:

        def cut(b: Any, marker: bytes = marker) -> None:
            b["block"]["txs"][0]["payload"]["parameters"][2]["value"] = base64.b64encode(marker).decode()

        verdict = examine({"page": PAGE, "b": changed(block.block_json, cut)}, store)
        assert verdict.overall is Overall.INDETERMINATE
        for check in ("INCL.TRANSACTION", "INCL.SENDER", "INCL.PATH", "CHAINMAKER.TX_ROOT", "INCL.EXECUTION"):
            assert answer(verdict, check) == (OPEN, Reason.REDACTED_EXPORT)
        assert answer(verdict, "INCL.HEADER") == answer(verdict, "INCL.NODE_QUORUM") == (PASSED, None)
        # the neighbour is cut: the tree cannot be recomputed, its own path still leads to the root
        without = {"other": OTHER, "b": changed(block.block_json, cut)}
        assert answer(examine(without, store), "INCL.PATH") == (OPEN, Reason.REDACTED_EXPORT)
        assert (
            examine({**without, "t": block.info_json[1], "p": block.paths_json[1]}, store).overall
            is Overall.CONSISTENT
        )
        # a marker that was really recorded changes nothing
        said = [("id", "a"), ("hash", chain.hash(PAGE).hex()), ("metadata", marker)]
        honest = chain.block([chain.transaction("Evidence", said, events=[("Evidence", ["a"])])])
        assert examine({"page": PAGE, "b": honest.block_json}, store).overall is Overall.CONSISTENT
        # and does not excuse a changed result, because the sender's signature shows the payload is whole
        edited = changed(honest.block_json, lambda b: b["block"]["txs"][0]["result"].update(message="x"))
        assert answer(examine({"page": PAGE, "b": edited}, store), "INCL.PATH") == (
            FAILED,
            Reason.PROOF_FAILURE,
        )


def test_other_keys_and_engines_are_named_as_such(store: TrustStore) -> None:
    first = {
        "block": {
            "header": {
                "chain_id": "chain1",
                "block_height": 5,
                "pre_block_hash": "AAAA",
                "block_hash": "AAAA",
                "block_version": "djEuMC4w",
                "dag_hash": "AAAA",
                "rw_set_root": "AAAA",
                "tx_root": "AAAA",
                "proposer": "LS0t",
                "tx_count": 1,
            },
            "txs": [{"header": {"chain_id": "chain1"}, "request_payload": "AA==", "result": {}}],
        }
    }
    newer = changed(built().block_json, lambda b: b["block"]["header"].update(new_field=1))
    for data, said in ((json.dumps(first).encode(), "ChainMaker 1.x"), (newer, "new_field")):
        verdict = examine({"page": PAGE, "b": data}, store)
        assert verdict.overall is Overall.INDETERMINATE
        assert Reason.UNSUPPORTED_FORMAT in verdict.reasons
        assert said in (finding(verdict, "INCL.LEDGER_KIND").actual or "")
    header = b(1, "chain1") + n(2, 5) + b(3, b"\x01" * 32) + b(4, b"\x02" * 32)
    for data in (m(1, header), m(1, m(1, header))):
        assert sniff(Source.from_bytes("x", data)) == 90
        assert (
            finding(examine({"page": PAGE, "b": data}, store), "INCL.LEDGER_KIND").actual == "ChainMaker 1.x"
        )
    p384 = ec.generate_private_key(ec.SECP384R1()).public_key()
    other = base64.b64encode(p384.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)).decode()
    for member, reason in (
        ({"member_type": 2, "member_info": other}, Reason.UNSUPPORTED_FORMAT),
        ({"member_type": 3, "member_info": "AAAA"}, Reason.UNSUPPORTED_FORMAT),
        ({"member_type": 4, "member_info": "AAAA"}, Reason.NO_SIGNING_CERTIFICATE_FOUND),
        ({"member_type": 1, "member_info": "AAAA"}, Reason.NO_SIGNING_CERTIFICATE_FOUND),
    ):
        tx = changed(
            built().info_json[MINE], lambda t, m=member: t["transaction"]["sender"]["signer"].update(m)
        )
        assert answer(examine({"page": PAGE, "t": tx}, store), "INCL.SENDER") == (OPEN, reason)


def test_consensus_of_another_kind_is_not_judged(store: TrustStore) -> None:
    other = changed(
        built().block_json, lambda b: b["block"]["additional_data"].update(extra_data={"MAXBFT": "AAAA"})
    )
    verdict = examine({**files(built()), "block.json": other}, store)
    assert answer(verdict, "INCL.NODE_QUORUM") == (OPEN, Reason.UNSUPPORTED_FORMAT)


def test_recognition() -> None:
    block = built()
    for data in (
        block.block_json,
        block.block_pb,
        block.header_json,
        block.header_pb,
        block.info_json[0],
        block.info_pb[0],
        block.txs[0].pb,
        block.paths_json[0],
        protobuf_json(block.block_json),
        json.dumps(block.txs[0].rw_set_json).encode(),
        json.dumps(json.loads(block.block_json), indent=2).encode(),
    ):
        assert sniff(Source.from_bytes("x", data)) >= 40
    for data in (
        b"",
        b"{}",
        b"plain text",
        PAGE,
        b'{"txId":"a","blockHeight":5,"txTime":1}',
        b'["not a path"]',
        b'["' + b"A" * 44 + b'"]',
        json.dumps(
            {"format": "mingjian.chain-proof", "header": {"tx_root": "", "dag_hash": "", "rw_set_root": ""}}
        ).encode(),
        block.certificates_pem,
        built("P256", "certificate").certificates_pem,
    ):
        assert sniff(Source.from_bytes("x", data)) == 0
    assert sniff(Source.from_bytes("x", b"[]")) == 5


# ── renderings ────────────────────────────────────────────────────────────────────────────────────────────────────────


def protobuf_json(data: bytes) -> bytes:
    """The same answer as protobuf JSON prints it: camelCase, 64-bit numbers as text, enums by name."""

    def turned(name: str, value: Any) -> Any:
        if name in ("extra_data",):
            return value
        if isinstance(value, dict):
            return {camel(k): turned(k, v) for k, v in value.items()}
        if isinstance(value, list):
            return [turned(name, v) for v in value]
        if name in ("block_height", "block_timestamp", "timestamp", "gas_limit", "gas_used"):
            return str(value)
        if name == "member_type":
            return ("CERT", "CERT_HASH", "PUBLIC_KEY")[value]
        return value

    return json.dumps(turned("", json.loads(data))).encode()


def inner_bytes(data: bytes) -> bytes:
    """The Block inside a BlockInfo: field 1, whose length takes two or three bytes here."""
    length = shift = 0
    at = 1
    while True:
        byte = data[at]
        at += 1
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return data[at : at + length]
