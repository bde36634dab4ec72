"""The engine as an expert witness of the other side would attack it: at the seams between formats that nobody's format owns.

Every exhibit here begins as a good one. An attack adds, exchanges or alters one thing that no single format would notice; an
honest variation adds something that must not be held against anybody.
"""

import base64
import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from evidence.verification import Exhibit, Source, verify
from evidence.verification.reasons import Reason
from evidence.verification.verdict import Overall
from tests.evidence.verification import chainmaker_exhibits as cm
from tests.evidence.verification import fisco3_exhibits as fisco
from tests.evidence.verification.attacked import (
    AT,
    CONFESSION,
    RECORDED,
    certificate,
    examine,
    fisco_files,
    good,
    refusals,
    sha256,
    sm3,
    store,
)
from tests.evidence.verification.authority import issue
from tests.evidence.verification.chainmaker_exhibits import MINE, OTHER, PAGE, built, changed, files


def test_the_exhibit_that_is_attacked_is_good() -> None:
    assert examine(good()).overall is Overall.CONSISTENT
    assert examine({**good(), **fisco_files(0)}).overall is Overall.CONSISTENT


# ── a second file that poses as something that needs no walk of its own ───────────────────────────────────────────────

POSING: dict[str, Callable[[], bytes]] = {
    "text before a PEM certificate": lambda: CONFESSION + issue("x").pem,
    "text behind a PEM certificate": lambda: issue("x").pem + CONFESSION,
    "text between two": lambda: issue("x").pem + CONFESSION + issue("y").pem,
    "a comment": lambda: b"# " + CONFESSION + issue("x").pem,
    "bytes behind a DER certificate": lambda: issue("x").der + CONFESSION,
    "a PEM certificate that cannot be read": lambda: b"-----BEGIN CERTIFICATE-----\n" + base64.b64encode(CONFESSION) + b"\n-----END CERTIFICATE-----\n",
    "a PEM frame of another kind": lambda: issue("x").pem + b"-----BEGIN X-----\n" + base64.b64encode(CONFESSION) + b"\n-----END X-----\n",
    "members like ChainMaker's": lambda: certificate(statement=CONFESSION.decode(), tx_root="", dag_hash="", rw_set_root="", org_id=""),
    "a newer ChainMaker": lambda: changed(built().header_json, lambda h: h.__setitem__("confession", CONFESSION.decode())),
    "a path of ChainMaker's": lambda: json.dumps([base64.b64encode(hashlib.sha256(CONFESSION).digest()).decode()]).encode(),
    "an empty path": lambda: b"[]",
    "a read-write set": lambda: certificate(tx_id="f" * 64, tx_writes=[{"key": base64.b64encode(CONFESSION).decode(), "contract_name": "c"}], tx_reads=[], rw_set_hash=None, org_id=None),
    "members like FISCO's": lambda: certificate(statement=CONFESSION.decode(), txsRoot="", receiptsRoot=""),
    "a receipt of nothing": lambda: certificate(logEntries=[], transactionHash="0x" + "11" * 32, gasUsed="1", statement=CONFESSION.decode()),
    "a package": lambda: certificate(format="mingjian.chain-proof", statement=CONFESSION.decode()),
    "a package of a family that is not read": lambda: certificate(format="mingjian.chain-proof", version=1, family="fabric", x_statement=CONFESSION.decode()),
    "a refusal of a time-stamp": lambda: bytes.fromhex("3005300302010230"[:14]),
    "a time-stamp with a book behind it": lambda: (
        bytes.fromhex("3084ffffffff06092a864886f70d010702a084fffffff03084ffffffe00201033100308400ffffff060b2a864886f70d0109100104") + CONFESSION * 10_000
    ),
    "a certificate about nothing": lambda: certificate(certificateNo="1", statement=CONFESSION.decode(), txHash="ab" * 32),
    "a certificate about another file": lambda: certificate(txHash="ab" * 32, fileHash=sha256(CONFESSION), statement=CONFESSION.decode()),
    "a certificate that states nothing": lambda: certificate(certificateNo="", blockHeight=None, txHash=None, statement=CONFESSION.decode()),
}  # fmt: skip


@pytest.mark.parametrize("posing", POSING)
@pytest.mark.parametrize("generation", ["current", "legacy"])
def test_evidence_that_poses_as_support_is_not_passed_over(posing: str, generation: str) -> None:
    """Whoever reads CONSISTENT reads it of every file: one that was not understood to its last byte must show."""
    trusted = cm.trust(built(), path_generation=generation)
    verdict = examine(good(confession_txt=POSING[posing]()), trusted)
    assert verdict.overall is not Overall.CONSISTENT, {s.name: s.format for s in verdict.sources}


