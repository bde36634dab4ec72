"""ChainMaker proofs under attack: one change of every class, each caught at the step that names it and never CONSISTENT."""

import base64
import hashlib
import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from evidence.verification import TrustStore
from evidence.verification.reasons import Reason
from evidence.verification.verdict import Overall
from portal.demonstration.chainmaker import Built, b, build_block, e64, m, n
from tests.evidence.verification.chainmaker_exhibits import (
    FAILED,
    FORM,
    HASH,
    MINE,
    OPEN,
    OTHER,
    PAGE,
    PROOF,
    QUORUM,
    SIGNATURE,
    VOTES,
    Change,
    alone,
    answer,
    answers,
    built,
    changed,
    examine,
    files,
    finding,
    flipped,
    in_tx,
    network,
    refuted,
    set_at,
    trust,
)


@pytest.fixture(scope="module")
def store() -> TrustStore:
    return trust(built())


# ── the transaction ───────────────────────────────────────────────────────────────────────────────────────────────────


PAYLOAD = {
    "id": set_at("payload", "parameters", 0, "value", flip=True),
    "metadata": set_at("payload", "parameters", 2, "value", flip=True),
    "key": set_at("payload", "parameters", 2, "key", value="metadatb"),
    "tx_id": set_at("payload", "tx_id", value="0" * 64),
    "timestamp": set_at("payload", "timestamp", value=1),
    "expiration": set_at("payload", "expiration_time", value=1),
    "sequence": set_at("payload", "sequence", value=1),
    "limit": set_at("payload", "limit", "gas_limit", value=1),
    "no limit": set_at("payload", "limit"),
    "empty limit": set_at("payload", "limit", value={}),
    "type": set_at("payload", "tx_type", value=1),
}
OUTSIDE_THE_PAYLOAD = {
    "message": set_at("result", "contract_result", "message", value="Succeeded"),
    "result": set_at("result", "contract_result", "result", flip=True),
    "event": set_at("result", "contract_result", "contract_event", 0, "event_data", 0, value="EV-0002"),
    "topic": set_at("result", "contract_result", "contract_event", 0, "topic", value="evidence"),
    "result message": set_at("result", "message", value="x"),
    "endorser": set_at("endorsers", value=[{}]),
    "payer": set_at("payer", value={}),
}


@pytest.mark.parametrize("what", PAYLOAD)
def test_a_changed_payload(what: str, store: TrustStore) -> None:
    edited = changed(built().block_json, in_tx(PAYLOAD[what]))
    whole = examine({**files(built()), "block.json": edited}, store)
    refuted(whole, INCL_PATH=PROOF, INCL_SENDER=SIGNATURE, CHAINMAKER_TX_ROOT=PROOF)
    info = changed(built().info_json[MINE], lambda t: PAYLOAD[what](t["transaction"]))
    refuted(examine({**alone(built()), "tx.json": info}, store), INCL_PATH=PROOF, INCL_SENDER=SIGNATURE)


@pytest.mark.parametrize("what", OUTSIDE_THE_PAYLOAD)
def test_a_changed_result(what: str, store: TrustStore) -> None:
    edited = changed(built().block_json, in_tx(OUTSIDE_THE_PAYLOAD[what]))
    refuted(
        examine({**files(built()), "block.json": edited}, store), INCL_PATH=PROOF, CHAINMAKER_TX_ROOT=PROOF
    )


def test_the_recorded_digest_exchanged_for_that_of_another_file(store: TrustStore) -> None:
    """The block is edited so that it seems to record the file: neither the tree nor the sender's signature follows."""
    mine = b"never recorded"
    digest = e64(network().hash(mine).hex().encode())
    edited = changed(built().block_json, in_tx(set_at("payload", "parameters", 1, "value", value=digest)))
    verdict = examine({"page": mine, "block.json": edited, "path.json": built().paths_json[MINE]}, store)
    refuted(verdict, INCL_PATH=PROOF, INCL_SENDER=SIGNATURE)
    # even with a sender who signs anew, the root stands
    chain = network()
    tx = chain.record(chain.hash(mine), record_id="EV-0001")
    edited = changed(built().block_json, lambda x: x["block"]["txs"].__setitem__(MINE, tx.json))
    verdict = examine({"page": mine, "block.json": edited}, store)
    refuted(verdict, INCL_PATH=PROOF)
    assert answers(verdict)["INCL.SENDER"][0] == "PASSED"


