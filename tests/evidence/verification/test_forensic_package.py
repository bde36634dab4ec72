"""Forensic packages and proven times: what a package states against when it is proven to have existed; tokens inside it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from evidence.verification import Verdict
from evidence.verification.reasons import Reason
from evidence.verification.snapshots import time_order
from evidence.verification.verdict import Bearing, Outcome, Overall

from .authority import token
from .snapshot_exhibits import answer, asked, finding, findings, members, notes, record, trust, verified
from .test_hashlist import OPEN, SHOT, examine, files, package
from .time_stamps import PLAN, ROOT

PASSED, FAILED = Outcome.PASSED, Outcome.FAILED
CAPTURED = datetime(2026, 11, 22, 7, 35, 25, tzinfo=UTC)
"""The latest time that the package states: its saved page."""
COURT = trust(tsa=[ROOT.pem])


def stamped(data: bytes, when: datetime, *, name: str = "取证包.zip", **options: Any) -> Verdict:
    return verified((name, data), ("取证包.tsr", token(replace(PLAN, message=data, when=when))), store=COURT, **options)


# ── stated against proven ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_package_stamped_after_its_capture_is_consistent() -> None:
    verdict = stamped(package(), CAPTURED + timedelta(minutes=1))
    assert answer(verdict, "STATED.ORDER") == (PASSED, None)
    assert verdict.overall is Overall.CONSISTENT
    assert {(t.what.value, t.instant) for t in verdict.stated} == {
        ("LOGGED", datetime(2026, 11, 22, 7, 35, 20, tzinfo=UTC)),
        ("LOGGED", datetime(2026, 11, 22, 7, 35, 24, tzinfo=UTC)),
        ("CAPTURED", CAPTURED),
    }


def test_a_package_that_tells_of_what_came_after_its_time_stamp() -> None:
    verdict = stamped(package(), CAPTURED - timedelta(hours=8))
    found = finding(verdict, "STATED.ORDER")
    assert (found.outcome, found.reason, found.bearing) == (FAILED, Reason.TIMESTAMP_ORDER_FAILURE, Bearing.REFUTING)
    assert any("网页源码.html" in n for n in found.notes)
    assert verdict.overall is Overall.INCONSISTENT


@pytest.mark.parametrize(("late", "outcome"), [(time_order.SKEW, PASSED), (time_order.SKEW + timedelta(seconds=2), FAILED)])
def test_a_clock_may_run_ahead_a_little(late: timedelta, outcome: Outcome) -> None:
    plan_accuracy = timedelta(seconds=1)
    verdict = stamped(package(), CAPTURED - late - plan_accuracy)
    assert finding(verdict, "STATED.ORDER").outcome is outcome


def test_of_a_web_archive_it_is_shown_and_does_not_decide() -> None:
    verdict = stamped(members(record()), CAPTURED - timedelta(days=1), name="page.warc.gz")
    found = finding(verdict, "STATED.ORDER")
    assert (found.outcome, found.bearing) == (FAILED, Bearing.ADVISORY)
    assert verdict.overall is Overall.CONSISTENT


def test_a_late_time_cannot_be_hidden_among_others() -> None:
    late = b'[{"t": "2026-11-22T15:35:20+08:00"}, {"t": "2026-11-22T23:35:20+08:00"}, {"t": "2026-11-22T15:35:24+08:00"}]'
    page = files()["网页源码.html"]
    many = {f"{n:03}.html": page for n in range(150)}
    verdict = stamped(package({**many, **files(), "取证操作日志.json": late}), CAPTURED + timedelta(hours=1))
    assert finding(verdict, "STATED.ORDER").outcome is FAILED
    assert len(verdict.stated) <= 100


def test_nothing_is_asked_without_a_proven_time() -> None:
    data = package()
    when = CAPTURED - timedelta(hours=8)
    strange = verified(("取证包.zip", data), ("取证包.tsr", token(replace(PLAN, message=data, when=when))))
    assert "STATED.ORDER" not in asked(strange) | asked(examine(data))
    assert strange.overall is Overall.INDETERMINATE


def test_two_files_of_one_name_are_not_taken_for_each_other() -> None:
    early, late = package(), package({**files(), "x.txt": b"x"})
    stamp = token(replace(PLAN, message=late, when=CAPTURED - timedelta(hours=8)))
    verdict = verified(("a.zip", early), ("a.zip", late), ("t.tsr", stamp), store=COURT)
    assert {(f.outcome, f.bearing) for f in findings(verdict, "STATED.ORDER")} == {(OPEN, Bearing.DECISIVE)}


@pytest.mark.parametrize("name", ["取证包.zip", "取证包.zip · 网页源码.html", "取证包.zip · 取证操作日志.json"])
def test_a_companion_of_a_chosen_name_hides_no_late_time(name: str) -> None:
    """A signer's certificate that is called like the package, or like a place in it. To see it fail: take the longest name."""
    data = package()
    stamp = token(replace(PLAN, message=data, when=CAPTURED - timedelta(hours=8)))
    verdict = verified(("取证包.zip", data), (name, ROOT.pem), ("取证包.tsr", stamp), store=COURT)
    assert verdict.overall is not Overall.CONSISTENT
    # The same bytes a second time under the same name are one file.
    twice = verified(("取证包.zip", data), ("取证包.zip", data), ("取证包.tsr", stamp), store=COURT)
    assert twice.overall is Overall.INCONSISTENT