def test_support_that_is_what_it_says_changes_nothing() -> None:
    for support in (issue("x").pem, issue("x").der, issue("x").pem + b"\n" + issue("y").pem):
        assert examine(good(chain_pem=support)).overall is Overall.CONSISTENT


# ── proofs of one family beside proofs of another ─────────────────────────────────────────────────────────────────────


def test_a_doctored_file_with_a_record_of_its_own_beside_the_old_proof() -> None:
    """The page is altered, the altered page recorded again, and both proofs handed in: the old one is of no file here."""
    chain = cm.network()
    again = chain.block([chain.record(chain.hash(CONFESSION), record_id="2")], height=12)
    for old in (files(built()), fisco_files(0)):
        given = {**old, "page.html": CONFESSION, "new block.json": again.block_json}
        verdict = examine(given)
        assert verdict.overall is Overall.INDETERMINATE
        assert Reason.SIGNED_DATA_NOT_FOUND in verdict.reasons


@pytest.mark.parametrize("beside", ["fisco", "package", "token"])
def test_a_proof_of_a_file_that_is_not_here_refutes_no_file_that_is_proven(beside: str) -> None:
    """Honest: the page lies on one chain; a proof of another file, of whatever format, came along."""
    from portal.demonstration.fisco3 import package
    from tests.evidence.verification.authority import token
    from tests.evidence.verification.time_stamps import PLAN

    more = {
        "fisco": fisco_files(1),
        "package": {"p.json": json.dumps(package(fisco.built(), [("o.html", "SHA-256", hashlib.sha256(OTHER).digest())], index=1)).encode()},
        "token": {"t.tsr": token(PLAN)},
    }[beside]  # fmt: skip
    verdict = examine({**good(), **more})
    assert (verdict.overall, refusals(verdict)) == (Overall.INDETERMINATE, [])
    assert verdict.reasons[0] is Reason.SIGNED_DATA_NOT_FOUND
    # With nothing that proves the page, the one file is what the proof must have been meant for.
    alone = examine({"page.html": PAGE, **more})
    assert alone.overall is Overall.INCONSISTENT and alone.reasons[0] is Reason.HASH_FAILURE


def test_a_proof_of_one_missing_file_refutes_none_of_two_that_nothing_speaks_of() -> None:
    """Nobody says which of them was meant: neither is contradicted, and nothing is CONSISTENT either."""
    for proof in (fisco_files(1), {"block.json": built().block_json, "path.json": built().paths_json[0]}):
        verdict = examine({"a.html": b"a", "b.html": b"b", **proof})
        assert (verdict.overall, refusals(verdict)) == (Overall.INDETERMINATE, [])


# ── certificates beside proofs ────────────────────────────────────────────────────────────────────────────────────────

TX, HEIGHT = built().tx_ids[MINE], 9


@pytest.mark.parametrize(
    "honest",
    [
        {"txHash": TX, "fileHash": sha256(PAGE), "存证时间": RECORDED},
        {"txHash": TX.upper(), "blockHeight": HEIGHT},
        {"txHash": TX, "fileHash": sm3(PAGE), "hashAlgorithm": "SM3"},
        {"txHash": TX, "fileHash": sm3(PAGE)},
        {"txHash": TX, "fileHash": hashlib.sha512(PAGE).hexdigest()},
        {"fileHash": sha256(PAGE), "blockHeight": HEIGHT},
        {"txHash": TX, "fileHash": sha256(PAGE), "存证时间": "2026-01-01 00:00:05"},
    ],
    ids=[
        "as recorded",
        "transaction alone",
        "named SM3",
        "SM3 unnamed",
        "SHA-512",
        "height alone",
        "time without a zone",
    ],
)
def test_an_honest_certificate_contradicts_nothing(honest: dict[str, Any]) -> None:
    verdict = examine(good(c_json=certificate(**honest)))
    assert (verdict.overall, refusals(verdict)) == (Overall.CONSISTENT, [])


SWAPPED = {
    "another digest": ({"txHash": TX, "fileHash": sha256(b"original")}, Overall.INCONSISTENT),
    "another digest, SM3": ({"txHash": TX, "fileHash": sm3(b"original"), "hashAlgorithm": "SM3"}, Overall.INCONSISTENT),
    "another transaction": ({"txHash": "ab" * 32, "fileHash": sha256(PAGE)}, Overall.INCONSISTENT),
    "another height": ({"txHash": TX, "blockHeight": 10}, Overall.INCONSISTENT),
    "another block": ({"txHash": TX, "blockHash": "ab" * 32}, Overall.INCONSISTENT),
    "another height, no transaction": ({"fileHash": sha256(PAGE), "blockHeight": 10}, Overall.INCONSISTENT),
    "years before the block": ({"txHash": TX, "fileHash": sha256(PAGE), "存证时间": "2009-01-01T00:00:00Z"}, Overall.INDETERMINATE),
    "years before the block, no transaction": ({"fileHash": sha256(PAGE), "blockHeight": HEIGHT, "存证时间": "2009-01-01T00:00:00Z"}, Overall.INDETERMINATE),
    "SHA-1 and another transaction": ({"txHash": "ab" * 32, "fileHash": hashlib.sha1(PAGE).hexdigest()}, Overall.INDETERMINATE),
    "MD5 alone": ({"certificateNo": "1", "fileHash": hashlib.md5(PAGE).hexdigest()}, Overall.INDETERMINATE),
}  # fmt: skip


