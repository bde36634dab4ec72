"""Hyperledger Fabric: every attack that a party could try on blocks written field by field, and hostile bytes."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from evidence.verification import TrustStore
from evidence.verification.reasons import Reason
from evidence.verification.verdict import Overall
from tests.evidence.verification.fabric_exhibits import (
    FAILED,
    OK,
    OPEN,
    OTHER,
    PAGE,
    Chain,
    answer,
    bft,
    built,
    court_run,
    examine,
    files,
    findings,
    package,
    pin,
    store,
    trust,
)
from tests.evidence.verification.fabric_network import (
    Block,
    Holder,
    Network,
    blockfile,
    holder,
    kept,
    organisation,
    text,
)

DIGEST = hashlib.sha256(PAGE).digest()


@pytest.fixture(scope="module")
def pinned() -> TrustStore:
    chain = built()
    return trust(chain, epochs=court_run(chain))


def refused(verdict: Any, check: str) -> set[Reason | None]:
    return {f.reason for f in findings(verdict, check) if f.outcome.value == FAILED}


def with_envelopes(chain: Chain, *envelopes: bytes, data_hash: bytes | None = None) -> Block:
    """A block of these envelopes, signed by the network's own orderer."""
    return chain.network.signed(Block(1, chain.genesis.hash, envelopes, data_hash=data_hash), 0, [chain.network.orderer])


def with_record(chain: Chain, **options: Any) -> Block:
    return chain.network.block(chain.genesis, [chain.network.record(DIGEST, **options)])


def test_the_good_one(pinned: TrustStore) -> None:
    assert examine(files(built()), pinned).overall is Overall.CONSISTENT


# ── transactions ──────────────────────────────────────────────────────────────────────────────────────────────────────

STRANGER = holder("Org1MSP", "stranger", organisation("Org1MSP", foreign=" of somebody else").root, unit="peer")

SPOILT: list[tuple[dict[str, Any], str, str, Reason]] = [
    ({"tx_id": "00" * 32}, "INCL.TRANSACTION", FAILED, Reason.HASH_FAILURE),
    ({"proposal_hash": b"\x01" * 32}, "INCL.TRANSACTION", FAILED, Reason.HASH_FAILURE),
    ({"invoked": "another"}, "INCL.TRANSACTION", OPEN, Reason.UNSUPPORTED_FORMAT),
    ({"actions": 2}, "INCL.TRANSACTION", OPEN, Reason.UNSUPPORTED_FORMAT),
    ({"nonce": b""}, "INCL.TRANSACTION", OPEN, Reason.UNSUPPORTED_FORMAT),
    ({"high": True}, "INCL.SENDER", FAILED, Reason.SIG_CRYPTO_FAILURE),
    ({"signature": b"\x30\x06\x02\x01\x01\x02\x01\x01"}, "INCL.SENDER", FAILED, Reason.SIG_CRYPTO_FAILURE),
    ({"signature": b"junk"}, "INCL.SENDER", FAILED, Reason.SIG_CRYPTO_FAILURE),
    ({"creator": STRANGER}, "INCL.SENDER", OPEN, Reason.NO_CERTIFICATE_CHAIN_FOUND),
    ({"status": 500}, "INCL.EXECUTION", FAILED, Reason.EXECUTION_FAILED),
    ({"endorsers": ()}, "INCL.EXECUTION", OPEN, Reason.PROOF_NOT_SUPPLIED),
    ({"endorsers": (STRANGER,)}, "INCL.EXECUTION", OPEN, Reason.NO_CERTIFICATE_CHAIN_FOUND),
    ({"endorsed": b"another response"}, "FABRIC.ENDORSEMENT", FAILED, Reason.SIG_CRYPTO_FAILURE),
    ({"high_endorsements": True}, "FABRIC.ENDORSEMENT", FAILED, Reason.SIG_CRYPTO_FAILURE),
    ({"endorsers": (STRANGER,)}, "FABRIC.ENDORSEMENT", OPEN, Reason.NO_CERTIFICATE_CHAIN_FOUND),
    ({"endorsers": (Network().client,)}, "INCL.EXECUTION", OPEN, Reason.CHAIN_CONSTRAINTS_FAILURE),
    ({"endorsers": (organisation("Org1MSP").root,)}, "INCL.EXECUTION", OPEN, Reason.CHAIN_CONSTRAINTS_FAILURE),
    ({"extra": b"\x00"}, "INCL.PATH", FAILED, Reason.FORMAT_FAILURE),
    ({"extra": b"\x12\x01s"}, "INCL.PATH", FAILED, Reason.FORMAT_FAILURE),
    ({"extra": b"\x1a\x01x"}, "INCL.PATH", OPEN, Reason.UNSUPPORTED_FORMAT),
    ({"chaincode": "elsewhere"}, "INCL.CONTENT", OPEN, Reason.CONTRACT_UNKNOWN),
    ({"method": "read", "event": None}, "INCL.CONTENT", OPEN, Reason.CONTRACT_UNKNOWN),
]  # fmt: skip


