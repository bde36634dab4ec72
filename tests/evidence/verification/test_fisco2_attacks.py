"""FISCO BCOS 2: every attack that a party could try on blocks written field by field."""

import copy
import hashlib
from dataclasses import replace
from typing import Any

import pytest

from evidence.verification import TrustStore
from evidence.verification.reasons import Reason
from evidence.verification.verdict import Overall
from tests.evidence.verification import fisco2_exhibits as fisco2
from tests.evidence.verification.fisco2_exhibits import (
    CONTRACT,
    built,
    encode,
    hexed,
    leaves,
    proof,
    raw,
    rebuilt,
    resealed,
    rlp,
    root,
)
from tests.evidence.verification.fisco3_exhibits import (
    FAILED,
    OPEN,
    OTHER,
    PAGE,
    PASSED,
    SUITES,
    answer,
    examine,
    findings,
    trust,
)

Json = dict[str, Any]
BODY, DONE = "transaction", "transactionReceipt"
X, S, P, HEAD, Q, E, KIND = (
    "INCL.TRANSACTION", "INCL.SENDER", "INCL.PATH", "INCL.HEADER", "INCL.NODE_QUORUM", "INCL.EXECUTION", "INCL.LEDGER_KIND",
)  # fmt: skip
HASH, PROOF, FORM = Reason.HASH_FAILURE, Reason.PROOF_FAILURE, Reason.FORMAT_FAILURE
DIGEST = hashlib.sha256(PAGE).digest()


@pytest.fixture(scope="module")
def stores() -> dict[str, TrustStore]:
    return {suite: trust(built(suite)) for suite in SUITES}


# ── who signed ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("suite", SUITES)
def test_own_signatures_under_the_pinned_list(suite: str, stores: dict[str, TrustStore]) -> None:
    """The right sealer list in the header, the attacker's keys behind (and, on a guomi chain, inside) the signatures."""
    chain = built(suite)
    own = tuple(chain.suite.key(f"attacker {i}") for i in range(4))
    header = fisco2.sealed(chain.suite, {**chain.header, "timestamp": "0x18000000000"}, own, (0, 1, 3))
    answers = {**chain.files(), "header.json": encode(header)}
    verdict = examine(answers, stores[suite])
    assert answer(verdict, HEAD) == (PASSED, None)
    assert answer(verdict, Q) == (FAILED, Reason.SIG_CRYPTO_FAILURE)
    assert verdict.overall is Overall.INCONSISTENT


def test_the_embedded_key_is_never_used() -> None:
    """Guomi: an attacker's signature that carries the attacker's key, or the pinned key, or a right one with a strange key behind it."""
    chain = built("SM")
    own = chain.suite.key("attacker")
    digest = raw(chain.header["hash"])
    forged = own.sign(digest)
    genuine = raw(chain.header["signatureList"][0]["signature"])
    for signature in (forged, forged[:64] + chain.sealers[0].public, genuine[:64] + own.public):
        chain.header["signatureList"][0]["signature"] = hexed(signature)
        assert answer(examine(chain.files(), trust(built("SM"))), Q) == (FAILED, Reason.SIG_CRYPTO_FAILURE)


def test_one_sealer_twice_with_another_r(stores: dict[str, TrustStore]) -> None:
    """WeCross' BlockHeaderValidation takes this: two valid signatures of one sealer with different one-time numbers."""
    chain = built()
    digest = raw(chain.header["hash"])
    secret = int.from_bytes(hashlib.sha256(b"fisco2 sealer 0").digest()) % (fisco2_order() - 1) + 1
    index = next(i for i, k in enumerate(chain.sealers) if k.public == chain.suite.key("fisco2 sealer 0").public)
    second = ecdsa_with(secret, digest, once=7)
    first = chain.sealers[index].sign(digest)
    assert first[:32] != second[:32]
    other = (index + 1) % 4
    listed = [(index, first), (index, second), (other, chain.sealers[other].sign(digest))]
    chain.header["signatureList"] = [{"index": hex(i), "signature": hexed(s)} for i, s in listed]
    for store in (stores["ECDSA"], trust(None)):
        verdict = examine(chain.files(), store)
        assert answer(verdict, Q) == (FAILED, Reason.QUORUM_FAILURE)
        assert verdict.overall is Overall.INCONSISTENT
    # The same under the index of another sealer.
    chain.header["signatureList"][1]["index"] = hex((index + 2) % 4)
    assert answer(examine(chain.files(), stores["ECDSA"]), Q) == (FAILED, Reason.SIG_CRYPTO_FAILURE)


