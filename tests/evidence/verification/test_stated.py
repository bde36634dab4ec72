"""Times that files state of themselves: in the verdict as data, never as proof."""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from evidence.verification import printout, stated
from evidence.verification.reasons import Reason
from evidence.verification.verdict import Bearing, Outcome, Overall
from tests.evidence.verification.authority import token
from tests.evidence.verification.snapshot_exhibits import finding, members, record, trust, verified
from tests.evidence.verification.time_stamps import PLAN, ROOT
from tests.evidence.verification.wacz_exhibits import CREATED, package

AT = datetime(2026, 11, 22, 7, 35, 24, tzinfo=UTC)


def warc(*dates: str) -> bytes:
    return members(
        *(
            record(number=n).replace(b"WARC-Date: 2026-11-22T07:35:24Z", b"WARC-Date: " + date.encode())
            for n, date in enumerate(dates)
        )
    )


def test_the_first_and_the_last_capture_of_an_archive() -> None:
    verdict = verified(
        ("a.warc.gz", warc("2026-11-22T07:35:25.5Z", "2026-11-22T07:35:24Z", "2026-11-22T07:35:25Z", "yesterday"))
    )
    assert [(t.source, t.what.value, t.text, t.by.value) for t in verdict.stated] == [
        ("a.warc.gz", "CAPTURED", "2026-11-22T07:35:24Z", "CAPTURE"),
        ("a.warc.gz", "CAPTURED", "2026-11-22T07:35:25.5Z", "CAPTURE"),
    ]
    assert verdict.stated[0].instant == AT
    assert verdict.time is None and verdict.overall is Overall.INDETERMINATE
    said = json.loads(verdict.to_json())["stated"]
    assert said[1]["instant"] == "2026-11-22T07:35:25.500Z"
    assert "2026-11-22T07:35:25.5Z" in printout.render(verdict, "en") and "未经证明" in printout.render(verdict, "zh")


@pytest.mark.parametrize("date", ["2026-11-22", "2026-11-22T07:35:24+08:00", "２０26-11-22T07:35:24Z", "x" * 5000, ""])
def test_dates_of_another_form_are_no_dates_of_an_archive(date: str) -> None:
    assert verified(("a.warc.gz", warc(date))).stated == ()


def test_no_more_than_a_judge_can_read() -> None:
    times = [stated.captured(f"{n}.html", "2026", None) for n in range(3000)]
    assert len(stated.kept([*times, *times])) == stated.STATED_MAX


def test_a_text_of_the_evidence_is_cut_and_made_safe() -> None:
    time = stated.captured("a", "2026\u202e" + "9" * 500, None)
    assert len(time.text) <= stated.TEXT_MAX and "\u202e" not in time.text


@pytest.mark.parametrize("text", ["", "soon", "\x00"])
def test_what_has_no_figure_is_no_time(text: str) -> None:
    assert stated.dated("a", text) is None


@pytest.mark.parametrize("text", ["2026-13-45T99:99:99Z", "2026-11-22 07:35:24", "9" * 400])
def test_what_cannot_be_placed_has_no_instant(text: str) -> None:
    time = stated.dated("a", text)
    assert time is not None and time.instant is None


def test_a_package_states_its_main_page_and_its_making() -> None:
    verdict = verified(("a.wacz", package(mainPageDate="2026-11-22T07:35:00+00:00")))
    assert [(t.what.value, t.text) for t in verdict.stated[:2]] == [
        ("CAPTURED", "2026-11-22T07:35:00+00:00"),
        ("PACKAGED", CREATED),
    ]
    assert all(t.source.startswith("a.wacz · archive/") for t in verdict.stated[2:])
    draft = verified(("a.wacz", package(wacz_version=None, profile="wacz", home={"ts": "2026-11-22T07:35:01Z"})))
    assert draft.stated[0].text == "2026-11-22T07:35:01Z"


CERTIFICATE = {
    "证书编号": "T-1",
    "取证时间": "2026-03-01 09:00:00 +08:00",
    "上链时间": "2026-03-01 10:00:00",
    "出证时间": "2026-03-02 09:00:00 +08:00",
}


def certificate(page: bytes) -> tuple[str, bytes]:
    document = {**CERTIFICATE, "文件SHA256": hashlib.sha256(page).hexdigest(), "交易哈希": "ab" * 32}
    return "证书.json", json.dumps(document, ensure_ascii=False).encode()


def test_times_on_a_certificate_are_the_platform_s() -> None:
    verdict = verified(("page.bin", b"page"), certificate(b"page"))
    said = {t.what.value: (t.text, t.instant, t.by.value) for t in verdict.stated}
    assert said == {
        "CAPTURED": ("2026-03-01 09:00:00 +08:00", datetime(2026, 3, 1, 1, tzinfo=UTC), "PLATFORM"),
        "RECORDED": ("2026-03-01 10:00:00", None, "PLATFORM"),
        "ISSUED": ("2026-03-02 09:00:00 +08:00", datetime(2026, 3, 2, 1, tzinfo=UTC), "PLATFORM"),
    }


def test_a_certificate_issued_before_anything_was_proven_is_asked_about() -> None:
    stamp = token(replace(PLAN, message=b"page", when=datetime(2026, 4, 1, tzinfo=UTC)))
    verdict = verified(("page.bin", b"page"), certificate(b"page"), ("page.tsr", stamp), store=trust(tsa=[ROOT.pem]))
    found = finding(verdict, "STATED.ORDER")
    assert (found.outcome, found.reason, found.subject) == (
        Outcome.INDETERMINATE,
        Reason.TIMESTAMP_ORDER_FAILURE,
        "证书.json",
    )
    assert found.bearing is Bearing.ADVISORY
