"""Hyperledger Fabric: what the engine proves of blocks written field by field, and by what it counts signers."""

import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest

from evidence.verification.reasons import Reason
from evidence.verification.verdict import Grade, Overall
from tests.evidence.verification import fabric_printer
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
    finding,
    findings,
    package,
    pin,
    store,
    trust,
)
from tests.evidence.verification.fabric_network import (
    CHAINCODE,
    Block,
    Network,
    blockfile,
    organisation,
)

RUNGS = (
    "INCL.LEDGER_KIND", "DIGEST.MATCH", "INCL.CONTENT", "INCL.TRANSACTION", "INCL.SENDER", "INCL.PATH", "INCL.HEADER",
    "INCL.NODE_QUORUM", "INCL.EXECUTION", "FABRIC.ENDORSEMENT",
)  # fmt: skip


# ── the whole walk ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_one_signature_of_the_courts_own_orderer() -> None:
    chain = built()
    verdict = examine(files(chain), trust(chain, epochs=court_run(chain)))
    for check in RUNGS:
        assert answer(verdict, check, contains="tx ") == OK, check
    assert verdict.overall is Overall.CONSISTENT and verdict.grade is Grade.C
    assert verdict.time is None
    assert "SINGLE_SIGNER" in finding(verdict, "INCL.NODE_QUORUM", "tx ").notes
    assert {"NOT_PROVEN.FABRIC_VALIDITY", "NOT_PROVEN.FABRIC_POLICY"} <= set(verdict.not_proven)


def test_one_signature_of_the_platforms_orderer_is_grade_d() -> None:
    """Custody from the pinned genesis: the signer is known, and it is the platform's."""
    chain = built()
    verdict = examine(files(chain), trust(chain))
    for check in RUNGS:
        assert answer(verdict, check, contains="tx ") == OK, check
    assert verdict.overall is Overall.INDETERMINATE and verdict.grade is Grade.D
    assert verdict.reasons == (Reason.PLATFORM_NOT_IN_POLICY,)


def test_three_of_four_byzantine_orderers() -> None:
    chain = bft()
    operators = [
        {"cert_sha256": hashlib.sha256(h.der).hexdigest(), "org": h.mspid, "operator": h.mspid, "node_name": h.mspid}
        for h in chain.network.consenters
    ]
    epochs = [{"from_height": 0, "to_height": None, "validators": operators}]
    block = chain.network.signed(chain.block, 0, chain.network.consenters[:3])
    verdict = examine(files(chain, block=block), trust(chain, epochs=epochs))
    for check in RUNGS:
        assert answer(verdict, check, contains="tx ") == OK, check
    assert finding(verdict, "INCL.NODE_QUORUM", "tx ").expected == "≥3/4"
    assert verdict.overall is Overall.CONSISTENT and verdict.grade is Grade.B


def test_byzantine_orderers_by_custody() -> None:
    """The pinned genesis lists the consenters; blocks name them by number."""
    chain = bft()
    verdict = examine(files(chain), trust(chain))
    assert answer(verdict, "INCL.NODE_QUORUM", contains="tx ") == OK
    shown = finding(verdict, "INCL.NODE_QUORUM", "tx ").actual or ""
    assert shown.startswith("4/4: ") and all(f"Orderer{i}MSP {i}" in shown for i in range(1, 5))


def test_a_checkpoint_needs_no_signer_and_dates_the_record() -> None:
    chain = built()
    later = chain.network.block(chain.block, [chain.network.record(b"x" * 32, record_id="EV-3", nonce=b"q" * 24)])
    unsigned = replace(chain.block, metadata=())
    given = {**files(chain, block=unsigned), "later.pb": later.pb}
    verdict = examine(given, trust(chain, checkpoints=[pin(later)]))
    assert answer(verdict, "INCL.ROOT", contains="tx ") == OK
    assert finding(verdict, "INCL.ROOT", "tx ").notes == ("CHECKPOINT_LINKED:1",)
    assert verdict.overall is Overall.CONSISTENT and verdict.grade is Grade.A
    assert verdict.time is not None and verdict.time.basis == "CHECKPOINT"


