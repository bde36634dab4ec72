"""XuperChain: a record leads to the court's pin in every version, suite, spelling and way to the root, and stops where it must."""

import base64
import hashlib
import json
from typing import Any

import pytest

from evidence.verification.chains import xuperchain_hashing as hashing
from evidence.verification.chains import xuperchain_messages as messages
from evidence.verification.codecs.base58 import base58_bytes, base58_text
from evidence.verification.codecs.text import CodecError
from evidence.verification.reasons import Reason
from evidence.verification.trust import TrustError
from evidence.verification.verdict import Grade, Overall, ProofState
from tests.evidence.verification import xuperchain_exhibits as x
from tests.evidence.verification.xuperchain_exhibits import (
    answer,
    built,
    examine,
    finding,
    findings,
    trust,
    verdict,
    wire,
)

FAILED, OPEN, PASSED = "FAILED", "INDETERMINATE", "PASSED"
OK = (PASSED, None)
LADDER = (
    "INCL.LEDGER_KIND", "DIGEST.MATCH", "INCL.CONTENT", "INCL.TRANSACTION", "INCL.SENDER", "INCL.PATH", "INCL.HEADER",
    "INCL.NODE_QUORUM", "INCL.EXECUTION",
)  # fmt: skip


def raw_files(chain: x.Built, *, successors: int = 1, page: bytes | None = x.PAGE) -> dict[str, bytes]:
    """The node's protobuf as files: the transaction, its block with the whole tree, the blocks after it."""
    bare = [{k: v for k, v in b.items() if k != "transactions"} for b in chain.blocks[: 1 + successors]]
    files = {"tx.pb": wire(x.TX, chain.tx)} | {f"block{i}.pb": wire(x.BLOCK, b) for i, b in enumerate(bare)}
    return ({"page.html": page} if page is not None else {}) | files


# ── a good record ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("suite", x.SUITES)
@pytest.mark.parametrize("version", [1, 2, 3])
@pytest.mark.parametrize("desc", [False, True])
def test_a_record_is_consistent(suite: str, version: int, desc: bool) -> None:
    found = verdict(built(suite, version=version, desc=desc))
    assert (found.overall, found.grade) == (Overall.CONSISTENT, Grade.B)
    for check in LADDER:
        assert answer(found, check) == OK
    assert finding(found, "INCL.NODE_QUORUM").actual == "4/4: node0, node2, node3, node1"
    assert finding(found, "INCL.HEADER").notes == (f"HEIGHT_UNPROVEN:{x.HEIGHT}",)
    assert finding(found, "INCL.LEDGER_KIND").notes == ("CHAIN_NAME_UNSIGNED",)
    assert "NOT_PROVEN.XUPERCHAIN_HEIGHT" in found.not_proven
    block = next(s.end for w in found.walks for s in w.steps if s.check == "INCL.HEADER")
    assert block.label.startswith("– · ")  # the drawing shows no height that is not proven


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8])
def test_every_place_of_every_tree(count: int) -> None:
    for index in range(count):
        chain = built(count=count, index=index)
        assert verdict(chain).overall is Overall.CONSISTENT
        found = examine(raw_files(chain), trust(chain))
        assert answer(found, "INCL.PATH") == OK
        assert finding(found, "INCL.PATH").notes == (f"RECOMPUTED_FROM_LEAVES:{count}",)
        assert found.overall is Overall.CONSISTENT


def test_one_transaction_needs_no_path() -> None:
    chain = built(count=1, index=0)
    assert verdict(chain, merkle_path=None, tx_index=None).overall is Overall.CONSISTENT
    assert verdict(chain, merkle_path=[]).overall is Overall.CONSISTENT


@pytest.mark.parametrize("suite", x.SUITES)
def test_bare_files_and_a_whole_block(suite: str) -> None:
    chain = built(suite)
    assert examine(raw_files(chain), trust(chain)).overall is Overall.CONSISTENT
    whole = {"page.html": x.PAGE, "b.pb": wire(x.BLOCK, chain.block), "next.pb": wire(x.BLOCK, chain.blocks[1])}
    found = examine(whole, trust(chain))
    assert found.overall is Overall.CONSISTENT
    assert len(findings(found, "INCL.TRANSACTION")) == 1  # the others are strangers' records


