"""Attacks between the families: one exhibit with several kinds of proof, certificate and content, each of them in order by itself.

Every exhibit begins as a good one (`families`). An attack changes what one family leaves to another; an honest variation adds what
must not be held against anybody.
"""

import hashlib
import itertools
import json
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from evidence.verification import TrustStore
from evidence.verification.reasons import Reason
from evidence.verification.verdict import Overall
from portal.demonstration import fisco3 as demonstration
from portal.demonstration.fisco3 import package as fisco3_package
from tests.evidence.verification import fisco3_exhibits as fisco3
from tests.evidence.verification.attacked import certificate, examine, refusals, sha256
from tests.evidence.verification.authority import issue, token
from tests.evidence.verification.chainmaker_exhibits import OTHER, PAGE
from tests.evidence.verification.families import fabric_chain, merged, proofs, store, whole_store
from tests.evidence.verification.time_stamps import PLAN
from tests.evidence.verification.time_stamps import ROOT as TSA_ROOT

FAMILIES = tuple(proofs())
ONE_OPERATOR = ("fabric", "fabric package")
"""All its orderers are run by one company: grade D, which only the court's policy accepts."""


def of(family: str) -> dict[str, bytes]:
    return {"page.html": PAGE, **proofs()[family]}


@pytest.mark.parametrize("family", FAMILIES)
def test_the_exhibits_that_are_attacked_are_good(family: str) -> None:
    verdict = examine(of(family), whole_store())
    grade = "D" if family in ONE_OPERATOR else "B"
    assert (verdict.overall is Overall.CONSISTENT, verdict.grade) == (grade == "B", grade)
    assert refusals(verdict) == []


# ── whose word decides that the platform's own chain is enough ────────────────────────────────────────────────────────


def platform(identity: str) -> dict[str, Any]:
    return {"id": identity, "title": {"zh": "甲", "en": "A"}, "operator": "o", "hosts": [], "registration": None, "checked_on": None}


def reply(tx: str) -> bytes:
    """What anybody can write: an answer of a platform that the policy lists, about the transaction of one that it does not."""
    return json.dumps({"retCode": 0, "retMsg": "ok", "data": {"txId": tx, "blockHeight": 1, "txTime": 1772328600000}}).encode()


def test_a_file_does_not_say_whose_chain_the_court_accepts() -> None:
    listed = store(policy={"accept_d": ["zxchain"]}, platforms=[platform("zxchain")])
    for more in ({}, {"reply.json": reply(fabric_chain().records[0].id)}):
        verdict = examine({**of("fabric"), **more}, listed)
        assert (verdict.overall, verdict.grade) == (Overall.INDETERMINATE, "D")
        assert Reason.PLATFORM_NOT_IN_POLICY in verdict.reasons


def test_the_operator_of_the_chain_is_the_platform_that_the_policy_names() -> None:
    for family in ONE_OPERATOR:
        assert examine(of(family), store(policy={"accept_d": ["platform"]})).overall is Overall.CONSISTENT


# ── the same things again, in another order, under other names ────────────────────────────────────────────────────────


@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_handed_in_twice_counts_once(family: str) -> None:
    good = of(family)
    before = examine(good, whole_store())
    again = [{**good, f"{prefix} {name}": data} for name, data in good.items() for prefix in ("0", "zz")]
    for more in (*again, {**good, **{f"again {n}": d for n, d in good.items()}}):
        after = examine(more, whole_store())
        assert (after.overall, after.grade, refusals(after)) == (before.overall, before.grade, [])


@pytest.mark.parametrize("family", FAMILIES)
def test_names_and_their_order_decide_nothing(family: str) -> None:
    good = of(family)
    before = examine(good, whole_store())
    chance = random.Random(family)
    for _ in range(6):
        after = examine({f"{chance.random()}.bin": d for d in good.values()}, whole_store())
        assert (after.overall, after.grade) == (before.overall, before.grade)


@pytest.mark.parametrize(("a", "b"), list(itertools.combinations(FAMILIES, 2)))
def test_two_proofs_of_one_file_are_no_worse_than_the_better(a: str, b: str) -> None:
    verdict = examine(merged([of(a), of(b)]), whole_store())
    best = "D" if {a, b} == set(ONE_OPERATOR) else "B"
    assert (verdict.grade, refusals(verdict)) == (best, [])
    assert (verdict.overall is Overall.CONSISTENT) is (best == "B")


