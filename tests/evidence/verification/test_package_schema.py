"""The published schema of proof packages: it holds for the packages of every family, and it refuses what the reader refuses.

Where a package merely lacks a member that the schema demands, the reader may still open it and say which step stands open:
those cases are listed apart.
"""

import base64
import copy
import hashlib
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from evidence.verification import Source
from evidence.verification.chains import package_envelope, proof_package
from evidence.verification.codecs.inflate import Budget
from evidence.verification.reasons import Reason
from evidence.verification.verdict import Overall, Verdict
from portal.demonstration import fisco3
from tests.evidence.verification import (
    chainmaker_exhibits,
    fabric_exhibits,
    fisco2_exhibits,
    fisco3_exhibits,
    xuperchain_exhibits,
)
from tests.evidence.verification.chainmaker_exhibits import PAGE
from tests.evidence.verification.test_proof_package import chainmaker_package

SCHEMA = json.loads((Path(__file__).resolve().parents[3] / "docs/schema/chain-proof.schema.json").read_bytes())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

Json = dict[str, Any]
Change = Callable[[Json], Any]


@cache
def _fixtures() -> dict[str, str]:
    """Every kind of package that the builders of the tests make, as JSON."""
    page = [("page.html", "SHA-256", hashlib.sha256(PAGE).digest())]
    found: dict[str, Json] = {}
    for suite in ("P256", "SM"):
        for form in ("pb", "json", "both"):
            found[f"chainmaker {suite} {form}"] = chainmaker_package(chainmaker_exhibits.built(suite), form=form)
        for form in ("pb", "json"):
            found[f"chainmaker {suite} block {form}"] = chainmaker_package(
                chainmaker_exhibits.built(suite), form=form, whole=True
            )
    for suite in ("ECDSA", "SM"):
        found[f"fisco3 {suite}"] = fisco3.package(fisco3_exhibits.built(suite), page)
        found[f"fisco2 {suite}"] = fisco2_exhibits.package(fisco2_exhibits.built(suite), page)
    found["fabric"] = json.loads(fabric_exhibits.package(fabric_exhibits.built()))
    found["xuperchain"] = xuperchain_exhibits.built().package()
    return {name: json.dumps(value) for name, value in found.items()}


def fixture(name: str) -> Json:
    value: Json = json.loads(_fixtures()[name])
    return value


def valid(value: object) -> bool:
    return bool(VALIDATOR.is_valid(value))


def examined(value: object) -> Verdict:
    given = {"page.html": PAGE, "p.mjproof.json": json.dumps(value).encode()}
    return chainmaker_exhibits.examine(given, chainmaker_exhibits.trust(None))


def refused(value: object) -> bool:
    """Whether the reader says that the package is not of the documented form."""
    return any(
        f.reason is Reason.FORMAT_FAILURE and f.check == "INCL.LEDGER_KIND" for f in examined(value).findings
    )


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", _fixtures())
def test_packages_of_every_family_hold_the_schema(name: str) -> None:
    assert list(VALIDATOR.iter_errors(fixture(name))) == []
    assert not refused(fixture(name))
    assert examined(fixture(name)).overall is Overall.INDETERMINATE  # nothing is pinned


def test_each_family_is_there() -> None:
    assert {fixture(n)["family"] for n in _fixtures()} == set(package_envelope.FAMILIES)
    assert set(proof_package._READERS) == set(package_envelope.FAMILIES)


# ── what both refuse ──────────────────────────────────────────────────────────────────────────────────────────────────

