"""Attacks on the seams between blocks: chains of one name, blocks that belong to nothing, work without end."""

import hashlib
import json
from time import process_time
from typing import Any

import pytest

from evidence.verification import Source
from evidence.verification.reasons import Reason
from evidence.verification.verdict import Overall
from tests.evidence.verification import chainmaker_exhibits as cm
from tests.evidence.verification import fisco3_exhibits as fisco
from tests.evidence.verification.attacked import examine, fisco_files, good, sha256
from tests.evidence.verification.chainmaker_exhibits import MINE, PAGE, built, changed, files

# ── several chains of one name, blocks that belong to nothing ─────────────────────────────────────────────────────────


@pytest.mark.parametrize("closed", [False, True])
def test_two_chains_that_bear_the_name_the_installer_gave_them(closed: bool) -> None:
    """Honest: chain0/group0 and chain1 are what every installation is called. The block says by its signatures whose it is."""
    one, two = fisco.built(), fisco.built(seed="another consortium")
    first, second = (
        cm.built(),
        cm.Network(suite="P256", mode="public_key", seed="another").block(
            [cm.network().record("ab" * 32, record_id="1")]
        ),
    )

    def pinned(chain: Any, name: str) -> dict[str, Any]:
        validators = json.loads(json.dumps(chain.validators))
        validators["epochs"][0]["to_height"] = 10**9 if closed else None
        return {"profile": {**chain.profile, "id": name}, "validators": validators}

    for order in ((one, two), (two, one)):
        trusted = cm.trust(None, others={f"{i}": pinned(c, f"chain {i}") for i, c in enumerate(order)})
        for chain in order:
            assert examine(fisco.files(chain), trusted).overall is Overall.CONSISTENT
    for both in ((first, second), (second, first)):
        trusted = cm.trust(None, others={f"{i}": pinned(c, f"chain {i}") for i, c in enumerate(both)})
        assert examine(files(first), trusted).overall is Overall.CONSISTENT


def test_a_block_that_belongs_to_nothing_is_not_passed_over() -> None:
    chain = cm.network()
    records = [chain.record(chain.hash(b"stranger"), record_id="9")]
    stranger = chain.block(records, height=77, previous=b"\x77" * 32)
    for form in (stranger.header_json, stranger.header_pb, stranger.block_json):
        assert examine(good(x_json=form)).overall is Overall.INDETERMINATE
    header = json.loads(fisco.built().block_json)
    header.pop("transactions")
    header.update(
        number=header["number"] + 50,
        parentInfo=[{"blockNumber": header["number"] + 49, "blockHash": "0x" + "77" * 32}],
    )
    assert (
        examine({**good(), **fisco_files(0), "y.json": json.dumps(header).encode()}).overall
        is not Overall.CONSISTENT
    )


def test_blocks_before_and_behind_contradict_nothing() -> None:
    """Honest: more of the chain than was needed, each block joined to the next; and one block in two answers."""
    chain = cm.network()
    before = chain.block([chain.record("ab" * 32, record_id="1")], height=8)
    mine = chain.block([chain.record(chain.hash(PAGE), record_id="2")], height=9, previous=before.block_hash)
    behind = chain.block([chain.record("cd" * 32, record_id="3")], height=10, previous=mine.block_hash)
    given = {
        "page.html": PAGE,
        "block.json": mine.block_json,
        "8": before.header_json,
        "10": behind.header_json,
    }
    assert examine(given).overall is Overall.CONSISTENT
    assert examine({**given, "10": behind.block_json}).overall is Overall.CONSISTENT
    altered = changed(behind.block_json, lambda b: b["block"]["txs"][0]["payload"].__setitem__("method", "x"))
    assert examine({**given, "10": altered}).overall is not Overall.CONSISTENT
    hashes = json.loads(fisco.built().block_json)
    hashes.pop("transactions")
    assert (
        examine({**fisco.files(fisco.built()), "again.json": json.dumps(hashes).encode()}).overall
        is Overall.CONSISTENT
    )


# ── work without end ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_block_that_is_all_about_one_file_is_examined_up_to_a_limit() -> None:
    from portal.demonstration import fisco3

    chain = fisco3.build([hashlib.sha256(PAGE).digest()] * 250, others=0)
    whole = [{k: v for k, v in t.items() if k != "txProof"} for t in chain.transactions]
    block = json.dumps({**chain.block, "transactions": whole}).encode()
    begun = process_time()
    verdict = examine({"page.html": PAGE, "block.json": block}, fisco.trust(chain))
    assert process_time() - begun < 10
    assert (verdict.overall, verdict.reasons[0]) == (Overall.INDETERMINATE, Reason.RESOURCE_LIMIT)


def test_endorsements_without_end() -> None:
    info = json.loads(built().info_json[MINE])
    info["transaction"]["endorsers"] = [info["transaction"]["sender"]] * 5000
    verdict = examine({"page.html": PAGE, "tx.json": json.dumps(info).encode()})
    assert Reason.RESOURCE_LIMIT in verdict.reasons
    assert [f.expected for f in verdict.findings if f.check == "CHAINMAKER.ENDORSERS"] == [None, "200"]


def test_fifty_files_against_a_batch_of_thousands() -> None:
    chain = cm.network()
    block = chain.block([chain.batch([chain.hash(b"%d" % i) for i in range(3000)])])
    given = {f"{i}": b"%d" % i for i in range(48)}
    begun = process_time()
    for contracts in ([], built().profile["contracts"]):
        verdict = examine({**given, "block.json": block.block_json}, cm.trust(block, contracts=contracts))
        assert {w.file for w in verdict.walks} == {sha256(d) for d in given.values()}
    assert process_time() - begun < 10


def test_a_digest_across_the_border_of_two_values_stands_nowhere() -> None:
    from evidence.verification.chains.location import Place, locate

    digest = hashlib.sha256(PAGE).digest()
    text = digest.hex().upper().encode()
    source = Source.from_bytes("page", PAGE)
    for values, expected in (
        ((digest[:10], digest[10:]), []),
        ((text[:20], text[20:]), []),
        ((b"x" + digest, digest), [(0, 1), (1, 0)]),
        ((digest[:31], digest[31:] + digest + digest), [(1, 1)]),
        ((b"", text, b"", b"y" + text), [(1, 0), (3, 1)]),
        ((text + digest,), [(0, len(text))]),  # raw bytes are looked for first
    ):
        places = [Place("c", "m", str(i), v) for i, v in enumerate(values)]
        hits = [h for h in locate([source], places, None, None).hits if h.alg == "SHA-256"]
        assert [(int(h.place.key), h.offset) for h in hits] == expected