def test_relay_proof() -> None:
    chain = built(index=2)
    files = raw_files(chain)
    files["block0.pb"] = wire(x.BLOCK, {k: v for k, v in chain.block.items() if k not in ("transactions", "merkle_tree")})
    assert answer(examine(files, trust(chain)), "INCL.PATH") == (OPEN, Reason.PROOF_NOT_SUPPLIED)
    relay = {
        "blockid": chain.block["blockid"].hex(),
        "txid": chain.tx["txid"].hex(),
        "txIndex": "2",
        "proofPath": [s.hex() for s in chain.path],
    }
    assert examine({**files, "proof.json": json.dumps(relay).encode()}, trust(chain)).overall is Overall.CONSISTENT
    for change in ({"txIndex": "3"}, {"blockid": "00" * 32}, {"proofPath": relay["proofPath"][::-1]}):
        found = examine({**files, "proof.json": json.dumps({**relay, **change}).encode()}, trust(chain))
        assert answer(found, "INCL.PATH") == (FAILED, Reason.PROOF_FAILURE), change
    # A path of another transaction is not passed over.
    found = examine({**files, "proof.json": json.dumps({**relay, "txid": "00" * 32}).encode()}, trust(chain))
    assert found.overall is Overall.INDETERMINATE
    assert "xuperchain · proof.json" in [f.subject for f in findings(found, "INCL.PATH")]


def test_two_records_of_one_block() -> None:
    chain = built()
    other = hashlib.sha256(b"1").hexdigest()
    files = {**raw_files(chain), "tx1.pb": wire(x.TX, chain.transactions[1]), "one.txt": b"1"}
    found = examine(files, trust(chain))
    assert found.overall is Overall.CONSISTENT
    assert {w.file for w in found.walks if w.complete} == {hashlib.sha256(x.PAGE).hexdigest(), other}


# ── spellings ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def sdk(table: Any, fields: x.Fields, *, camel: bool) -> Any:
    """The gateway's JSON: base64; snake_case and numbers, or protobuf JSON with camelCase and 64-bit numbers as text."""
    out: dict[str, Any] = {}
    for _, name, kind in table:
        value = fields.get(name)
        if value in (None, b"", "", 0, [], {}):
            continue
        if isinstance(kind, tuple):
            value = [sdk(kind[0], v, camel=camel) for v in value] if kind[1] else sdk(kind[0], value, camel=camel)
        elif isinstance(value, dict):
            value = {k: x.b64(v) if isinstance(v, bytes) else v for k, v in value.items()}
        elif isinstance(value, list):
            value = [x.b64(v) if isinstance(v, bytes) else v for v in value]
        elif isinstance(value, bytes):
            value = x.b64(value)
        elif name in ("coinbase", "autogen", "in_trunk", "marked"):
            value = bool(value)
        elif camel and name == "type":
            value = ("CPU", "MEMORY", "DISK", "XFEE")[value]
        elif camel and isinstance(value, int) and value > 1 << 32:
            value = str(value)
        head, *rest = name.split("_")
        out[head + "".join(p.title() for p in rest) if camel else name] = value
    return out


def cli_tx(tx: x.Fields) -> Any:
    def text(value: bytes) -> str:
        return value.decode("utf-8", "replace")

    def signs(name: str) -> Any:
        return [{"publickey": s["PublicKey"], "sign": s["Sign"].hex()} for s in tx.get(name, [])]

    return {
        "txid": tx["txid"].hex(),
        "blockid": tx["blockid"].hex(),
        "txInputs": [
            {
                "refTxid": i.get("ref_txid", b"").hex(),
                "refOffset": i.get("ref_offset", 0),
                "fromAddr": text(i.get("from_addr", b"")),
                "amount": str(int.from_bytes(i.get("amount", b""))),
            }
            for i in tx.get("tx_inputs", [])
        ],
        "txOutputs": [
            {"amount": str(int.from_bytes(o.get("amount", b""))), "toAddr": text(o.get("to_addr", b""))}
            for o in tx.get("tx_outputs", [])
        ],
        "desc": text(tx.get("desc", b"")),
        "nonce": tx["nonce"],
        "timestamp": tx["timestamp"],
        "version": tx["version"],
        "autogen": False,
        "coinbase": False,
        "txInputsExt": [
            {
                "bucket": r["bucket"],
                "key": text(r["key"]),
                "refTxid": r.get("ref_txid", b"").hex(),
                "refOffset": r.get("ref_offset", 0),
            }
            for r in tx.get("tx_inputs_ext", [])
        ],
        "txOutputsExt": [
            {"bucket": w["bucket"], "key": text(w["key"]), "value": text(w["value"])} for w in tx.get("tx_outputs_ext", [])
        ],
        "contractRequests": [
            {
                "moduleName": r["module_name"],
                "contractName": r["contract_name"],
                "methodName": r["method_name"],
                "args": {k: text(v) for k, v in r["args"].items()},
                "resource_limits": [
                    {"type": ("CPU", "MEMORY", "DISK", "XFEE")[li["type"]], "limit": li["limit"]} for li in r["resource_limits"]
                ],
            }
            for r in tx.get("contract_requests", [])
        ]
        or None,
        "initiator": tx["initiator"],
        "authRequire": tx["auth_require"],
        "initiatorSigns": signs("initiator_signs"),
        "authRequireSigns": signs("auth_require_signs"),
        "receivedTimestamp": tx["received_timestamp"],
        "modifyBlock": {"marked": False, "effectiveHeight": 0, "effectiveTxid": ""},
    }


