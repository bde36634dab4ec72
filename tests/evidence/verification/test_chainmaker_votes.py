"""ChainMaker votes under attack: only what the court has pinned counts, each identity once, and for this block."""

import json
from datetime import UTC, datetime

import pytest

from evidence.verification import TrustStore, Verdict
from evidence.verification.reasons import Reason
from evidence.verification.verdict import Overall
from portal.demonstration.chainmaker import Signer, b, e64, m, n
from portal.demonstration.signers import certificate
from tests.evidence.verification.chainmaker_exhibits import (
    FAILED,
    FORM,
    OPEN,
    PAGE,
    QUORUM,
    SIGNATURE,
    VOTES,
    answer,
    answers,
    built,
    changed,
    examine,
    files,
    finding,
    network,
    refuted,
    trust,
)


@pytest.fixture(scope="module")
def store() -> TrustStore:
    return trust(built())


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


def test_voters_that_are_only_named() -> None:
    """Members by certificate hash, and the certificates were not handed in: nobody's signature can be checked."""
    block = built("P256", "cert_hash")
    verdict = examine(files(block), trust(block))
    assert verdict.overall is Overall.INDETERMINATE
    for check in ("INCL.NODE_QUORUM", "INCL.SENDER", "CHAINMAKER.PROPOSER"):
        assert answer(verdict, check) == (OPEN, Reason.NO_SIGNING_CERTIFICATE_FOUND)


def test_roots_without_enough_organisations() -> None:
    chain, block = network("P256", "certificate"), built("P256", "certificate")
    two = [chain.vote(i, block.block_hash) for i in (0, 1)]
    extra = {VOTES: e64(chain.vote_set(two, block.block_hash))}
    edited = changed(block.block_json, lambda x: x["block"]["additional_data"].update(extra_data=extra))
    store = trust(block, validators=chain.validators(roots_only=True))
    refuted(examine({**files(block), "block.json": edited}, store), INCL_NODE_QUORUM=QUORUM)


def test_a_certificate_cannot_be_judged_without_a_time() -> None:
    """A header without a time: which certificates were valid is not known. Keys have no period and still count."""
    for mode, wanted in (
        ("certificate", (OPEN, Reason.OUT_OF_BOUNDS_NO_POE)),
        ("public_key", ("PASSED", None)),
    ):
        chain = network("P256", mode)
        block = chain.block([chain.record(chain.hash(PAGE), record_id="a")], time=0)
        for roots_only in (False, True) if mode == "certificate" else (False,):
            verdict = examine(
                {"page": PAGE, "b": block.block_json},
                trust(block, validators=chain.validators(roots_only=roots_only)),
            )
            assert answer(verdict, "INCL.NODE_QUORUM") == wanted
            assert verdict.time is None


def test_a_leader_who_has_not_signed() -> None:
    unsigned = changed(built().block_json, lambda x: x["block"]["header"].pop("signature"))
    verdict = examine({**files(built()), "block.json": unsigned}, trust(built(), consensus="SINGLE"))
    assert answer(verdict, "INCL.NODE_QUORUM") == (OPEN, Reason.PROOF_NOT_SUPPLIED)
    assert answer(verdict, "CHAINMAKER.PROPOSER") == (OPEN, Reason.SIGNED_DATA_NOT_FOUND)


def test_keys_where_the_court_pins_roots() -> None:
    """A voter who presents a bare key has no path to any root."""
    chain, keyed = network("P256", "certificate"), network("P256", "public_key")
    block = built("P256", "certificate")
    votes = [
        chain.vote(0, block.block_hash),
        chain.vote(1, block.block_hash),
        keyed.vote(2, block.block_hash, voter="Qm2"),
    ]
    extra = {VOTES: e64(chain.vote_set(votes, block.block_hash))}
    edited = changed(block.block_json, lambda x: x["block"]["additional_data"].update(extra_data=extra))
    store = trust(block, validators=chain.validators(roots_only=True))
    verdict = examine({**files(block), "block.json": edited}, store)
    assert answer(verdict, "INCL.NODE_QUORUM") == (OPEN, Reason.NO_CERTIFICATE_CHAIN_FOUND)


def test_an_authority_speaks_only_for_its_own_organisation() -> None:
    """Certificates of one authority that present themselves as members of the other organisations."""
    chain, block = network("P256", "certificate"), built("P256", "certificate")
    votes = []
    for i in range(4):
        own = chain._key(f"posing {i}")
        cert = certificate(own, name="n", org=f"org{i + 1}", unit="consensus", issuer=chain.roots[0])
        votes.append(
            chain.vote(Signer(f"org{i + 1}", 0, cert.pem, own, cert), block.block_hash, voter=f"Qm{i}")
        )
    extra = {VOTES: e64(chain.vote_set(votes, block.block_hash))}
    edited = changed(block.block_json, lambda x: x["block"]["additional_data"].update(extra_data=extra))
    store = trust(block, validators=chain.validators(roots_only=True))
    verdict = examine({**files(block), "block.json": edited}, store)
    assert answer(verdict, "INCL.NODE_QUORUM") == (OPEN, Reason.NO_CERTIFICATE_CHAIN_FOUND)
    assert (finding(verdict, "INCL.NODE_QUORUM").actual or "").startswith("1: org1")