def test_sender_signature_of_somebody_else(store: TrustStore) -> None:
    chain = network()
    tx = chain.record(chain.hash(PAGE), record_id="a", sign_with=chain.nodes[2].key)
    block = chain.block([tx])
    refuted(examine({"page": PAGE, "b": block.block_json}, store), INCL_SENDER=SIGNATURE)


def test_a_foreign_transaction_in_the_block(store: TrustStore) -> None:
    chain = network()
    block = chain.block([chain.record(chain.hash(PAGE), record_id="a", chain_id="another-chain")])
    refuted(examine({"page": PAGE, "b": block.block_json}, store), INCL_TRANSACTION=FORM)


def test_the_transaction_handed_in_differs_from_the_one_in_the_block(store: TrustStore) -> None:
    info = changed(built().info_json[MINE], lambda t: t["transaction"]["result"].update(message="x"))
    exhibit = {"page": PAGE, "block.json": built().block_json, "tx.json": info}
    refuted(examine(exhibit, store), INCL_TRANSACTION=HASH, INCL_PATH=PROOF)


@pytest.mark.parametrize(
    ("field", "value"),
    [("tx_index", 2), ("tx_index", 5), ("block_height", 8), ("block_hash", "AAAA"), ("block_timestamp", 1)],
)
def test_the_place_stated_beside_the_transaction(field: str, value: Any, store: TrustStore) -> None:
    info = changed(built().info_json[MINE], lambda t: t.update({field: value}))
    whole = {"page": PAGE, "block.json": built().block_json, "tx.json": info}
    refuted(examine(whole, store), INCL_PATH=PROOF)
    verdict = examine({**alone(built()), "tx.json": info}, store)
    if field == "block_height":  # it then goes with no block at all
        assert verdict.overall is Overall.INDETERMINATE
    else:
        refuted(verdict, INCL_PATH=PROOF)


def test_the_read_write_set(store: TrustStore) -> None:
    def other(block: Any) -> None:
        block["rwset_list"][4]["tx_writes"][0]["value"] = "e10="

    def nobody(block: Any) -> None:
        block["rwset_list"][4]["tx_id"] = "nobody"

    for change in (other, nobody):
        edited = changed(built().block_json, change)
        refuted(examine({**files(built()), "block.json": edited}, store), CHAINMAKER_RW_SET=HASH)
    lone = changed(
        json.dumps(built().txs[MINE].rw_set_json).encode(), lambda r: r["tx_writes"][0].update(value="e10=")
    )
    refuted(examine(files(built(), rw=lone), store), CHAINMAKER_RW_SET=HASH)


def test_a_recorded_value_of_impossible_length_is_no_prefix(store: TrustStore) -> None:
    chain = network()
    whole = chain.hash(PAGE).hex()
    for text in (whole[:4], whole[:-2], whole + "00", whole[:32], whole[:-1] + "g"):
        block = chain.block([chain.record(text, record_id="a")])
        verdict = examine({"page": PAGE, "b": block.block_json}, store)
        assert verdict.overall is not Overall.CONSISTENT
        assert answers(verdict)["DIGEST.MATCH"][0] != "PASSED"


