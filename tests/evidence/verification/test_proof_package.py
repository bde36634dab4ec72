"""The proof package: what it wraps is verified as if it lay there in files, and what it states is held against it."""

import base64
import copy
import hashlib
import json
import random
import time
from collections.abc import Callable
from typing import Any

import pytest

from evidence.verification import Source, TrustStore
from evidence.verification.chains import proof_package
from evidence.verification.reasons import Reason
from evidence.verification.verdict import Overall
from portal.demonstration import chainmaker, chainmaker_wire, fisco3
from tests.evidence.verification import chainmaker_exhibits
from tests.evidence.verification.fisco3_exhibits import (
    LADDER,
    OTHER,
    PAGE,
    answer,
    built,
    examine,
    files,
    finding,
    findings,
    trust,
)

FAILED, OPEN, PASSED = "FAILED", "INDETERMINATE", "PASSED"


@pytest.fixture(scope="module")
def store() -> TrustStore:
    return trust(built())


def package(chain: fisco3.Built | None = None, *, page: bytes = PAGE, index: int = 0, **more: Any) -> dict[str, Any]:
    stated = [("page.html", "SHA-256", hashlib.sha256(page).digest())]
    return fisco3.package(chain or built(), stated, index=index, **more)


def exhibit(value: Any, **more: bytes) -> dict[str, bytes]:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return {"page.html": PAGE, "proof.mjproof.json": data, **more}


@pytest.mark.parametrize("suite", ["ECDSA", "SM"])
def test_a_package_says_what_the_files_say(suite: str) -> None:
    chain = built(suite)
    court = trust(chain)
    verdict = examine(exhibit(package(chain)), court)
    assert (verdict.overall, verdict.grade.value) == (Overall.CONSISTENT, "B")
    apart = examine(files(chain), court)
    ladder = {c: answer(verdict, c) for c in (*LADDER, "INCL.ROOT", "INCL.FINALITY")}
    assert ladder == {c: answer(apart, c) for c in ladder}
    assert {s.name: s.format for s in verdict.sources}["proof.mjproof.json"] == "proof-package"
    assert len(findings(verdict, "DIGEST.MATCH")) == 2


def test_the_producers_own_test() -> None:
    """§9.7: with nothing pinned, D, X, S, R, H and E pass; 0 and Q are untrusted and T knows no contract, by design."""
    verdict = examine(exhibit(package()), trust(None))
    for check in ("DIGEST.MATCH", "INCL.TRANSACTION", "INCL.SENDER", "INCL.PATH", "INCL.HEADER", "INCL.EXECUTION"):
        assert answer(verdict, check) == (PASSED, None)
    assert answer(verdict, "INCL.LEDGER_KIND") == (OPEN, Reason.ANCHOR_UNTRUSTED)
    assert answer(verdict, "INCL.NODE_QUORUM") == (OPEN, Reason.ANCHOR_UNTRUSTED)
    assert answer(verdict, "INCL.CONTENT") == (OPEN, Reason.CONTRACT_UNKNOWN)
    assert verdict.overall is Overall.INDETERMINATE


def test_answers_in_their_rpc_envelope(store: TrustStore) -> None:
    value = package()
    for name in ("transaction", "receipt", "header"):
        value[name] = {"jsonrpc": "2.0", "id": 1, "result": value[name]}
    assert examine(exhibit(value), store).overall is Overall.CONSISTENT


def test_two_packages_for_two_files(store: TrustStore) -> None:
    second = package(index=1)
    second["evidence"][0].update(name="b.html", digest=hashlib.sha256(OTHER).hexdigest())
    given = exhibit(package(), **{"b.html": OTHER, "second.json": json.dumps(second).encode()})
    assert examine(given, store).overall is Overall.CONSISTENT
    del given["b.html"]
    verdict = examine(given, store)
    assert verdict.overall is Overall.INDETERMINATE
    assert verdict.reasons == (Reason.SIGNED_DATA_NOT_FOUND,)
    assert [w.complete for w in verdict.walks if w.file] == [True]


def test_lists_of_hashes(store: TrustStore) -> None:
    chain = built()
    hashes = [t[2:] for t in chain.block.pop("transactions")]
    value = package(chain, tx_hashes=hashes)
    del value["transaction"]["txProof"]
    verdict = examine(exhibit(value), store)
    assert verdict.overall is Overall.CONSISTENT
    assert finding(verdict, "INCL.PATH").notes == ("RECOMPUTED_FROM_LEAVES:5",)