@pytest.mark.parametrize(("options", "check", "outcome", "reason"), SPOILT, ids=[f"{list(o)}-{c}" for o, c, _, _ in SPOILT])
def test_a_spoilt_transaction_in_a_block_truly_ordered(
    options: dict[str, Any], check: str, outcome: str, reason: Reason, pinned: TrustStore
) -> None:
    """The orderer signs whatever it is sent: what is wrong in a transaction must be found in the transaction."""
    chain = built()
    if options == {"creator": STRANGER}:
        # A stranger's transaction is no contradiction, and the sender stands beside the walk: see the rung alone.
        verdict = examine(files(chain, block=with_record(chain, **options)), pinned)
        assert answer(verdict, check, contains="tx ") == (outcome, reason)
        return
    if options.get("nonce") == b"":
        options = {**options, "tx_id": hashlib.sha256(chain.network.client.identity).hexdigest()}
    verdict = examine(files(chain, block=with_record(chain, **options)), pinned)
    assert (outcome, reason) in {(f.outcome.value, f.reason) for f in findings(verdict, check, "block.pb")}
    assert verdict.overall is (Overall.INCONSISTENT if outcome == FAILED else Overall.INDETERMINATE)


def test_an_envelope_of_another_channel(pinned: TrustStore) -> None:
    chain = built()
    foreign = Network(channel="another").record(DIGEST, nonce=b"z" * 24)
    own = chain.network.record(b"x" * 32, record_id="EV-9")
    block = with_envelopes(chain, own.envelope(), foreign.envelope())
    verdict = examine(files(chain, block=block), pinned)
    assert refused(verdict, "INCL.LEDGER_KIND") == {Reason.FORMAT_FAILURE}
    assert verdict.overall is Overall.INCONSISTENT


def test_proof_of_one_file_with_another(pinned: TrustStore) -> None:
    chain = built()
    block = with_record(chain)
    given = {**files(chain, block=block, page=None), "other.html": OTHER}
    verdict = examine(given, pinned)
    assert refused(verdict, "DIGEST.MATCH") == {Reason.HASH_FAILURE}
    assert verdict.overall is Overall.INCONSISTENT


# ── contents that share a header ──────────────────────────────────────────────────────────────────────────────────────


def crosslinks(chain: Chain) -> dict[str, tuple[bytes, ...]]:
    one, two = chain.block.envelopes
    return {
        "joined": (one + two,),
        "cut elsewhere": (one[:-9], one[-9:] + two),
        "a byte moved": (one + two[:1], two[1:]),
        "empty between": (one, b"", two),
    }


