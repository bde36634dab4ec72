"""ChainMaker proofs under attack: one change of every class, each caught at the step that names it and never CONSISTENT."""

import base64
import hashlib
import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from evidence.verification import TrustStore, Verdict
from evidence.verification.reasons import Reason
from evidence.verification.verdict import Outcome, Overall
from portal.demonstration.chainmaker import Built, Signer, b, build_block, e64, m, n
from tests.evidence.verification.chainmaker_exhibits import (
    FAILED,
    MINE,
    OPEN,
    OTHER,
    PAGE,
    alone,
    answer,
    answers,
    built,
    changed,
    examine,
    files,
    finding,
    network,
    trust,
)

HASH, PROOF, FORM, SIGNATURE = (
    (FAILED, r)
    for r in (Reason.HASH_FAILURE, Reason.PROOF_FAILURE, Reason.FORMAT_FAILURE, Reason.SIG_CRYPTO_FAILURE)
)
QUORUM = (FAILED, Reason.QUORUM_FAILURE)
VOTES = "TBFTAddtionalDataKey"

Change = Callable[[Any], object]


@pytest.fixture(scope="module")
def store() -> TrustStore:
    return trust(built())


def flipped(text: str, bit: int = 3) -> str:
    """Base64 with one bit of its middle byte changed."""
    raw = bytearray(base64.b64decode(text))
    raw[len(raw) // 2] ^= 1 << bit
    return base64.b64encode(bytes(raw)).decode()


def refuted(verdict: Verdict, **expected: tuple[str, Reason | None]) -> None:
    """INCONSISTENT, and the named checks say why (`INCL_PATH` for INCL.PATH)."""
    assert verdict.overall is Overall.INCONSISTENT
    seen: dict[str, tuple[str, Reason | None]] = {}
    for found in sorted(verdict.findings, key=lambda f: f.outcome is Outcome.FAILED):
        seen[found.check] = (found.outcome.value, found.reason)
    for check, wanted in expected.items():
        assert seen[check.replace("_", ".", 1)] == wanted, check


# ── the transaction ───────────────────────────────────────────────────────────────────────────────────────────────────


def in_tx(change: Change, place: int = MINE) -> Change:
    return lambda block: change(block["block"]["txs"][place])


def set_at(*path: Any, value: Any = None, flip: bool = False) -> Change:
    def change(item: Any) -> None:
        for key in path[:-1]:
            item = item[key]
        item[path[-1]] = flipped(item[path[-1]]) if flip else value

    return change


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


# ── the votes ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def voted(raw: bytes | None, suite: str = "P256") -> bytes:
    """The block with another VoteSet."""
    data = {} if raw is None else {VOTES: e64(raw)}
    return changed(built(suite).block_json, lambda x: x["block"]["additional_data"].update(extra_data=data))


def with_votes(raw: bytes | None, store: TrustStore) -> Verdict:
    return examine({**files(built()), "block.json": voted(raw)}, store)


def test_one_vote_too_few(store: TrustStore) -> None:
    chain, block_hash = network(), built().block_hash
    votes = [chain.vote(i, block_hash) for i in (0, 1)]
    refuted(with_votes(chain.vote_set(votes, block_hash), store), INCL_NODE_QUORUM=QUORUM)
    assert with_votes(None, store).overall is Overall.INDETERMINATE
    refuted(with_votes(chain.vote_set([], block_hash), store), INCL_NODE_QUORUM=QUORUM)


@pytest.mark.parametrize("mode", ["public_key", "certificate", "cert_hash"])
def test_one_signer_under_several_names(mode: str) -> None:
    """The same key or certificate voting as two voters counts once, however many names it takes."""
    block, chain = built("P256", mode), network("P256", mode)
    votes = [
        chain.vote(0, block.block_hash),
        *(chain.vote(1, block.block_hash, voter=v) for v in ("Qm1", "Qm2", "Qm3")),
    ]
    raw = chain.vote_set(votes, block.block_hash)
    edited = changed(
        block.block_json, lambda x: x["block"]["additional_data"].update(extra_data={VOTES: e64(raw)})
    )
    exhibit = {**files(block), "block.json": edited, "members.pem": block.certificates_pem or PAGE}
    verdict = examine(exhibit, trust(block))
    refuted(verdict, INCL_NODE_QUORUM=QUORUM)
    assert (finding(verdict, "INCL.NODE_QUORUM").actual or "").startswith("2: ")


def test_one_organisation_with_many_certificates() -> None:
    """Where only roots are pinned, an authority that issues itself a majority still counts once."""
    from portal.demonstration.signers import certificate

    chain = network("P256", "certificate")
    block = built("P256", "certificate")
    signers = []
    for i in range(4):
        own = chain._key(f"extra {i}")
        cert = certificate(own, name=f"consensus{i}", org="org1", unit="consensus", issuer=chain.roots[0])
        signers.append(Signer("org1", 0, cert.pem, own, cert))
    raw = chain.vote_set(
        [chain.vote(s, block.block_hash, voter=f"Qm{i}") for i, s in enumerate(signers)], block.block_hash
    )
    edited = changed(
        block.block_json, lambda x: x["block"]["additional_data"].update(extra_data={VOTES: e64(raw)})
    )
    for sets, wanted in (
        (chain.validators(roots_only=True), (OPEN, Reason.FINALITY_INSUFFICIENT)),
        (chain.validators(), (OPEN, Reason.ANCHOR_UNTRUSTED)),
        (chain.validators(to_height=100), (FAILED, Reason.ANCHOR_MISMATCH)),
    ):
        verdict = examine({**files(block), "block.json": edited}, trust(block, validators=sets))
        assert verdict.overall is not Overall.CONSISTENT
        assert answer(verdict, "INCL.NODE_QUORUM") == wanted


@pytest.mark.parametrize(("unit", "late", "reason"), [
    ("client", False, Reason.CHAIN_CONSTRAINTS_FAILURE),
    ("consensus", True, Reason.OUT_OF_BOUNDS_NO_POE),
])  # fmt: skip
def test_certificates_of_the_wrong_role_or_time(unit: str, late: bool, reason: Reason) -> None:
    from datetime import UTC, datetime

    from portal.demonstration.signers import certificate

    chain = network("P256", "certificate")
    block = built("P256", "certificate")
    end = datetime(2025 if late else 2043, 1, 1, tzinfo=UTC)
    signers = []
    for i, root in enumerate(chain.roots):
        own = chain._key(f"node {unit} {late} {i}")
        cert = certificate(own, name="n", org=f"org{i + 1}", unit=unit, issuer=root, not_after=end)
        signers.append(Signer(f"org{i + 1}", 0, cert.pem, own, cert))
    raw = chain.vote_set(
        [chain.vote(s, block.block_hash, voter=f"Qm{i}") for i, s in enumerate(signers)], block.block_hash
    )
    edited = changed(
        block.block_json, lambda x: x["block"]["additional_data"].update(extra_data={VOTES: e64(raw)})
    )
    exhibit = {**files(block), "block.json": edited}
    verdict = examine(exhibit, trust(block, validators=chain.validators(roots_only=True)))
    assert answer(verdict, "INCL.NODE_QUORUM") == (OPEN, reason)
    if late:  # pinned by their digest the certificates still count only while they are valid
        sets = chain.validators()
        for validator, signer in zip(sets["epochs"][0]["validators"], signers, strict=True):
            assert signer.certificate is not None
            validator["cert_sha256"] = signer.certificate.sha256.hex()
        assert answer(examine(exhibit, trust(block, validators=sets)), "INCL.NODE_QUORUM") == (OPEN, reason)


def test_the_validators_replaced_inside_the_bundle() -> None:
    """A whole block signed by an attacker's own validators, under the organisations' and the chain's right names."""
    for mode in ("public_key", "certificate"):
        attacker = network("P256", mode, seed="attacker")
        block = attacker.block([attacker.record(attacker.hash(PAGE), record_id="a")])
        assert examine({"page": PAGE, "b": block.block_json}, trust(block)).overall is Overall.CONSISTENT
        honest = network("P256", mode)
        for to_height, wanted in (
            (None, (OPEN, Reason.ANCHOR_UNTRUSTED)),
            (99, (FAILED, Reason.ANCHOR_MISMATCH)),
        ):
            store = trust(built("P256", mode), validators=honest.validators(to_height=to_height))
            verdict = examine({"page": PAGE, "b": block.block_json}, store)
            assert verdict.overall is not Overall.CONSISTENT
            assert answer(verdict, "INCL.NODE_QUORUM") == wanted


def test_a_bundle_that_brings_its_own_trust() -> None:
    attacker = network("P256", "certificate", seed="attacker")
    block = attacker.block([attacker.record(attacker.hash(PAGE), record_id="a")])
    exhibit = {
        "page.html": PAGE,
        "block.json": block.block_json,
        "profile.json": json.dumps(block.profile).encode(),
        "validators.json": json.dumps(block.validators).encode(),
        "manifest.json": b'{"format":"mingjian.anchor-pack"}',
        "roots.pem": b"".join(r.pem for r in attacker.roots) + block.certificates_pem,
    }
    for store in (trust(None), trust(built("P256", "certificate"))):
        assert examine(exhibit, store).overall is Overall.INDETERMINATE
        bare = {k: v for k, v in exhibit.items() if k in ("page.html", "block.json", "roots.pem")}
        verdict = examine(bare, store)
        assert (verdict.overall, verdict.grade.value) == (Overall.INDETERMINATE, "E")


def test_a_stranger_among_the_voters(store: TrustStore) -> None:
    """Somebody the court does not know voted too: the set is another one, so its size and its quorum are not known."""
    chain, block_hash = network(), built().block_hash
    stranger = network(seed="somebody else").nodes[0]
    votes = [*(chain.vote(i, block_hash) for i in range(4)), chain.vote(stranger, block_hash, voter="QmX")]
    verdict = with_votes(chain.vote_set(votes, block_hash), store)
    assert (verdict.overall, answer(verdict, "INCL.NODE_QUORUM")) == (
        Overall.INDETERMINATE,
        (OPEN, Reason.ANCHOR_UNTRUSTED),
    )
    # writing a pinned organisation's name over the key changes nothing
    posing = Signer("org3", 2, stranger.info, stranger.key)
    votes = [
        chain.vote(0, block_hash),
        chain.vote(1, block_hash),
        chain.vote(posing, block_hash, voter="Qm-demonstration-2"),
    ]
    assert with_votes(chain.vote_set(votes, block_hash), store).overall is Overall.INDETERMINATE


def test_a_pinned_key_with_another_signature(store: TrustStore) -> None:
    """The vote presents a pinned validator and is signed by somebody else."""
    chain, block_hash = network(), built().block_hash
    stranger = network(seed="somebody else").nodes[0]
    pinned = chain.nodes[2]
    posing = Signer(pinned.org, pinned.kind, pinned.info, stranger.key)
    votes = [
        chain.vote(0, block_hash),
        chain.vote(1, block_hash),
        chain.vote(posing, block_hash, voter="Qm2"),
    ]
    refuted(with_votes(chain.vote_set(votes, block_hash), store), INCL_NODE_QUORUM=SIGNATURE)


def test_votes_for_something_else(store: TrustStore) -> None:
    chain, block_hash, other = network(), built().block_hash, b"\x55" * 32
    three = (0, 1, 3)
    # for another block, presented as they are or under this block's name
    elsewhere = [chain.vote(i, other) for i in three]
    refuted(with_votes(chain.vote_set(elsewhere, other), store), INCL_NODE_QUORUM=QUORUM)
    refuted(with_votes(chain.vote_set(elsewhere, block_hash), store), INCL_NODE_QUORUM=QUORUM)
    # prevotes, another height, another round within one set
    for options in ({"kind": 0}, {"height": 8}):
        votes = [chain.vote(i, block_hash, **options) for i in three]
        refuted(with_votes(chain.vote_set(votes, block_hash, **options), store), INCL_NODE_QUORUM=FORM)
    mixed = [chain.vote(0, block_hash), chain.vote(1, block_hash), chain.vote(3, block_hash, round_=1)]
    refuted(with_votes(chain.vote_set(mixed, block_hash), store), INCL_NODE_QUORUM=FORM)
    # a vote for nothing is lawful and does not count
    nil = [chain.vote(0, block_hash), chain.vote(1, block_hash), chain.vote(2, b"NilHash")]
    refuted(with_votes(chain.vote_set(nil, block_hash), store), INCL_NODE_QUORUM=QUORUM)
    fourth = [*(chain.vote(i, block_hash) for i in three), chain.vote(2, b"NilHash")]
    assert with_votes(chain.vote_set(fourth, block_hash), store).overall is Overall.CONSISTENT


def test_a_vote_set_that_contradicts_itself(store: TrustStore) -> None:
    chain, block_hash = network(), built().block_hash
    votes = [chain.vote(i, block_hash) for i in (0, 1, 3)]
    good = chain.vote_set(votes, block_hash)
    assert with_votes(good, store).overall is Overall.CONSISTENT
    entry = m(6, b(1, votes[0][0]) + m(2, votes[0][1]))
    renamed = m(6, b(1, "QmY") + m(2, votes[0][1]))
    count = n(4, 3)
    for raw in (
        good.replace(entry, entry + entry, 1),  # one voter twice
        good.replace(entry, renamed, 1),  # a voter string that is not the vote's own
        good.replace(count, n(4, 4), 1),  # another number of votes
        good + n(9, 1),  # something after the set
        good[:-1],
        good[:200],
    ):
        assert raw != good
        verdict = with_votes(raw, store)
        assert verdict.overall is not Overall.CONSISTENT
        assert answers(verdict)["INCL.NODE_QUORUM"][0] != "PASSED"
    # old nodes group nothing; then the voter string is still the vote's own
    group = b"".join(m(1, b(1, voter) + m(2, vote)) for voter, vote, _ in votes)
    ungrouped = good.removesuffix(m(7, b(1, e64(block_hash)) + m(2, group + n(2, 3))))
    assert ungrouped != good and with_votes(ungrouped, store).overall is Overall.CONSISTENT
    refuted(with_votes(ungrouped.replace(entry, renamed, 1), store), INCL_NODE_QUORUM=FORM)
    # the votes written a second time, grouped by block, are other votes
    grouped = good[good.rindex(e64(block_hash).encode()) :]
    voter = votes[0][0].encode()
    assert grouped.count(voter) == 2
    edited = good.removesuffix(grouped) + grouped.replace(voter, voter[::-1])
    refuted(with_votes(edited, store), INCL_NODE_QUORUM=FORM)


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