def test_the_list_of_receipts_binds_where_the_nodes_path_does_not(store: TrustStore) -> None:
    """Equal receipts: the node returns the path of the first; the list shows that ours is the same bytes."""
    s = fisco3.SUITES["ECDSA"]
    chain = fisco3.build([hashlib.sha256(PAGE).digest()] * 5, others=0)
    for rc in chain.receipts:
        rc["gasUsed"] = "21000"
        rc["hash"] = fisco3.hexed(s.hash(fisco3.receipt_bytes(rc)))
    leaves = [fisco3.raw(rc["hash"]) for rc in chain.receipts]
    assert len(set(leaves)) == 1
    chain = fisco3.resealed(chain, receiptsRoot=fisco3.hexed(fisco3.root(s, leaves)))
    chain.receipts[4]["txReceiptProof"] = [i.hex() for i in fisco3.proof(s, leaves, 0)]
    court = trust(chain)
    verdict = examine(exhibit(package(chain, index=4)), court)
    assert answer(verdict, "INCL.EXECUTION") == (OPEN, Reason.RECEIPT_NOT_BOUND)
    listed = [leaf.hex() for leaf in leaves]
    assert examine(exhibit(package(chain, index=4, receipt_hashes=listed)), court).overall is Overall.CONSISTENT
    for wrong in (listed[:4], [*listed, listed[0]], [*listed[:4], "00" * 32]):
        verdict = examine(exhibit(package(chain, index=4, receipt_hashes=wrong)), court)
        assert answer(verdict, "INCL.EXECUTION") == (FAILED, Reason.PROOF_FAILURE)


def test_links_to_a_checkpoint() -> None:
    chain = built(links=2)
    pin = {"height": chain.links[1]["number"], "hash": chain.links[1]["hash"][2:], "recorded_at": None, "basis": "independent"}
    verdict = examine(exhibit(package(chain, links=list(chain.links))), trust(chain, checkpoints=[pin]))
    assert (verdict.overall, verdict.grade.value) == (Overall.CONSISTENT, "A")


def test_a_stored_pre_image() -> None:
    """The contract stores the digest of a record that holds the file's digest."""
    record = b'{"id":"7","sha256":"' + hashlib.sha256(PAGE).hexdigest().encode() + b'"}'
    chain = fisco3.build([hashlib.sha256(record).digest()])
    value = package(chain)
    value["evidence"][0]["location"]["pre_image"] = base64.b64encode(record).decode()
    court = trust(chain)
    assert examine(exhibit(value), court).overall is Overall.CONSISTENT
    for wrong in (record + b" ", record.replace(b"7", b"8"), hashlib.sha256(PAGE).digest()):
        value["evidence"][0]["location"]["pre_image"] = base64.b64encode(wrong).decode()
        verdict = examine(exhibit(value), court)
        assert verdict.overall is Overall.INCONSISTENT
    del value["evidence"][0]["location"]["pre_image"]
    assert examine(exhibit(value), court).overall is Overall.INCONSISTENT
    # A pre-image that hashes to the stored value and holds another file's digest opens nothing.
    stranger = b"sha256 " + hashlib.sha256(OTHER).hexdigest().encode()
    chain = fisco3.build([hashlib.sha256(stranger).digest()])
    value = package(chain)
    value["evidence"][0]["location"]["pre_image"] = base64.b64encode(stranger).decode()
    assert examine(exhibit(value), trust(chain)).overall is Overall.INCONSISTENT