COMMON: dict[str, Change] = {
    "format": lambda p: p.update(version="one"),
    "version true": lambda p: p.update(version=True),
    "version null": lambda p: p.update(version=None),
    "no version": lambda p: p.pop("version"),
    "no family": lambda p: p.pop("family"),
    "other family": lambda p: p.update(family="mychain"),
    "no chain": lambda p: p.pop("chain"),
    "chain is a list": lambda p: p.update(chain=[]),
    "no chain id": lambda p: p["chain"].pop("chain_id"),
    "empty chain id": lambda p: p["chain"].update(chain_id=""),
    "long chain id": lambda p: p["chain"].update(chain_id="x" * 1025),
    "no genesis": lambda p: p["chain"].pop("genesis_hash"),
    "genesis with 0x": lambda p: p["chain"].update(genesis_hash="0x" + "00" * 32),
    "genesis upper case": lambda p: p["chain"].update(genesis_hash="AB" * 32),
    "genesis short": lambda p: p["chain"].update(genesis_hash="00" * 31),
    "genesis number": lambda p: p["chain"].update(genesis_hash=0),
    "no engine": lambda p: p["chain"].pop("engine"),
    "no hash": lambda p: p["chain"].pop("hash"),
    "hash unknown": lambda p: p["chain"].update(hash="SHA-256"),
    "signature unknown": lambda p: p["chain"].update(signature="ECDSA"),
    "chain brings trust": lambda p: p["chain"].update(root="mine"),
    "group is a list": lambda p: p["chain"].update(group_id=[1]),
    "group is true": lambda p: p["chain"].update(group_id=True),
    "no evidence": lambda p: p.pop("evidence"),
    "empty evidence": lambda p: p.update(evidence=[]),
    "evidence object": lambda p: p.update(evidence={"0": {}}),
    "evidence item text": lambda p: p.update(evidence=["page.html"]),
    "no name": lambda p: p["evidence"][0].pop("name"),
    "no digest": lambda p: p["evidence"][0].pop("digest"),
    "short digest": lambda p: p["evidence"][0].update(digest="00" * 31),
    "upper digest": lambda p: p["evidence"][0].update(digest="AB" * 32),
    "odd digest": lambda p: p["evidence"][0].update(digest="0" * 63),
    "digest of another length": lambda p: p["evidence"][0].update(digest_alg="SHA-512"),
    "weak algorithm": lambda p: p["evidence"][0].update(digest_alg="MD5", digest="00" * 16),
    "algorithm misspelt": lambda p: p["evidence"][0].update(digest_alg="sha256"),
    "negative size": lambda p: p["evidence"][0].update(size=-1),
    "size with a fraction": lambda p: p["evidence"][0].update(size=1.5),
    "size with a sign": lambda p: p["evidence"][0].update(size="+1"),
    "size with a zero before": lambda p: p["evidence"][0].update(size="01"),
    "size too large": lambda p: p["evidence"][0].update(size=1 << 64),
    "certificate number": lambda p: p["evidence"][0].update(certificate_no=7),
    "strange in evidence": lambda p: p["evidence"][0].update(verified=True),
    "location text": lambda p: p["evidence"][0].update(location="param"),
    "location where": lambda p: p["evidence"][0].update(location={"where": "memory", "encoding": "bytes"}),
    "location encoding": lambda p: p["evidence"][0].update(location={"where": "param", "encoding": "hex"}),
    "location without": lambda p: p["evidence"][0].update(location={"where": "param"}),
    "location strange": lambda p: p["evidence"][0].update(location={"where": "param", "encoding": "bytes", "proof": 1}),
    "pre-image": lambda p: p["evidence"][0].update(location={"where": "param", "encoding": "bytes", "pre_image": "!"}),
    "links object": lambda p: p.update(links={}),
    "links number": lambda p: p.update(links=[7]),
    "producer text": lambda p: p.update(producer="me"),
    "producer strange": lambda p: p.update(producer={"verdict": "ok"}),
    "producer number": lambda p: p.update(producer={"name": 7}),
    "own verdict": lambda p: p.update(verdict="CONSISTENT"),
    "own trust": lambda p: p.update(trust={"validators": []}),
    "a reference outside an archive": lambda p: p.update(links=[{"file": "raw/a", "sha256": 7}]),
}
NO_BASE64 = ("!", "AAA", "AAB=", "AA\n==", 7, [])
FAMILY: dict[str, dict[str, Change]] = {
    "chainmaker P256 pb": {
        **{f"pb {x!r}": (lambda p, x=x: p["transaction"].update(pb=x)) for x in NO_BASE64},
        **{f"voteset {x!r}": (lambda p, x=x: p["finality"].update(voteset=x)) for x in NO_BASE64},
        "transaction text": lambda p: p.update(transaction="AAAA"),
        "transaction list": lambda p: p.update(transaction=[]),
        "transaction strange": lambda p: p["transaction"].update(hash="00"),
        "no index": lambda p: p["transaction"].pop("tx_index"),
        "index": lambda p: p["transaction"].update(tx_index="one"),
        "index negative": lambda p: p["transaction"].update(tx_index=-1),
        "path text": lambda p: p["inclusion"].update(merkle_path="AAAA"),
        "path item short": lambda p: p["inclusion"].update(merkle_path=["AAAA"]),
        "path item number": lambda p: p["inclusion"].update(merkle_path=[7]),
        "hashes empty": lambda p: p["inclusion"].update(tx_hashes=[]),
        "hashes": lambda p: p["inclusion"].update(tx_hashes=["zz"]),
        "header strange": lambda p: p["header"].update(extra=1),
        "header json": lambda p: p["header"].update(json=[]),
        "sender certificate": lambda p: p["transaction"].update(sender_cert="!"),
        "certificates": lambda p: p["finality"].update(certs={"0": "AAAA"}),
        "certificate": lambda p: p["finality"].update(certs=["!"]),
        "read-write set": lambda p: p.update(rwset={}),
        "configuration blocks": lambda p: p.update(config_blocks="AAAA"),
        "configuration block": lambda p: p.update(config_blocks=[{}]),
        "a receipt": lambda p: p.update(receipt={}),
    },
    "fisco3 ECDSA": {
        "no group": lambda p: p["chain"].pop("group_id"),
        "transaction list": lambda p: p.update(transaction=[]),
        "header text": lambda p: p.update(header="0x"),
        "hashes empty": lambda p: p.update(tx_hashes=[]),
        "hashes": lambda p: p.update(tx_hashes=["zz"]),
        "receipt hashes": lambda p: p.update(receipt_hashes={"0": "00"}),
        "finality": lambda p: p.update(finality={}),
    },
    "fisco2 ECDSA": {
        "no group": lambda p: p["chain"].pop("group_id"),
        "transaction list": lambda p: p.update(transaction=[]),
        "hashes": lambda p: p.update(tx_hashes=["zz"]),
        "a raw transaction": lambda p: p.update(raw_tx="00"),
    },
    "fabric": {
        "no block": lambda p: p.pop("block"),
        "block": lambda p: p.update(block="!"),
        "no transaction id": lambda p: p.pop("tx_id"),
        "transaction id": lambda p: p.update(tx_id="0x" + "00" * 32),
        "configuration": lambda p: p.update(config_block=7),
        "peers": lambda p: p.update(peers={}),
        "peer": lambda p: p.update(peers=[{"mspid": "a"}]),
        "peer strange": lambda p: p.update(peers=[{"mspid": "a", "commit_hash": "00" * 32, "valid": True}]),
    },
    "xuperchain": {
        "no block": lambda p: p.pop("block"),
        "block": lambda p: p.update(block="!"),
        "no transaction": lambda p: p.pop("transaction"),
        "style alone": lambda p: p.update(json_style="cli"),
        "style": lambda p: p.update(json_style="go", transaction_json={}),
        "path": lambda p: p.update(merkle_path=["00"]),
        "path text": lambda p: p.update(merkle_path="00"),
        "path without index": lambda p: p.pop("tx_index"),
        "next block": lambda p: p.update(next_block=[]),
    },
}


