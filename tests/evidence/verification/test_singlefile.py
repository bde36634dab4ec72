"""Pages saved by SingleFile: the comment, and whether the page is complete."""

from datetime import UTC, datetime

import pytest

from evidence.verification import Verdict
from evidence.verification.reasons import Reason
from evidence.verification.snapshots import singlefile
from evidence.verification.verdict import Outcome, Overall
from tests.evidence.verification.snapshot_exhibits import answer, notes, verified

PASSED, OPEN = Outcome.PASSED, Outcome.INDETERMINATE
DATE = "Sun Nov 22 2026 15:35:24 GMT+0800 (中国标准时间)"
COMMENT = f"<!--\n Page saved with SingleFile \n url: https://example.com/ \n saved date: {DATE}\n-->"
BODY = "<link rel=canonical href=https://example.com/><img src=data:image/png;base64,AA=="


def page(comment: str = COMMENT, body: str = BODY + ">") -> bytes:
    return f"<!DOCTYPE html> <html lang=zh>{comment}<meta charset=utf-8>{body}".encode()


def saved(data: bytes) -> Verdict:
    return verified(("page.html", data))


def test_a_complete_page_states_facts_and_binds_nothing() -> None:
    verdict = saved(page())
    assert verdict.sources[0].format == "singlefile"
    assert answer(verdict, "SF.COMMENT") == answer(verdict, "SF.SELF_CONTAINED") == (PASSED, None)
    assert answer(verdict, "SF.BINDING") == (OPEN, Reason.NO_POE)
    assert notes(verdict, "SF.COMMENT") == ["SAVED_FROM:https://example.com/"]
    assert (verdict.overall, verdict.reasons) == (Overall.INDETERMINATE, (Reason.NO_POE,))
    (time,) = verdict.stated
    assert (time.text, time.instant) == (DATE, datetime(2026, 11, 22, 7, 35, 24, tzinfo=UTC))


def test_what_the_page_needs_from_elsewhere_is_named() -> None:
    verdict = saved(page(body='<img src="https://cdn.example/a.png"><style>a{b:url(c.png)}</style>'))
    assert answer(verdict, "SF.SELF_CONTAINED") == (OPEN, Reason.RESOURCE_MISSING)
    assert notes(verdict, "SF.SELF_CONTAINED") == ["NEEDED:https://cdn.example/a.png", "NEEDED:c.png"]


def test_two_comments_contradict_each_other() -> None:
    verdict = saved(page(COMMENT + COMMENT.replace("example.com", "other.example")))
    assert answer(verdict, "SF.COMMENT") == (OPEN, Reason.FACTS_CONFLICT)
    assert len(notes(verdict, "SF.COMMENT")) == 2


@pytest.mark.parametrize(
    "comment", ["<!-- Page saved with SingleFile -->", "<p>Page saved with SingleFile url: x saved date: y</p>", "<!-- Page saved with SingleFile"]
)  # fmt: skip
def test_a_comment_that_cannot_be_read(comment: str) -> None:
    assert answer(saved(page(comment)), "SF.COMMENT") == (OPEN, Reason.UNSUPPORTED_FORMAT)


def test_a_date_that_is_none_gives_no_time() -> None:
    assert saved(page(COMMENT.replace(DATE, "the day before yesterday"))).stated == ()


@pytest.mark.parametrize(
    "data", [b"<!doctype html><p>plain</p>", b"Page saved with SingleFile", page("")[:40] + b" " * singlefile.HEAD + COMMENT.encode()]
)  # fmt: skip
def test_other_pages_are_not_claimed(data: bytes) -> None:
    assert saved(data).sources[0].format == "unknown"


def test_every_cut_is_answered() -> None:
    data = page()
    for n in range(1, len(data), 7):
        assert verified(("page.html", data[:n]), runs=1).overall is Overall.INDETERMINATE