# ── ChainMaker ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def chainmaker_package(
    block: chainmaker.Built, *, form: str = "pb", whole: bool = False, place: int = chainmaker_exhibits.MINE
) -> dict[str, Any]:
    """§9.2 with only what one record needs: transaction, path, header and votes; or with the whole block."""
    tx = block.txs[place]
    full = json.loads(block.block_json)
    info = json.loads(block.info_json[place])
    parts: dict[str, Any] = {
        "transaction": {"tx_index": place},
        "inclusion": {"merkle_path": json.loads(block.paths_json[place])},
        "header": {},
        "finality": {"voteset": full["block"]["additional_data"]["extra_data"]["TBFTAddtionalDataKey"]},
        "rwset": base64.b64encode(tx.rw_set).decode(),
    }
    if form in ("pb", "both"):
        parts["transaction"]["pb"] = base64.b64encode(tx.pb).decode()
        parts["header"]["pb"] = base64.b64encode(block.header_pb).decode()
    if form in ("json", "both"):
        parts["transaction"]["json"] = info["transaction"]
        parts["header"]["json"] = json.loads(block.header_json)
    if whole:
        parts = {"block": {"pb": base64.b64encode(block.block_pb).decode()} if form == "pb" else {"json": full}}
    suite = block.profile["suite"]
    return {
        "format": "mingjian.chain-proof",
        "version": 1,
        "family": "chainmaker",
        "chain": {
            "chain_id": block.profile["chain_id"],
            "genesis_hash": block.profile.get("genesis_hash") or "00" * 32,
            "engine": "v2.3.2",
            "hash": suite["hash"].replace("SHA-256", "SHA256"),
            "signature": suite["signature"],
        },
        "evidence": [
            {
                "name": "page.html",
                "digest_alg": "SM3" if suite["hash"] == "SM3" else "SHA-256",
                "digest": hashlib.new("sm3" if suite["hash"] == "SM3" else "sha256", PAGE).hexdigest(),
            }
        ],
        **parts,
    }


@pytest.mark.parametrize("form", ["pb", "json", "both"])
@pytest.mark.parametrize("suite", ["P256", "SM"])
def test_chainmaker_record(suite: str, form: str) -> None:
    block = chainmaker_exhibits.built(suite)
    verdict = examine(exhibit(chainmaker_package(block, form=form)), chainmaker_exhibits.trust(block))
    assert (verdict.overall, verdict.grade.value, verdict.reasons) == (Overall.CONSISTENT, "B", ())
    assert {c: answer(verdict, c) for c in LADDER} == dict.fromkeys(LADDER, (PASSED, None))


@pytest.mark.parametrize("form", ["pb", "json"])
def test_chainmaker_whole_block(form: str) -> None:
    block = chainmaker_exhibits.built()
    verdict = examine(exhibit(chainmaker_package(block, form=form, whole=True)), chainmaker_exhibits.trust(block))
    assert verdict.overall is Overall.CONSISTENT


@pytest.mark.parametrize("lacks", ["finality", "inclusion", "header", None])
def test_chainmaker_of_several_packages_the_best_proven_decides(lacks: str | None) -> None:
    """The same record twice; the second lacks something. All are listed, and the first carries the file."""
    block = chainmaker_exhibits.built()
    second = chainmaker_package(block)
    if lacks:
        del second[lacks]
    given = exhibit(chainmaker_package(block), **{"again.json": json.dumps(second).encode()})
    verdict = examine(given, chainmaker_exhibits.trust(block))
    assert (verdict.overall, verdict.grade.value) == (Overall.CONSISTENT, "B")
    assert {f.subject for f in findings(verdict, "PACKAGE.READ")} == {"proof.mjproof.json", "again.json"}
    assert len([w for w in verdict.walks if w.file]) == 2


def test_chainmaker_links_are_no_header_of_the_record() -> None:
    """The header was left out, a later one was not: that is an incomplete package, and no contradiction."""
    block = chainmaker_exhibits.built()
    later = chainmaker_exhibits.network().block([block.txs[0]], height=10, previous=block.block_hash)
    value = chainmaker_package(block)
    value["links"] = [base64.b64encode(later.header_pb).decode()]
    del value["header"]
    verdict = examine(exhibit(value), chainmaker_exhibits.trust(block))
    assert verdict.overall is Overall.INDETERMINATE
    assert answer(verdict, "INCL.HEADER") == (OPEN, Reason.PROOF_NOT_SUPPLIED)


def test_chainmaker_by_all_leaves() -> None:
    block = chainmaker_exhibits.built()
    value = chainmaker_package(block)
    value["inclusion"] = {"tx_hashes": [t.leaf.hex() for t in block.txs]}
    court = chainmaker_exhibits.trust(block)
    assert examine(exhibit(value), court).overall is Overall.CONSISTENT
    value["inclusion"]["tx_hashes"][0] = "00" * 32
    verdict = examine(exhibit(value), court)
    assert answer(verdict, "INCL.PATH")[0] == FAILED