@pytest.mark.parametrize("swap", SWAPPED)
@pytest.mark.parametrize("company", [{}, {"other.html": OTHER}], ids=["alone", "beside another file"])
def test_a_certificate_of_something_else_never_passes(swap: str, company: dict[str, bytes]) -> None:
    members, expected = SWAPPED[swap]
    verdict = examine({**good(c_json=certificate(**members)), **company})
    assert verdict.overall is expected


def test_an_honest_certificate_does_not_cover_for_another() -> None:
    """Two certificates name one transaction, with different digests: the chain says which of them is wrong."""
    honest = certificate(txHash=TX, fileHash=sha256(PAGE))
    for swap in (
        "another digest",
        "another digest, SM3",
        "another height",
        "another block",
        "years before the block",
        "MD5 alone",
    ):
        members, expected = SWAPPED[swap]
        verdict = examine(good(a_json=honest, c_json=certificate(**members)))
        assert verdict.overall is expected, swap


def test_a_certificate_for_one_file_with_the_file_and_proof_of_another() -> None:
    old = certificate(txHash=built().tx_ids[3], fileHash=sha256(OTHER))
    assert examine(good(c_json=old)).overall is Overall.INCONSISTENT
    two = examine({**good(c_json=old), "attachment.txt": b"a"})
    assert two.overall is not Overall.CONSISTENT


def test_one_file_recorded_twice_with_a_certificate_for_each() -> None:
    """Honest: two certificates of two records, on one chain or on two, each with its proof. Neither contradicts the other."""
    chain = cm.network()
    block = chain.block([chain.record(chain.hash(PAGE), record_id=str(i)) for i in range(2)])
    each = {f"c{i}.json": certificate(txHash=tx, fileHash=sha256(PAGE)) for i, tx in enumerate(block.tx_ids)}
    verdict = examine({"page.html": PAGE, "block.json": block.block_json, **each})
    assert (verdict.overall, refusals(verdict)) == (Overall.CONSISTENT, [])
    assert [f.outcome.value for f in verdict.findings if f.check == "CERT.FIELDS"] == ["PASSED", "PASSED"]
    other_chain = certificate(txHash=fisco.built().tx_hash, fileHash=sha256(PAGE))
    verdict = examine(
        {**good(a_json=certificate(txHash=TX, fileHash=sha256(PAGE)), b_json=other_chain), **fisco_files(0)}
    )
    assert (verdict.overall, refusals(verdict)) == (Overall.CONSISTENT, [])


def test_a_certificate_of_one_file_of_a_batch() -> None:
    """Honest: a transaction records two files, the platform issues a certificate for each, and one is handed in."""
    chain = cm.network()
    block = chain.block(
        [chain.batch([chain.hash(PAGE), chain.hash(OTHER)]), chain.record("ab" * 32, record_id="1")]
    )
    both = {"a.html": PAGE, "b.html": OTHER, "block.json": block.block_json}
    for content in (PAGE, OTHER):
        for stated in ({"fileHash": sha256(content)}, {"fileHash": sm3(content), "hashAlgorithm": "SM3"}):
            verdict = examine({**both, "c.json": certificate(txHash=block.tx_ids[0], **stated)})
            assert (verdict.overall, refusals(verdict)) == (Overall.CONSISTENT, [])
    swapped = examine({**both, "c.json": certificate(txHash=block.tx_ids[0], fileHash=sha256(b"original"))})
    assert swapped.overall is Overall.INCONSISTENT


def test_a_certificate_under_another_algorithm_without_the_file() -> None:
    """Honest and incomplete: SM3 on the certificate, SHA-256 on the chain, and no file to tell that both are of one."""
    given = good(c_json=certificate(txHash=TX, fileHash=sm3(PAGE), hashAlgorithm="SM3"))
    del given["page.html"]
    verdict = examine(given)
    assert (verdict.overall, refusals(verdict)) == (Overall.INDETERMINATE, [])