# ── the file ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_proof_of_one_file_with_another_file(store: TrustStore) -> None:
    for page in (PAGE + b" ", b"", OTHER[:-1]):
        verdict = examine({**alone(built()), "page.html": page}, store)
        refuted(verdict, DIGEST_MATCH=HASH)
        assert (
            finding(verdict, "DIGEST.MATCH").expected
            == f"SHA-256 / SM3 / SHA3-256 {network().hash(PAGE).hex()}"
        )
    single = build_block([network().hash(PAGE)], suite="P256", fillers=0)
    refuted(examine({"page": OTHER, "b": single.block_json}, store), DIGEST_MATCH=HASH)


# ── the path ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def siblings(change: Callable[[list[str]], object]) -> bytes:
    return changed(built().paths_json[MINE], change)


PATHS: dict[str, Callable[[list[str]], object]] = {
    "leaf's sibling": lambda p: p.__setitem__(0, flipped(p[0])),
    "middle": lambda p: p.__setitem__(1, flipped(p[1])),
    "top": lambda p: p.__setitem__(2, flipped(p[2])),
    "order": lambda p: p.reverse(),
    "two exchanged": lambda p: p.__setitem__(slice(0, 2), [p[1], p[0]]),
    "too short": lambda p: p.pop(),
    "without its first": lambda p: p.pop(0),
    "too long": lambda p: p.append(p[0]),
    "empty": lambda p: p.clear(),
    "of a neighbour": lambda p: p.__setitem__(slice(None), json.loads(built().paths_json[2])),
}


@pytest.mark.parametrize("what", PATHS)
def test_a_changed_path(what: str, store: TrustStore) -> None:
    path = siblings(PATHS[what])
    refuted(examine({**alone(built()), "path.json": path}, store), INCL_PATH=PROOF)
    if what != "of a neighbour":  # which is a good path of that neighbour
        refuted(examine({**files(built()), "path.json": path}, store), INCL_PATH=PROOF)


def test_a_path_too_many(store: TrustStore) -> None:
    """A path names no transaction: beside one that leads there it may belong to a block that was not handed in. It refutes
    nothing, and the exhibit stays open."""
    exhibit = files(built(), **{"z.json": siblings(PATHS["order"])})
    for known in (store, trust(built(), path_generation="unknown")):
        verdict = examine(exhibit, known)
        assert verdict.overall is Overall.INDETERMINATE
        assert verdict.reasons == (Reason.PROOF_NOT_SUPPLIED,)
    both = {**alone(built()), "path.json": siblings(PATHS["top"]), "z.json": siblings(PATHS["order"])}
    refuted(examine(both, store), INCL_PATH=PROOF)


def test_more_transactions_than_are_examined(store: TrustStore, monkeypatch: pytest.MonkeyPatch) -> None:
    from evidence.verification.chains import chainmaker_selection

    monkeypatch.setattr(chainmaker_selection, "INCLUSIONS_MAX", 1)
    verdict = examine(files(built(), **{"other.html": OTHER}), store)
    assert verdict.overall is Overall.INDETERMINATE
    assert [f.actual for f in verdict.findings if f.reason is Reason.RESOURCE_LIMIT] == ["2 transactions"]


def test_a_path_that_is_no_path(store: TrustStore) -> None:
    for path in (
        siblings(lambda p: p.__setitem__(0, "AAAA")),
        siblings(lambda p: p.__setitem__(0, p[0][:-2] + "B=")),
    ):
        verdict = examine({**files(built()), "path.json": path}, store)
        assert verdict.overall is not Overall.CONSISTENT


def test_the_path_of_the_right_place_with_the_index_of_another(store: TrustStore) -> None:
    for index in (0, 2, 3, 4):
        info = changed(built().info_json[MINE], lambda t, i=index: t.update(tx_index=i))
        refuted(examine({**alone(built()), "tx.json": info}, store), INCL_PATH=PROOF)