@pytest.mark.parametrize("name", ["joined", "cut elsewhere", "a byte moved", "empty between"])
def test_crosslinked_contents(name: str, pinned: TrustStore) -> None:
    """Another row of envelopes with the same data_hash, under the true header and its true signatures."""
    chain = built()
    envelopes = crosslinks(chain)[name]
    assert b"".join(envelopes) == b"".join(chain.block.envelopes)
    metadata = (*chain.block.metadata[:2], bytes(len(envelopes)), *chain.block.metadata[3:])
    block = replace(chain.block, envelopes=envelopes, metadata=metadata)
    assert block.header == chain.block.header
    verdict = examine(files(chain, block=block), pinned)
    assert refused(verdict, "INCL.PATH") == {Reason.FORMAT_FAILURE}
    assert verdict.overall is Overall.INCONSISTENT


@pytest.mark.parametrize(
    "envelope",
    [
        b"",
        text(2, b"signature alone"),
        kept(1, b"") + text(2, b"s"),
        text(1, b"payload alone"),
        text(1, b"payload") + kept(2, b""),
        text(2, b"s") + text(1, b"payload"),
        text(1, b"p") + text(1, b"q") + text(2, b"s"),
        b"\x0a\x81\x00p\x12\x01s",
    ],
)
def test_envelopes_that_fabric_lets_through_no_more(envelope: bytes, pinned: TrustStore) -> None:
    chain = built()
    block = with_envelopes(chain, chain.records[0].envelope(), envelope)
    verdict = examine(files(chain, block=block), pinned)
    assert refused(verdict, "INCL.PATH") == {Reason.FORMAT_FAILURE}


def test_no_envelope_and_a_configuration_among_others(pinned: TrustStore) -> None:
    chain = built()
    config = chain.network.reconfigured(chain.genesis, 1).envelopes[0]
    for envelopes in ((), (config, chain.records[0].envelope())):
        verdict = examine(files(chain, block=with_envelopes(chain, *envelopes)), pinned)
        assert Reason.FORMAT_FAILURE in refused(verdict, "INCL.PATH")
        assert verdict.overall is Overall.INCONSISTENT


# ── signatures of orderers ────────────────────────────────────────────────────────────────────────────────────────────


def test_high_s_of_the_orderer(pinned: TrustStore) -> None:
    chain = built()
    block = chain.network.signed(chain.block, 0, [chain.network.orderer], high=True)
    verdict = examine(files(chain, block=block), pinned)
    assert refused(verdict, "INCL.NODE_QUORUM") == {Reason.SIG_CRYPTO_FAILURE}


@pytest.mark.parametrize("last_config", [1, 2, 1 << 40])
def test_a_configuration_that_is_yet_to_come(last_config: int, pinned: TrustStore) -> None:
    chain = built()
    block = chain.network.signed(chain.block, last_config, [chain.network.orderer])
    for trusted in (pinned, trust(chain)):
        verdict = examine(files(chain, block=block), trusted)
        assert refused(verdict, "INCL.NODE_QUORUM") == {Reason.FORMAT_FAILURE}


def own_network(**options: Any) -> tuple[Chain, dict[str, bytes]]:
    """Somebody's own channel, organisations and orderers of the same names, with the record that they would like."""
    own = Network(
        orderers=(organisation("OrdererMSP", foreign=" of somebody else"),),
        members=(organisation("Org1MSP", foreign=" of somebody else"), organisation("Org2MSP")),
        **options,
    )
    genesis = own.genesis()
    record = own.record(DIGEST)
    chain = Chain(own, genesis, own.block(genesis, [record]), (record,))
    return chain, files(chain)


def test_a_network_of_ones_own() -> None:
    court = built()
    chain, given = own_network()
    verdict = examine(given, trust(court, epochs=court_run(court)))
    assert refused(verdict, "INCL.LEDGER_KIND") == {Reason.ANCHOR_MISMATCH}
    assert verdict.overall is Overall.INCONSISTENT
    # Without its genesis block it has nothing that the court knows.
    del given["genesis.block"]
    for trusted in (trust(court), trust(court, epochs=court_run(court))):
        verdict = examine(given, trusted)
        assert answer(verdict, "INCL.NODE_QUORUM")[0] == OPEN
        assert verdict.overall is Overall.INDETERMINATE
    # Nor does it help to say that it goes on from the court's genesis block.
    onward = chain.network.block(court.genesis, chain.records)
    verdict = examine({"g": court.genesis.pb, "b.pb": onward.pb, "page.html": PAGE}, trust(court))
    assert answer(verdict, "INCL.NODE_QUORUM", contains="tx ") == (OPEN, Reason.NO_CERTIFICATE_CHAIN_FOUND)
    assert verdict.overall is Overall.INDETERMINATE