@pytest.mark.parametrize("change", COMMON)
@pytest.mark.parametrize("name", ["chainmaker P256 pb", "fisco2 ECDSA", "fisco3 ECDSA", "fabric", "xuperchain"])
def test_what_is_malformed_in_any_family(name: str, change: str) -> None:
    value = fixture(name)
    COMMON[change](value)
    assert not valid(value)
    assert refused(value)


@pytest.mark.parametrize(("name", "change"), [(n, c) for n, changes in FAMILY.items() for c in changes])
def test_what_is_malformed_in_one_family(name: str, change: str) -> None:
    value = fixture(name)
    FAMILY[name][change](value)
    assert not valid(value)
    assert refused(value)


def test_what_both_leave_to_the_producer() -> None:
    for name in _fixtures():
        value = fixture(name)
        value.update(x_note={"any": ["thing"]}, version="1", producer={"name": "p", "at": "2026-01-01T00:00:00+08:00", "x_id": 1})
        value["chain"]["x_operator"] = "p"
        value["evidence"][0].update(x_case="1", size="12", certificate_no="No. 1")
        assert valid(value)
        assert not refused(value)


INCOMPLETE: dict[tuple[str, str], tuple[Change, str]] = {
    ("chainmaker P256 pb", "header"): (lambda p: p.pop("header"), "INCL.HEADER"),
    ("chainmaker P256 pb", "transaction"): (lambda p: p.pop("transaction"), "INCL.TRANSACTION"),
}


