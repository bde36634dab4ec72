"""Every class of change to a ChainMaker record, in each shape in which it can be handed in, is caught by the step that names it.

The changes are made to the bytes that the builder wrote: the same octets are exchanged in the Go SDK's JSON (as base64 or text),
in the protobuf block, and in the members of a package. The FISCO BCOS 3 table of changes is run through its package.
"""

import base64
import copy
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest

from evidence.verification import TrustStore, Verdict
from evidence.verification.reasons import Reason
from evidence.verification.verdict import Outcome, Overall
from portal.demonstration import fisco3
from portal.demonstration.chainmaker import Built, Network
from portal.demonstration.chainmaker_wire import b, e64, m, n
from tests.evidence.verification import fisco3_exhibits
from tests.evidence.verification.chainmaker_exhibits import (
    MINE,
    OTHER,
    PAGE,
    VOTES,
    built,
    examine,
    network,
    trust,
)
from tests.evidence.verification.test_fisco3_attacks import ONE_CHANGE, change
from tests.evidence.verification.test_proof_package import chainmaker_package

Wanted = tuple[str, Reason]
HEADER_HASH: Wanted = ("INCL.HEADER", Reason.HASH_FAILURE)
HEADER_SIGNATURE: Wanted = ("INCL.HEADER", Reason.SIG_CRYPTO_FAILURE)
SENDER: Wanted = ("INCL.SENDER", Reason.SIG_CRYPTO_FAILURE)
PATH: Wanted = ("INCL.PATH", Reason.PROOF_FAILURE)
QUORUM_SIGNATURE: Wanted = ("INCL.NODE_QUORUM", Reason.SIG_CRYPTO_FAILURE)
QUORUM: Wanted = ("INCL.NODE_QUORUM", Reason.QUORUM_FAILURE)
VOTE_FORM: Wanted = ("INCL.NODE_QUORUM", Reason.FORMAT_FAILURE)


# ── one change of octets, in three shapes ─────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Bytes:
    """Octets at a place of the block's JSON (`path` from `block`), exchanged for others of the same length. `text`: the member is
    text, not base64."""

    path: tuple[Any, ...]
    wanted: tuple[Wanted, ...]
    text: bool = False
    at: int = -1


TX = ("txs", MINE)
SENDER_OF = (*TX, "sender")
PAYLOAD = (*TX, "payload")
RESULT = (*TX, "result")
OUTCOME = (*RESULT, "contract_result")
HEADER = ("header",)

CHANGES: dict[str, Bytes] = {
    "previous block": Bytes((*HEADER, "pre_block_hash"), (HEADER_HASH,)),
    "transaction root": Bytes((*HEADER, "tx_root"), (HEADER_HASH, PATH)),
    "order of execution": Bytes((*HEADER, "dag_hash"), (HEADER_HASH,)),
    "root of the write sets": Bytes((*HEADER, "rw_set_root"), (HEADER_HASH,)),
    "own hash of the header": Bytes((*HEADER, "block_hash"), (HEADER_HASH,)),
    "proposer's signature, r": Bytes((*HEADER, "signature"), (HEADER_SIGNATURE,), at=10),
    "proposer's signature, s": Bytes((*HEADER, "signature"), (HEADER_SIGNATURE,), at=-1),
    "proposer's organisation": Bytes((*HEADER, "proposer", "org_id"), (HEADER_HASH,), text=True),
    "proposer's key": Bytes((*HEADER, "proposer", "member_info"), (HEADER_HASH,), at=90),
    "chain of the transaction": Bytes((*PAYLOAD, "chain_id"), (("INCL.TRANSACTION", Reason.FORMAT_FAILURE), SENDER, PATH), text=True),
    "transaction id": Bytes((*PAYLOAD, "tx_id"), (SENDER, PATH), text=True),
    "contract": Bytes((*PAYLOAD, "contract_name"), (SENDER, PATH), text=True),
    "method": Bytes((*PAYLOAD, "method"), (SENDER, PATH), text=True),
    "name of a parameter": Bytes((*PAYLOAD, "parameters", 1, "key"), (SENDER, PATH), text=True),
    "record id": Bytes((*PAYLOAD, "parameters", 0, "value"), (SENDER, PATH)),
    "recorded digest": Bytes((*PAYLOAD, "parameters", 1, "value"), (SENDER, PATH)),
    "metadata": Bytes((*PAYLOAD, "parameters", 2, "value"), (SENDER, PATH), at=5),
    "sender's signature, r": Bytes((*SENDER_OF, "signature"), (SENDER, PATH), at=10),
    "sender's signature, s": Bytes((*SENDER_OF, "signature"), (SENDER, PATH)),
    "sender's organisation": Bytes((*SENDER_OF, "signer", "org_id"), (PATH,), text=True),
    "result of the contract": Bytes((*OUTCOME, "result"), (PATH,)),
    "message of the contract": Bytes((*OUTCOME, "message"), (PATH,), text=True),
    "hash of the write set": Bytes((*RESULT, "rw_set_hash"), (PATH, ("CHAINMAKER.RW_SET", Reason.HASH_FAILURE))),
    "topic of the event": Bytes((*OUTCOME, "contract_event", 0, "topic"), (PATH,), text=True),
    "digest in the event": Bytes((*OUTCOME, "contract_event", 0, "event_data", 1), (PATH,), text=True),
}