def test_the_last_transaction_repeated_as_padding_repeats_it(store: TrustStore) -> None:
    """Six transactions with the last one twice have the root of five (the class of CVE-2012-2459)."""
    chain = network()
    five = [chain.record(chain.hash(bytes([i])), record_id=f"{i}") for i in range(4)]
    five.append(chain.record(chain.hash(PAGE), record_id="4"))
    block = chain.block(five)
    six = chain.block([*five, five[-1]])
    assert (
        json.loads(block.block_json)["block"]["header"]["tx_root"]
        == json.loads(six.block_json)["block"]["header"]["tx_root"]
    )
    repeated = changed(block.block_json, lambda x: x["block"]["txs"].append(x["block"]["txs"][4]))
    refuted(examine({"page": PAGE, "b": repeated}, store), CHAINMAKER_TX_ROOT=PROOF)
    for ghost in (5, 6, 7):
        exhibit = {
            "page": PAGE,
            "t": changed(block.info_json[4], lambda t, g=ghost: t.update(tx_index=g)),
            "b": changed(block.block_json, lambda x: x["block"].pop("txs") and x.pop("rwset_list")),
            "p": block.paths_json[4],
        }
        refuted(examine(exhibit, store), INCL_PATH=PROOF)


def test_sixty_four_bytes_that_are_an_inner_node(store: TrustStore) -> None:
    """An inner node is the hash of 64 bytes. Neither a file nor a transaction of those 64 bytes is thereby recorded."""
    block, chain = built(), network()
    node = block.txs[0].leaf + block.txs[1].leaf
    path = json.loads(block.paths_json[0])[1:]
    header = changed(block.block_json, lambda x: x["block"].pop("txs") and x.pop("rwset_list"))
    info = m(1, node) + n(2, 9) + b(3, block.block_hash) + n(5, 1_767_225_610)
    for exhibit in (
        {"page": node, "b": header, "p": json.dumps(path).encode()},
        {"page": node, "t": info, "b": header, "p": json.dumps(path).encode()},
        {"page": node, "b": block.block_json},
    ):
        assert examine(exhibit, store).overall is not Overall.CONSISTENT
    # a record whose digest is the inner node's preimage is a record like any other, and of another file
    odd = chain.block([chain.record(node.hex(), record_id="a")])
    assert examine({"page": node, "b": odd.block_json}, store).overall is not Overall.CONSISTENT


def test_fewer_transactions_claimed_than_the_tree_has(store: TrustStore) -> None:
    """With a tx_count of 3 a shorter path from an inner node would fit; the count is inside the header hash."""
    edited = changed(built().block_json, lambda x: x["block"]["header"].update(tx_count=3))
    refuted(examine({**files(built()), "block.json": edited}, store), INCL_HEADER=HASH)


# ── the header ────────────────────────────────────────────────────────────────────────────────────────────────────────

HEADER: dict[str, tuple[Change, Reason]] = {
    **{
        name: (set_at(name, flip=True), Reason.HASH_FAILURE)
        for name in ("block_hash", "pre_block_hash", "tx_root", "dag_hash", "rw_set_root")
    },
    "version": (set_at("block_version", value=2030300), Reason.HASH_FAILURE),
    "type": (set_at("block_type", value=1), Reason.HASH_FAILURE),
    "height": (set_at("block_height", value=10), Reason.HASH_FAILURE),
    "configuration": (set_at("pre_conf_height", value=1), Reason.HASH_FAILURE),
    "time": (set_at("block_timestamp", value=1_600_000_000), Reason.HASH_FAILURE),
    "arguments": (set_at("consensus_args", value="AA=="), Reason.HASH_FAILURE),
    "proposer": (set_at("proposer", "member_info", flip=True), Reason.HASH_FAILURE),
    "proposer's organisation": (set_at("proposer", "org_id", value="org2"), Reason.HASH_FAILURE),
    "signature": (set_at("signature", flip=True), Reason.SIG_CRYPTO_FAILURE),
    "short hash": (set_at("block_hash", value="AAAA"), Reason.FORMAT_FAILURE),
    "long root": (set_at("tx_root", value=base64.b64encode(b"x" * 33).decode()), Reason.FORMAT_FAILURE),
    "no parent": (set_at("pre_block_hash"), Reason.FORMAT_FAILURE),
    "negative time": (set_at("block_timestamp", value=-1), Reason.FORMAT_FAILURE),
    "far time": (set_at("block_timestamp", value=1 << 60), Reason.FORMAT_FAILURE),
}