def test_a_package_that_states_the_courts_genesis_hash() -> None:
    court = built()
    chain, _ = own_network()
    told = package(chain, chain={"genesis_hash": court.genesis.hash.hex()}, config_block=None)
    verdict = examine({"page.html": PAGE, "p.json": told}, trust(court))
    assert answer(verdict, "INCL.NODE_QUORUM") == (OPEN, Reason.ANCHOR_UNAVAILABLE)
    verdict = examine(
        {"page.html": PAGE, "p.json": package(chain, chain={"genesis_hash": court.genesis.hash.hex()})}, trust(court)
    )
    assert verdict.overall is Overall.INCONSISTENT


def signers() -> dict[str, tuple[Holder, Reason]]:
    orderers, first = organisation("OrdererMSP", intermediate=True), organisation("Org1MSP")
    return {
        "a client of the orderers' organisation": (orderers.member("c", "client"), Reason.CHAIN_CONSTRAINTS_FAILURE),
        "its administrator": (orderers.member("a", "admin"), Reason.CHAIN_CONSTRAINTS_FAILURE),
        "a node without a unit": (orderers.member("n", None), Reason.CHAIN_CONSTRAINTS_FAILURE),
        "its authority": (orderers.issuer, Reason.CHAIN_CONSTRAINTS_FAILURE),
        "its root": (orderers.root, Reason.CHAIN_CONSTRAINTS_FAILURE),
        "a peer of an application's organisation": (first.member("peer", "peer"), Reason.NO_CERTIFICATE_CHAIN_FOUND),
        "an orderer of an application's organisation": (first.member("o", "orderer"), Reason.NO_CERTIFICATE_CHAIN_FOUND),
        "one of the name, of another root": (
            holder("OrdererMSP", "x", organisation("OrdererMSP", foreign="2").root, unit="orderer"),
            Reason.NO_CERTIFICATE_CHAIN_FOUND,
        ),
        "one of another name, of its root": (
            replace(orderers.member("orderer 1", "orderer"), mspid="Org1MSP"), Reason.NO_CERTIFICATE_CHAIN_FOUND,
        ),
        "self-made": (holder("OrdererMSP", "self", unit="orderer"), Reason.NO_CERTIFICATE_CHAIN_FOUND),
    }  # fmt: skip


@pytest.mark.parametrize("who", sorted(signers()))
def test_signers_that_are_no_orderers(who: str) -> None:
    chain = built()
    signer, reason = signers()[who]
    block = chain.network.signed(chain.block, 0, [signer])
    verdict = examine(files(chain, block=block), trust(chain))
    assert answer(verdict, "INCL.NODE_QUORUM", contains="tx ") == (OPEN, reason)
    assert verdict.overall is Overall.INDETERMINATE
    if who == "one of another name, of its root":
        return  # the court lists certificates: whose key signs is said by the certificate, whatever name stands beside it
    # Nor where the court lists the one orderer there is: a stranger in a set that is settled contradicts it.
    listed = court_run(chain)
    assert examine(files(chain, block=block), trust(chain, epochs=listed)).overall is Overall.INDETERMINATE
    listed[0]["to_height"] = 9
    verdict = examine(files(chain, block=block), trust(chain, epochs=listed))
    assert refused(verdict, "INCL.NODE_QUORUM") == {Reason.ANCHOR_MISMATCH}