def test_without_trust() -> None:
    """§9.7: the producer's own steps pass; what only the court can pin does not."""
    chain = built()
    verdict = examine(files(chain), store({}))
    for check in ("DIGEST.MATCH", "INCL.TRANSACTION", "INCL.PATH", "INCL.HEADER"):
        assert answer(verdict, check, contains="tx ") == OK, check
    for check, reason in (
        ("INCL.LEDGER_KIND", Reason.ANCHOR_UNTRUSTED),
        ("INCL.NODE_QUORUM", Reason.ANCHOR_UNTRUSTED),
        ("INCL.CONTENT", Reason.CONTRACT_UNKNOWN),
        ("INCL.EXECUTION", Reason.VALIDITY_FLAG_UNSIGNED),
        ("INCL.SENDER", Reason.NO_CERTIFICATE_CHAIN_FOUND),
    ):
        assert answer(verdict, check, contains="tx ") == (OPEN, reason), check
    assert verdict.overall is Overall.INDETERMINATE and verdict.grade is Grade.E


# ── every shape of input says the same ────────────────────────────────────────────────────────────────────────────────


def shapes(chain: Chain) -> dict[str, dict[str, bytes]]:
    page = {"page.html": PAGE}
    return {
        "files": files(chain),
        "blockfile": {**page, "ledger": blockfile(chain.genesis, chain.block)},
        "package": {**page, "p.mjproof.json": package(chain)},
        "printed": {**page, "genesis.block": chain.genesis.pb, "block.json": fabric_printer.text(chain.block.pb)},
    }


@pytest.mark.parametrize("shape", ["files", "blockfile", "package", "printed"])
@pytest.mark.parametrize("make", [built, bft])
def test_shapes(shape: str, make: Any) -> None:
    chain = make()
    pinned = trust(chain)
    expected, verdict = examine(files(chain), pinned), examine(shapes(chain)[shape], pinned)
    for check in (*RUNGS, "INCL.ROOT"):
        ours = {(f.outcome, f.reason, f.expected, f.actual) for f in findings(verdict, check, "tx ")}
        assert ours == {(f.outcome, f.reason, f.expected, f.actual) for f in findings(expected, check, "tx ")}, check
    assert (verdict.overall, verdict.grade) == (expected.overall, expected.grade)


@pytest.mark.parametrize(
    "change",
    [
        lambda b: b["header"].update(number="2"),
        lambda b: b["header"].update(previous_hash="A" * 43 + "="),
        lambda b: b["data"]["data"][0].update(signature="MAA="),
        lambda b: b["data"]["data"][0]["payload"]["header"]["channel_header"].update(tx_id="00" * 32),
        lambda b: b["data"]["data"][0]["payload"]["header"]["channel_header"].update(timestamp="2026-01-01T00:00:00Z"),
        lambda b: b["data"]["data"][0]["payload"]["header"]["channel_header"].update(timestamp="yesterday"),
        lambda b: b["data"]["data"][0]["payload"]["header"]["channel_header"].update(type=1),
        lambda b: b["data"]["data"][0]["payload"]["data"]["actions"][0].update(more=1),
        lambda b: b["data"].update(data=[]),
        lambda b: b["data"].update(data=[7]),
        lambda b: b["metadata"].update(metadata=["A"]),
        lambda b: b.update(metadata=None),
        lambda b: b.update(header=None),
    ],
)
def test_a_printed_block_that_was_changed(change: Any) -> None:
    chain = built()
    block = fabric_printer.printed(chain.block.pb)
    change(block)
    given = {"page.html": PAGE, "g": chain.genesis.pb, "block.json": json.dumps(block).encode()}
    verdict = examine(given, trust(chain, epochs=court_run(chain)))
    assert verdict.overall is not Overall.CONSISTENT