@pytest.mark.parametrize(
    ("change", "check"),
    [
        (lambda p: p["transaction"].update(tx_index=2), "INCL.PATH"),
        (lambda p: p["inclusion"]["merkle_path"].reverse(), "INCL.PATH"),
        (lambda p: p["finality"].pop("voteset"), "INCL.NODE_QUORUM"),
        (lambda p: p.pop("finality"), "INCL.NODE_QUORUM"),
        (lambda p: p.pop("header"), "INCL.HEADER"),
        (lambda p: p.pop("inclusion"), "INCL.PATH"),
        (lambda p: p.pop("transaction"), "INCL.TRANSACTION"),
        (lambda p: p["chain"].update(chain_id="other"), "INCL.LEDGER_KIND"),
        (lambda p: p["chain"].update(hash="SM3"), "INCL.LEDGER_KIND"),
        (lambda p: p["evidence"][0].update(digest="00" * 32), "DIGEST.MATCH"),
        (lambda p: p["header"].update(pb="AAAA"), "INCL.LEDGER_KIND"),
        (lambda p: p["header"].update(extra=1), "INCL.LEDGER_KIND"),
        (lambda p: p["header"].update(pb=p["header"]["pb"].rstrip("=") + "!"), "INCL.LEDGER_KIND"),
        (lambda p: p.update(rwset=7), "INCL.LEDGER_KIND"),
        (lambda p: p["finality"].update(certs=["!"]), "INCL.LEDGER_KIND"),
        (lambda p: p.update(config_blocks=["AA=="]), "INCL.LEDGER_KIND"),
    ],
)
def test_chainmaker_packages_that_say_or_lack_something(change: Callable[[dict[str, Any]], Any], check: str) -> None:
    block = chainmaker_exhibits.built()
    value = copy.deepcopy(chainmaker_package(block))
    change(value)
    verdict = examine(exhibit(value), chainmaker_exhibits.trust(block))
    assert verdict.overall is not Overall.CONSISTENT
    assert answer(verdict, check)[0] != PASSED
    assert not findings(verdict, "ENGINE.RUN")


def test_chainmaker_random_bits_never_pass() -> None:
    """Of four votes three are there, so each counts: no bit of transaction, path, header or votes is spare. (A write
    set whose transaction id was changed is no longer this transaction's, and is told as a stray.)
    """
    rng = random.Random("chainmaker packages")
    block = chainmaker_exhibits.built()
    court = chainmaker_exhibits.trust(block)
    places = [("transaction", "pb"), ("header", "pb"), ("finality", "voteset"), ("inclusion", "merkle_path")]
    for _ in range(150):
        value = copy.deepcopy(chainmaker_package(block))
        path = rng.choice(places)
        holder: Any = value[path[0]]
        key: Any = path[1]
        if key == "merkle_path":
            holder, key = holder[key], rng.randrange(len(holder[key]))
        raw = bytearray(base64.b64decode(holder[key]))
        at = rng.randrange(len(raw))
        # The one thing a 2.3 node does not hash: the gas number behind the result's message.
        if path[0] == "transaction" and raw.find(b"Success") + 7 <= at < raw.find(b"Success") + 10:
            continue
        raw[at] ^= 1 << rng.randrange(8)
        holder[key] = base64.b64encode(raw).decode()
        verdict = examine(exhibit(value), court)
        assert verdict.overall is not Overall.CONSISTENT, (path, at)
        assert not findings(verdict, "ENGINE.RUN")


def test_chainmaker_bytes_and_json_that_differ() -> None:
    block = chainmaker_exhibits.built()
    value = chainmaker_package(block, form="both")
    value["header"]["json"]["block_timestamp"] += 1
    verdict = examine(exhibit(value), chainmaker_exhibits.trust(block))
    assert answer(verdict, "INCL.LEDGER_KIND") == (FAILED, Reason.FORMAT_FAILURE)