def test_roots_without_the_role_of_orderer_sign_no_block() -> None:
    chain = built()
    issuer = organisation("OrdererMSP", intermediate=True)
    bundle = (issuer.root.pem + issuer.issuer.pem).decode()
    given = {"block.pb": chain.block.pb, "page.html": PAGE}
    for role, outcome in (("orderer", OK), ("member", (OPEN, Reason.ANCHOR_UNAVAILABLE)), (None, (OPEN, Reason.ANCHOR_UNAVAILABLE))):  # fmt: skip
        verdict = examine(given, trust(chain, roots=[{"org": "OrdererMSP", "pem": bundle, "role": role}]))
        assert answer(verdict, "INCL.NODE_QUORUM") == outcome
    late = [{"org": "OrdererMSP", "pem": bundle, "role": "orderer", "from_height": 2}]
    assert answer(examine(given, trust(chain, roots=late)), "INCL.NODE_QUORUM") == (OPEN, Reason.ANCHOR_UNAVAILABLE)


def test_an_orderer_on_the_configurations_own_list_of_revoked() -> None:
    issuer = organisation("OrdererMSP", intermediate=True).issuer
    node = Network().orderer
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    revoked = x509.RevokedCertificateBuilder().serial_number(node.certificate.serial_number).revocation_date(moment)
    crl = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(moment)
        .next_update(datetime(2036, 1, 1, tzinfo=UTC))
        .add_revoked_certificate(revoked.build())
        .sign(issuer.key, hashes.SHA256())
    )
    chain = built(revoked=(crl.public_bytes(Encoding.PEM),))
    verdict = examine(files(chain), trust(chain))
    assert answer(verdict, "INCL.NODE_QUORUM", contains="tx ") == (OPEN, Reason.REVOKED_NO_POE)


@pytest.mark.parametrize("signed_by", [[], [0], [0, 1], [0, 1, 1], [0, 0, 0, 0]])
def test_byzantine_quorum_less_one(signed_by: list[int]) -> None:
    chain = bft()
    nodes = chain.network.consenters
    block = chain.network.signed(chain.block, 0, [nodes[i] for i in signed_by])
    verdict = examine(files(chain, block=block), trust(chain))
    due = (FAILED, Reason.QUORUM_FAILURE) if signed_by else (OPEN, Reason.PROOF_NOT_SUPPLIED)
    assert answer(verdict, "INCL.NODE_QUORUM", contains="tx ") == due
    assert verdict.overall is not Overall.CONSISTENT


def test_one_key_under_two_certificates_and_two_numbers() -> None:
    """A consenter's key, certified twice, listed twice: one signer."""
    organisations = tuple(organisation(f"Orderer{i}MSP") for i in range(1, 5))
    network = Network(orderers=organisations, bft=True)
    one = network.consenters[0]
    again = Holder(one.mspid, one.key, holder(one.mspid, "orderer 1", organisations[0].issuer, unit="orderer", begin=datetime(2021, 1, 1, tzinfo=UTC)).certificate)  # fmt: skip
    assert again.der != one.der
    nodes = [one, again, *network.consenters[2:]]
    genesis = Block(
        0, b"", (text(1, text(1, text(1, network.header(1)) + text(2, network.signature_header(None))) + text(2, network.config(consenters=nodes))),)  # fmt: skip
    )
    record = network.record(DIGEST)
    bare = Block(1, genesis.hash, (record.envelope(),))
    value = kept(1, b"") + text(2, b"raft")
    votes = b"".join(kept(2, network.vote(bare, value, h, identifier=i)) for i, h in ((1, one), (2, again), (3, nodes[2])))
    block = replace(bare, metadata=(text(1, value) + votes, b"", b"\0", b"", b""))
    chain = Chain(network, genesis, block, (record,))
    verdict = examine(files(chain), trust(chain, genesis_hash=genesis.hash.hex()))
    assert answer(verdict, "INCL.NODE_QUORUM", contains="tx ") == (FAILED, Reason.QUORUM_FAILURE)