def cli_block(b: x.Fields) -> Any:
    j = b.get("Justify")
    justify: Any = {}
    if j:
        votes = j["SignInfos"]["QCSignInfos"]
        justify = {
            "ProposalId": j["ProposalId"].hex(),
            "Type": j["Type"],
            "ViewNumber": j["ViewNumber"],
            "SignInfos": {"QCSignInfos": [{**v, "Sign": x.b64(v["Sign"])} for v in votes]},
        }
    return {
        "version": b["version"],
        "blockid": b["blockid"].hex(),
        "preHash": b["pre_hash"].hex(),
        "proposer": b["proposer"].decode(),
        "sign": b["sign"].hex(),
        "pubkey": b["pubkey"].decode(),
        "merkleRoot": b["merkle_root"].hex(),
        "height": b["height"],
        "timestamp": b["timestamp"],
        "transactions": [cli_tx(t) for t in b.get("transactions", [])],
        "txCount": b["tx_count"],
        "merkleTree": [e.hex() for e in b["merkle_tree"]],
        "inTrunk": True,
        "nextHash": "",
        "failedTxs": b.get("failed_txs") or None,
        "curTerm": b["curTerm"],
        "curBlockNum": b["curBlockNum"],
        "justify": justify,
    }


def without_amount(chain: x.Built) -> x.Built:
    """A record that the command line can print in full."""
    for tx in chain.transactions:
        for request in tx.get("contract_requests", []):
            request.pop("amount", None)
        x.signed_tx(tx, [x.key("user", chain.suite)])
    return x.rebuilt(chain)


@pytest.mark.parametrize("camel", [False, True])
@pytest.mark.parametrize("version", [1, 2, 3])
def test_the_gateways_json(camel: bool, version: int) -> None:
    chain = built(version=version)
    printed = sdk(x.TX, chain.tx, camel=camel)
    packaged = verdict(chain, transaction=None, transaction_json=printed, json_style="sdk")
    assert packaged.overall is Overall.CONSISTENT
    both = verdict(chain, transaction_json=printed, json_style="sdk")
    assert both.overall is Overall.CONSISTENT
    files = raw_files(chain)
    blocks = {f"block{i}.json": json.dumps({"bcname": "xuper", "block": sdk(x.BLOCK, b, camel=camel)}).encode() for i, b in enumerate(chain.blocks[:2])}
    answers = {"page.html": x.PAGE, "tx.json": json.dumps({"status": 2, "tx": printed}).encode(), **blocks}
    bare = examine(answers, trust(chain))
    assert bare.overall is Overall.CONSISTENT
    same = examine(files, trust(chain))
    assert [(f.check, f.outcome, f.reason) for f in bare.findings] == [(f.check, f.outcome, f.reason) for f in same.findings]


@pytest.mark.parametrize("version", [1, 2, 3])
def test_the_command_lines_json(version: int) -> None:
    chain = without_amount(built(version=version))
    printed = cli_tx(chain.tx)
    assert verdict(chain, transaction=None, transaction_json=printed, json_style="cli").overall is Overall.CONSISTENT
    answers = {
        "page.html": x.PAGE,
        "tx.json": json.dumps(printed).encode(),
        **{f"block{i}.json": json.dumps(cli_block(b)).encode() for i, b in enumerate(chain.blocks[:2])},
    }
    assert examine(answers, trust(chain)).overall is Overall.CONSISTENT