def test_packages_of_two_families(store: TrustStore) -> None:
    """Each proof of its own file; the pack knows only the FISCO chain."""
    block = chainmaker_exhibits.built()
    value = chainmaker_package(block)
    verdict = examine(exhibit(package(), **{"other.json": json.dumps(value).encode()}), store)
    assert verdict.overall is Overall.CONSISTENT
    assert any(f.reason is Reason.ANCHOR_UNTRUSTED for f in findings(verdict, "INCL.LEDGER_KIND"))


# ── what the package states ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("change", "check", "expected"),
    [
        (lambda p: p["evidence"][0].update(digest="00" * 32), "DIGEST.MATCH", (FAILED, Reason.HASH_FAILURE)),
        (lambda p: p["evidence"][0].update(digest_alg="SM3"), "DIGEST.MATCH", (FAILED, Reason.CERT_FIELDS_CONFLICT)),
        (lambda p: p["chain"].update(chain_id="other"), "INCL.LEDGER_KIND", (FAILED, Reason.CERT_FIELDS_CONFLICT)),
        (lambda p: p["chain"].update(group_id="group1"), "INCL.LEDGER_KIND", (FAILED, Reason.CERT_FIELDS_CONFLICT)),
        (lambda p: p["chain"].update(hash="SM3"), "INCL.LEDGER_KIND", (FAILED, Reason.CERT_FIELDS_CONFLICT)),
        (lambda p: p["chain"].update(signature="SM2"), "INCL.LEDGER_KIND", (FAILED, Reason.CERT_FIELDS_CONFLICT)),
        (lambda p: p["chain"].update(genesis_hash="00" * 32), "INCL.LEDGER_KIND", (FAILED, Reason.ANCHOR_MISMATCH)),
    ],
)
def test_false_statements(
    change: Callable[[dict[str, Any]], Any], check: str, expected: tuple[str, Reason], store: TrustStore
) -> None:
    value = copy.deepcopy(package())
    change(value)
    verdict = examine(exhibit(value), store)
    assert answer(verdict, check) == expected
    assert verdict.overall is Overall.INCONSISTENT


def test_members_that_are_ignored_are_told(store: TrustStore) -> None:
    value = package(x_note="hello", producer={"name": "p", "x_id": 1})
    value["evidence"][0]["x_verified"] = True
    verdict = examine(exhibit(value), store)
    assert verdict.overall is Overall.CONSISTENT
    assert finding(verdict, "PACKAGE.READ").notes == ("UNREAD_MEMBERS:x_note, evidence[0].x_verified, producer.x_id",)


MALFORMED = [
    lambda p: p.update(verdict="CONSISTENT"),
    lambda p: p.update(trust={"validators": []}),
    lambda p: p.pop("family"),
    lambda p: p.update(family="mychain"),
    lambda p: p.update(version="1.0"),
    lambda p: p.update(version=True),
    lambda p: p.pop("chain"),
    lambda p: p["chain"].pop("chain_id"),
    lambda p: p["chain"].pop("group_id"),
    lambda p: p["chain"].pop("genesis_hash"),
    lambda p: p["chain"].update(genesis_hash="0x" + "00" * 32),
    lambda p: p["chain"].update(genesis_hash="AB" * 32),
    lambda p: p["chain"].update(hash="KECCAK-256"),
    lambda p: p["chain"].update(signature="none"),
    lambda p: p["chain"].update(root="mine"),
    lambda p: p.pop("evidence"),
    lambda p: p.update(evidence=[]),
    lambda p: p.update(evidence={"0": {}}),
    lambda p: p["evidence"][0].pop("name"),
    lambda p: p["evidence"][0].update(digest="00"),
    lambda p: p["evidence"][0].update(digest_alg="MD5", digest="00" * 16),
    lambda p: p["evidence"][0].update(digest_alg="sha256"),
    lambda p: p["evidence"][0].update(size=-1),
    lambda p: p["evidence"][0].update(size=1.5),
    lambda p: p["evidence"][0]["location"].update(where="memory"),
    lambda p: p["evidence"][0]["location"].update(encoding="hex"),
    lambda p: p["evidence"][0]["location"].update(pre_image="not base64!"),
    lambda p: p.update(links={}),
    lambda p: p.update(links=[7]),
    lambda p: p.update(producer="me"),
    lambda p: p.update(transaction=[]),
    lambda p: p.update(header="0x"),
    lambda p: p.update(tx_hashes=[]),
    lambda p: p.update(tx_hashes=["zz"]),
    lambda p: p.update(receipt_hashes={"0": "00"}),
    lambda p: p["header"].update(txsRoot="0x00"),
]


