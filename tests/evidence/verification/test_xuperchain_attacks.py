"""Attacks on XuperChain proofs: each is caught at the rung that names it, and none ends CONSISTENT."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from evidence.verification.reasons import Reason
from evidence.verification.verdict import Overall
from tests.evidence.verification import xuperchain_exhibits as x
from tests.evidence.verification.xuperchain_exhibits import (
    answer,
    built,
    examine,
    finding,
    raw_files,
    trust,
    verdict,
    wire,
)

FAILED, OPEN, PASSED = "FAILED", "INDETERMINATE", "PASSED"
OK = (PASSED, None)
Change = Callable[[x.Built], Any]


def put(name: str, value: Any, *, block: int = 0) -> Change:
    return lambda c: c.blocks[block].__setitem__(name, value)


def put_tx(name: str, value: Any) -> Change:
    return lambda c: c.tx.__setitem__(name, value)


def call(c: x.Built) -> x.Fields:
    found: x.Fields = c.tx["contract_requests"][0]
    return found


# ── one change, not hashed anew ───────────────────────────────────────────────────────────────────────────────────────

ONE_CHANGE: list[tuple[str, Change, str, Reason]] = [
    ("nonce", put_tx("nonce", "1"), "INCL.TRANSACTION", Reason.HASH_FAILURE),
    ("time", put_tx("timestamp", 1), "INCL.TRANSACTION", Reason.HASH_FAILURE),
    ("argument", lambda c: call(c)["args"].update(title=b"other"), "INCL.TRANSACTION", Reason.HASH_FAILURE),
    ("contract", lambda c: call(c).update(contract_name="other"), "INCL.TRANSACTION", Reason.HASH_FAILURE),
    ("sender", put_tx("initiator", x.key("other").address), "INCL.TRANSACTION", Reason.HASH_FAILURE),
    ("signature", lambda c: c.tx["initiator_signs"][0].update(Sign=b"0"), "INCL.TRANSACTION", Reason.HASH_FAILURE),
    ("id", put_tx("txid", b"\1" * 32), "INCL.TRANSACTION", Reason.HASH_FAILURE),
    ("block of the transaction", put_tx("blockid", b"\1" * 32), "INCL.PATH", Reason.PROOF_FAILURE),
    ("root", put("merkle_root", b"\1" * 32), "INCL.HEADER", Reason.HASH_FAILURE),
    ("count", put("tx_count", 6), "INCL.HEADER", Reason.HASH_FAILURE),
    ("time of the block", put("timestamp", 1), "INCL.HEADER", Reason.HASH_FAILURE),
    ("block before", put("pre_hash", b"\1" * 32), "INCL.HEADER", Reason.HASH_FAILURE),
    ("proposer", put("proposer", x.key("other").address.encode()), "INCL.HEADER", Reason.HASH_FAILURE),
    ("key", put("pubkey", x.key("other").text.encode()), "INCL.HEADER", Reason.HASH_FAILURE),
    ("signature of the block", put("sign", x.key("validator 0").sign(b"\1" * 32)), "INCL.HEADER", Reason.SIG_CRYPTO_FAILURE),
    ("signature by another", put("sign", b"\x30\x06\2\1\1\2\1\1"), "INCL.HEADER", Reason.SIG_CRYPTO_FAILURE),
    ("block id", put("blockid", b"\1" * 32), "INCL.HEADER", Reason.HASH_FAILURE),
    ("term", put("curTerm", 4), "INCL.HEADER", Reason.HASH_FAILURE),
    ("failure hidden", put("failed_txs", {"00" * 32: "out of gas"}), "INCL.HEADER", Reason.HASH_FAILURE),
    ("next block's parent", put("pre_hash", b"\1" * 32, block=1), "INCL.ROOT", Reason.PROOF_FAILURE),
    ("next block's content", put("timestamp", 1, block=1), "INCL.ROOT", Reason.PROOF_FAILURE),
    ("next block's signature", put("sign", b"\x30\x06\2\1\1\2\1\1", block=1), "INCL.NODE_QUORUM", Reason.SIG_CRYPTO_FAILURE),
]  # fmt: skip


@pytest.mark.parametrize("suite", x.SUITES)
@pytest.mark.parametrize(("name", "change", "check", "reason"), ONE_CHANGE, ids=[c[0] for c in ONE_CHANGE])
def test_one_change_is_caught_where_it_was_made(name: str, change: Change, check: str, reason: Reason, suite: str) -> None:
    chain = built(suite)
    change(chain)
    found = verdict(chain)
    assert answer(found, check) == (FAILED, reason)
    assert found.overall is Overall.INCONSISTENT
    if name.startswith("signature of the block") or name == "signature by another":
        assert answer(found, "INCL.NODE_QUORUM") == (FAILED, Reason.SIG_CRYPTO_FAILURE)  # it counts for nobody


# ── the way to the root ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "path",
    [
        lambda p: p[::-1], lambda p: p[:-1], lambda p: [*p, p[-1]], lambda p: [p[0], p[0], p[2]], lambda p: [], lambda p: p[1:],
        lambda p: [b"\1" * 32, *p[1:]],
    ],
)  # fmt: skip
def test_paths_that_lead_elsewhere(path: Callable[[list[bytes]], list[bytes]]) -> None:
    chain = built(index=1)
    assert answer(verdict(chain, merkle_path=[s.hex() for s in path(chain.path)]), "INCL.PATH") == (FAILED, Reason.PROOF_FAILURE)


@pytest.mark.parametrize("index", [0, 1, 2, 3, 5, 6, 7, 8, 1 << 32])
def test_another_index(index: int) -> None:
    """Index 5 of five is where the padding repeats the last leaf (the class of CVE-2012-2459)."""
    found = verdict(built(), tx_index=index)
    assert answer(found, "INCL.PATH") == (FAILED, Reason.PROOF_FAILURE)


def test_the_last_leaf_twice() -> None:
    chain = built(count=3, index=2)
    doubled = [chain.transactions[i] for i in (0, 1, 2, 2)]
    assert x.tree_of([t["txid"] for t in doubled])[-1] == chain.block["merkle_root"]
    files = raw_files(chain)
    for part in ({"merkle_tree": x.tree_of([t["txid"] for t in doubled])}, {"transactions": doubled, "merkle_tree": []}):
        block = wire(x.BLOCK, {**chain.block, "transactions": [], **part})
        found = examine({**files, "block0.pb": block}, trust(chain))
        assert answer(found, "INCL.PATH") == (FAILED, Reason.PROOF_FAILURE)


def test_a_tree_that_is_not_what_its_leaves_make() -> None:
    chain = built()
    whole = chain.block["merkle_tree"]
    assert len(whole) == 15
    for at in range(len(whole)):
        tree = list(whole)
        tree[at] = b"\1" * 32
        block = wire(x.BLOCK, {**chain.block, "transactions": [], "merkle_tree": tree})
        found = examine({**raw_files(chain), "block0.pb": block}, trust(chain))
        assert answer(found, "INCL.PATH") == (FAILED, Reason.PROOF_FAILURE), at
    for tree in (whole[:-1], [*whole, whole[-1]], whole[:5], [whole[-1]], [b""] * 15):
        block = wire(x.BLOCK, {**chain.block, "transactions": [], "merkle_tree": tree})
        found = examine({**raw_files(chain), "block0.pb": block}, trust(chain))
        assert answer(found, "INCL.PATH") == (FAILED, Reason.PROOF_FAILURE)


def test_a_link_with_a_tree_of_another_size() -> None:
    """The root alone is the tree of one transaction, not of five."""
    chain = built()
    only = x.double(b"only")
    after: x.Fields = {**chain.blocks[1], "pre_hash": chain.block["blockid"], "merkle_root": only, "merkle_tree": [only], "tx_count": 1}
    x.sealed(after, chain.keys[1])
    assert answer(verdict(chain, next_block=x.b64(wire(x.BLOCK, after))), "INCL.ROOT") == (OPEN, Reason.ANCHOR_UNAVAILABLE)
    after["tx_count"] = 5
    x.sealed(after, chain.keys[1])
    assert answer(verdict(chain, next_block=x.b64(wire(x.BLOCK, after))), "INCL.ROOT") == (FAILED, Reason.PROOF_FAILURE)


def test_an_inner_node_is_no_leaf() -> None:
    """A block that says it holds two transactions where it holds four: the inner nodes would be its leaves."""
    chain = built(count=4, index=0)
    tree = chain.block["merkle_tree"]
    found = verdict(chain, block=x.b64(wire(x.BLOCK, {**chain.block, "transactions": [], "merkle_tree": tree[4:], "tx_count": 2})))
    assert answer(found, "INCL.HEADER") == (FAILED, Reason.HASH_FAILURE)
    assert answer(found, "INCL.PATH") == (FAILED, Reason.PROOF_FAILURE)


def test_a_transaction_of_another_block() -> None:
    chain, other = built(), built(count=2, index=0)
    for key in ("tx_index", "merkle_path"):
        found = verdict(chain, transaction=x.b64(wire(x.TX, other.tx)), **{key: other.package()[key]})
        assert answer(found, "INCL.PATH") == (FAILED, Reason.PROOF_FAILURE)


@pytest.mark.parametrize("part", ["merkle_tree", "transactions"])
def test_a_transaction_that_is_not_in_the_tree(part: str) -> None:
    """The tree is right, and says nothing of this transaction, which names no block."""
    chain, other = built(), built(count=2, index=0)
    other.tx["desc"] = b"recorded nowhere"
    x.signed_tx(other.tx, [x.key("user")])
    other.tx.pop("blockid")
    block = {**chain.block, "transactions": [], "merkle_tree": [], part: chain.block[part]}
    files = {**raw_files(chain), "tx.pb": wire(x.TX, other.tx), "block0.pb": wire(x.BLOCK, block)}
    found = examine(files, trust(chain))
    assert answer(found, "INCL.TRANSACTION") == OK
    assert answer(found, "INCL.PATH") == (FAILED, Reason.PROOF_FAILURE)


# ── whose file, whose chain ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("desc", [False, True])
def test_proof_of_one_file_with_another(desc: bool) -> None:
    chain = built(desc=desc)
    found = examine({**chain.files(), "page.html": b"another page"}, trust(chain))
    assert answer(found, "DIGEST.MATCH") == (FAILED, Reason.HASH_FAILURE)
    assert found.overall is Overall.INCONSISTENT
    bare = examine({**raw_files(chain), "page.html": b"another page"}, trust(chain))
    assert bare.overall is Overall.INCONSISTENT


def test_foreign_chain_and_genesis() -> None:
    chain = built()
    package = chain.package()
    for member, value, check in (
        ("chain_id", "parallel", (OPEN, Reason.ANCHOR_UNTRUSTED)),
        ("genesis_hash", "11" * 32, (FAILED, Reason.ANCHOR_MISMATCH)),
        ("signature", "SM2", (FAILED, Reason.CERT_FIELDS_CONFLICT)),
        ("hash", "SM3", (FAILED, Reason.CERT_FIELDS_CONFLICT)),
    ):
        found = verdict(chain, chain={**package["chain"], member: value})
        assert answer(found, "INCL.LEDGER_KIND") == check
        assert found.overall is not Overall.CONSISTENT
    guomi = trust(chain, suite={"hash": "SHA256", "signature": "SM2"})
    assert answer(verdict(chain, guomi), "INCL.LEDGER_KIND") == (FAILED, Reason.CERT_FIELDS_CONFLICT)


def test_a_network_of_ones_own() -> None:
    """Everything is right but for the keys, which nobody has pinned; and the package brings its own list of them."""
    chain = built()
    mine = [x.key(f"forger {i}") for i in range(4)]
    own = x.rebuilt(built(), by=mine[0], votes=mine)
    x.sealed(own.blocks[1], mine[1])
    found = verdict(own, trust(chain))
    assert answer(found, "INCL.NODE_QUORUM") == (OPEN, Reason.ANCHOR_UNTRUSTED)
    assert found.overall is Overall.INDETERMINATE
    listed = x.validators(chain)
    assert answer(verdict(own, trust(chain), x_validators=listed), "INCL.NODE_QUORUM") == (OPEN, Reason.ANCHOR_UNTRUSTED)
    assert answer(verdict(own, trust(chain), validators=listed), "INCL.LEDGER_KIND") == (FAILED, Reason.FORMAT_FAILURE)
    bare = examine(raw_files(own), trust(chain))
    assert answer(bare, "INCL.LEDGER_KIND") == (OPEN, Reason.ANCHOR_UNTRUSTED)


def test_a_pinned_name_on_another_key() -> None:
    """The proposer's address beside a key of one's own, hashed and signed with it."""
    chain = built()
    forger, block = x.key("forger"), chain.block
    block["pubkey"] = forger.text.encode()
    block["blockid"] = x.hashed_block(block)
    block["sign"] = forger.sign(block["blockid"])
    for tx in chain.transactions:
        tx["blockid"] = block["blockid"]
    found = verdict(chain, next_block=None)
    assert answer(found, "INCL.HEADER") == (FAILED, Reason.FORMAT_FAILURE)
    assert answer(found, "INCL.NODE_QUORUM") == (OPEN, Reason.ANCHOR_UNTRUSTED)


@pytest.mark.parametrize("spell", [lambda t: t.replace(":", ": "), lambda t: t + " ", lambda t: t.replace('"X":', '"X":0'), lambda t: t.replace("Curvname", "Curve")])
def test_keys_have_one_spelling(spell: Callable[[str], str]) -> None:
    chain = built()
    block = chain.block
    block["pubkey"] = spell(block["pubkey"].decode()).encode()
    block["blockid"] = x.hashed_block(block)
    block["sign"] = chain.keys[0].sign(block["blockid"])
    for tx in chain.transactions:
        tx["blockid"] = block["blockid"]
    assert answer(verdict(chain, next_block=None), "INCL.HEADER") == (FAILED, Reason.FORMAT_FAILURE)


@pytest.mark.parametrize("field", ["proposer", "pre_hash", "merkle_root", "targetBits"])
def test_forms_without_which_the_bytes_read_otherwise(field: str) -> None:
    value: Any = {"proposer": b"1" + x.key("validator 0").address.encode(), "pre_hash": b"", "merkle_root": b"\1" * 31, "targetBits": -1}[field]
    chain = x.rebuilt(built())
    block = chain.block
    block[field] = value
    block["blockid"] = x.hashed_block(block)
    block["sign"] = chain.keys[0].sign(block["blockid"])
    for tx in chain.transactions:
        tx["blockid"] = block["blockid"]
    assert answer(verdict(chain, next_block=None), "INCL.HEADER") == (FAILED, Reason.FORMAT_FAILURE)


# ── votes ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def voted(chain: x.Built, votes: list[x.Fields], *, by: int = 1) -> x.Built:
    chain.blocks[1]["Justify"]["SignInfos"]["QCSignInfos"] = votes
    x.sealed(chain.blocks[1], chain.keys[by])
    return chain


def vote(chain: x.Built, index: int, **changes: Any) -> x.Fields:
    by = chain.keys[index]
    return {"Address": by.address, "PublicKey": by.text, "Sign": by.sign(chain.block["blockid"]), **changes}


@pytest.mark.parametrize("suite", x.SUITES)
def test_one_signer_counts_once(suite: str) -> None:
    """With the next block by the same proposer, one voter and the proposer are two of the three that are due."""
    chain = built(suite)
    other = chain.keys[3].address
    spaced = chain.keys[2].text.replace(":", ": ")
    for votes in (
        [vote(chain, 2)] * 5,
        [vote(chain, 2), vote(chain, 2, Address=other)],
        [vote(chain, 2), vote(chain, 2, PublicKey=spaced)],
        [vote(chain, 2), vote(chain, 0), vote(chain, 0)],
        [vote(chain, 2), vote(chain, 3, Address=chain.keys[2].address)],
        [vote(chain, 2), vote(chain, 3, Address="")],
    ):
        found = verdict(voted(copy.deepcopy(chain), votes, by=0))
        assert answer(found, "INCL.NODE_QUORUM") == (FAILED, Reason.QUORUM_FAILURE)
        assert (finding(found, "INCL.NODE_QUORUM").actual or "").startswith("2/4")
        assert found.overall is Overall.INCONSISTENT
    enough = verdict(voted(copy.deepcopy(chain), [vote(chain, 2), vote(chain, 3)], by=0))
    assert answer(enough, "INCL.NODE_QUORUM") == OK


def test_votes_of_strangers_and_for_other_blocks() -> None:
    chain = built()
    stranger = x.key("stranger")
    foreign = {"Address": stranger.address, "PublicKey": stranger.text, "Sign": stranger.sign(chain.block["blockid"])}
    found = verdict(voted(copy.deepcopy(chain), [foreign] * 3, by=0))
    assert answer(found, "INCL.NODE_QUORUM") == (FAILED, Reason.QUORUM_FAILURE)
    assert finding(found, "INCL.NODE_QUORUM").notes == ("VOTES_NOT_COUNTED:3",)
    wrong = vote(chain, 3, Sign=chain.keys[3].sign(chain.block["pre_hash"]))
    for votes in ([vote(chain, 2), wrong], [vote(chain, 2), vote(chain, 3), {**wrong, "Sign": b""}]):
        assert answer(verdict(voted(copy.deepcopy(chain), votes)), "INCL.NODE_QUORUM") == (FAILED, Reason.SIG_CRYPTO_FAILURE)


def test_a_signature_with_an_identity_in_it() -> None:
    """SM2 as everybody else uses it, over SM3(Z_A ‖ id), is not what the chain signs."""
    from gmalg import SM2

    chain = built(x.SM2)
    by = chain.keys[0]
    r, s = SM2(by.secret.to_bytes(32), b"1234567812345678", b"\x04" + by.point).sign(chain.block["blockid"])
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    chain.block["sign"] = encode_dss_signature(int.from_bytes(r), int.from_bytes(s))
    assert answer(verdict(chain), "INCL.HEADER") == (FAILED, Reason.SIG_CRYPTO_FAILURE)


# ── senders ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def resigned(change: Callable[[x.Fields], Any]) -> x.Built:
    """What faulty validators let in: the transaction has its own id, and the block holds it."""
    chain = built()
    change(chain.tx)
    x.identified(chain.tx)
    return x.rebuilt(chain)


SENDERS: list[tuple[str, Callable[[x.Fields], Any], tuple[str, Reason]]] = [
    ("by another key", lambda t: t["initiator_signs"][0].update(PublicKey=x.key("other").text), (FAILED, Reason.HASH_FAILURE)),
    ("over nothing", lambda t: t["initiator_signs"][0].update(Sign=x.key("user").sign(b"\0" * 32)), (FAILED, Reason.SIG_CRYPTO_FAILURE)),
    ("required by another", lambda t: t["auth_require_signs"][0].update(PublicKey=x.key("other").text), (FAILED, Reason.HASH_FAILURE)),
    ("one too few", lambda t: t.update(auth_require_signs=[]), (FAILED, Reason.SIG_CRYPTO_FAILURE)),
    ("one too many", lambda t: t.update(auth_require_signs=t["auth_require_signs"] * 2), (FAILED, Reason.SIG_CRYPTO_FAILURE)),
    ("none", lambda t: t.update(initiator_signs=[], auth_require_signs=[]), (OPEN, Reason.NO_SIGNING_CERTIFICATE_FOUND)),
    ("joint", lambda t: t.update(xuper_sign={"signature": b"1"}), (OPEN, Reason.UNSUPPORTED_FORMAT)),
    ("unknown key", lambda t: t["initiator_signs"][0].update(PublicKey="{}"), (OPEN, Reason.UNSUPPORTED_FORMAT)),
    (
        "unknown key and a wrong one",
        lambda t: (t["initiator_signs"][0].update(PublicKey="{}"), t["auth_require_signs"][0].update(Sign=b"")),
        (FAILED, Reason.SIG_CRYPTO_FAILURE),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("change", "outcome"), [s[1:] for s in SENDERS], ids=[s[0] for s in SENDERS])
def test_senders(change: Callable[[x.Fields], Any], outcome: tuple[str, Reason]) -> None:
    found = verdict(resigned(change))
    assert answer(found, "INCL.TRANSACTION") == OK
    assert answer(found, "INCL.SENDER") == outcome
    assert found.overall is (Overall.INCONSISTENT if outcome[0] == FAILED else Overall.CONSISTENT)


def test_an_account_is_signed_for_by_keys_that_only_the_chain_knows() -> None:
    chain = built()
    chain.tx["initiator"] = "XC1111111111111111@xuper"
    x.signed_tx(chain.tx, [x.key("user")])
    found = verdict(x.rebuilt(chain))
    assert answer(found, "INCL.SENDER") == (OPEN, Reason.NO_CERTIFICATE_CHAIN_FOUND)


# ── files beside a good proof ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_block_that_anybody_could_write_is_not_passed_over() -> None:
    """It stands upon the proven block, has its own id, and says what its author likes."""
    chain = built()
    files = raw_files(chain)
    assert examine(files, trust(chain)).overall is Overall.CONSISTENT
    forger = x.key("forger")
    upon = {**chain.blocks[2], "pre_hash": chain.blocks[1]["blockid"], "failed_txs": {"a": "I, the defendant, owe the plaintiff five million."}}
    for by in (forger, None):
        statement = x.sealed(dict(upon), forger)
        if by is None:
            statement.pop("sign")
        found = examine({**files, "statement.pb": wire(x.BLOCK, statement)}, trust(chain))
        assert found.overall is Overall.INDETERMINATE
        assert any("statement.pb" in f.subject for f in found.findings)
    claimed = x.sealed(dict(upon), forger)
    claimed.update(proposer=chain.keys[0].address.encode(), pubkey=chain.keys[0].text.encode())
    claimed["blockid"] = x.hashed_block(claimed)
    assert examine({**files, "statement.pb": wire(x.BLOCK, claimed)}, trust(chain)).overall is not Overall.CONSISTENT
    real = examine({**files, "block2.pb": wire(x.BLOCK, {**chain.blocks[2], "transactions": []})}, trust(chain))
    assert real.overall is Overall.CONSISTENT


def test_a_listed_transaction_of_another_block() -> None:
    chain = built(index=4)
    bodies = [{**t, "blockid": b"\1" * 32} if i == 1 else t for i, t in enumerate(chain.transactions)]
    files = {**raw_files(chain), "block0.pb": wire(x.BLOCK, {**chain.block, "transactions": bodies})}
    assert answer(examine(files, trust(chain)), "INCL.PATH") == (FAILED, Reason.PROOF_FAILURE)
    bodies[1] = {k: v for k, v in bodies[1].items() if k != "blockid"}
    files["block0.pb"] = wire(x.BLOCK, {**chain.block, "transactions": bodies})
    assert examine(files, trust(chain)).overall is Overall.CONSISTENT


@pytest.mark.parametrize("which", ["block", "copy", "next"])
def test_transactions_put_into_a_block_are_not_passed_over(which: str) -> None:
    """A block's id says nothing of the bodies in its file; its root does."""
    chain = built(index=4)
    files = raw_files(chain)
    statement = {**chain.transactions[1], "desc": b"I, the defendant, owe the plaintiff five million."}
    bodies = [chain.transactions[0], statement, *chain.transactions[2:]]
    if which == "next":
        files["block1.pb"] = wire(x.BLOCK, {**chain.blocks[1], "transactions": [statement]})
    elif which == "copy":
        files["copy.pb"] = wire(x.BLOCK, {**chain.block, "transactions": bodies})
    else:
        files["block0.pb"] = wire(x.BLOCK, {**chain.block, "transactions": bodies})
    found = examine(files, trust(chain))
    check = "INCL.ROOT" if which == "next" else "INCL.PATH"
    assert answer(found, check) == (FAILED, Reason.PROOF_FAILURE)
    assert found.overall is Overall.INCONSISTENT
    if which != "next":
        good = wire(x.BLOCK, chain.block)
        name = "copy.pb" if which == "copy" else "block0.pb"
        assert examine({**files, name: good}, trust(chain)).overall is Overall.CONSISTENT


