"""ChainMaker step C by custody: configuration blocks from a pinned first block to the validators in force; consensus of kinds
that are not read."""

import json
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from evidence.verification.chains import chainmaker_custody
from evidence.verification.codecs.protobuf import ProtobufError
from evidence.verification.reasons import Reason
from evidence.verification.verdict import Overall
from portal.demonstration.chainmaker import Built, Network
from portal.demonstration.chainmaker_wire import b, m, n
from tests.evidence.verification.chainmaker_exhibits import (
    FAILED,
    OPEN,
    PAGE,
    PASSED,
    answer,
    changed,
    examine,
    finding,
    trust,
)

OK = (PASSED, None)
AWAY = (OPEN, Reason.ANCHOR_UNAVAILABLE)


@cache
def row(mode: str = "public_key", *, seed: str = "demonstration", consensus: int = 1) -> tuple[Network, Built, Built, Built]:
    """The first block with four nodes, a configuration at height 5 that takes the fourth away, and a record at height 9."""
    chain = Network(suite="P256", mode=mode, seed=seed)
    first = chain.block([chain.configuration(consensus=consensus)], height=0, votes={})
    second = chain.block([chain.configuration(nodes=(0, 1, 2))], height=5, voters=(0, 1, 2))
    record = chain.record(chain.hash(PAGE), record_id="EV")
    third = chain.block([record], height=9, voters=(0, 1, 2), header_changes={"pre_conf_height": 5})
    return chain, first, second, third


def exhibit(*blocks: Built) -> dict[str, bytes]:
    return {"page.html": PAGE, **{f"{i}.json": block.block_json for i, block in enumerate(blocks)}}


@pytest.mark.parametrize("mode", ["public_key", "certificate", "cert_hash"])
def test_configurations_lead_from_the_first_block_to_the_voters(mode: str) -> None:
    _, first, second, third = row(mode)
    court = trust(third, genesis_hash=first.block_hash.hex())
    given = exhibit(third, second, first)
    if mode == "cert_hash":
        given["members.pem"] = third.certificates_pem
    verdict = examine(given, court)
    assert (verdict.overall, verdict.grade.value) == (Overall.CONSISTENT, "B")
    root = finding(verdict, "INCL.ROOT")
    assert (root.outcome.value, root.notes, root.expected) == (PASSED, ("CUSTODY:2",), "≥3 / 3")


def test_custody_replaces_neither_quorum_nor_checkpoint() -> None:
    """The first block is public: whoever pins only that has not said who may vote."""
    _, first, second, third = row()
    court = trust(third, genesis_hash=first.block_hash.hex(), validators={"epochs": []})
    verdict = examine(exhibit(third, second, first), court)
    assert answer(verdict, "INCL.ROOT") == OK
    assert answer(verdict, "INCL.NODE_QUORUM") == (OPEN, Reason.ANCHOR_UNTRUSTED)
    assert (verdict.overall, verdict.grade.value) == (Overall.INDETERMINATE, "E")


def test_without_a_pin_or_a_link_nothing_is_followed() -> None:
    _, first, second, third = row()
    assert answer(examine(exhibit(third, second, first), trust(third)), "INCL.ROOT") == AWAY
    court = trust(third, genesis_hash=first.block_hash.hex())
    for blocks in ((third, first), (third, second), (third,)):
        verdict = examine(exhibit(*blocks), court)
        assert answer(verdict, "INCL.ROOT") == AWAY
    # a pinned configuration is as good a start as the first block
    pin = {"height": 5, "hash": second.block_hash.hex(), "basis": "copied", "recorded_at": None}
    verdict = examine(exhibit(third, second), trust(third, checkpoints=[pin]))
    assert finding(verdict, "INCL.ROOT").notes == ("CUSTODY:1",)
    assert verdict.overall is Overall.CONSISTENT


def test_a_configuration_that_too_few_have_voted_for() -> None:
    """Anybody can write a block that names the first as its configuration."""
    chain, first, _, _ = row()
    court = trust(chain.block([chain.record(b"", record_id="x")]), genesis_hash=first.block_hash.hex())
    stranger = Network(suite="P256", seed="stranger")
    usurped = stranger.block([stranger.configuration()], height=5)
    record = chain.record(chain.hash(PAGE), record_id="EV")
    third = stranger.block([record], height=9, header_changes={"pre_conf_height": 5})
    verdict = examine(exhibit(third, usurped, first), court)
    assert answer(verdict, "INCL.ROOT")[0] != PASSED
    assert verdict.overall is not Overall.CONSISTENT
    for voters in ((0, 1), (0, 0, 1), ()):
        second = chain.block([chain.configuration(nodes=(0, 1, 2))], height=5, voters=voters)
        third = chain.block([record], height=9, voters=(0, 1, 2), header_changes={"pre_conf_height": 5})
        assert answer(examine(exhibit(third, second, first), court), "INCL.ROOT") == AWAY


def test_the_voters_of_the_configuration_before_do_not_count_for_the_block_behind() -> None:
    """The fourth node was taken away at height 5: with it there are three of four votes, without it two of three."""
    chain, first, second, _ = row()
    third = chain.block(
        [chain.record(chain.hash(PAGE), record_id="EV")], height=9, voters=(0, 1, 3), header_changes={"pre_conf_height": 5}
    )
    court = trust(third, genesis_hash=first.block_hash.hex())
    assert answer(examine(exhibit(third, second, first), court), "INCL.ROOT") == AWAY


