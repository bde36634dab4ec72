"""Saved pages of the shared vectors: MHTML of Chromium from 2016 to 2026, SingleFile, and what they were rendered to."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from evidence.verification.reasons import Reason
from evidence.verification.verdict import Outcome, Overall
from tests.evidence.verification.snapshot_exhibits import answer, notes, verified

ROOT = Path(__file__).resolve().parents[2]
VECTORS = Path(os.environ.get("MINGJIAN_VECTORS") or ROOT.parent / "shared" / "vectors")
SNAPSHOTS = VECTORS / "snapshots"

if not SNAPSHOTS.is_dir():
    pytest.skip(f"NOT RUN: no vectors in {VECTORS}; set MINGJIAN_VECTORS", allow_module_level=True)

PASSED, FAILED, OPEN = Outcome.PASSED, Outcome.FAILED, Outcome.INDETERMINATE
OK = (PASSED, None)
CUT, FORM = (FAILED, Reason.TRUNCATED), (FAILED, Reason.FORMAT_FAILURE)

MHTML: dict[str, tuple[tuple[Outcome, Reason | None], str | None, int, str | None]] = {
    # form, defect, parts, Date as an instant
    "generated_chromium156_page.mhtml": (OK, None, 3, "2026-11-22T07:35:57"),
    "testim_example.com.mhtml": (OK, None, 1, "2018-12-17T11:28:18"),
    "testim_hn.mhtml": (OK, None, 5, "2018-12-17T11:17:47"),
    "m2h_missing_boundary.mhtml": (FORM, "StartBoundaryNotFound", 0, "2016-09-05T22:30:04"),
    "m2h_missing_boundary_header.mhtml": (FORM, "NoBoundaryInMultipart", 0, "2016-09-05T22:30:04"),
    "m2h_missing_headers.mhtml": (CUT, "CloseBoundaryNotFound", 2, "2016-09-05T22:30:04"),
    "m2h_unexpected_eof.mhtml": (CUT, "CloseBoundaryNotFound", 1, "2016-09-05T22:30:04"),
    "m2h_portfolio.mhtml": (FORM, "MissingHeaderBodySeparator", 0, None),
}
"""The defects are those that the specification names for each file."""


def test_every_file_is_in_the_table() -> None:
    assert {p.name for p in (SNAPSHOTS / "mhtml").iterdir()} - {"LICENSE"} == set(MHTML)


@pytest.mark.parametrize("name", MHTML)
def test_mhtml(name: str) -> None:
    form, defect, parts, date = MHTML[name]
    verdict = verified(SNAPSHOTS / "mhtml" / name)
    assert verdict.sources[0].format == "mhtml"
    assert answer(verdict, "MHT.FORM") == form
    said = notes(verdict, "MHT.FORM")
    assert f"PARTS:{parts}" in said
    assert [n.partition(":")[2] for n in said if n.startswith("DEFECT:")] == ([defect] if defect else [])
    assert answer(verdict, "MHT.BINDING") == (OPEN, Reason.NO_POE)
    assert (verdict.overall, verdict.grade.value, verdict.reasons) == (Overall.INDETERMINATE, "E", (Reason.NO_POE,))
    due = [datetime.fromisoformat(date).replace(tzinfo=UTC)] if date else []
    assert [t.instant for t in verdict.stated] == due


def test_resources_of_pages_of_the_world() -> None:
    """Hacker News of 2018 names an icon that Chromium did not save."""
    folder = SNAPSHOTS / "mhtml"
    assert answer(verified(folder / "generated_chromium156_page.mhtml"), "MHT.RESOURCES") == OK
    verdict = verified(folder / "testim_hn.mhtml")
    assert answer(verdict, "MHT.RESOURCES") == (OPEN, Reason.RESOURCE_MISSING)
    assert notes(verdict, "MHT.RESOURCES") == ["NEEDED:https://news.ycombinator.com/favicon.ico"]


def test_single_file() -> None:
    verdict = verified(SNAPSHOTS / "singlefile" / "generated_single-file-cli-2.0.83.html")
    assert verdict.sources[0].format == "singlefile"
    assert answer(verdict, "SF.COMMENT") == answer(verdict, "SF.SELF_CONTAINED") == OK
    assert (verdict.overall, verdict.reasons) == (Overall.INDETERMINATE, (Reason.NO_POE,))
    assert [t.instant for t in verdict.stated] == [datetime(2026, 11, 22, 7, 35, 24, tzinfo=UTC)]


@pytest.mark.parametrize("name", ["generated_page.pdf", "generated_page_screenshot.png"])
def test_renderings_are_bound_by_nothing(name: str) -> None:
    verdict = verified(SNAPSHOTS / "rendered" / name)
    assert verdict.overall is Overall.INDETERMINATE and Reason.NO_POE in verdict.reasons


def test_one_page_in_four_forms_is_one_exhibit_of_four_files() -> None:
    folder = SNAPSHOTS
    verdict = verified(
        folder / "mhtml" / "generated_chromium156_page.mhtml",
        folder / "singlefile" / "generated_single-file-cli-2.0.83.html",
        folder / "rendered" / "generated_page.pdf",
        folder / "rendered" / "generated_page_screenshot.png",
    )
    assert verdict.overall is Overall.INDETERMINATE
    assert len(verdict.stated) == 2