# ── time ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_block_from_the_future_proves_no_time() -> None:
    at = datetime(2026, 1, 1, 0, 0, 9, tzinfo=UTC)  # the block is of 00:00:10
    for given, late in ((good(), at), (fisco.files(fisco.built()), datetime(2026, 9, 21, tzinfo=UTC))):
        verdict = examine(given, at=late)
        assert (verdict.overall, verdict.reasons) == (
            Overall.INDETERMINATE,
            (Reason.TIMESTAMP_ORDER_FAILURE,),
        )
    assert examine(good(), at=at + timedelta(seconds=1)).overall is Overall.CONSISTENT


def test_the_moment_that_is_printed_is_the_moment_that_was_used() -> None:
    from dataclasses import replace

    from tests.evidence.verification.authority import token
    from tests.evidence.verification.time_stamps import MESSAGE, PLAN, ROOT, trust

    at = datetime(2026, 6, 1, 12, 0, 0, 123_456, tzinfo=UTC)
    given = {"page.html": MESSAGE, "t.tsr": token(replace(PLAN, when=at.replace(microsecond=123_000)))}
    for moment in (at, at.replace(microsecond=123_000), at.replace(microsecond=122_999)):
        verdict = examine(given, trust(ROOT.der), moment)
        printed = json.loads(verdict.to_json())["at"]
        assert examine(given, trust(ROOT.der), datetime.fromisoformat(printed)).to_json() == verdict.to_json()
    beijing = at.astimezone(datetime.fromisoformat(RECORDED).tzinfo)
    assert examine(given, trust(ROOT.der), beijing).to_json() == examine(given, trust(ROOT.der), at).to_json()


def test_not_later_than_is_never_earlier_than_vouched_for() -> None:
    """genTime ± accuracy, and a part of a millisecond is not cut off."""
    from dataclasses import replace

    from tests.evidence.verification.authority import token
    from tests.evidence.verification.time_stamps import MESSAGE, PLAN, ROOT, trust

    for when, printed in (
        (0, "12:00:01.000Z"),
        (1, "12:00:01.001Z"),
        (999, "12:00:01.001Z"),
        (1000, "12:00:01.001Z"),
    ):
        plan = replace(PLAN, when=datetime(2026, 6, 1, 12, 0, 0, when, tzinfo=UTC))
        verdict = examine({"page.html": MESSAGE, "t.tsr": token(plan)}, trust(ROOT.der))
        assert json.loads(verdict.to_json())["time"]["not_after"] == f"2026-06-01T{printed}"


@pytest.mark.parametrize(
    "at",
    [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC), datetime(999, 1, 1, tzinfo=UTC)],
)
def test_the_ends_of_the_calendar(at: datetime) -> None:
    printed = json.loads(examine(good(), at=at).to_json())["at"]
    assert len(printed) == len("0000-00-00T00:00:00.000Z")
    far = at.replace(
        tzinfo=(
            datetime.fromisoformat(
                "2026-01-01T00:00:00+14:00" if at.year < 5000 else "2026-01-01T00:00:00-12:00"
            )
        ).tzinfo
    )
    if at.year in (1, 9999):
        with pytest.raises(ValueError, match="calendar"):
            examine(good(), at=far)


# ── names ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

NAMES = [
    "",
    "a\0b",
    "\n",
    "\u202egnp.exe",
    "\ud800",
    "\udcff\udc80",
    "x" * 5000,
    "../../etc/passwd",
    "<script>",
    "\ufeff",
    "é",
    "e\u0301",
    "page.html",
]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_any_name_can_be_printed_and_decides_nothing(name: str) -> None:
    given = good()
    sources = [(n, d) for n, d in given.items() if n != "page.html"] + [(name, PAGE)]
    exhibit = Exhibit.of(Source.from_bytes(n, d) for n, d in sources)
    verdict = verify(exhibit, store(), AT)
    assert verdict.overall is Overall.CONSISTENT
    assert json.loads(verdict.to_json().decode("utf-8"))["overall"] == "CONSISTENT"
    from evidence.verification.printout import render

    for language in ("zh", "en"):
        text = render(verdict, language)
        assert not {c for c in text if c != "\n" and not c.isprintable()}


def test_two_files_of_one_name_are_two_files() -> None:
    block = {n: d for n, d in good().items() if n != "page.html"}
    for second, expected in ((CONFESSION, Overall.INDETERMINATE), (PAGE, Overall.CONSISTENT)):
        found = set()
        for order in (1, -1):
            pair = [("page.html", PAGE), ("page.html", second)][::order]
            exhibit = Exhibit.of(Source.from_bytes(n, d) for n, d in (*block.items(), *pair))
            found.add(verify(exhibit, store(), AT).to_json())
            assert verify(exhibit, store(), AT).overall is expected
        assert len(found) == 1