def test_a_justify_that_the_command_line_prints_as_nothing() -> None:
    for justify in (None, {}):
        chain = without_amount(built())
        chain = x.rebuilt(chain, lambda b, j=justify: b.update(Justify=j))
        answers = {"page.html": x.PAGE, "tx.json": json.dumps(cli_tx(chain.tx)).encode(), "b.json": json.dumps(cli_block(chain.block)).encode()}
        found = examine(answers, trust(chain, consensus="SINGLE"))
        assert answer(found, "INCL.HEADER") == OK
        # An empty one does not begin with the hash of the block before: what stands before it could be reasons of failure.
        assert answer(found, "INCL.EXECUTION") == (OK if justify is None else (OPEN, Reason.AMBIGUOUS_PREIMAGE))


def test_what_the_command_line_leaves_out_refutes_nothing() -> None:
    chain = built()  # with an amount of its call
    found = verdict(chain, transaction=None, transaction_json=cli_tx(chain.tx), json_style="cli")
    assert answer(found, "INCL.TRANSACTION") == (OPEN, Reason.TX_INCOMPLETE)
    assert finding(found, "INCL.TRANSACTION").notes == ("RENDERING_LOSSY",)
    assert found.overall is Overall.INDETERMINATE
    assert not [f for f in found.findings if f.outcome.value == FAILED]


def test_json_beside_bytes_must_say_the_same() -> None:
    chain = built()
    other = {**sdk(x.TX, chain.tx, camel=False), "nonce": "1"}
    assert answer(verdict(chain, transaction_json=other, json_style="sdk"), "INCL.LEDGER_KIND") == (FAILED, Reason.FORMAT_FAILURE)
    for style in (None, "node"):
        found = verdict(chain, transaction_json=sdk(x.TX, chain.tx, camel=False), json_style=style)
        assert answer(found, "INCL.LEDGER_KIND") == (FAILED, Reason.FORMAT_FAILURE)


# ── preimages, from their descriptions ────────────────────────────────────────────────────────────────────────────────


def hashed(tx: x.Fields) -> bytes:
    found = hashing.transaction_hash(messages.transaction(wire(x.TX, tx), source=""))
    assert found is not None
    return found.id


@pytest.mark.parametrize("version", [1, 2, 3])
def test_the_transaction_stream_with_everything_and_with_nothing(version: int) -> None:
    full: x.Fields = {
        "tx_inputs": [{"ref_offset": 0}, {"ref_txid": b"\1" * 32, "ref_offset": -3, "from_addr": b"<&>", "amount": b"\0", "frozen_height": -1}],
        "tx_outputs": [{}, {"amount": b"\xff" * 9, "to_addr": b"a", "frozen_height": 9}],
        "desc": bytes(range(256)),
        "coinbase": 1,
        "autogen": 1,
        "nonce": "\u2028\u2029<>&\"\\\n\r\t\x01\x08\x0c\x7f中文\U0001f600\ufffd/",
        "timestamp": -5,
        "version": version,
        "tx_inputs_ext": [{"bucket": "", "ref_offset": 0}, {"bucket": "b", "key": b"k", "ref_txid": b"r", "ref_offset": 7}],
        "tx_outputs_ext": [{"bucket": "b"}, {"bucket": "b", "key": b"k"}, {"bucket": "b", "value": b"v"}],
        "contract_requests": [{}, {"module_name": "m", "args": {"z": b"", "a<": b"\xff", "中": b"1"}, "resource_limits": [{}, {"type": 2, "limit": -4}]}],
        "initiator": "i",
        "auth_require": ["", "a"],
        "initiator_signs": [{}, {"PublicKey": "p", "Sign": b"s"}],
        "auth_require_signs": [{"Sign": b"s"}],
        "xuper_sign": {"public_keys": [b"", b"1"], "signature": b"j"},
        "HD_info": {"original_hash": b"o"},
    }
    empty = {"version": version}
    for tx in (full, empty, {**empty, "xuper_sign": {}, "HD_info": {}}):
        assert hashed(tx) == x.double(x.preimage(tx, signs=True))