@pytest.mark.parametrize("case", INCOMPLETE)
def test_what_is_missing_is_open_and_never_refuted(case: tuple[str, str]) -> None:
    change, check = INCOMPLETE[case]
    value = fixture(case[0])
    change(value)
    assert not valid(value)
    verdict = examined(value)
    assert verdict.overall is Overall.INDETERMINATE
    assert any(f.check == check and f.reason is Reason.PROOF_NOT_SUPPLIED for f in verdict.findings)


# ── the fault names the member ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "change", "member"),
    [
        ("fabric", lambda p: p["chain"].update(genesis_hash="0x"), "chain.genesis_hash"),
        ("fabric", lambda p: p["evidence"].append({"name": "b"}), "evidence[1].digest_alg"),
        ("fabric", lambda p: p["evidence"][0].update(digest="zz"), "evidence[0].digest"),
        ("fabric", lambda p: p["evidence"][0].update(size="x"), "evidence[0].size"),
        ("chainmaker P256 pb", lambda p: p["inclusion"]["merkle_path"].append("AAAA"), "inclusion.merkle_path[3]"),
        ("chainmaker P256 pb", lambda p: p["inclusion"].update(tx_hashes=["00" * 32, "0"]), "inclusion.tx_hashes[1]"),
        ("chainmaker P256 pb", lambda p: p["transaction"].update(pb="!"), "transaction.pb"),
        ("chainmaker P256 pb", lambda p: p["transaction"].update(pb="CAE="), "transaction.pb: Transaction"),
        ("chainmaker P256 json", lambda p: p["header"]["json"].update(tx_count="x"), "header.json: BlockHeader.tx_count"),
        ("chainmaker P256 pb", lambda p: p.update(config_blocks=["AA=="]), "config_blocks[0]: Block"),
        ("chainmaker P256 pb", lambda p: p.update(links=["AAAA", 7]), "links"),
        ("chainmaker P256 pb", lambda p: p.update(rwset="!"), "rwset"),
        ("fisco3 ECDSA", lambda p: p.update(receipt_hashes=["00" * 32, 7]), "receipt_hashes[1]"),
    ],
)
def test_a_fault_names_its_member(name: str, change: Change, member: str) -> None:
    value = fixture(name)
    change(value)
    told = [f.actual or "" for f in examined(value).findings if f.check == "INCL.LEDGER_KIND"]
    assert any(t.startswith(member) for t in told), told


def test_broken_json_names_the_offset() -> None:
    source = Source.from_bytes("p", b'{"format":"mingjian.chain-proof","version":1,}')
    with pytest.raises(package_envelope.PackageError, match=r"at 4\d"):
        package_envelope.read(source, Budget())


def test_octets_and_bytes_of_the_schema_are_canonical() -> None:
    """The pattern takes exactly what decodes and encodes back to itself."""
    pattern = jsonschema.Draft202012Validator(SCHEMA["$defs"]["b64"]["anyOf"][0])
    for data in (b"", b"a", b"ab", b"abc", bytes(range(256))):
        assert pattern.is_valid(base64.b64encode(data).decode())
    for text in ("AB==", "AAB=", "A===", "AAAA=", "AA", " AAA", "AA==AA=="):
        assert not pattern.is_valid(text)


def test_nothing_raises_whatever_stands_in_a_member() -> None:
    """Every member of every fixture, down to three levels, with every kind of value in its place."""
    junk: tuple[Any, ...] = (None, True, -1, 1 << 70, 1.5, "", "\x00", "é", "0x", [], [[]], [None], {}, {"file": "raw/a", "sha256": "00" * 32}, {"": ""})
    for name in ("chainmaker P256 pb", "chainmaker P256 json", "chainmaker P256 block json", "fisco2 ECDSA", "fisco3 ECDSA", "fabric", "xuperchain"):
        whole = fixture(name)
        places = [(k,) for k in whole]
        places += [(k, j) for k in whole if isinstance(whole[k], dict) for j in whole[k]]
        places += [("evidence", 0), ("evidence", 0, "digest"), ("evidence", 0, "location")]
        for number, place in enumerate(places):
            for turn in range(4):
                value = copy.deepcopy(whole)
                holder: Any = value
                for step in place[:-1]:
                    holder = holder[step]
                holder[place[-1]] = junk[(number * 4 + turn * 5) % len(junk)]
                verdict = examined(value)
                assert not [f for f in verdict.findings if f.reason is Reason.INTERNAL_ERROR], (name, place)
                assert verdict.overall is not Overall.CONSISTENT