def test_a_printed_block_that_does_not_give_back_its_bytes_is_not_judged() -> None:
    chain = built()
    block = fabric_printer.printed(chain.block.pb)
    block["data"]["data"][0]["payload"]["header"]["channel_header"]["epoch"] = "7"
    given = {"page.html": PAGE, "g": chain.genesis.pb, "block.json": json.dumps(block).encode()}
    verdict = examine(given, trust(chain, epochs=court_run(chain)))
    assert (OPEN, Reason.UNSUPPORTED_FORMAT) in {(f.outcome.value, f.reason) for f in verdict.findings}
    assert verdict.overall is Overall.INDETERMINATE


def test_a_package_without_its_configuration_is_open() -> None:
    chain = built()
    given = {"page.html": PAGE, "p.json": package(chain, config_block=None)}
    verdict = examine(given, trust(chain))
    assert answer(verdict, "INCL.NODE_QUORUM") == (OPEN, Reason.ANCHOR_UNAVAILABLE)
    assert finding(verdict, "INCL.NODE_QUORUM").notes == ("CONFIGURATION_NOT_PINNED",)


def test_links_of_a_package_lead_to_a_checkpoint() -> None:
    import base64

    chain = built()
    later = chain.network.block(chain.block, [chain.network.record(b"x" * 32, record_id="EV-3", nonce=b"q" * 24)])
    links = [base64.b64encode(later.header_pb).decode()]
    given = {"page.html": PAGE, "p.json": package(chain, config_block=None, links=links)}
    verdict = examine(given, trust(chain, checkpoints=[pin(later, "copied")]))
    assert verdict.overall is Overall.CONSISTENT and verdict.grade is Grade.B
    foreign = replace(later, previous=b"\x07" * 32)
    broken = package(chain, links=[base64.b64encode(foreign.header_pb).decode()])
    verdict = examine({"page.html": PAGE, "p.json": broken}, trust(chain))
    assert answer(verdict, "INCL.ROOT") == (FAILED, Reason.PROOF_FAILURE)


@pytest.mark.parametrize(
    ("change", "check", "reason"),
    [
        ({"tx_id": "00" * 32}, "INCL.TRANSACTION", Reason.CERT_FIELDS_CONFLICT),
        ({"chain": {"chain_id": "other"}}, "INCL.LEDGER_KIND", Reason.CERT_FIELDS_CONFLICT),
        ({"chain": {"hash": "SM3"}}, "INCL.LEDGER_KIND", Reason.CERT_FIELDS_CONFLICT),
        ({"chain": {"genesis_hash": "11" * 32}}, "INCL.LEDGER_KIND", Reason.ANCHOR_MISMATCH),
        ({"block": "AA=="}, "INCL.LEDGER_KIND", Reason.FORMAT_FAILURE),
        ({"block": None}, "INCL.LEDGER_KIND", Reason.FORMAT_FAILURE),
        ({"config_block": "not base64"}, "INCL.LEDGER_KIND", Reason.FORMAT_FAILURE),
        ({"peers": [{"mspid": "Org1MSP"}]}, "INCL.LEDGER_KIND", Reason.FORMAT_FAILURE),
        ({"links": [{"number": 1}]}, "INCL.LEDGER_KIND", Reason.FORMAT_FAILURE),
    ],
)  # fmt: skip
def test_what_a_package_states_is_compared(change: dict[str, Any], check: str, reason: Reason) -> None:
    chain = built()
    given = {"page.html": PAGE, "p.json": package(chain, **change)}
    verdict = examine(given, trust(chain, epochs=court_run(chain)))
    assert (FAILED, reason) in {(f.outcome.value, f.reason) for f in findings(verdict, check)}
    assert verdict.overall is Overall.INCONSISTENT