def fisco2_order() -> int:
    from portal.demonstration.fisco3 import SECP256K1_ORDER

    return SECP256K1_ORDER


def ecdsa_with(secret: int, digest: bytes, *, once: int) -> bytes:
    """r‖s‖v with a given one-time number."""
    from cryptography.hazmat.primitives.asymmetric import ec

    n = fisco2_order()
    point = ec.derive_private_key(once, ec.SECP256K1()).public_key().public_numbers()
    r = point.x % n
    s = pow(once, -1, n) * (int.from_bytes(digest) + r * secret) % n
    v = point.y & 1
    if s > n // 2:
        s, v = n - s, v ^ 1
    return r.to_bytes(32) + s.to_bytes(32) + bytes([v])


def test_an_empty_signature_list_is_no_quorum(stores: dict[str, TrustStore]) -> None:
    chain = resealed(built(), signers=())
    verdict = examine(chain.files(), stores["ECDSA"])
    assert answer(verdict, Q) == (FAILED, Reason.QUORUM_FAILURE)
    assert verdict.overall is Overall.INCONSISTENT
    del chain.header["signatureList"]
    verdict = examine(chain.files(), stores["ECDSA"])
    assert answer(verdict, Q) == (OPEN, Reason.PROOF_NOT_SUPPLIED)
    assert verdict.overall is Overall.INDETERMINATE


def test_a_sealer_that_the_header_lists_twice(stores: dict[str, TrustStore]) -> None:
    chain = built()
    doubled = [chain.header["sealerList"][0], *chain.header["sealerList"]]
    keys = (chain.sealers[0], *chain.sealers)
    header = fisco2.sealed(chain.suite, {**chain.header, "sealerList": doubled}, keys, (0, 1, 2))
    verdict = examine({**chain.files(), "header.json": encode(header)}, stores["ECDSA"])
    assert answer(verdict, Q) == (OPEN, Reason.ANCHOR_UNTRUSTED)
    assert verdict.overall is not Overall.CONSISTENT


def test_one_below_the_quorum_of_seven() -> None:
    """n − ⌊(n−1)/3⌋ of seven sealers is five."""
    s = fisco2.SUITES["ECDSA"]
    keys = tuple(sorted((s.key(f"seven {i}") for i in range(7)), key=lambda k: k.public))
    chain = built()
    chain.validators["epochs"][0]["validators"] = [
        {"key": k.public.hex(), "weight": 1, "operator": f"operator {i}", "node_name": f"node{i}"} for i, k in enumerate(keys)
    ]
    listed = {**chain.header, "sealerList": [k.public.hex() for k in keys]}
    for signers, due in (((0, 1, 2, 3), FAILED), ((0, 1, 2, 3, 6), PASSED)):
        header = fisco2.sealed(s, listed, keys, signers)
        answers = copy.deepcopy(chain.answers())
        for record in (answers["transaction"][BODY], answers["receipt"][DONE]):
            record["blockHash"] = header["hash"]
        answers["header"] = header
        given = {"page.html": PAGE, **{f"{n}.json": encode(a) for n, a in answers.items()}}
        verdict = examine(given, trust(chain))
        assert answer(verdict, Q)[0] == due
        assert (verdict.overall is Overall.CONSISTENT) is (due == PASSED)


# ── which transaction ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_proof_of_one_file_with_another(stores: dict[str, TrustStore]) -> None:
    verdict = examine(built().files(page=OTHER), stores["ECDSA"])
    assert answer(verdict, "DIGEST.MATCH") == (FAILED, Reason.HASH_FAILURE)
    assert verdict.overall is Overall.INCONSISTENT


def test_receipt_of_another_transaction(stores: dict[str, TrustStore]) -> None:
    chain = built()
    given = {**chain.files(), "receipt.json": chain.files(1)["receipt.json"]}
    assert examine(given, stores["ECDSA"]).overall is Overall.INDETERMINATE
    # Relabelled as ours, at its own index and at ours.
    for index in ("0x1", "0x0"):
        other = chain.receipt(1)
        other[DONE].update({k: chain.outcomes[0][k] for k in ("transactionHash", "input", "from", "to")}, transactionIndex=index)
        verdict = examine({**chain.files(), "receipt.json": encode(other)}, stores["ECDSA"])
        due = (OPEN, Reason.RECEIPT_NOT_BOUND) if index == "0x1" else (FAILED, PROOF)
        assert answer(verdict, E) == due
        assert verdict.overall is not Overall.CONSISTENT


