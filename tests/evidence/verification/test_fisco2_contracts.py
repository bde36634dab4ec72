"""FISCO BCOS 2: what evidence contracts record, and the events by which they say so."""

import hashlib
from typing import Any

import pytest

from evidence.verification import TrustStore
from evidence.verification.reasons import Reason
from evidence.verification.verdict import Overall, ProofState
from tests.evidence.verification import fisco2_exhibits as fisco2
from tests.evidence.verification.fisco2_exhibits import (
    CONTRACT,
    built,
    hexed,
    log,
    raw,
    rebuilt,
)
from tests.evidence.verification.fisco3_exhibits import (
    FAILED,
    OPEN,
    OTHER,
    PAGE,
    PASSED,
    answer,
    examine,
    finding,
    trust,
)

DIGEST = hashlib.sha256(PAGE).digest()


@pytest.fixture(scope="module")
def store() -> TrustStore:
    return trust(built())


def test_request_alone_is_a_promise() -> None:
    chain = built(saved=False)
    verdict = examine(chain.files(), trust(chain))
    assert verdict.overall is Overall.INDETERMINATE
    assert answer(verdict, "INCL.EXECUTION") == (OPEN, Reason.PROMISE_ONLY)
    assert {w.state for w in verdict.walks} == {ProofState.PROMISED}


@pytest.mark.parametrize("change", ["no event", "other digest", "other contract"])
def test_the_event_must_be_the_contracts_and_about_the_digest(change: str, store: TrustStore) -> None:
    def altered(receipts: list[Any]) -> None:
        if change == "no event":
            receipts[0]["logs"].pop()
        elif change == "other digest":
            receipts[0]["logs"][1]["topics"][1] = hexed(hashlib.sha256(OTHER).digest())
        else:
            receipts[0]["logs"][1]["address"] = "0x" + "22" * 20

    verdict = examine(rebuilt(built(), outcomes=altered).files(), store)
    assert answer(verdict, "INCL.EXECUTION") == (OPEN, Reason.PROMISE_ONLY)
    assert verdict.overall is Overall.INDETERMINATE


def test_failed_execution_refutes(store: TrustStore) -> None:
    chain = rebuilt(built(), outcomes=lambda rcs: rcs[0].update(status="0x16", logs=[]))
    verdict = examine(chain.files(), store)
    assert answer(verdict, "INCL.EXECUTION") == (FAILED, Reason.EXECUTION_FAILED)
    assert verdict.overall is Overall.INCONSISTENT


CHILD = "0x" + "c1" * 20
NEW = "newEvidence(string,string,string,uint8,bytes32,bytes32)"
NEW_EVENT = "newSignaturesEvent(string,string,string,uint8,bytes32,bytes32,address)"