def test_what_other_peers_are_said_to_have_decides_nothing() -> None:
    """Nobody here has asked them: under the basis `peers` the question stays open."""
    chain = built()
    own = hashlib.sha256(b"commit").hexdigest()
    peers = [{"mspid": "Org1MSP", "commit_hash": own}, {"mspid": "Org2MSP", "commit_hash": "00" * 32}]
    given = {"page.html": PAGE, "p.json": package(chain, peers=peers)}
    verdict = examine(given, trust(chain, epochs=court_run(chain), execution_basis="peers"))
    assert answer(verdict, "INCL.EXECUTION") == (OPEN, Reason.VALIDITY_FLAG_UNSIGNED)
    assert finding(verdict, "INCL.EXECUTION").actual == "flag 0; commit hash 1/2 stated"


# ── where the digest stands ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("contract", "place"),
    [
        ({"method": "save", "digest_param": "1"}, f"{CHAINCODE}.save(1)"),
        ({"method": "write", "digest_param": "value"}, f"{CHAINCODE}.write(value)"),
        ({"method": "event:Saved", "digest_param": "payload", "encoding": "bytes"}, f"{CHAINCODE}.event:Saved(payload)"),
    ],
)
def test_places(contract: dict[str, str], place: str) -> None:
    chain = built()
    mapped = {"name": CHAINCODE, "encoding": "hex-text", "alg": "SHA-256", **contract}
    verdict = examine(files(chain), trust(chain, epochs=court_run(chain), contracts=[mapped]))
    assert finding(verdict, "INCL.CONTENT").expected == place
    assert verdict.overall is Overall.CONSISTENT


def test_a_digest_inside_json() -> None:
    chain = built()
    body = json.dumps({"hash": hashlib.sha256(PAGE).hexdigest(), "size": 7}).encode()
    record = chain.network.record(hashlib.sha256(PAGE).digest(), arguments=(b"put", body))
    block = chain.network.block(chain.genesis, [record])
    mapped = {"name": CHAINCODE, "method": "put", "digest_param": "0.hash", "encoding": "hex-text", "alg": "SHA-256"}
    verdict = examine(files(chain, block=block), trust(chain, epochs=court_run(chain), contracts=[mapped]))
    assert finding(verdict, "INCL.CONTENT").expected == f"{CHAINCODE}.put(0.hash)"
    assert verdict.overall is Overall.CONSISTENT


def test_an_unmapped_chaincode_is_not_enough() -> None:
    chain = built()
    verdict = examine(files(chain), trust(chain, epochs=court_run(chain), contracts=[]))
    assert answer(verdict, "INCL.CONTENT") == (OPEN, Reason.CONTRACT_UNKNOWN)
    assert verdict.overall is Overall.INDETERMINATE


def test_a_deleted_key_is_no_record() -> None:
    chain = built()
    record = chain.network.record(hashlib.sha256(PAGE).digest(), arguments=(b"drop", b"EV-1"), event=None, deleted=True)
    block = chain.network.block(chain.genesis, [record])
    mapped = {"name": CHAINCODE, "method": "write", "digest_param": "value", "encoding": "hex-text"}
    verdict = examine(files(chain, block=block), trust(chain, epochs=court_run(chain), contracts=[mapped]))
    assert verdict.overall is Overall.INDETERMINATE


def test_the_event_that_makes_a_record_final() -> None:
    chain = built()
    mapped = {**chain.network.profile["contracts"][0], "final_event": "Saved"}
    pinned = trust(chain, epochs=court_run(chain), contracts=[mapped])
    assert examine(files(chain), pinned).overall is Overall.CONSISTENT
    for event in ("Requested", None):
        record = chain.network.record(hashlib.sha256(PAGE).digest(), event=event)
        verdict = examine(files(chain, block=chain.network.block(chain.genesis, [record])), pinned)
        assert answer(verdict, "INCL.EXECUTION") == (OPEN, Reason.PROMISE_ONLY)


def test_both_records_of_one_block() -> None:
    chain = built()
    given = {**files(chain), "other.html": OTHER}
    verdict = examine(given, trust(chain, epochs=court_run(chain)))
    assert verdict.overall is Overall.CONSISTENT
    assert len([w for w in verdict.walks if w.complete]) == 2