@pytest.mark.parametrize("what", HEADER)
def test_a_changed_header(what: str, store: TrustStore) -> None:
    change, reason = HEADER[what]
    edited = changed(built().block_json, lambda x: change(x["block"]["header"]))
    refuted(examine({**files(built()), "block.json": edited}, store), INCL_HEADER=(FAILED, reason))


def test_another_chain_id(store: TrustStore) -> None:
    """As a claim in the header it breaks the hash; as the chain's own name the court does not know it."""
    edited = changed(built().block_json, lambda x: x["block"]["header"].update(chain_id="another-chain"))
    verdict = examine({**files(built()), "block.json": edited}, store)
    refuted(verdict, INCL_HEADER=HASH, INCL_LEDGER_KIND=(OPEN, Reason.ANCHOR_UNTRUSTED))
    foreign = build_block([network().hash(PAGE)], suite="P256", chain_id="another-chain")
    verdict = examine({"page": PAGE, "b": foreign.block_json}, store)
    assert (verdict.overall, verdict.grade.value) == (Overall.INDETERMINATE, "E")
    assert answer(verdict, "INCL.LEDGER_KIND") == (OPEN, Reason.ANCHOR_UNTRUSTED)


def test_the_proposer_signature_of_a_stranger(store: TrustStore) -> None:
    stranger = network(seed="somebody else").nodes[0]
    signed = e64(stranger.key.sign(built().block_hash, "SHA-256"))
    edited = changed(built().block_json, lambda x: x["block"]["header"].update(signature=signed))
    refuted(
        examine({**files(built()), "block.json": edited}, store),
        INCL_HEADER=SIGNATURE,
        CHAINMAKER_PROPOSER=SIGNATURE,
    )


# ── shapes, sizes, noise ──────────────────────────────────────────────────────────────────────────────────────────────


def test_hostile_shapes(store: TrustStore) -> None:
    block = built()
    nested = b'{"block":' * 70 + b"{}" + b"}" * 70
    duplicate = block.block_json.replace(b'"tx_count":5', b'"tx_count":5,"tx_count":5', 1)
    two_names = block.block_json.replace(b'"tx_count":5', b'"tx_count":5,"txCount":5', 1)
    real = block.block_json.replace(b'"tx_count":5', b'"tx_count":5.0', 1)
    padded = block.block_pb.replace(b"\x40\x05", b"\x40\x85\x00", 1)
    trailing = block.block_pb + b"\x00"
    million = b"[" + b",".join([b'"' + b"A" * 43 + b'="'] * 1_000) + b"]"
    for name, data in (
        ("nested", nested),
        ("duplicate", duplicate),
        ("two names", two_names),
        ("real", real),
        ("padded", padded),
        ("trailing", trailing),
        ("path", million),
        ("no header", b'{"block":{"txs":[{"payload":{"contract_name":""}}]},"rwset_list":[]}'),
    ):
        verdict = examine({"page": PAGE, "b": data}, store)
        assert verdict.overall is not Overall.CONSISTENT, name
        assert not [f for f in verdict.findings if f.reason is Reason.INTERNAL_ERROR], name


