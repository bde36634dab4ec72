"""One ChainMaker block in every spelling of the node and its SDKs, and in a package: the same findings. What several packages
say together: updates of a record, chains of one name."""

import base64
import copy
import json
from typing import Any

import pytest

from evidence.verification import Source, TrustStore, Verdict
from evidence.verification.chains import chainmaker
from evidence.verification.reasons import Reason
from evidence.verification.verdict import Finding, Overall
from portal.demonstration.chainmaker import Built
from portal.demonstration.chainmaker_wire import TIME
from tests.evidence.verification.chainmaker_exhibits import (
    FAILED,
    MINE,
    OPEN,
    OTHER,
    PAGE,
    PASSED,
    answer,
    built,
    changed,
    examine,
    finding,
    network,
    trust,
)
from tests.evidence.verification.test_chainmaker import protobuf_json
from tests.evidence.verification.test_proof_package import chainmaker_package

REPEATED = ("txs", "endorsers", "parameters", "contract_event", "event_data", "tx_reads", "tx_writes", "rwset_list", "vertexes", "neighbors")


@pytest.fixture(scope="module")
def store() -> TrustStore:
    return trust(built())


# ── spellings ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def to_object(data: bytes) -> bytes:
    """As protobuf's JavaScript prints a message: camelCase, fields that repeat end in List, maps are lists of pairs, zero values
    are written out."""

    def camel(name: str) -> str:
        head, *rest = name.split("_")
        return head + "".join(p.capitalize() for p in rest)

    def turned(value: Any) -> Any:
        if isinstance(value, list):
            return [turned(v) for v in value]
        if not isinstance(value, dict):
            return value
        found: dict[str, Any] = {}
        for name, member in value.items():
            if name == "extra_data":
                found["extraDataMap"] = [[k, v] for k, v in member.items()]
            elif name in REPEATED:
                found[camel(name) + "List"] = turned(member)
            else:
                found[camel(name)] = turned(member)
        if "payload" in value:
            found.setdefault("endorsersList", [])
        if "chain_id" in value and "tx_id" in value:
            found.update(txType=0, expirationTime=0, sequence=0)
        return found

    return json.dumps(turned(json.loads(data))).encode()


def answered(result: bytes, **spelling: Any) -> bytes:
    """TxResponse of a query of the system contract CHAIN_QUERY."""
    response = {
        "message": "SUCCESS",
        "contract_result": {"result": base64.b64encode(result).decode(), "message": "SUCCESS", "gas_used": 0},
        "tx_id": "17f1",
    }
    return json.dumps({**response, **spelling}).encode()


def by_step(verdict: Verdict) -> list[Finding]:
    return list(verdict.findings)


def test_spellings_of_a_whole_block(store: TrustStore) -> None:
    block = built()
    shapes = {
        "the Go SDK": block.block_json,
        "protobuf": block.block_pb,
        "protobuf JSON": protobuf_json(block.block_json),
        "JavaScript": to_object(block.block_json),
        "an answer": answered(block.block_pb),
        "an answer in protobuf JSON": json.dumps(
            {"code": "SUCCESS", "contractResult": {"result": base64.b64encode(block.block_pb).decode()}, "txId": "17f1"}
        ).encode(),
    }
    seen = {n: examine({"page.html": PAGE, "block": d, "path.json": block.paths_json[MINE]}, store) for n, d in shapes.items()}
    assert {n: v.overall for n, v in seen.items()} == dict.fromkeys(shapes, Overall.CONSISTENT)
    first = by_step(seen["the Go SDK"])
    assert {n: by_step(v) == first for n, v in seen.items()} == dict.fromkeys(shapes, True)


def test_spellings_of_a_transaction_a_header_and_a_path(store: TrustStore) -> None:
    block = built()
    header = changed(block.block_json, lambda b: b["block"].pop("txs") and b.pop("rwset_list"))
    paths = (block.paths_json[MINE], answered(block.paths_json[MINE]))
    infos = (block.info_json[MINE], block.info_pb[MINE], protobuf_json(block.info_json[MINE]), to_object(block.info_json[MINE]), answered(block.info_pb[MINE]))
    first: list[Finding] | None = None
    for path in paths:
        for info in infos:
            verdict = examine({"page.html": PAGE, "tx": info, "header": header, "path": path}, store)
            assert verdict.overall is Overall.CONSISTENT
            first = first or by_step(verdict)
            assert by_step(verdict) == first


