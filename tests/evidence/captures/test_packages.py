"""Forensic packages as a judge reads them: out of verdicts of the engine over packages made here, and out of hostile documents."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.template.loader import render_to_string

from evidence.captures import packages
from evidence.captures.packages import Package
from evidence.verification import Verdict
from evidence.verification.snapshots.cleanliness import ITEMS
from tests.evidence.verification.authority import token
from tests.evidence.verification.test_forensic_package import CAPTURED, COURT, NINE, nine, stamped
from tests.evidence.verification.test_hashlist import CHECK_LOG, examine, files, package
from tests.evidence.verification.time_stamps import PLAN

RECEIVED = datetime(2026, 11, 22, 12, tzinfo=UTC)


def shown(verdict: Verdict) -> Package:
    (found,) = packages.of_document(json.loads(verdict.to_json()), received=RECEIVED)
    return found


def page(*found: Package) -> str:
    return render_to_string("evidence/captures/_packages.html", {"packages": found})


def test_every_item_has_a_name() -> None:
    assert set(packages.LABELS) == {item for item, _words in ITEMS}


def test_the_matrix_names_the_line_of_every_item_and_what_is_missing() -> None:
    lines = CHECK_LOG.splitlines()
    kept = [line for line in lines if "ping" not in line.lower() and "代理" not in line]
    verdict = examine(package({**files(), "自清洁检查日志.txt": "\n".join([*kept, "结果异常：发现病毒 2 个"]).encode()}))
    (check,) = shown(verdict).checks
    by_number = {i.number: i for i in check.items}
    assert list(by_number) == [f"K{n:02d}" for n in range(1, 11)] and check.found == 8
    assert by_number["K07"].line is None and by_number["K10"].line is None
    for number, words in (("K01", "时间同步"), ("K03", "病毒"), ("K09", "缓存")):
        line = by_number[number].line
        assert line is not None and words in kept[line - 1]
    assert check.log == "自清洁检查日志.txt" and [text for _n, text in check.abnormal] == ["结果异常：发现病毒 2 个"]
    said = page(shown(verdict))
    assert said.count("没有提到") == 2 and "发现病毒 2 个" in said and "ARP" in said


def test_a_package_without_the_log_says_so() -> None:
    kept = {n: d for n, d in files().items() if "清洁" not in n}
    (check,) = shown(examine(package(kept))).checks
    assert check.items == () and "没有找到清洁性检查日志" in page(shown(examine(package(kept))))


def test_the_steps_stand_in_their_order_with_claimed_and_proven_told_apart() -> None:
    found = shown(stamped(package(), CAPTURED + timedelta(minutes=1)))
    assert [s.label for s in found.steps] == ["清洁性检查和操作日志", "保存网页", "计算哈希、打包", "登记：上链或时间戳", "出证", "本院收到"]
    stands = [[p.stands.value for p in s.points] for s in found.steps]
    assert stands == [["claimed", "claimed"], ["claimed"], [], ["proven"], [], ["received"]]
    said = page(found)
    assert said.count("没有写明</span>") == 2 and "mj-lanes__mark--proven" in said and "已证明" in said


def test_a_claim_after_the_time_stamp_is_marked() -> None:
    found = shown(stamped(package(), CAPTURED - timedelta(hours=8)))
    assert all(p.late for s in found.steps[:2] for p in s.points)
    assert "两者不能同时成立" in page(found)


def test_the_nine_files_are_paired_and_the_missing_partner_is_named() -> None:
    found = shown(nine())
    assert [(s.state, s.file, s.token) for s in found.stamps] == [
        ("STAMPED", "网页截图.png", "网页截图.tsa"),
        ("STAMPED", "录屏.avi", "录屏.tsa"),
        ("STAMPED", "摄像.MTS", "摄像.tsa"),
    ]
    assert all(s.time is not None and s.court_time in page(found) for s in found.stamps)
    lost = shown(nine(**{"录屏.avi": None, "摄像.tsa": None}))
    assert {("NO_FILE", "", "录屏.tsa"), ("NO_TOKEN", "摄像.MTS", "")} <= {(s.state, s.file, s.token) for s in lost.stamps}
    said = page(lost)
    assert "缺少对应的文件" in said and "缺少时间戳" in said


def test_a_token_of_an_unknown_authority_is_paired_but_proves_nothing() -> None:
    """To see it fail: show every pair as proven."""
    found = shown(examine(package(NINE)))
    assert {s.state for s in found.stamps} == {"OPEN"} and len(found.stamps) == 3
    assert "这个文件不晚于" not in page(found) and "mj-lanes__mark--proven" not in page(found)


def test_a_token_that_cannot_be_read_is_named() -> None:
    assert "时间戳不能读取" in page(shown(nine(**{"录屏.tsa": b"0"})))


def test_a_name_that_holds_a_time_is_not_taken_apart() -> None:
    name = "a 2001-01-01T00:00:00.000Z b.png"
    verdict = examine(package({name: b"\x89PNG x", "b.tsa": token(replace(PLAN, message=b"\x89PNG x"))}), store=COURT)
    stamp = next(s for s in shown(verdict).stamps if s.state == "STAMPED")
    assert stamp.time is None and stamp.token == "" and name in stamp.file


def test_other_exhibits_have_no_such_part_and_old_verdicts_neither() -> None:
    assert packages.of_document({"sources": [{"name": "a.warc", "format": "warc", "sha256": "0"}], "findings": []}, received=None) == []
    assert packages.of_document({}, received=None) == []
    assert packages.of_document({"sources": None, "findings": None}, received=None) == []


def test_packages_are_bounded_and_their_findings_not_mixed() -> None:
    sources = [{"name": f"{n}.zip", "format": "forensic-package", "sha256": str(n)} for n in range(300)]

    def finding(subject: str, *notes: str) -> dict[str, Any]:
        return {"check": "CNP.CLEANLINESS", "subject": subject, "notes": list(notes), "reason": None, "outcome": "PASSED"}

    findings = [finding("1.zip · log.txt", "CLEAN_TIME:3"), finding("1.zip2 · log.txt", "CLEAN_TIME:4"), *(finding(f"{n}.zip", "CLEAN_PING:1") for n in range(300))]
    found = packages.of_document({"sources": sources, "findings": findings}, received=None)
    assert len(found) == packages.PACKAGES_SHOWN
    one = next(p for p in found if p.name == "1.zip")
    assert [c.items[0].line for c in one.checks] == [3, None]


@pytest.mark.parametrize("note", ["CLEAN_TIME:x", "CLEAN_TIME:" + "9" * 500, "CLEAN_TIME:٣", "CLEAN_NEW_ITEM:4", "CLEAN_", "ABNORMAL_LINE:", "ABNORMAL_LINE", ""])
def test_odd_notes(note: str) -> None:
    document = {
        "sources": [{"name": "a.zip", "format": "forensic-package", "sha256": "0"}],
        "findings": [{"check": "CNP.CLEANLINESS", "subject": "a.zip", "notes": [note], "reason": "NEW", "outcome": "INDETERMINATE"}],
    }
    (found,) = packages.of_document(document, received=None)
    assert all(i.line is None for c in found.checks for i in c.items)
    page(found)


def test_hostile_words_are_spelt_out() -> None:
    log = "\n".join([*CHECK_LOG.splitlines(), "异常 <script>alert(1)</script>\u202e"]).encode()
    said = page(shown(examine(package({**files(), "自清洁检查日志.txt": log}), ("\u202e.json", b"{}"))))
    assert "<script>" not in said and "\u202e" not in said