# ── what a record speaks of, when it is none of the evidence itself ───────────────────────────────────────────────────


def recorded(data: bytes) -> tuple[dict[str, bytes], TrustStore]:
    """The proof of a file on a FISCO chain, and a court that knows this chain beside the others."""
    chain = demonstration.build([hashlib.sha256(data).digest(), hashlib.sha256(b"filler").digest()])
    known = {"profile": chain.profile, "validators": chain.validators}
    return {f"its {name}": answer for name, answer in chain.files(0).items()}, store(lambda c: c.__setitem__("b", known))


COMPANIONS: dict[str, Callable[[], bytes]] = {
    "a certificate": lambda: certificate(certificateNo="1", blockHeight=None, fileHash=sha256(PAGE)),
    "a signer's certificate": lambda: issue("x").pem,
    "a proof": lambda: proofs()["xuperchain"]["xuperchain next.pb"],
}


@pytest.mark.parametrize("companion", COMPANIONS)
def test_the_record_of_what_came_with_the_page_is_not_held_against_the_page(companion: str) -> None:
    """Platforms record their certificates too. To see it fail: look for the digests of content files only."""
    data = COMPANIONS[companion]()
    proof, trusted = recorded(data)
    verdict = examine({"page.html": PAGE, "companion": data, **proof}, trusted)
    assert (verdict.overall, refusals(verdict)) == (Overall.INDETERMINATE, [])
    # Nor does it stand for the page: another page with it is as unproven as this one.
    assert examine({"page.html": OTHER, "companion": data, **proof}, trusted).overall is not Overall.CONSISTENT
    # And without the companion it is of no file here: then the one page is what it must have been meant for.
    alone = examine({"page.html": PAGE, **proof}, trusted)
    assert (alone.overall, alone.reasons[0]) == (Overall.INCONSISTENT, Reason.HASH_FAILURE)


def test_a_record_of_a_companion_beside_a_proven_page() -> None:
    data = issue("x").pem
    proof, trusted = recorded(data)
    assert examine({**of("xuperchain"), "x.pem": data, **proof}, trusted).overall is Overall.CONSISTENT
    assert examine({**of("xuperchain"), **proof}, trusted).overall is Overall.INDETERMINATE


def stamped() -> tuple[dict[str, bytes], TrustStore]:
    trusted = replace(whole_store(), tsa_roots=(TSA_ROOT.der,))
    return {"page.html": PAGE, "page.tsr": token(replace(PLAN, message=PAGE))}, trusted


@pytest.mark.parametrize("shape", ["package", "answers"])
def test_a_stamped_page_is_not_what_the_proof_of_another_file_was_meant_for(shape: str) -> None:
    """The same answer whether the other file's proof comes as answers of a node or as a package."""
    good, trusted = stamped()
    assert (examine(good, trusted).overall, examine(good, trusted).grade) == (Overall.CONSISTENT, "A")
    chain = fisco3.built()
    of_other = json.dumps(fisco3_package(chain, [("o.html", "SHA-256", hashlib.sha256(OTHER).digest())], index=1)).encode()
    more = {"p.json": of_other} if shape == "package" else {f"o {n}": d for n, d in chain.files(1).items()}
    verdict = examine({**good, **more}, trusted)
    assert (verdict.overall, verdict.reasons, refusals(verdict)) == (Overall.INDETERMINATE, (Reason.SIGNED_DATA_NOT_FOUND,), [])