@pytest.mark.parametrize("suite", ["P256", "SM"])
@pytest.mark.parametrize("mode", ["public_key", "certificate", "cert_hash"])
def test_a_package_has_the_findings_of_its_members(suite: str, mode: str) -> None:
    """Subjects differ, because the members have no file names of their own; everything else is equal."""
    block = built(suite, mode)
    court = trust(block)
    header = changed(block.block_json, lambda b: b["block"].pop("txs") and b["block"].pop("dag") and b.pop("rwset_list"))
    files = {"page.html": PAGE, "tx": block.info_pb[MINE], "header": header, "path": block.paths_json[MINE], "rw": block.txs[MINE].rw_set}
    certificates: list[str] = []
    if mode == "cert_hash":
        files["members.pem"] = block.certificates_pem
        bodies = block.certificates_pem.decode().split("-----")
        certificates = ["".join(b.split()) for b in bodies if b.strip() and "CERTIFICATE" not in b]

    def shown(verdict: Verdict) -> list[tuple[Any, ...]]:
        return [
            (f.check, f.outcome, f.reason, f.expected, f.actual, f.notes, f.bearing)
            for f in verdict.findings
            if f.check.startswith(("INCL.", "CHAINMAKER."))
        ]

    apart = examine(files, court)
    assert apart.overall is Overall.CONSISTENT
    for form in ("pb", "json", "both"):
        value = chainmaker_package(block, form=form)
        if certificates:
            value["finality"]["certs"] = certificates
        verdict = examine({"page.html": PAGE, "p.json": json.dumps(value).encode()}, court)
        assert (verdict.overall, verdict.grade) == (apart.overall, apart.grade)
        assert shown(verdict) == shown(apart)
    whole = examine({"page.html": PAGE, "block": block.block_pb, **({"members.pem": block.certificates_pem} if certificates else {})}, court)
    value = chainmaker_package(block, whole=True)
    if certificates:
        value["finality"] = {"certs": certificates}
    assert shown(examine({"page.html": PAGE, "p.json": json.dumps(value).encode()}, court)) == shown(whole)


@pytest.mark.parametrize(
    "data",
    [
        answered(b""),
        answered(b"not a block"),
        json.dumps({"contract_result": {"result": "!!"}, "tx_id": "1", "gas_used": 1}).encode(),
        json.dumps({"contract_result": [], "tx_id": "1", "gas_used": 1}).encode(),
        json.dumps({"contract_result": {"result": 7}, "tx_id": "1", "gas_used": 1}).encode(),
    ],
)
def test_answers_that_hold_nothing(data: bytes, store: TrustStore) -> None:
    assert chainmaker.sniff(Source.from_bytes("a", data)) > 0
    verdict = examine({"page.html": PAGE, "block": built().block_json, "a": data}, store)
    assert verdict.overall is not Overall.CONSISTENT
    assert not [f for f in verdict.findings if f.reason is Reason.INTERNAL_ERROR]


def test_a_list_of_pairs_with_a_key_twice(store: TrustStore) -> None:
    def twice(block: Any) -> None:
        block["block"]["additionalData"]["extraDataMap"] *= 2

    given = changed(to_object(built().block_json), twice)
    assert answer(examine({"page.html": PAGE, "b": given}, store), "INCL.LEDGER_KIND") == (FAILED, Reason.FORMAT_FAILURE)


# ── what a node's operator has blocked ────────────────────────────────────────────────────────────────────────────────


def test_a_transaction_that_the_nodes_operator_has_blocked(store: TrustStore) -> None:
    """A node of 2.3 then answers with this sentence for contract and method, and without parameters."""
    sentence = "该交易违规，内容已屏蔽。"

    def block_it(given: Any) -> None:
        tx = given["block"]["txs"][MINE]
        tx["payload"].update(contract_name=sentence, method=sentence)
        del tx["payload"]["parameters"]
        tx["result"]["contract_result"] = {"message": sentence, "gas_used": 157}
        tx["result"]["message"] = sentence
        given["rwset_list"][MINE] = {"tx_id": tx["payload"]["tx_id"]}

    verdict = examine({"page.html": PAGE, "b": changed(built().block_json, block_it)}, store)
    assert verdict.overall is Overall.INDETERMINATE
    for check in ("INCL.TRANSACTION", "INCL.SENDER", "INCL.PATH", "CHAINMAKER.TX_ROOT", "CHAINMAKER.RW_SET"):
        assert answer(verdict, check) in ((OPEN, Reason.REDACTED_EXPORT), (PASSED, None)), check
    assert not [f for f in verdict.findings if f.outcome.value == FAILED]


