"""XuperChain's spellings: both JSON renderings of the tools give what the bytes give, and the preimages are those of the chain."""

import json
from typing import Any

import pytest

from evidence.verification.chains import xuperchain_hashing as hashing
from evidence.verification.chains import xuperchain_messages as messages
from evidence.verification.codecs.base58 import base58_bytes
from evidence.verification.codecs.text import CodecError
from evidence.verification.reasons import Reason
from evidence.verification.verdict import Overall
from tests.evidence.verification import xuperchain_exhibits as x
from tests.evidence.verification.xuperchain_exhibits import (
    answer,
    built,
    examine,
    finding,
    trust,
    verdict,
    wire,
)

FAILED, OPEN, PASSED = "FAILED", "INDETERMINATE", "PASSED"
OK = (PASSED, None)


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
    files = x.raw_files(chain)
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


def test_an_answer_holds_nothing_beside_what_it_answers() -> None:
    chain = built()
    printed = sdk(x.TX, chain.tx, camel=False)
    files = x.raw_files(chain)
    for beside in ({"statement": "I owe five million"}, {"block": sdk(x.BLOCK, chain.blocks[2], camel=False)}):
        files["tx.pb"] = json.dumps({"tx": printed, **beside}).encode()
        found = examine(files, trust(chain))
        assert (OPEN, Reason.UNSUPPORTED_FORMAT) == answer(found, "INCL.LEDGER_KIND")
        assert found.overall is Overall.INDETERMINATE


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
    assert x.base58(bytes.fromhex("0000287fb4cd")) == "11233QC4"
    assert base58_bytes("11233QC4") == bytes.fromhex("0000287fb4cd")
    for address in (x.key("a").address, x.key("b", x.SM2).address):
        assert x.base58(base58_bytes(address, length=25)) == address
    for wrong in ("0", "O", "I", "l", " 1", "1" * 65, "é"):
        with pytest.raises(CodecError):
            base58_bytes(wrong)