# ── bounds and forms ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_bounds() -> None:
    chain = built()
    found = verdict(chain, merkle_path=["11" * 32] * 65)
    assert answer(found, "INCL.LEDGER_KIND") == (OPEN, Reason.RESOURCE_LIMIT)
    many = x.rebuilt(built(), lambda b: b.update(tx_count=100_001))
    assert answer(verdict(many), "INCL.PATH") == (OPEN, Reason.RESOURCE_LIMIT)
    for version in (0, 4, -1):
        newer = built()
        newer.tx["version"] = version
        assert answer(verdict(newer), "INCL.TRANSACTION") == (OPEN, Reason.UNSUPPORTED_FORMAT)


@pytest.mark.parametrize(
    "member",
    [
        {"transaction": None}, {"block": None}, {"block": "AA"}, {"block": 7}, {"transaction": "AA=="}, {"tx_index": None}, {"tx_index": -1},
        {"merkle_path": "x"}, {"merkle_path": [1]}, {"merkle_path": ["11"]}, {"next_block": "////"}, {"links": ["AA"]}, {"links": [{}]},
        {"transaction_json": [], "json_style": "sdk"}, {"transaction_json": {"proofPath": [], "txIndex": 0}, "json_style": "sdk"},
        {"json_style": "cli"},
    ],
)  # fmt: skip
def test_packages_that_are_not_of_the_documented_form(member: dict[str, Any]) -> None:
    found = verdict(built(), **member)
    assert found.overall is not Overall.CONSISTENT
    assert answer(found, "INCL.LEDGER_KIND")[1] in (Reason.FORMAT_FAILURE, Reason.UNSUPPORTED_FORMAT)