def test_the_record_that_was_cut_speaks_for_the_block(store: TrustStore) -> None:
    """Not the first that merely looks so: a bare digest or an empty value may be what the sender signed."""
    chain = network()
    whole = chain.transaction("Evidence", (("id", "EV-1"), ("hash", b"\xff" * 32), ("note", b"")))
    block = chain.block([whole, chain.record(chain.hash(PAGE), record_id="EV-2")])

    def cut(given: Any) -> None:
        given["block"]["txs"][1]["payload"]["parameters"][1]["value"] = base64.b64encode(b"md5:" + b"0" * 32).decode()
        given["block"]["txs"][1]["result"]["contract_result"].pop("contract_event")

    verdict = examine({"page.html": PAGE, "b": changed(block.block_json, cut)}, store)
    assert verdict.overall is Overall.INDETERMINATE
    assert finding(verdict, "INCL.TRANSACTION").subject.endswith(block.txs[1].tx_id[:16] + "…")
    assert answer(verdict, "INCL.SENDER") == (OPEN, Reason.REDACTED_EXPORT)


# ── updates of a record ───────────────────────────────────────────────────────────────────────────────────────────────


def recorded(method: str, content: bytes, height: int, *, record_id: str = "EV-7", code: int = 0) -> Built:
    chain = network()
    more = [chain.record(chain.hash(b"%d" % i), record_id=f"F-{height}-{i}") for i in range(2)]
    record = chain.record(chain.hash(content), record_id=record_id, method=method, code=code, time=TIME + height)
    return chain.block([more[0], record, more[1]], height=height)


def packaged(block: Built, content: bytes, name: str, *, whole: bool = False) -> bytes:
    value = chainmaker_package(block, place=1, whole=whole)
    value["evidence"][0].update(name=name, digest=network().hash(content).hex())
    return json.dumps(value).encode()


@pytest.mark.parametrize("whole", [False, True])
def test_an_update_in_another_package(whole: bool, store: TrustStore) -> None:
    first, second = recorded("Evidence", PAGE, 9), recorded("UpdateEvidence", OTHER, 12)
    given = {
        "page.html": PAGE,
        "other.html": OTHER,
        "1.json": packaged(first, PAGE, "page.html"),
        "2.json": packaged(second, OTHER, "other.html", whole=whole),
    }
    verdict = examine(given, store)
    assert verdict.overall is Overall.CONSISTENT
    notes = {n for f in verdict.findings if f.check == "INCL.EXECUTION" for n in f.notes}
    assert f"SUPERSEDED_BY_UPDATE:{second.txs[1].tx_id}" in notes
    assert "LATER_UPDATE_POSSIBLE" in notes  # of the update itself
    # one file only: the update is of a file that is not here, and keeps the exhibit open
    del given["other.html"]
    verdict = examine(given, store)
    assert (verdict.overall, verdict.reasons) == (Overall.INDETERMINATE, (Reason.SIGNED_DATA_NOT_FOUND,))


def test_updates_that_take_nothing(store: TrustStore) -> None:
    """Of another record, of an earlier height, without effect, and one that only says that it is."""
    first = recorded("Evidence", PAGE, 9)

    def notes(second: bytes) -> set[str]:
        given = {"page.html": PAGE, "other.html": OTHER, "1.json": packaged(first, PAGE, "page.html"), "2.json": second}
        found = examine(given, store)
        return {n for f in found.findings if f.check == "INCL.EXECUTION" for n in f.notes}

    for other in (
        recorded("UpdateEvidence", OTHER, 12, record_id="EV-8"),
        recorded("UpdateEvidence", OTHER, 8),
        recorded("UpdateEvidence", OTHER, 12, code=4),
        recorded("Evidence", OTHER, 12),
    ):
        assert not any(n.startswith("SUPERSEDED") for n in notes(packaged(other, OTHER, "other.html")))
    loose = json.loads(packaged(recorded("UpdateEvidence", OTHER, 12), OTHER, "other.html"))
    loose["inclusion"]["merkle_path"].reverse()
    assert not any(n.startswith("SUPERSEDED") for n in notes(json.dumps(loose).encode()))