def test_each_version_hashes_what_it_hashes() -> None:
    tx = {**built().tx, "HD_info": {"hd_public_key": b"1"}}
    same = {**tx, "HD_info": {"hd_public_key": b"2"}}
    assert [hashed({**tx, "version": v}) == hashed({**same, "version": v}) for v in (1, 2, 3)] == [True, False, False]
    for name in ("received_timestamp", "blockid", "modify_block"):
        assert hashed({**tx, name: {"marked": 1} if name == "modify_block" else b"\1" * 32 if name == "blockid" else 1}) == hashed(tx)


def test_escapes_of_newer_nodes() -> None:
    tx = built(version=1).tx
    new = x.stream({**tx, "nonce": "a\bb"}, signs=True).replace(b"\\u0008", b"\\b")
    found = hashing.transaction_hash(messages.transaction(wire(x.TX, {**tx, "nonce": "a\bb", "txid": x.double(new)}), source=""))
    assert found is not None and (found.id, found.rendering) == (x.double(new), "escapes of Go 1.22")


def test_the_block_hashes_every_field_but_its_height() -> None:
    chain = built()
    block = {**chain.block, "nonce": 5, "failed_txs": {"b": "second", "a": "first"}, "targetBits": 7}
    assert hashing.block_id(messages.block(wire(x.BLOCK, block), source="")) == x.hashed_block(block)
    # Only reasons are hashed, in the order of their keys.
    assert x.hashed_block({**block, "failed_txs": {"c": "first", "d": "second"}}) == x.hashed_block(block)
    read = hashing.block_id(messages.block(wire(x.BLOCK, {**block, "height": 1, "failed_txs": {"c": "first", "d": "second"}}), source=""))
    assert read == x.hashed_block(block)
    for name in ("version", "nonce", "tx_count", "timestamp", "curTerm", "curBlockNum", "targetBits"):
        changed = {**block, name: block[name] + 1}
        assert hashing.block_id(messages.block(wire(x.BLOCK, changed), source="")) == x.hashed_block(changed) != x.hashed_block(block)


def test_base58() -> None:
    assert base58_text(bytes.fromhex("0000287fb4cd")) == x.base58(bytes.fromhex("0000287fb4cd")) == "11233QC4"
    assert base58_bytes("11233QC4") == bytes.fromhex("0000287fb4cd")
    for address in (x.key("a").address, x.key("b", x.SM2).address):
        assert x.base58(base58_bytes(address, length=25)) == address
    for wrong in ("0", "O", "I", "l", " 1", "1" * 65, "é"):
        with pytest.raises(CodecError):
            base58_bytes(wrong)


# ── finality and anchors ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_single_proposer_is_graded_by_who_runs_it() -> None:
    chain = built()
    listed = x.validators(chain)
    store = trust(chain, consensus="SINGLE")
    found = verdict(chain, store, next_block=None)
    assert (found.grade, answer(found, "INCL.NODE_QUORUM")) == (Grade.D, OK)
    assert finding(found, "INCL.NODE_QUORUM").notes == ("SINGLE_SIGNER",)
    assert found.overall is Overall.INDETERMINATE and found.reasons == (Reason.PLATFORM_NOT_IN_POLICY,)
    for validator in listed["epochs"][0]["validators"]:
        validator["role"] = "court"
    found = verdict(chain, trust(chain, consensus="SINGLE", sets=listed), next_block=None)
    assert (found.overall, found.grade) == (Overall.CONSISTENT, Grade.C)
    found = verdict(chain, trust(chain, consensus="NONE"), next_block=None)
    assert (found.grade, answer(found, "INCL.NODE_QUORUM")) == (Grade.E, (OPEN, Reason.FINALITY_INSUFFICIENT))


def test_votes_stand_in_the_next_block() -> None:
    chain = built()
    found = verdict(chain, next_block=None)
    assert answer(found, "INCL.NODE_QUORUM") == (OPEN, Reason.PROOF_NOT_SUPPLIED)
    assert found.overall is Overall.INDETERMINATE
    # The block's own certificate is about the block before.
    old = x.rebuilt(built())
    old.blocks[1]["Justify"] = old.block["Justify"]
    x.sealed(old.blocks[1], old.keys[1])
    assert answer(verdict(old), "INCL.NODE_QUORUM") == (OPEN, Reason.PROOF_NOT_SUPPLIED)