def test_an_edited_configuration() -> None:
    _, first, second, third = row()
    court = trust(third, genesis_hash=first.block_hash.hex())

    def edit(block: Any) -> None:
        result = block["block"]["txs"][0]["result"]["contract_result"]
        result["result"] = result["result"][:-8] + "AAAAAAA="

    edited = changed(second.block_json, edit)
    verdict = examine({**exhibit(third, second, first), "1.json": edited}, court)
    assert verdict.overall is Overall.INCONSISTENT
    assert answer(verdict, "INCL.ROOT") == AWAY
    other = trust(third, genesis_hash="44" * 32)
    verdict = examine(exhibit(third, second, first), other)
    assert (FAILED, Reason.ANCHOR_MISMATCH) == answer(verdict, "INCL.LEDGER_KIND")


@pytest.mark.parametrize("consensus", [0, 3, 4, 5])
def test_a_configuration_of_another_consensus_is_not_followed(consensus: int) -> None:
    _, first, second, third = row(consensus=consensus)
    court = trust(third, genesis_hash=first.block_hash.hex())
    assert answer(examine(exhibit(third, second, first), court), "INCL.ROOT") == AWAY


@pytest.mark.parametrize("entry", ["MaxBftVoteData", "RAFTAddtionalDataKey"])
def test_votes_of_another_consensus(entry: str) -> None:
    chain = row()[0]
    block = chain.block([chain.record(chain.hash(PAGE), record_id="EV")], votes={entry: b"\x08\x01"})
    verdict = examine(exhibit(block), trust(block))
    assert answer(verdict, "INCL.NODE_QUORUM") == (OPEN, Reason.UNSUPPORTED_FORMAT)
    assert finding(verdict, "INCL.NODE_QUORUM").actual == entry
    assert verdict.overall is Overall.INDETERMINATE


def test_validators_chosen_by_the_header_are_not_read() -> None:
    """DPoS votes like TBFT and writes into the header who may vote next."""
    chain = row()[0]
    record = chain.record(chain.hash(PAGE), record_id="EV")
    block = chain.block([record], header_changes={"consensus_args": b"\x08\x05"})
    verdict = examine(exhibit(block), trust(block))
    assert answer(verdict, "INCL.HEADER") == OK
    assert answer(verdict, "INCL.NODE_QUORUM") == (OPEN, Reason.UNSUPPORTED_FORMAT)
    assert verdict.overall is Overall.INDETERMINATE


def test_a_configuration_may_bring_what_it_likes() -> None:
    """The bytes of a ChainConfig are a party's until the row is followed: none of them raises."""
    good = m(8, n(1, 1) + m(2, b(1, "org1") + b(3, "Qm")))
    for config in (b"", b"\xff" * 20, b"\x0a\xff", b"\x42\x01", b"\x0b", good[:-1], good + b"\x40\x01", b"\x4a\x04\x0a\x02\xff\xfe"):
        chain = row()[0]
        tx = chain.transaction("NODE_ID_ADD", (), contract="CHAIN_CONFIG", output=config)
        first = chain.block([tx], height=0, votes={})
        third = chain.block([chain.record(chain.hash(PAGE), record_id="EV")], height=9, voters=(0, 1, 2))
        verdict = examine(exhibit(third, first), trust(third, genesis_hash=first.block_hash.hex()))
        assert not [f for f in verdict.findings if f.reason is Reason.INTERNAL_ERROR]
        assert answer(verdict, "INCL.ROOT") == AWAY
        assert verdict.overall is Overall.CONSISTENT


def test_fields_of_an_unknown_message() -> None:
    found = list(chainmaker_custody.fields(n(1, 300) + b(2, "x") + b"\x1d" + b"\x00" * 4 + b"\x21" + b"\x01" * 8))
    assert found == [(1, 300), (2, b"x"), (3, b"\x00" * 4), (4, b"\x01" * 8)]
    for broken in (b"\x80" * 11, b"\x08", b"\x12\x05a", b"\x0c", b"\x1d\x00"):
        with pytest.raises(ProtobufError):
            list(chainmaker_custody.fields(broken))


def test_in_a_package() -> None:
    from tests.evidence.verification.test_proof_package import chainmaker_package

    _, first, second, third = row()
    value = chainmaker_package(replace(third), place=0)
    value["chain"]["genesis_hash"] = first.block_hash.hex()
    from portal.demonstration.chainmaker_wire import e64

    value["config_blocks"] = [e64(inner(block.block_pb)) for block in (first, second)]
    court = trust(third, genesis_hash=first.block_hash.hex())
    verdict = examine({"page.html": PAGE, "p.json": json.dumps(value).encode()}, court)
    assert finding(verdict, "INCL.ROOT").notes == ("CUSTODY:2",)
    assert verdict.overall is Overall.CONSISTENT


def inner(block_info: bytes) -> bytes:
    """The Block in a BlockInfo."""
    length = shift = 0
    at = 1
    while True:
        byte = block_info[at]
        at += 1
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return block_info[at : at + length]