def test_a_name_that_begins_like_another_is_not_taken_for_it() -> None:
    """A file called `a.zip · x` speaks for itself."""
    data = members(record())
    early = b"plain"
    stamp = token(replace(PLAN, message=early, when=CAPTURED - timedelta(hours=8)))
    verdict = verified(("a.bin", early), ("a.bin · x.warc.gz", data), ("t.tsr", stamp), store=COURT)
    found = finding(verdict, "STATED.ORDER")
    assert (found.outcome, found.bearing) == (OPEN, Bearing.ADVISORY)


# ── tokens inside a package ───────────────────────────────────────────────────────────────────────────────────────────

VIDEO, CAMERA = b"RIFF0000AVI screen", b"camera film"
NINE = {
    "网页截图.png": SHOT, "网页截图.tsa": token(replace(PLAN, message=SHOT)), "网页截图证书.pdf": b"%PDF-1",
    "录屏.avi": VIDEO, "录屏.tsa": token(replace(PLAN, message=VIDEO)), "录屏证书.pdf": b"%PDF-2",
    "摄像.MTS": CAMERA, "摄像.tsa": token(replace(PLAN, message=CAMERA)), "摄像证书.pdf": b"%PDF-3",
}  # fmt: skip


def nine(**changes: Any) -> Verdict:
    kept = {n: d for n, d in {**NINE, **changes}.items() if d is not None}
    return examine(package(kept), store=COURT)


def test_the_nine_files_of_a_time_stamping_service() -> None:
    verdict = nine()
    found = finding(verdict, "CNP.STAMPS")
    assert (found.outcome, found.expected, found.actual) == (PASSED, "3", "3")
    assert [n.split()[0] for n in found.notes] == [
        "MEMBER_STAMPED:网页截图.png", "MEMBER_STAMPED:录屏.avi", "MEMBER_STAMPED:摄像.MTS",
    ]  # fmt: skip
    assert verdict.overall is Overall.INDETERMINATE and verdict.walks == (), "a token of a member proves no package"
    assert verdict.reasons == (Reason.NO_POE,)


def test_the_missing_partner_is_named() -> None:
    lost = nine(**{"录屏.avi": None})
    assert answer(lost, "CNP.STAMPS") == (OPEN, Reason.SIGNED_DATA_NOT_FOUND)
    assert "TOKEN_WITHOUT_PARTNER:录屏.tsa" in notes(lost, "CNP.STAMPS")
    bare = nine(**{"摄像.tsa": None})
    assert answer(bare, "CNP.STAMPS") == (OPEN, Reason.PROOF_NOT_SUPPLIED)
    assert "UNSTAMPED:摄像.MTS" in notes(bare, "CNP.STAMPS")


def test_a_changed_recording_has_lost_its_time_stamp() -> None:
    verdict = nine(**{"录屏.avi": VIDEO + b"x"})
    said = notes(verdict, "CNP.STAMPS")
    assert {"TOKEN_WITHOUT_PARTNER:录屏.tsa", "UNSTAMPED:录屏.avi"} <= set(said)


def test_a_token_of_an_unknown_authority_stamps_nothing() -> None:
    verdict = examine(package(NINE))
    assert answer(verdict, "CNP.STAMPS") == (OPEN, Reason.NO_CERTIFICATE_CHAIN_FOUND)
    assert finding(verdict, "CNP.STAMPS").actual == "0"


@pytest.mark.parametrize("junk", [b"", b"0", b"\x30\x03\x02\x01\x00", b"x" * 300_000, NINE["录屏.tsa"][:-7]])
def test_a_token_that_cannot_be_read(junk: bytes) -> None:
    verdict = nine(**{"录屏.tsa": junk})
    assert finding(verdict, "CNP.STAMPS").outcome is not PASSED
    assert any(n.startswith("TOKEN_UNREADABLE:录屏.tsa") for n in notes(verdict, "CNP.STAMPS"))


def test_every_byte_of_a_token_changed() -> None:
    whole = NINE["录屏.tsa"]
    for at in range(0, len(whole), 41):
        changed = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
        verdict = nine(**{"录屏.tsa": changed})
        stamps = findings(verdict, "CNP.STAMPS")
        assert verdict.overall is not Overall.CONSISTENT
        if all(f.outcome is PASSED for f in stamps):  # bytes that nobody signs, in a certificate not needed or in a wrapper
            assert all(int(f.actual or 0) == 3 for f in stamps)


def test_too_many_tokens() -> None:
    many = {f"{n}.tsr": b"junk" for n in range(60)}
    assert answer(examine(package({"a.txt": b"a", **many}), store=COURT), "CNP.STAMPS") == (OPEN, Reason.RESOURCE_LIMIT)