def test_foreign_chain_and_group(stores: dict[str, TrustStore]) -> None:
    for options in ({"chain": 2}, {"group": 2}):
        foreign = fisco2.build([DIGEST], **options)  # type: ignore[arg-type]
        verdict = examine(foreign.files(), stores["ECDSA"])
        assert answer(verdict, KIND) == (OPEN, Reason.ANCHOR_UNTRUSTED)
        assert verdict.overall is Overall.INDETERMINATE
        transaction = foreign.transaction()
        transaction[BODY].update(chainId="0x1", groupId="0x1")
        verdict = examine({**foreign.files(), "transaction.json": encode(transaction)}, stores["ECDSA"])
        assert answer(verdict, X) == (FAILED, HASH)


def test_trust_handed_in_with_the_evidence_is_evidence(tmp_path: Any) -> None:
    from tests.anchor_packs import write_pack

    chain = built()
    pack = write_pack(tmp_path, chains={"mine": {"profile": chain.profile, "validators": chain.validators}})
    own = {p.name: p.read_bytes() for p in pack.rglob("*.json")}
    verdict = examine({**chain.files(), **own}, trust(None))
    assert verdict.overall is Overall.INDETERMINATE
    assert answer(verdict, KIND) == (OPEN, Reason.ANCHOR_UNTRUSTED)


# ── the tree ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def naive(s: fisco2.Suite, node: bytes, units: list[Json]) -> bytes:
    """The walk as SDKs do it: whatever stands left and right is hashed along."""
    for unit in units:
        node = s.hash(b"".join(map(bytes.fromhex, unit["left"])) + node + b"".join(map(bytes.fromhex, unit["right"])))
    return node


def test_a_leaf_hidden_in_the_call_data_of_another_transaction(stores: dict[str, TrustStore]) -> None:
    """A record that was never made, whose leaf stands inside the input of one that was: a walk without form reaches the root."""
    chain = built()
    s = chain.suite
    wanted = fisco2.call_data(s, hashlib.sha256(OTHER).digest(), True)
    invented = fisco2.signed(
        s, fisco2.body(s, CONTRACT, wanted, 0, chain=1, group=1, height=1204), s.key("attacker")
    )
    hidden = rlp(0) + raw(invented["hash"])
    carrier = rebuilt(chain, bodies=lambda txs: txs[5].update(to="0x" + "ee" * 20, input=hexed(b"note " + hidden + b" end")))
    body = carrier.bodies[5]
    signature = body["signature"]
    v = int(signature["v"], 16) + 27
    whole = rlp([*fisco2.unsigned(body), v, int(signature["r"], 16), int(signature["s"], 16)])
    assert s.hash(whole) == raw(body["hash"])
    at = whole.index(hidden)
    first = {"left": [whole[:at].hex()], "right": [whole[at + len(hidden) :].hex()]}
    above = proof(s, leaves(carrier.tx_hashes), 5)
    second = {"left": [*above[0]["left"], rlp(5).hex()], "right": above[0]["right"]}
    units = [first, second, *above[1:]]
    assert naive(s, hidden, units) == raw(carrier.header["transactionsRoot"])
    invented.update(blockHash=carrier.header["hash"])
    given = {"page.html": OTHER, "h.json": encode(carrier.header), "t.json": encode({"transaction": invented, "txProof": units})}
    verdict = examine(given, trust(carrier))
    assert answer(verdict, X) == (PASSED, None)
    assert answer(verdict, P) == (FAILED, PROOF)
    assert verdict.overall is Overall.INCONSISTENT


def test_seventeen_children(stores: dict[str, TrustStore]) -> None:
    chain = built()
    transaction = chain.transaction()
    transaction["txProof"][0]["right"].append((rlp(16) + chain.tx_hashes[16]).hex())
    verdict = examine({**chain.files(), "transaction.json": encode(transaction)}, stores["ECDSA"])
    assert answer(verdict, P) == (FAILED, PROOF)
    assert any((f.actual or "") == "a group of 17" for f in findings(verdict, P))