def test_a_vote_under_another_number() -> None:
    chain = bft()
    network, bare = chain.network, chain.block
    value = kept(1, b"") + text(2, b"raft")
    for identifier in (2, 9):
        votes = b"".join(kept(2, network.vote(bare, value, h)) for h in network.consenters[1:3])
        votes += kept(2, network.vote(bare, value, network.consenters[0], identifier=identifier))
        block = replace(bare, metadata=(text(1, value) + votes, *bare.metadata[1:]))
        verdict = examine(files(chain, block=block), trust(chain))
        due = (FAILED, Reason.SIG_CRYPTO_FAILURE) if identifier == 2 else (OPEN, Reason.NO_SIGNING_CERTIFICATE_FOUND)
        assert answer(verdict, "INCL.NODE_QUORUM", contains="tx ") == due


def test_raft_signatures_do_not_make_a_byzantine_channel() -> None:
    """The court says BFT, the configuration says Raft: one signature is not what the court counts on."""
    chain = built()
    verdict = examine(files(chain), trust(chain, consensus="BFT"))
    assert answer(verdict, "INCL.NODE_QUORUM", contains="tx ") == (OPEN, Reason.POLICY_PROCESSING_ERROR)


def test_a_signature_added_or_the_same_block_twice(pinned: TrustStore) -> None:
    """A good signature does not cover a bad one, in the same block or in a second copy of it."""
    chain = built()
    bad = chain.network.signed(chain.block, 0, [chain.network.orderer], high=True)
    value = text(1, kept(1, b"") + text(2, b"raft"))
    both = value + chain.block.metadata[0][len(value) :] + bad.metadata[0][len(value) :]
    one = replace(chain.block, metadata=(both, *chain.block.metadata[1:]))
    assert examine(files(chain, block=one), pinned).overall is Overall.INCONSISTENT
    given = {**files(chain), "copy.pb": bad.pb}
    assert examine(given, pinned).overall is Overall.INCONSISTENT


# ── links ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_pinned_height_with_another_hash() -> None:
    chain = built()
    wrong = {**pin(chain.block), "hash": "11" * 32}
    verdict = examine(files(chain), trust(chain, checkpoints=[wrong]))
    assert refused(verdict, "INCL.ROOT") == {Reason.ANCHOR_MISMATCH}


def test_a_block_that_does_not_follow_the_one_before(pinned: TrustStore) -> None:
    chain = built()
    stray = chain.network.signed(replace(chain.block, previous=b"\x01" * 32), 0, [chain.network.orderer])
    verdict = examine(files(chain, block=stray), pinned)
    assert refused(verdict, "INCL.ROOT") == {Reason.PROOF_FAILURE}
    # Nor in one file, whatever the court knows.
    later = chain.network.block(replace(chain.block, previous=b"\x02" * 32), [chain.network.record(DIGEST)])
    verdict = examine({"ledger": blockfile(chain.block, later), "page.html": PAGE}, store({}))
    assert refused(verdict, "INCL.ROOT") == {Reason.PROOF_FAILURE}


def test_two_channels_of_one_name_do_not_contradict_each_other() -> None:
    """A block of somebody else's channel of the same name in another file leaves the exhibit open, and no more."""
    chain = built()
    own, _ = own_network()
    far = own.network.block(own.block, [own.network.record(b"k" * 32, nonce=b"k" * 24)])
    without = {"block.pb": chain.block.pb, "page.html": PAGE, "far.pb": far.pb}
    verdict = examine(without, trust(chain, epochs=court_run(chain)))
    assert not refused(verdict, "INCL.ROOT")
    assert verdict.overall is Overall.INDETERMINATE


def test_many_records_and_a_file_that_none_of_them_holds(pinned: TrustStore) -> None:
    """Nobody has said which of them was meant for the file."""
    chain = built()
    verdict = examine({**files(chain, page=None), "new.html": b"a third page"}, pinned)
    assert answer(verdict, "DIGEST.MATCH") == (OPEN, Reason.SIGNED_DATA_NOT_FOUND)
    assert verdict.overall is Overall.INDETERMINATE