def test_links_that_lead_nowhere() -> None:
    chain = built()
    for links in ([x.b64(wire(x.BLOCK, chain.blocks[3]))], [x.b64(wire(x.BLOCK, b)) for b in (chain.blocks[2], built(count=2, index=0).blocks[3])]):
        found = verdict(chain, trust(chain, checkpoints=[x.pin(chain.blocks[3])]), links=links, next_block=None)
        assert answer(found, "INCL.ROOT") == (FAILED, Reason.PROOF_FAILURE)


def test_other_spellings_of_the_wire() -> None:
    """Unknown fields mean a newer chain; the same field twice, or in another order, means two readers could differ."""
    chain = built()
    raw, block = wire(x.TX, chain.tx), wire(x.BLOCK, {**chain.block, "transactions": [], "merkle_tree": []})
    for changed, reason in (
        (raw + x.wire(((100, "a", "n"),), {"a": 1}), Reason.UNSUPPORTED_FORMAT),
        (raw + raw[-11:], Reason.FORMAT_FAILURE),
        (raw[34:] + raw[:34], Reason.FORMAT_FAILURE),
    ):
        assert answer(verdict(chain, transaction=x.b64(changed)), "INCL.LEDGER_KIND")[1] is reason
    assert answer(verdict(chain, block=x.b64(block + b"\x50\x00")), "INCL.LEDGER_KIND") == (FAILED, Reason.FORMAT_FAILURE)


def test_two_packages_do_not_lend_each_other() -> None:
    chain = built()
    good, broken = chain.package(), {**chain.package(), "next_block": None}
    broken.pop("next_block")
    files = {"page.html": x.PAGE, "a.mjproof.json": json.dumps(good).encode(), "b.mjproof.json": json.dumps(broken).encode()}
    found = examine(files, trust(chain))
    assert found.overall is Overall.CONSISTENT  # the best walk decides
    only = examine({k: v for k, v in files.items() if not k.startswith("a")}, trust(chain))
    assert only.overall is Overall.INDETERMINATE