# ── custody ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def moved() -> tuple[Chain, Block, Block]:
    """The orderer organisation is replaced by another in block 1; block 2 is signed by the new one."""
    chain = built()
    successor = Network(orderers=(organisation("NewOrdererMSP"),))
    config = successor.reconfigured(chain.genesis, 1, by=chain.network.orderer)
    block = successor.block(config, [successor.record(hashlib.sha256(PAGE).digest())], last_config=1)
    return chain, config, block


def test_custody_follows_the_configurations() -> None:
    chain, config, block = moved()
    given = {"g.block": chain.genesis.pb, "c.block": config.pb, "b.block": block.pb, "page.html": PAGE}
    verdict = examine(given, trust(chain))
    assert answer(verdict, "INCL.NODE_QUORUM", contains="tx ") == OK
    assert "NewOrdererMSP" in (finding(verdict, "INCL.NODE_QUORUM", "tx ").actual or "")
    without = {k: v for k, v in given.items() if k != "c.block"}
    assert answer(examine(without, trust(chain)), "INCL.NODE_QUORUM", contains="tx ") == (OPEN, Reason.ANCHOR_UNAVAILABLE)


def test_a_configuration_that_nobody_known_signed_is_data() -> None:
    chain, _, _ = moved()
    usurper = Network(orderers=(organisation("NewOrdererMSP"),))
    config = usurper.reconfigured(chain.genesis, 1, by=usurper.orderer)
    block = usurper.block(config, [usurper.record(hashlib.sha256(PAGE).digest())], last_config=1)
    given = {"g.block": chain.genesis.pb, "c.block": config.pb, "b.block": block.pb, "page.html": PAGE}
    verdict = examine(given, trust(chain))
    assert answer(verdict, "INCL.NODE_QUORUM", contains="tx ") == (OPEN, Reason.ANCHOR_UNAVAILABLE)
    assert verdict.overall is not Overall.CONSISTENT


def test_a_configuration_that_skips_one_is_data() -> None:
    chain, _, _ = moved()
    successor = Network(orderers=(organisation("NewOrdererMSP"),))
    config = successor.reconfigured(chain.genesis, 2, by=chain.network.orderer)
    block = successor.block(config, [successor.record(hashlib.sha256(PAGE).digest())], last_config=1)
    given = {"g.block": chain.genesis.pb, "c.block": config.pb, "b.block": block.pb, "page.html": PAGE}
    assert answer(examine(given, trust(chain)), "INCL.NODE_QUORUM", contains="tx ") == (OPEN, Reason.ANCHOR_UNAVAILABLE)


def test_a_removed_orderer_cannot_name_the_old_configuration() -> None:
    chain, config, _ = moved()
    old = chain.network
    block = old.block(config, [old.record(hashlib.sha256(PAGE).digest())], last_config=0)
    given = {"g.block": chain.genesis.pb, "c.block": config.pb, "b.block": block.pb, "page.html": PAGE}
    verdict = examine(given, trust(chain))
    assert answer(verdict, "INCL.NODE_QUORUM", contains="tx ") == (FAILED, Reason.ANCHOR_MISMATCH)


def test_orderers_before_1_4_1_name_the_configuration_apart() -> None:
    chain = built()
    network = chain.network
    block = network.signed_apart(chain.block, 0, network.orderer)
    assert answer(examine(files(chain, block=block), trust(chain)), "INCL.NODE_QUORUM", contains="tx ") == OK
    late = network.signed_apart(chain.block, 1, network.orderer)
    verdict = examine(files(chain, block=late), trust(chain))
    assert answer(verdict, "INCL.NODE_QUORUM", contains="tx ") == (FAILED, Reason.FORMAT_FAILURE)
    # Signed by another one, or by nobody, it says nothing.
    foreign = network.signed_apart(chain.block, 0, network.orderer, other=network.client)
    for spoilt in (foreign, replace(block, metadata=(block.metadata[0], b"", b"\0\0", b""))):
        verdict = examine(files(chain, block=spoilt), trust(chain))
        assert answer(verdict, "INCL.NODE_QUORUM", contains="tx ") == (OPEN, Reason.ANCHOR_UNAVAILABLE)
        assert examine(files(chain, block=spoilt), trust(chain, epochs=court_run(chain))).overall is Overall.CONSISTENT