def test_a_proven_block_with_metadata_of_ones_own() -> None:
    """A checkpoint proves the block, so that nobody need have signed its metadata: they choose no configuration."""
    chain = built()
    record = chain.network.record(DIGEST, endorsers=(STRANGER,))
    block = replace(chain.network.block(chain.genesis, [record]), metadata=())
    verdict = examine(files(chain, block=block), trust(chain, checkpoints=[pin(block)]))
    assert answer(verdict, "INCL.EXECUTION", contains="tx ") == (OPEN, Reason.NO_CERTIFICATE_CHAIN_FOUND)
    assert verdict.overall is Overall.INDETERMINATE


def test_links_lead_only_from_hash_to_hash() -> None:
    """A row to the pinned block that begins at the right height with another block proves nothing."""
    chain = built()
    network = chain.network
    forged = replace(with_record(chain, record_id="EV-FORGED"), metadata=())
    later = network.block(chain.block, [network.record(b"x" * 32, record_id="EV-3", nonce=b"q" * 24)])
    given = {"block.pb": forged.pb, "later.pb": later.pb, "page.html": PAGE}
    verdict = examine(given, trust(chain, checkpoints=[pin(later)]))
    assert answer(verdict, "INCL.ROOT", contains="block.pb") != OK
    assert verdict.overall is not Overall.CONSISTENT


def test_blocks_of_nothing_keep_the_exhibit_open(pinned: TrustStore) -> None:
    chain = built()
    far = chain.network.block(replace(chain.block, number=40), [chain.network.record(b"y" * 32, nonce=b"f" * 24)])
    verdict = examine({**files(chain), "far.pb": far.pb}, pinned)
    assert verdict.overall is Overall.INDETERMINATE


def test_a_stranger_in_no_trust_store() -> None:
    _, given = own_network()
    verdict = examine(given, store({}))
    assert verdict.overall is Overall.INDETERMINATE and verdict.grade.value == "E"


def test_a_chaincode_whose_name_differs_in_case(pinned: TrustStore) -> None:
    chain = built()
    block = with_record(chain, chaincode="Depository")
    verdict = examine(files(chain, block=block), pinned)
    assert answer(verdict, "INCL.CONTENT", contains="tx ") == (OPEN, Reason.CONTRACT_UNKNOWN)
    assert verdict.overall is Overall.INDETERMINATE


def test_the_orderer_signed_two_blocks_of_one_height(pinned: TrustStore) -> None:
    chain = built()
    other = with_record(chain, record_id="EV-OTHER", nonce=b"o" * 24)
    verdict = examine({**files(chain), "other.pb": other.pb}, pinned)
    assert refused(verdict, "INCL.ROOT") == {Reason.PROOF_FAILURE}
    # One that nobody known has signed contradicts nothing, and leaves the exhibit open.
    own, _ = own_network()
    forged = own.network.signed(other, 0, [own.network.orderer])
    verdict = examine({**files(chain), "other.pb": forged.pb}, trust(chain))
    assert not refused(verdict, "INCL.ROOT")
    assert verdict.overall is Overall.INDETERMINATE


def test_a_transaction_repeated_counts_once(pinned: TrustStore) -> None:
    """Peers take the first transaction of an id and refuse the others, wherever they stand."""
    chain = built()
    again = chain.network.block(chain.block, [chain.network.record(DIGEST)])
    verdict = examine({**files(chain), "again.pb": again.pb}, pinned)
    assert answer(verdict, "INCL.EXECUTION", contains="block 1 · tx") == OK
    assert answer(verdict, "INCL.EXECUTION", contains="block 2 · tx") == (OPEN, Reason.VALIDITY_FLAG_UNSIGNED)
    assert verdict.overall is Overall.CONSISTENT
    twice = chain.network.block(chain.genesis, [chain.network.record(DIGEST)] * 2)
    verdict = examine(files(chain, block=twice), pinned)
    found = sorted(f.outcome.value for f in findings(verdict, "INCL.EXECUTION"))
    assert found == ["INDETERMINATE", "PASSED"]