def test_a_chain_of_groups_that_are_not_full() -> None:
    """Two groups of two: no block is built like that, and what comes second would stand at index 16."""
    chain = built()
    s = chain.suite
    groups = [leaves(chain.tx_hashes[:2]), [rlp(16) + chain.tx_hashes[2], rlp(17) + chain.tx_hashes[3]]]
    nodes = [s.hash(b"".join(g)) for g in groups]
    false_root = s.hash(s.hash(b"".join(nodes)))
    forged = resealed(chain, transactionsRoot=hexed(false_root))
    units = [{"left": [], "right": [groups[0][1].hex()]}, {"left": [], "right": [nodes[1].hex()]}, {"left": [], "right": []}]
    transaction = {**forged.transaction(), "txProof": units}
    verdict = examine({**forged.files(), "transaction.json": encode(transaction)}, trust(forged))
    assert answer(verdict, P) == (FAILED, PROOF)


def test_an_inner_node_is_no_transaction(stores: dict[str, TrustStore]) -> None:
    chain = built()
    s = chain.suite
    group = leaves(chain.tx_hashes[:16])
    transaction = chain.transaction()
    transaction[BODY].update(hash=hexed(s.hash(b"".join(group))), transactionIndex="0x0")
    transaction["txProof"] = transaction["txProof"][1:]
    verdict = examine({**chain.files(), "transaction.json": encode(transaction)}, stores["ECDSA"])
    assert answer(verdict, X) == (FAILED, HASH)
    assert verdict.overall is Overall.INCONSISTENT


@pytest.mark.parametrize("index", [127, 128, 255, 256])
def test_indices_whose_rlp_changes_length(index: int) -> None:
    """Leaves from 128 on have two bytes of index, from 256 on three."""
    chain = fisco2.build([DIGEST], others=260)
    transaction = chain.transaction(index)
    given = {"t.json": encode(transaction), "h.json": encode(chain.header)}
    assert answer(examine(given, trust(None)), P) == (PASSED, None)
    side = "right" if transaction["txProof"][0]["right"] else "left"
    sibling = transaction["txProof"][0][side][0]
    transaction["txProof"][0][side][0] = ("00" + sibling) if sibling[0] != "8" else sibling[2:]
    verdict = examine({**given, "t.json": encode(transaction)}, trust(None))
    assert answer(verdict, P) == (FAILED, PROOF)


def test_signatures_with_leading_zeros() -> None:
    """r below 2^248: the node prints 32 bytes, RLP hashes 31. Both must be right, and no other length is read."""
    chain = built()
    s = chain.suite
    sender = s.key("fisco2 sender")

    def short(bodies: list[Json]) -> None:
        for nonce in range(1, 5000):
            bodies[0]["nonce"] = hex(nonce)
            if sender.sign(s.hash(rlp(fisco2.unsigned(bodies[0]))))[0] == 0:
                return
        raise AssertionError("no signature with a short r")

    shortened = rebuilt(chain, bodies=short)
    r = shortened.bodies[0]["signature"]["r"]
    assert r.startswith("0x00")
    assert examine(shortened.files(), trust(chain)).overall is Overall.CONSISTENT
    for other in ("0x" + r[4:], "0x00" + r[2:], r.upper()):
        transaction = shortened.transaction()
        transaction[BODY]["signature"]["r"] = other
        verdict = examine({**shortened.files(), "transaction.json": encode(transaction)}, trust(chain))
        assert answer(verdict, KIND) == (FAILED, FORM)


def test_a_signature_of_the_other_suite(stores: dict[str, TrustStore]) -> None:
    ecdsa, guomi = built(), built("SM")
    transaction = ecdsa.transaction()
    transaction[BODY]["signature"] = guomi.bodies[0]["signature"]
    verdict = examine({**ecdsa.files(), "transaction.json": encode(transaction)}, stores["ECDSA"])
    assert answer(verdict, X) == (FAILED, HASH)
    # Signed by a guomi key on an ECDSA chain, hashed and rooted as it is.
    s = ecdsa.suite
    key = guomi.suite.key("fisco2 sender")

    def foreign(bodies: list[Json]) -> None:
        bodies[0] = fisco2.signed(s, {**bodies[0], "nonce": "0x1"}, key)

    txs = [copy.deepcopy(t) for t in ecdsa.bodies]
    foreign(txs)
    header = fisco2.assembled(
        s, txs, [copy.deepcopy(r) for r in ecdsa.outcomes], ecdsa.sealers, (0, 1, 3), height=1204, timestamp=1_790_000_000_000,
        remain_gas=False,
    )  # fmt: skip
    mixed = replace(ecdsa, bodies=tuple(txs), header=header)
    verdict = examine(mixed.files(), stores["ECDSA"])
    assert answer(verdict, S) == (FAILED, Reason.SIG_CRYPTO_FAILURE)
    assert root(s, leaves(mixed.tx_hashes)) == raw(header["transactionsRoot"])