@pytest.mark.parametrize("number", range(len(MALFORMED)))
def test_other_forms_are_refused(number: int, store: TrustStore) -> None:
    value = copy.deepcopy(package())
    MALFORMED[number](value)
    verdict = examine(exhibit(value), store)
    assert verdict.overall is Overall.INCONSISTENT
    assert any(f.reason is Reason.FORMAT_FAILURE for f in findings(verdict, "INCL.LEDGER_KIND"))


def test_a_version_that_is_not_known_yet(store: TrustStore) -> None:
    """A newer engine may read it: nothing in it contradicts anything."""
    for version in (2, "7", 0):
        verdict = examine(exhibit({"format": "mingjian.chain-proof", "version": version, "new": {}}), store)
        assert verdict.overall is Overall.INDETERMINATE
        assert answer(verdict, "INCL.LEDGER_KIND") == (OPEN, Reason.UNSUPPORTED_FORMAT)
        assert finding(verdict, "INCL.LEDGER_KIND").actual == f"version {version}"


def test_bounds(store: TrustStore) -> None:
    value = package()
    for more in ({"links": [{}] * 10_001}, {"tx_hashes": ["00" * 32] * 100_001}, {"evidence": value["evidence"] * 1001}):
        verdict = examine(exhibit({**value, **more}), store)
        assert any(f.reason is Reason.RESOURCE_LIMIT for f in findings(verdict, "INCL.LEDGER_KIND"))
        assert verdict.overall is Overall.INDETERMINATE


@pytest.mark.parametrize("data", [b"", b"{}", b'{"format":"other"}', b'["mingjian.chain-proof"]', PAGE])
def test_what_is_no_package(data: bytes) -> None:
    assert proof_package.sniff(Source.from_bytes("a.mjproof.json", data)) == 0


def test_random_bytes_never_pass(store: TrustStore) -> None:
    """A change may go unnoticed only where nothing depends on it."""
    rng = random.Random("packages")
    value = package()
    for name in ("importTime", "extraData"):
        del value["transaction"][name]
    for name in ("message", "checksumContractAddress"):
        del value["receipt"][name]
    del value["header"]["transactions"]
    del value["evidence"][0]["location"]
    del value["chain"]["engine"]
    data = json.dumps({**value, "chain": {**value["chain"], "engine": "v"}}, separators=(",", ":")).encode()
    passed = 0
    for _ in range(300):
        damaged = bytearray(data)
        damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
        verdict = examine(exhibit(bytes(damaged)), store)
        assert not findings(verdict, "ENGINE.RUN")
        if verdict.overall is Overall.CONSISTENT:
            passed += 1
            changed = json.loads(bytes(damaged))
            for name in ("transaction", "receipt"):
                # Addresses that are not hashed are compared without regard to case.
                for member in ("from", "to"):
                    if name == "receipt" or member == "from":
                        changed[name][member] = changed[name].get(member, "").lower()
            differing = {k for k in value if changed.get(k) != value[k] and k not in ("chain", "evidence")}
            # The name of a member that is only a second way to the same fact may change: then that way is not walked.
            assert all(set(changed[k]) != set(value[k]) for k in differing), (differing, changed, value)
    assert passed < 30


def test_ten_thousand_links_are_taken_in_their_stride() -> None:
    """Twice as many links cost twice as much: each is looked at once, also where two packages bring them."""
    block = chainmaker_exhibits.built()
    value = chainmaker_package(block)
    start = block.header_pb.index(b"\x20\x09")
    links = [block.header_pb[:start] + b"\x20" + chainmaker_wire.varint(h) + block.header_pb[start + 2 :] for h in range(10, 3010)]
    value["links"] = [base64.b64encode(raw).decode() for raw in links]
    again = {**value, "x_copy": True}
    begun = time.process_time()
    verdict = examine(
        exhibit(value, **{"again.json": json.dumps(again).encode()}), chainmaker_exhibits.trust(block)
    )
    assert time.process_time() - begun < 8
    assert verdict.overall is Overall.INCONSISTENT
    assert answer(verdict, "INCL.ROOT") == (FAILED, Reason.PROOF_FAILURE)