def test_the_quorum_counts_proposer_voters_and_the_next_proposer() -> None:
    chain = built()
    for voters, outcome, count in (
        ((0, 2, 3), OK, 4),
        ((2,), OK, 3),  # with both proposers
        ((), (FAILED, Reason.QUORUM_FAILURE), 2),
        ((0,), (FAILED, Reason.QUORUM_FAILURE), 2),
    ):
        found = verdict(x.rebuilt(built(), votes=[chain.keys[i] for i in voters]))
        assert answer(found, "INCL.NODE_QUORUM") == outcome
        assert (finding(found, "INCL.NODE_QUORUM").actual or "").startswith(f"{count}/4")
        assert (found.overall is Overall.CONSISTENT) is (outcome == OK)


def test_checkpoints() -> None:
    chain = built()
    links = [x.b64(wire(x.BLOCK, b)) for b in chain.blocks[2:]]
    equal = verdict(chain, trust(chain, checkpoints=[x.pin(chain.block)]), next_block=None)
    assert (equal.overall, equal.grade) == (Overall.CONSISTENT, Grade.A)
    assert finding(equal, "INCL.ROOT").notes == ("CHECKPOINT_EQUAL",)
    linked = verdict(chain, trust(chain, checkpoints=[x.pin(chain.blocks[3], basis="copied")]), links=links)
    assert (linked.overall, linked.grade) == (Overall.CONSISTENT, Grade.B)
    assert finding(linked, "INCL.ROOT").notes == ("CHECKPOINT_LINKED:3",)
    for found in (equal, linked):
        assert finding(found, "INCL.HEADER").notes == finding(found, "INCL.LEDGER_KIND").notes == ()
        assert "NOT_PROVEN.XUPERCHAIN_HEIGHT" not in found.not_proven
        block = next(s.end for w in found.walks for s in w.steps if s.check == "INCL.HEADER")
        assert block.label.startswith(f"{x.HEIGHT} · ")
    bare = examine(raw_files(chain, successors=3), trust(chain, checkpoints=[x.pin(chain.blocks[3])]))
    assert (bare.overall, bare.grade) == (Overall.CONSISTENT, Grade.A)
    # One link is missing: nothing leads there.
    gap = examine({n: d for n, d in raw_files(chain, successors=3).items() if n != "block2.pb"}, trust(chain, checkpoints=[x.pin(chain.blocks[3])]))
    assert answer(gap, "INCL.ROOT") == (OPEN, Reason.ANCHOR_UNAVAILABLE)
    assert gap.overall is Overall.INDETERMINATE  # a block that hangs together with nothing keeps it open


def test_a_pinned_block_below_proves_the_height_and_no_more() -> None:
    chain = built()
    below = {"height": x.HEIGHT - 1, "hash": chain.block["pre_hash"].hex(), "recorded_at": None, "basis": "independent"}
    found = verdict(chain, trust(chain, checkpoints=[below]))
    assert answer(found, "INCL.ROOT") == (OPEN, Reason.ANCHOR_UNAVAILABLE)
    assert (found.overall, found.grade) == (Overall.CONSISTENT, Grade.B)
    assert finding(found, "INCL.HEADER").notes == ()
    alone = verdict(chain, trust(chain, checkpoints=[below]), next_block=None)
    assert alone.overall is Overall.INDETERMINATE  # anybody can put a block upon a pinned one
    wrong = verdict(chain, trust(chain, checkpoints=[{**below, "height": 10}]))
    assert answer(wrong, "INCL.ROOT") == (FAILED, Reason.ANCHOR_MISMATCH)


def test_epochs_count_only_at_a_proven_height() -> None:
    chain = built()
    others = [{"key": x.key(f"other {i}").point.hex(), "operator": "o"} for i in range(4)]
    mine = x.validators(chain)["epochs"][0]["validators"]
    sets = {"epochs": [
        {"from_height": 0, "to_height": 8000, "validators": others}, {"from_height": 8001, "to_height": None, "validators": mine},
    ]}  # fmt: skip
    # Whoever hands the block in could state any height; so the stated one decides nothing.
    assert answer(verdict(chain, trust(chain, sets=sets)), "INCL.NODE_QUORUM") == OK
    below = {"height": x.HEIGHT - 1, "hash": chain.block["pre_hash"].hex(), "recorded_at": None, "basis": "independent"}
    found = verdict(chain, trust(chain, sets=sets, checkpoints=[below]))
    assert answer(found, "INCL.NODE_QUORUM") == (FAILED, Reason.ANCHOR_MISMATCH)
    gap = {"epochs": [{"from_height": 8001, "to_height": None, "validators": mine}]}
    found = verdict(chain, trust(chain, sets=gap, checkpoints=[below]))
    assert answer(found, "INCL.NODE_QUORUM") == (OPEN, Reason.ANCHOR_UNAVAILABLE)