def test_an_update_of_one_record_of_a_batch(store: TrustStore) -> None:
    chain = network()
    batch = chain.block([chain.batch([chain.hash(b"x"), chain.hash(PAGE)])])
    for record_id, superseded in (("EV-0001", True), ("EV-0000", False)):
        update = recorded("UpdateEvidence", OTHER, 12, record_id=record_id)
        verdict = examine({"page": PAGE, "other": OTHER, "b9": batch.block_json, "b12": update.block_json}, store)
        notes = [n for f in verdict.findings if f.check == "INCL.EXECUTION" for n in f.notes]
        assert any(n.startswith("SUPERSEDED") for n in notes) is superseded


# ── chains of one name ────────────────────────────────────────────────────────────────────────────────────────────────


def test_packages_of_two_chains_of_one_name() -> None:
    """Both are called alike and pinned with their first blocks; each package stands on its own."""
    mine, other = network(), network(seed="namesake")
    blocks = {
        name: chain.block([chain.record(chain.hash(content), record_id="EV")], height=9)
        for name, chain, content in (("page.html", mine, PAGE), ("other.html", other, OTHER))
    }
    genesis = {"page.html": "11" * 32, "other.html": "22" * 32}
    values = {}
    for name, content in (("page.html", PAGE), ("other.html", OTHER)):
        value = chainmaker_package(blocks[name], place=0)
        value["chain"]["genesis_hash"] = genesis[name]
        value["evidence"][0].update(name=name, digest=mine.hash(content).hex())
        values[name] = value
    court = trust(
        blocks["page.html"],
        genesis_hash=genesis["page.html"],
        others={"b": {"profile": {**other.profile(), "id": "b", "genesis_hash": genesis["other.html"]}, "validators": other.validators()}},
    )
    given = {"page.html": PAGE, "other.html": OTHER, "1.json": json.dumps(values["page.html"]).encode(), "2.json": json.dumps(values["other.html"]).encode()}
    verdict = examine(given, court)
    assert (verdict.overall, verdict.reasons) == (Overall.CONSISTENT, ())
    # with the first block of the other chain a package is of neither
    swapped = copy.deepcopy(values["page.html"])
    swapped["chain"]["genesis_hash"] = genesis["other.html"]
    verdict = examine({"page.html": PAGE, "1.json": json.dumps(swapped).encode()}, court)
    assert verdict.overall is not Overall.CONSISTENT
    # a transaction without its block could be of either
    alone = copy.deepcopy(values["page.html"])
    del alone["header"], alone["finality"], alone["inclusion"]
    verdict = examine({"page.html": PAGE, "1.json": json.dumps(alone).encode()}, court)
    assert finding(verdict, "INCL.LEDGER_KIND").expected == mine.profile()["id"]
    without = trust(blocks["page.html"], others={"b": {"profile": {**other.profile(), "id": "b"}, "validators": other.validators()}})
    verdict = examine({"page.html": PAGE, "1.json": json.dumps(alone).encode()}, without)
    assert answer(verdict, "INCL.LEDGER_KIND") == (OPEN, Reason.ANCHOR_UNTRUSTED)


@pytest.mark.parametrize(
    ("member", "said"),
    [("hash", "SM3"), ("hash", "SHA3-256"), ("hash", "KECCAK256"), ("signature", "SM2"), ("signature", "RSA"), ("signature", "ECDSA-SECP256K1"), ("chain_id", "chain2")],
)
def test_what_a_package_says_of_its_chain_is_held_against_the_bytes(member: str, said: str) -> None:
    """Whether the court knows the chain or not, and whichever other chains of that name it knows."""
    block = built()
    value = chainmaker_package(block)
    value["chain"][member] = said
    namesake = network(suite="SM", seed="namesake")
    decoy = {"profile": {**namesake.profile(), "id": "b"}, "validators": namesake.validators()}
    for court in (trust(block), trust(None), trust(block, others={"b": decoy})):
        verdict = examine({"page.html": PAGE, "p.json": json.dumps(value).encode()}, court)
        conflicts = [f for f in verdict.findings if f.reason is Reason.CERT_FIELDS_CONFLICT]
        assert conflicts and all(f.check == "INCL.LEDGER_KIND" for f in conflicts)
        assert verdict.overall is Overall.INCONSISTENT