def other(octets: bytes, at: int) -> bytes:
    """The same with one octet changed to another letter, digit or byte, so that text stays text."""
    changed = bytearray(octets)
    changed[at] = {ord("0"): ord("1")}.get(changed[at], ord("0")) if 0x20 <= changed[at] < 0x7F else changed[at] ^ 1
    return bytes(changed)


def whole(suite: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(built(suite).block_json)
    return value


def changed_json(suite: str, what: Bytes) -> tuple[dict[str, Any], bytes, bytes]:
    """(the block's JSON after the change, the octets before, the octets after)."""
    value = whole(suite)
    holder = value["block"]
    for key in what.path[:-1]:
        holder = holder[key]
    before = holder[what.path[-1]].encode() if what.text else base64.b64decode(holder[what.path[-1]])
    after = other(before, what.at)
    holder[what.path[-1]] = after.decode() if what.text else base64.b64encode(after).decode()
    return value, before, after


def in_region(raw: bytes, region: bytes, before: bytes, after: bytes) -> bytes:
    """`before` exchanged for `after` at its first place within `region`, which stands once in `raw`."""
    start = raw.index(region)
    at = raw.index(before, start)
    assert at + len(before) <= start + len(region)
    return raw[:at] + after + raw[at + len(before) :]


def shapes(suite: str, what: Bytes) -> dict[str, dict[str, bytes]]:
    block = built(suite)
    value, before, after = changed_json(suite, what)
    region = block.header_pb if what.path[0] == "header" else block.txs[MINE].pb
    if what.path[0] == "header":
        # The transaction's own root etc. may stand elsewhere too; text fields of the header stand behind the proposer's tag.
        region = region[region.index(before) :] if what.path[1] != "proposer" else region
    protobuf = in_region(block.block_pb, region, before, after)
    tx, header = block.txs[MINE].pb, block.header_pb
    if what.path[0] == "header":
        header = in_region(header, region, before, after)
    else:
        tx = in_region(tx, tx, before, after)
    package = chainmaker_package(block)
    package["transaction"]["pb"], package["header"]["pb"] = e64(tx), e64(header)
    printed = chainmaker_package(block, form="json")
    printed["transaction"]["json"], printed["header"]["json"] = value["block"]["txs"][MINE], value["block"]["header"]
    return {
        "JSON": {"block": json.dumps(value).encode(), "path.json": block.paths_json[MINE]},
        "protobuf": {"block": protobuf, "path.json": block.paths_json[MINE]},
        "package": {"p.mjproof.json": json.dumps(package).encode()},
        "package in JSON": {"p.mjproof.json": json.dumps(printed).encode()},
    }


@cache
def court(suite: str) -> TrustStore:
    return trust(built(suite))


def caught(verdict: Verdict, wanted: tuple[Wanted, ...]) -> None:
    assert verdict.overall is Overall.INCONSISTENT
    failed = {(f.check, f.reason) for f in verdict.findings if f.outcome is Outcome.FAILED}
    assert set(wanted) <= failed, failed
    assert not [f for f in verdict.findings if f.reason is Reason.INTERNAL_ERROR]


@pytest.mark.parametrize("suite", ["P256", "SM", "SHA256-SM2"])
@pytest.mark.parametrize("name", CHANGES)
def test_a_change_of_octets(name: str, suite: str) -> None:
    what = CHANGES[name]
    found = {shape: examine({"page.html": PAGE, **given}, court(suite)) for shape, given in shapes(suite, what).items()}
    for verdict in found.values():
        caught(verdict, what.wanted)
    # what the whole block and what the package say of the same record is the same answer
    ladders = [
        {(f.check, f.outcome, f.reason) for f in v.findings if f.check in {w[0] for w in what.wanted}} for v in found.values()
    ]
    assert all(ladder == ladders[0] for ladder in ladders)


def test_the_gas_number_alone_is_free() -> None:
    """From block version 2300 on the node leaves it out of the hash: what two nodes print may differ there."""
    value = whole("P256")
    value["block"]["txs"][MINE]["result"]["contract_result"]["gas_used"] += 1
    verdict = examine({"page.html": PAGE, "b": json.dumps(value).encode(), "p": built().paths_json[MINE]}, court("P256"))
    assert verdict.overall is Overall.CONSISTENT


# ── numbers, votes, paths: changes that need a writer ─────────────────────────────────────────────────────────────────

Make = Callable[[Network, Built], dict[str, Any]]


def votes_of(chain: Network, block: Built, **options: Any) -> bytes:
    cast = [chain.vote(i, block.block_hash) for i in (0, 1, 3)]
    return chain.vote_set(cast, block.block_hash, **options)


def _repeated(chain: Network, block: Built) -> bytes:
    cast = [chain.vote(i, block.block_hash) for i in (0, 1)]
    return chain.vote_set([*cast, chain.vote(1, block.block_hash, voter="Qm-again")], block.block_hash)


def _stranger(chain: Network, block: Built) -> bytes:
    foreign = network(chain.suite, seed="stranger")
    cast = [chain.vote(0, block.block_hash), chain.vote(1, block.block_hash)]
    return chain.vote_set([*cast, foreign.vote(3, block.block_hash)], block.block_hash)


def _all_strangers(chain: Network, block: Built) -> bytes:
    foreign = network(chain.suite, seed="stranger")
    return foreign.vote_set([foreign.vote(i, block.block_hash) for i in range(4)], block.block_hash)


def _exchanged(chain: Network, block: Built) -> bytes:
    """Each signature beside the key of another."""
    cast = [chain.vote(i, block.block_hash) for i in (0, 1, 3)]
    first, second = (v[1] for v in cast[:2])
    raw = chain.vote_set(cast, block.block_hash)
    a, c = chain.nodes[0].member, chain.nodes[1].member
    assert len(a) == len(c) and first.count(a) == second.count(c) == 1
    return raw.replace(a, b"\x00" * len(a)).replace(c, a).replace(b"\x00" * len(a), c)


VOTE_SETS: dict[str, tuple[Callable[[Network, Built], bytes], Wanted]] = {
    "one too few": (lambda c, k: c.vote_set([c.vote(i, k.block_hash) for i in (0, 1)], k.block_hash), QUORUM),
    "none": (lambda c, k: c.vote_set([], k.block_hash), QUORUM),
    "one signer twice": (_repeated, QUORUM),
    "keys exchanged": (_exchanged, QUORUM_SIGNATURE),
    "another height": (lambda c, k: c.vote_set([c.vote(i, k.block_hash, height=10) for i in (0, 1, 3)], k.block_hash, height=10), VOTE_FORM),
    "prevotes": (lambda c, k: c.vote_set([c.vote(i, k.block_hash, kind=0) for i in (0, 1, 3)], k.block_hash, kind=0), VOTE_FORM),
    "another round": (lambda c, k: votes_of(c, k, round_=1), VOTE_FORM),
    "another block": (lambda c, k: c.vote_set([c.vote(i, b"\x07" * 32) for i in (0, 1, 3)], b"\x07" * 32), QUORUM),
    "votes for nothing": (lambda c, k: c.vote_set([c.vote(i, b"") for i in (0, 1, 3)], k.block_hash), QUORUM),
}


def with_votes(block: Built, raw: bytes) -> dict[str, dict[str, bytes]]:
    value = json.loads(block.block_json)
    value["block"]["additional_data"]["extra_data"][VOTES] = e64(raw)
    extra = m(1, b(1, VOTES) + b(2, raw))
    info = m(1, m(1, block.header_pb) + b"".join(m(3, t.pb) for t in block.txs) + m(4, extra))
    package = chainmaker_package(block)
    package["finality"]["voteset"] = e64(raw)
    return {
        "JSON": {"block": json.dumps(value).encode()},
        "protobuf": {"block": info},
        "package": {"p.mjproof.json": json.dumps(package).encode()},
    }


@pytest.mark.parametrize("suite", ["P256", "SM"])
@pytest.mark.parametrize("name", VOTE_SETS)
def test_votes(name: str, suite: str) -> None:
    make, wanted = VOTE_SETS[name]
    chain, block = network(suite), built(suite)
    for given in with_votes(block, make(chain, block)).values():
        caught(examine({"page.html": PAGE, **given}, court(suite)), (wanted,))


@pytest.mark.parametrize("suite", ["P256", "SM"])
@pytest.mark.parametrize("make", [_stranger, _all_strangers])
@pytest.mark.parametrize(("to_height", "outcome", "reason"), [(None, Outcome.INDETERMINATE, Reason.ANCHOR_UNTRUSTED), (99, Outcome.FAILED, Reason.ANCHOR_MISMATCH)])
def test_strangers_among_the_voters(make: Any, suite: str, to_height: int | None, outcome: Outcome, reason: Reason) -> None:
    """The set of an open epoch may be stale; that of a closed one is not."""
    chain, block = network(suite), built(suite)
    store = trust(block, validators=chain.validators(to_height=to_height))
    for given in with_votes(block, make(chain, block)).values():
        verdict = examine({"page.html": PAGE, **given}, store)
        assert verdict.overall is not Overall.CONSISTENT
        quorum = next(f for f in verdict.findings if f.check == "INCL.NODE_QUORUM")
        assert (quorum.outcome, quorum.reason) == (outcome, reason)


NUMBERS: dict[str, tuple[Callable[[dict[str, Any]], Any], tuple[Wanted, ...]]] = {
    "block version": (lambda p: p["header"]["json"].update(block_version=2030201), (HEADER_HASH,)),
    "height": (lambda p: p["header"]["json"].update(block_height=10), (HEADER_HASH,)),
    "configuration height": (lambda p: p["header"]["json"].update(pre_conf_height=5), (HEADER_HASH,)),
    "transaction count": (lambda p: p["header"]["json"].update(tx_count=4), (HEADER_HASH, PATH)),
    "time": (lambda p: p["header"]["json"].update(block_timestamp=1), (HEADER_HASH,)),
    "type of the block": (lambda p: p["header"]["json"].update(block_type=1), (HEADER_HASH,)),
    "index": (lambda p: p["transaction"].update(tx_index=2), (PATH,)),
    "index beyond the count": (lambda p: p["transaction"].update(tx_index=5), (PATH,)),
    "time of the transaction": (lambda p: p["transaction"]["json"]["payload"].update(timestamp=1), (SENDER, PATH)),
    "type of the transaction": (lambda p: p["transaction"]["json"]["payload"].update(tx_type=1), (SENDER, PATH)),
    "gas limit": (lambda p: p["transaction"]["json"]["payload"]["limit"].update(gas_limit=1), (SENDER, PATH)),
    "no gas limit": (lambda p: p["transaction"]["json"]["payload"].pop("limit"), (SENDER, PATH)),
    "a parameter less": (lambda p: p["transaction"]["json"]["payload"]["parameters"].pop(), (SENDER, PATH)),
    "parameters turned round": (lambda p: p["transaction"]["json"]["payload"]["parameters"].reverse(), (SENDER, PATH)),
    "result code": (lambda p: p["transaction"]["json"]["result"].update(code=4), (PATH, ("INCL.EXECUTION", Reason.EXECUTION_FAILED))),
    "no event": (lambda p: p["transaction"]["json"]["result"]["contract_result"].pop("contract_event"), (PATH,)),
    "an endorser more": (lambda p: p["transaction"]["json"].update(endorsers=[p["transaction"]["json"]["sender"]]), (PATH,)),
    "path turned round": (lambda p: p["inclusion"]["merkle_path"].reverse(), (PATH,)),
    "path too short": (lambda p: p["inclusion"]["merkle_path"].pop(), (PATH,)),
    "path too long": (lambda p: p["inclusion"]["merkle_path"].append(p["inclusion"]["merkle_path"][0]), (PATH,)),
    "item of the path": (lambda p: p["inclusion"]["merkle_path"].__setitem__(1, e64(b"\x01" * 32)), (PATH,)),
    "digest of the file": (lambda p: p["evidence"][0].update(digest="00" * 32), (("DIGEST.MATCH", Reason.HASH_FAILURE),)),
    "chain": (lambda p: p["chain"].update(chain_id="chain1"), (("INCL.LEDGER_KIND", Reason.CERT_FIELDS_CONFLICT),)),
}


@pytest.mark.parametrize("suite", ["P256", "SM"])
@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_and_order_in_a_package(name: str, suite: str) -> None:
    edit, wanted = NUMBERS[name]
    value = copy.deepcopy(chainmaker_package(built(suite), form="json"))
    edit(value)
    caught(examine({"page.html": PAGE, "p.json": json.dumps(value).encode()}, court(suite)), wanted)


@pytest.mark.parametrize("suite", ["P256", "SM"])
def test_sixty_four_bytes_of_an_inner_node_in_a_package(suite: str) -> None:
    """Leaves and inner nodes are hashed alike: an inner node is no transaction, and no leaf is taken that is only claimed."""
    block = built(suite)
    inner = block.txs[0].leaf + block.txs[1].leaf
    value = chainmaker_package(block)
    value["transaction"].update(pb=e64(inner), tx_index=0)
    value["inclusion"] = {"merkle_path": value["inclusion"]["merkle_path"][1:]}
    verdict = examine({"page.html": PAGE, "p.json": json.dumps(value).encode()}, court(suite))
    assert verdict.overall is not Overall.CONSISTENT
    # a list of leaves without the body proves no body
    value = chainmaker_package(block)
    del value["transaction"]
    value["inclusion"] = {"tx_hashes": [t.leaf.hex() for t in block.txs]}
    assert examine({"page.html": PAGE, "p.json": json.dumps(value).encode()}, court(suite)).overall is Overall.INDETERMINATE


def test_the_record_of_one_file_with_another() -> None:
    value = chainmaker_package(built())
    verdict = examine({"page.html": OTHER, "p.json": json.dumps(value).encode()}, court("P256"))
    caught(verdict, (("DIGEST.MATCH", Reason.HASH_FAILURE),))
    # and with the package rewritten to say the digest of that other file
    value["evidence"][0]["digest"] = hashlib.sha256(OTHER).hexdigest()
    caught(examine({"page.html": OTHER, "p.json": json.dumps(value).encode()}, court("P256")), (("DIGEST.MATCH", Reason.HASH_FAILURE),))


def test_a_package_of_a_chain_of_ones_own() -> None:
    """Everything in it is valid; its validators are the party's."""
    own = network(seed="a party's own")
    block = own.block([own.record(own.hash(PAGE), record_id="EV")])
    value = chainmaker_package(block, place=0)
    verdict = examine({"page.html": PAGE, "p.json": json.dumps(value).encode()}, court("P256"))
    assert verdict.overall is not Overall.CONSISTENT
    assert ("INCL.NODE_QUORUM", Outcome.INDETERMINATE) in {(f.check, f.outcome) for f in verdict.findings}
    assert n(1, 1) == b"\x08\x01"


# ── FISCO BCOS 3, inside a package ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("suite", ["ECDSA", "SM"])
@pytest.mark.parametrize("number", range(len(ONE_CHANGE)))
def test_one_change_in_a_fisco_package(number: int, suite: str) -> None:
    where, path, value, check, reason = ONE_CHANGE[number]
    chain = fisco3_exhibits.built(suite)
    package = copy.deepcopy(fisco3.package(chain, [("page.html", "SHA-256", hashlib.sha256(PAGE).digest())]))
    change(package["header" if where == "block" else where], path, value)
    verdict = fisco3_exhibits.examine(
        {"page.html": fisco3_exhibits.PAGE, "p.mjproof.json": json.dumps(package).encode()}, fisco3_exhibits.trust(chain)
    )
    assert verdict.overall is not Overall.CONSISTENT
    assert any((f.check, f.reason) == (check, reason) for f in verdict.findings), [
        (f.check, f.outcome.value, f.reason) for f in verdict.findings if f.outcome is not Outcome.PASSED
    ]