def test_a_stricter_policy_of_the_channel_is_kept() -> None:
    """BlockValidation = ALL of two orderer organisations: one signature is too few."""
    chain = built(orderers=(organisation("OrdererMSP", intermediate=True), organisation("SecondMSP")), rule=1)
    one = chain.network.signed(chain.block, 0, chain.network.consenters[:1])
    verdict = examine(files(chain, block=one), trust(chain))
    assert answer(verdict, "INCL.NODE_QUORUM", contains="tx ") == (FAILED, Reason.QUORUM_FAILURE)
    both = chain.network.signed(chain.block, 0, chain.network.consenters)
    assert answer(examine(files(chain, block=both), trust(chain)), "INCL.NODE_QUORUM", contains="tx ") == OK


# ── what the court chooses ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("basis", [None, "peers"])
def test_flag_0_is_signed_by_nobody(basis: str | None) -> None:
    chain = built()
    verdict = examine(files(chain), trust(chain, epochs=court_run(chain), execution_basis=basis))
    assert answer(verdict, "INCL.EXECUTION") == (OPEN, Reason.VALIDITY_FLAG_UNSIGNED)
    assert verdict.overall is Overall.INDETERMINATE


@pytest.mark.parametrize("flag", [1, 10, 11, 255])
def test_a_refused_transaction(flag: int) -> None:
    chain = built()
    metadata = (*chain.block.metadata[:2], bytes([flag, 0]), *chain.block.metadata[3:])
    block = replace(chain.block, metadata=metadata)
    verdict = examine(files(chain, block=block), trust(chain, epochs=court_run(chain)))
    assert answer(verdict, "INCL.EXECUTION", contains="tx ") == (FAILED, Reason.EXECUTION_FAILED)
    other = {**files(chain, block=block, page=None), "other.html": OTHER}
    assert examine(other, trust(chain, epochs=court_run(chain))).overall is Overall.CONSISTENT


def test_flags_that_are_not_there_or_not_of_this_block() -> None:
    chain = built()
    pinned = trust(chain, epochs=court_run(chain))

    def with_flags(flags: bytes) -> Block:
        return replace(chain.block, metadata=(*chain.block.metadata[:2], flags, *chain.block.metadata[3:]))

    assert finding(examine(files(chain, block=with_flags(b"")), pinned), "INCL.EXECUTION").actual == "no flags"
    assert answer(examine(files(chain, block=with_flags(b"\xfe\xfe")), pinned), "INCL.EXECUTION") == (
        OPEN, Reason.VALIDITY_FLAG_UNSIGNED,
    )  # fmt: skip
    assert answer(examine(files(chain, block=with_flags(b"\0")), pinned), "INCL.EXECUTION") == (
        FAILED, Reason.FORMAT_FAILURE,
    )  # fmt: skip


def test_a_fork_with_chinese_algorithms_is_told_and_not_judged() -> None:
    chain = built()
    guomi = replace(chain.block, data_hash=hashlib.new("sm3", b"".join(chain.block.envelopes)).digest())
    verdict = examine(files(chain, block=guomi), trust(chain, epochs=court_run(chain)))
    assert answer(verdict, "INCL.PATH", contains="tx ") == (OPEN, Reason.UNSUPPORTED_FORMAT)
    assert verdict.overall is Overall.INDETERMINATE
    suite = {"hash": "SM3", "signature": "SM2"}
    verdict = examine(files(chain), trust(chain, epochs=court_run(chain), suite=suite))
    assert answer(verdict, "INCL.LEDGER_KIND") == (OPEN, Reason.UNSUPPORTED_FORMAT)
    assert verdict.overall is Overall.INDETERMINATE