def test_one_of_two_files_of_one_name() -> None:
    """A package of a/index.html and b/index.html, of which the first is handed in: the digest of the second contradicts nothing."""
    listed = [(f"{folder}/index.html", "SHA-256", hashlib.sha256(data).digest()) for folder, data in (("a", PAGE), ("b", OTHER))]
    package = json.dumps(fisco3_package(fisco3.built(), listed)).encode()
    assert examine({"index.html": PAGE, "p.json": package}, whole_store()).overall is Overall.CONSISTENT
    for changed in (PAGE + b" ", b""):
        verdict = examine({"index.html": changed, "p.json": package}, whole_store())
        assert (verdict.overall, verdict.reasons[0]) == (Overall.INCONSISTENT, Reason.HASH_FAILURE)
    # Two files with their names exchanged are two contradictions.
    verdict = examine({"a.html": PAGE, "b.html": OTHER, "p.json": json.dumps(fisco3_package(
        fisco3.built(), [("a.html", "SHA-256", hashlib.sha256(OTHER).digest()), ("b.html", "SHA-256", hashlib.sha256(PAGE).digest())]
    )).encode()}, whole_store())  # fmt: skip
    assert verdict.overall is Overall.INCONSISTENT and len(refusals(verdict)) == 2


# ── what the recorded server chooses ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "names",
    [
        ["mingjian.chain-proof"], ["txsRoot", "receiptsRoot"], ["transactionsRoot", "receiptsRoot", "sealerList", "dbHash"],
        ["proofPath", "txIndex"], ["chainID", "input", "nonce"], ["tx_root", "dag_hash", "rw_set_root"], ["header", "data", "metadata"],
    ],
    ids=lambda names: names[0],
)  # fmt: skip
def test_a_recorded_server_does_not_choose_how_the_record_is_read(names: list[str]) -> None:
    """Names of headers and cookies stand in a HAR as they are: the other party's server must not make it a broken proof."""
    headers = [{"name": name, "value": "1"} for name in names]
    entry = {
        "startedDateTime": "2026-01-01T00:00:00Z",
        "request": {"method": "GET", "url": "https://example.com/", "headers": headers},
        "response": {"status": 200, "headers": headers, "cookies": [{n: "1"} for n in names], "content": {"size": 1, "text": "x"}},
    }
    log = {"version": "1.2", "creator": {"name": "x", "version": "1"}, "entries": [entry]}
    verdict = examine({"page.har": json.dumps({"log": log}).encode()}, whole_store())
    assert verdict.sources[0].format == "har"
    assert (verdict.overall, refusals(verdict)) == (Overall.INDETERMINATE, [])


# ── two chains of one name ────────────────────────────────────────────────────────────────────────────────────────────

FOLDERS = {"a": ("chainmaker", 9), "b": ("fisco3", 1204), "c": ("fisco2", 1204), "e": ("fabric", 1)}
"""Where the chains that name themselves stand in the pack, and at which height the block of the page is."""


@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize("place", ["0", "z"])
@pytest.mark.parametrize("pinned_otherwise", [False, True])
def test_a_chain_of_the_same_name_in_the_pack_changes_nothing(folder: str, place: str, pinned_otherwise: bool) -> None:
    """The other one has another beginning and, at the same height, another pinned block: neither is held against this block."""
    family, height = FOLDERS[folder]
    pin = {"height": height, "hash": "11" * 32, "recorded_at": "2026-06-01T08:00:00+08:00", "basis": "independent"}

    def twin(chains: dict[str, Any]) -> None:
        other = json.loads(json.dumps(chains[folder]))
        other["profile"].update(id="twin", genesis_hash="22" * 32)
        if pinned_otherwise:
            other["checkpoints"] = {"checkpoints": [pin]}
        chains[f"{place} twin"] = other

    before, after = examine(of(family), whole_store()), examine(of(family), store(twin))
    assert (after.overall, after.grade, refusals(after)) == (before.overall, before.grade, [])


def test_a_page_that_quotes_a_certificate_is_evidence() -> None:
    """Its writer does not choose that it counts as none: recorded, it is as proven as any other."""
    quoting = b"Dear reader,\r\n\r\n" + issue("x").pem
    saved = b"Content-Type: multipart/related; boundary=x\r\n\r\n--x\r\nContent-Type: text/html\r\n\r\n" + issue("x").pem + b"\r\n--x--\r\n"
    for name, data in (("page.txt", quoting), ("page.mht", saved)):
        proof, trusted = recorded(data)
        assert examine({name: data, **proof}, trusted).overall is Overall.CONSISTENT
        assert examine({name: data}, trusted).overall is Overall.INDETERMINATE