def test_without_a_profile_nothing_rests_on_the_court() -> None:
    chain = built()
    found = verdict(chain, trust(None))
    assert (found.overall, found.grade) == (Overall.INDETERMINATE, Grade.E)
    assert answer(found, "INCL.LEDGER_KIND") == answer(found, "INCL.NODE_QUORUM") == (OPEN, Reason.ANCHOR_UNTRUSTED)
    assert answer(found, "INCL.CONTENT") == (OPEN, Reason.CONTRACT_UNKNOWN)
    for check in ("DIGEST.MATCH", "INCL.TRANSACTION", "INCL.SENDER", "INCL.PATH", "INCL.HEADER", "INCL.EXECUTION"):
        assert answer(found, check) == OK
    assert all(w.state is not ProofState.PROVEN for w in found.walks)


def test_chains_of_one_key_are_not_told_apart() -> None:
    chain = built()
    twin = {"profile": x.profile(chain, id="parallel", chain_id="parallel", genesis_hash=None), "validators": x.validators(chain)}
    twin["profile"].pop("genesis_hash")
    store = trust(chain, others={"parallel": twin})
    found = examine(raw_files(chain), store)
    assert finding(found, "INCL.LEDGER_KIND").notes == ("CHAINS_OF_ONE_KEY",)
    assert found.overall is Overall.INDETERMINATE
    assert verdict(chain, store).overall is Overall.CONSISTENT  # the package says which it means, and CHAIN_NAME_UNSIGNED what that is worth
    pinned = trust(chain, others={"parallel": twin}, checkpoints=[x.pin(chain.blocks[1])])
    assert examine(raw_files(chain), pinned).overall is Overall.CONSISTENT


def test_a_validator_is_pinned_by_its_point() -> None:
    chain = built()
    for wrong in ({"key": chain.keys[0].address.encode().hex()}, {"key": "04" + chain.keys[0].point.hex()}, {"cert_sha256": "00" * 32}):
        sets = {"epochs": [{"from_height": 0, "validators": [{**wrong, "operator": "o"}]}]}
        with pytest.raises(TrustError):
            trust(chain, sets=sets)


def test_time_is_the_proposers_and_never_too_early() -> None:
    chain = x.rebuilt(built(), lambda b: b.update(timestamp=x.NOW + 1))
    found = verdict(chain)
    assert found.time is not None and found.time.basis == "PROPOSER"
    assert found.time.not_after.microsecond == 1
    late = x.rebuilt(built(), lambda b: b.update(timestamp=1 << 62))
    assert verdict(late).overall is Overall.INDETERMINATE


def test_contents_of_a_block_that_is_only_shown() -> None:
    chain = built()
    found = examine(raw_files(chain, page=None), trust(chain))
    assert found.overall is Overall.INDETERMINATE
    alone = examine({"b.pb": wire(x.BLOCK, chain.blocks[3])}, trust(chain))
    assert answer(alone, "INCL.HEADER") == OK and alone.overall is Overall.INDETERMINATE


def test_a_recorded_pre_image() -> None:
    inner = b"case 7: " + hashlib.sha256(x.PAGE).hexdigest().encode()
    chain = built(desc=True)
    chain.tx["desc"] = hashlib.sha256(inner).hexdigest().encode()
    x.signed_tx(chain.tx, [x.key("user")])
    x.rebuilt(chain)
    package = chain.package()
    package["evidence"][0]["location"]["pre_image"] = base64.b64encode(inner).decode()
    files = {"page.html": x.PAGE, "p.json": json.dumps(package).encode()}
    assert examine(files, trust(chain)).overall is Overall.CONSISTENT
    package["evidence"][0]["location"]["pre_image"] = base64.b64encode(inner + b" ").decode()
    assert examine({**files, "p.json": json.dumps(package).encode()}, trust(chain)).overall is not Overall.CONSISTENT