@pytest.mark.parametrize("seed", range(4))
def test_single_bits_of_the_protobuf_block(seed: int, store: TrustStore) -> None:
    """A bit anywhere in the bundle changes the answer, but for the one number that the chain leaves out of every hash."""
    rng = random.Random(20260101 + seed)
    block = built()
    start = block.block_pb.index(block.header_pb)
    gas = {i for i in range(len(block.block_pb) - 2) if block.block_pb[i : i + 3] == n(4, 157)}
    places = [
        *rng.sample(range(start, start + len(block.header_pb)), 60),
        *rng.sample(range(len(block.block_pb)), 240),
    ]
    for place in places:
        raw = bytearray(block.block_pb)
        raw[place] ^= 1 << rng.randrange(8)
        verdict = examine({"page": PAGE, "b.pb": bytes(raw), "path.json": block.paths_json[MINE]}, store)
        assert not [f for f in verdict.findings if f.reason is Reason.INTERNAL_ERROR], place
        if verdict.overall is Overall.CONSISTENT:
            assert {place - 2, place - 1} & gas, (place, raw[place - 8 : place + 8])


@pytest.mark.parametrize("seed", range(3))
def test_damaged_json(seed: int, store: TrustStore) -> None:
    """Characters changed, cut out or doubled anywhere in the JSON files."""
    rng = random.Random(seed)
    exhibit = files(built())
    for _ in range(120):
        name = rng.choice(["block.json", "block.json", "path.json"])
        raw = bytearray(exhibit[name])
        place = rng.randrange(len(raw))
        kind = rng.randrange(3)
        if kind == 0:
            raw[place] = rng.randrange(32, 127)
        elif kind == 1:
            del raw[place]
        else:
            raw.insert(place, raw[place])
        if bytes(raw) == exhibit[name]:
            continue
        verdict = examine({**exhibit, name: bytes(raw)}, store)
        assert not [f for f in verdict.findings if f.reason is Reason.INTERNAL_ERROR]
        if verdict.overall is Overall.CONSISTENT:
            assert _same_but_for_gas(exhibit[name], bytes(raw))


def _same_but_for_gas(before: bytes, after: bytes) -> bool:
    def without_gas(data: bytes) -> Any:
        value = json.loads(data)
        for tx in value["block"]["txs"]:
            tx["result"]["contract_result"].pop("gas_used", None)
        return value

    return bool(without_gas(before) == without_gas(after))


@pytest.mark.parametrize("suite", ["SM", "SHA256-SM2"])
def test_guomi_signatures_under_the_same_attacks(suite: str) -> None:
    block, chain = built(suite), network(suite)
    store = trust(block)
    header = changed(block.block_json, lambda x: set_at("signature", flip=True)(x["block"]["header"]))
    refuted(examine({**files(block), "block.json": header}, store), INCL_HEADER=SIGNATURE)
    sender = changed(block.block_json, in_tx(set_at("sender", "signature", flip=True)))
    refuted(examine({**files(block), "block.json": sender}, store), INCL_SENDER=SIGNATURE, INCL_PATH=PROOF)
    two = [chain.vote(i, block.block_hash) for i in (0, 1)]
    short = chain.vote_set(two, block.block_hash)
    votes = changed(
        block.block_json, lambda x: x["block"]["additional_data"].update(extra_data={VOTES: e64(short)})
    )
    refuted(examine({**files(block), "block.json": votes}, store), INCL_NODE_QUORUM=QUORUM)
    # the court's identifier of the signers is another one
    if suite == "SM":
        other_uid = {"hash": "SM3", "signature": "SM2", "sm2_uid": "another"}
        refuted(examine(files(block), trust(block, suite=other_uid)), INCL_NODE_QUORUM=SIGNATURE)


def test_the_order_of_files_does_not_show(store: TrustStore) -> None:
    exhibit = files(built(), **{"other.html": OTHER, "p3": built().paths_json[3]})
    backwards = dict(reversed(list(exhibit.items())))
    assert examine(exhibit, store).to_json() == examine(backwards, store).to_json()


def test_digest_of_the_demonstration_is_stable() -> None:
    """The builder draws its one-time numbers from keys and messages, so that demonstrations repeat byte for byte."""
    again: Built = build_block([network().hash(PAGE)], suite="P256")
    assert (
        hashlib.sha256(again.block_pb).digest()
        == hashlib.sha256(build_block([network().hash(PAGE)], suite="P256").block_pb).digest()
    )