def texts(values: list[bytes], fixed: list[bytes]) -> bytes:
    """ABI of some texts followed by fixed words."""
    head, tail, at = b"", b"", 32 * (len(values) + len(fixed))
    for value in values:
        padded = value.ljust(-(-len(value) // 32) * 32, b"\0")
        head += (at + len(tail)).to_bytes(32)
        tail += len(value).to_bytes(32) + padded
    return head + b"".join(fixed) + tail


def sample(
    event: str = NEW_EVENT, *, child: str = CHILD, emitter: str = CHILD, evi: bytes | None = None, factory: str = CONTRACT
) -> fisco2.Built:
    """A record of the older sample: the factory made a contract, which announced an event."""
    digest = DIGEST.hex().encode()
    fixed = [(27).to_bytes(32), b"r" * 32, b"s" * 32]

    def call(bodies: list[Any]) -> None:
        s = fisco2.SUITES["ECDSA"]
        bodies[0]["input"] = hexed(s.hash(NEW.encode())[:4] + texts([digest, b"info", b"id"], fixed))

    def said(receipts: list[Any]) -> None:
        s = fisco2.SUITES["ECDSA"]
        data = texts([evi or digest, b"info", b"id"], [*fixed, raw(factory).rjust(32, b"\0")])
        announcement = {**log(s, event, [], data), "address": emitter}
        made = log(s, "newEvidenceEvent(address)", [], raw(child).rjust(32, b"\0"))
        receipts[0]["logs"] = [announcement, {**made, "address": CONTRACT}]
        receipts[0]["output"] = hexed(raw(child).rjust(32, b"\0"))

    return rebuilt(built(), bodies=call, outcomes=said)


def sample_store(**more: Any) -> TrustStore:
    mapped = {"name": CONTRACT, "method": NEW, "digest_param": "evi", "encoding": "hex-text", "alg": "SHA-256", **more}
    return trust(built(), contracts=[mapped])


def test_the_older_sample_stores_with_one_signature() -> None:
    verdict = examine(sample().files(), sample_store())
    assert verdict.overall is Overall.CONSISTENT
    assert "ONE_PARTY_SIGNED" in finding(verdict, "INCL.EXECUTION").notes
    assert finding(verdict, "INCL.EXECUTION").actual == NEW_EVENT


def test_the_older_sample_refuses_a_stranger_with_status_0() -> None:
    verdict = examine(sample("error" + NEW_EVENT[0].upper() + NEW_EVENT[1:]).files(), sample_store())
    assert verdict.overall is Overall.INCONSISTENT
    assert answer(verdict, "INCL.EXECUTION") == (FAILED, Reason.EXECUTION_FAILED)


@pytest.mark.parametrize(
    "options", [{"emitter": "0x" + "dd" * 20}, {"child": "0x" + "dd" * 20}, {"evi": b"00" * 32}, {"factory": "0x" + "dd" * 20}]
)
def test_the_new_contract_must_be_the_one_that_the_factory_made(options: dict[str, Any]) -> None:
    verdict = examine(sample(**options).files(), sample_store())
    assert answer(verdict, "INCL.EXECUTION") == (OPEN, Reason.PROMISE_ONLY)
    assert verdict.overall is Overall.INDETERMINATE


def test_a_signature_added_records_nothing() -> None:
    s = fisco2.SUITES["ECDSA"]
    data = s.hash(b"addSignatures(uint8,bytes32,bytes32)")[:4] + (27).to_bytes(32) + b"r" * 32 + b"s" * 32

    def said(receipts: list[Any]) -> None:
        event = "addSignaturesEvent(string,string,string,uint8,bytes32,bytes32)"
        body = texts([DIGEST.hex().encode(), b"", b""], [(27).to_bytes(32), b"r" * 32, b"s" * 32])
        receipts[0]["logs"] = [{**log(s, event, [], body), "address": CONTRACT}]

    chain = rebuilt(built(), bodies=lambda txs: txs[0].update(input=hexed(data)), outcomes=said)
    verdict = examine(chain.files(), sample_store())
    assert verdict.overall is Overall.INDETERMINATE
    assert answer(verdict, "INCL.EXECUTION") == (OPEN, Reason.PROMISE_ONLY)
    assert "SIGNATURE_ADDED_ONLY" in finding(verdict, "INCL.EXECUTION").notes


def test_contract_that_the_court_has_not_mapped() -> None:
    chain = built()
    verdict = examine(chain.files(), trust(chain, contracts=[]))
    assert answer(verdict, "INCL.CONTENT") == (OPEN, Reason.CONTRACT_UNKNOWN)
    assert verdict.overall is Overall.INDETERMINATE
    assert examine(chain.files(), trust(chain, contracts=[], accept_raw_hit=True)).overall is Overall.CONSISTENT


@pytest.mark.parametrize("to", [None, "0x" + "00" * 20])
def test_creation_of_a_contract(to: str | None, store: TrustStore) -> None:
    """Nodes print it as a call of the zero address; a real call of that address has other bytes and is told apart by them."""

    def create(bodies: list[Any]) -> None:
        bodies[0].update(to=to, input="0x6080" + DIGEST.hex())

    verdict = examine(rebuilt(built(), bodies=create).files(), store)
    assert answer(verdict, "INCL.TRANSACTION") == (PASSED, None)
    assert finding(verdict, "INCL.TRANSACTION").notes == ("RENDERING_USED:to=create",)
    assert answer(verdict, "INCL.EXECUTION") == (PASSED, None)
    assert answer(verdict, "INCL.CONTENT") == (OPEN, Reason.CONTRACT_UNKNOWN)
