"""The court's record of what it asked its nodes: advisory whatever it says, and known by its name and content together."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import pytest

from evidence.verification import Verdict
from evidence.verification.verdict import Bearing, Finding

from . import fisco3_exhibits as block

CHAIN = block.built()
TX = str(CHAIN.transactions[0]["hash"])
NAME = "court-node/manifest.json"


def record(outcome: str = "ANSWERED", *, tx: str = TX, **more: Any) -> bytes:
    inquiry = {"node": "court-fisco", "tx_id": tx, "asked_at": "2026-11-22T09:00:00.000Z", "outcome": outcome, **more}
    return json.dumps({"format": "mingjian.court-node", "version": 1, "inquiries": [inquiry]}, ensure_ascii=False).encode()


def answers() -> dict[str, bytes]:
    return {f"court-node/court-fisco/{TX}/{name}": data for name, data in CHAIN.files().items()}


def examine(files: Mapping[str, bytes], *, pinned: bool = True) -> Verdict:
    return block.examine(files, block.trust(CHAIN if pinned else None))


def online(verdict: Verdict) -> list[Finding]:
    return [f for f in verdict.findings if f.check == "INCL.ONLINE" and "COURT_NODE" in f.notes]


def told(verdict: Verdict) -> list[tuple[str, str | None]]:
    return [(f.outcome.value, f.reason.value if f.reason else None) for f in online(verdict)]


def test_an_answer_that_holds_together_and_speaks_of_the_file() -> None:
    verdict = examine({"page.html": block.PAGE, **answers(), NAME: record()})
    assert (verdict.overall, verdict.grade) == ("CONSISTENT", "B")
    assert told(verdict) == [("PASSED", None)]
    assert online(verdict)[0].actual == "2026-11-22T09:00:00.000Z"
    assert {s.name: s.format for s in verdict.sources}[NAME] == "court-node"


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        ("NOT_FOUND", "PLATFORM_NOT_FOUND"),
        ("UNREACHABLE", "PLATFORM_UNREACHABLE"),
        ("UNUSABLE", "PROOF_UNUSABLE"),
        ("ANSWERED", "PROOF_UNUSABLE"),
    ],
)
def test_without_an_answer_it_stays_open_and_decides_nothing(outcome: str, expected: str) -> None:
    verdict = examine({"page.html": block.PAGE, NAME: record(outcome, tx="0x" + "77" * 32)})
    assert verdict.overall == "INDETERMINATE"
    assert told(verdict) == [("INDETERMINATE", expected)]
    # And beside a whole proof it changes nothing either.
    beside = examine({"page.html": block.PAGE, **CHAIN.files(), NAME: record(outcome, tx="0x" + "77" * 32)})
    assert beside.overall == "CONSISTENT"


def test_a_transaction_of_another_file() -> None:
    verdict = examine({"page.html": b"another file", **answers(), NAME: record()})
    assert verdict.overall == "INCONSISTENT"
    assert told(verdict) == [("FAILED", "HASH_FAILURE")]
    assert online(verdict)[0].bearing is Bearing.ADVISORY


def test_it_gives_no_grade_and_no_walk() -> None:
    """To see it fail: let the record stand for a pin."""
    verdict = examine({"page.html": block.PAGE, **answers(), NAME: record()}, pinned=False)
    assert verdict.overall == "INDETERMINATE" and verdict.grade == "E"
    assert not any(w.source == NAME for w in verdict.walks)
    without = examine({"page.html": block.PAGE, **answers()}, pinned=False)
    assert verdict.walks == without.walks


@pytest.mark.parametrize("name", ["manifest.json", "Court-node/manifest.json", "court-node／manifest.json", "./court-node/manifest.json", "court-node/manifest.json ", "x/court-node/manifest.json"])
def test_the_same_bytes_under_another_name_are_a_file_like_any_other(name: str) -> None:
    verdict = examine({"page.html": block.PAGE, **CHAIN.files(), name: record()})
    assert told(verdict) == []
    # It is content that nothing proves.
    assert verdict.overall == "INDETERMINATE"


def test_other_bytes_under_the_name_are_a_file_like_any_other() -> None:
    verdict = examine({NAME: block.PAGE, **CHAIN.files()})
    assert told(verdict) == [] and verdict.overall == "CONSISTENT"


BAD: dict[str, bytes] = {
    "not JSON": b'{"format":"mingjian.court-node",',
    "a version to come": record().replace(b'"version": 1', b'"version": 2'),
    "no list": b'{"format":"mingjian.court-node","version":1,"inquiries":{}}',
    "too many": b'{"format":"mingjian.court-node","version":1,"inquiries":[' + b"{}," * 100 + b"{}]}",
    "no object": b'{"format":"mingjian.court-node","version":1,"inquiries":[7]}',
    "an outcome of its own": record("PROVEN"),
    "no time": record(asked_at="yesterday"),
    "a line break": record(node="a\nb"),
    "turned text": record(tx="\u202e0x"),
    "a long name": record(node="x" * 300),
    "a number": record(node=7),
    "a member of its own": record(statement="The defendant owes five million."),
    "a title of its own": record(title={"zh": "甲", "x": "The defendant owes five million."}),
    "a title that is a story": record(title={"zh": "甲" * 300}),
    "an answer of its own": record(answers=[{"name": "x", "sha256": "00", "x": "The defendant owes five million."}]),
    "another member above": record()[:-1] + b',"statement":"The defendant owes five million."}',
    "a member twice": record()[:-1] + b',"version":1}',
}


@pytest.mark.parametrize("name", BAD)
def test_a_malformed_record_is_said_and_stays_open(name: str) -> None:
    """It needs no walk of its own, so that what nobody read in it must show. To see it fail: let its bearing be ADVISORY."""
    verdict = examine({"page.html": block.PAGE, **CHAIN.files(), NAME: BAD[name]})
    read = [f for f in verdict.findings if f.check == "NODE.READ"]
    assert [(f.outcome.value, f.bearing) for f in read] == [("INDETERMINATE", Bearing.DECISIVE)]
    assert told(verdict) == [] and verdict.overall == "INDETERMINATE"


def test_a_certificates_transaction_that_nothing_proves_is_named() -> None:
    """By this the worker knows what to ask for (`agreement._unproven`)."""
    stated = {"交易哈希": TX, "文件哈希": hashlib.sha256(block.PAGE).hexdigest(), "哈希算法": "SHA-256", "存证编号": "1"}
    verdict = examine({"page.html": block.PAGE, "certificate.json": json.dumps(stated).encode()})
    assert [f.expected for f in verdict.findings if f.check == "CERT.FIELDS" and f.outcome == "INDETERMINATE"] == [f"tx {TX}"]
    for tx in ("0x" + "z" * 67, "tx with spaces", "a\u202eb", "../x"):
        hostile = examine({"page.html": block.PAGE, "certificate.json": json.dumps({**stated, "交易哈希": tx}).encode()})
        assert not [f for f in hostile.findings if f.check == "CERT.FIELDS" and (f.expected or "").startswith("tx ")]
