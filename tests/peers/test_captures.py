"""The reader in its jail over every snapshot and hostile vector: always an answer in bounds, and of real captures what stands in them.

The vectors lie beside the repository, or where MINGJIAN_VECTORS says.
"""

import os
import time
from collections.abc import Iterator
from hashlib import file_digest
from pathlib import Path

import pytest

from evidence.captures import working
from evidence.captures.capture import DOCUMENT_MAX, Kind, Reading, ViewKind, lines
from evidence.captures.finding import find
from evidence.runs.jail import Jail

ROOT = Path(__file__).resolve().parents[2]
VECTORS = Path(os.environ.get("MINGJIAN_VECTORS") or ROOT.parent / "shared" / "vectors")
SNAPSHOTS = VECTORS / "snapshots"

if not SNAPSHOTS.is_dir():
    pytest.skip(f"NOT RUN: no vectors in {VECTORS}; set MINGJIAN_VECTORS", allow_module_level=True)

FILES = sorted(
    p
    for folder in (SNAPSHOTS, VECTORS / "hostile" / "hostile", VECTORS / "hostile" / "hash-collisions")
    for p in folder.rglob("*")
    if p.is_file() and not p.name.startswith(("_", "README", "LICENSE"))
)
SECONDS_MAX = 60
STOPPED: dict[str, str] = {}
"""Vectors on which the reader is stopped, with the beginning of the reason: none today."""


@pytest.fixture(scope="module", autouse=True)
def jail() -> Iterator[None]:
    with Jail(weak=True, entry=working.ENTRY) as one, Jail(weak=True, entry=working.ENTRY_WITHOUT_PICTURES) as other:
        patch = pytest.MonkeyPatch()
        patch.setattr(working, "_jail", lambda entry: one if entry == working.ENTRY else other)
        yield
        patch.undo()


def read(path: Path) -> tuple[Reading, dict[str, bytes]] | str:
    with path.open("rb") as stream:
        return working.look(path, sha256=file_digest(stream, "sha256").hexdigest())


@pytest.mark.parametrize("path", FILES, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_every_vector_has_an_answer_in_bounds(path: Path) -> None:
    began = time.monotonic()
    found = read(path)
    assert time.monotonic() - began < SECONDS_MAX
    if path.name in STOPPED:
        assert isinstance(found, str) and found.startswith(STOPPED[path.name])
        return
    assert not isinstance(found, str), found
    reading, _blobs = found
    assert len(reading.to_bytes()) <= DOCUMENT_MAX
    assert reading.captures or reading.notes, "nothing shown, and not a word why"


@pytest.mark.parametrize(
    ("name", "url", "sentence", "software"),
    [
        ("wacz-real/warcbench_before.wacz", "http://perma.test:8999/test.html", "Test body.", "Scoop"),
        ("wacz-real/warcbench_after.wacz", "http://perma.test:8999/test.html", "Test body", "Scoop"),
        ("wacz-real/valid_signed_example_1.wacz", "https://example.com/", "for use in illustrative examples", "py-wacz"),
        ("wacz-real/rwp_example.wacz", "https://webrecorder.net/", "Web archiving for all!", "ArchiveWeb.page"),
        ("warc-real/example.warc.gz", "http://example.com/", "More information...", "Webrecorder"),
    ],
)
def test_what_stands_in_a_real_capture_is_shown(name: str, url: str, sentence: str, software: str) -> None:
    found = read(SNAPSHOTS / name)
    assert not isinstance(found, str)
    page = found[0].captures[0]
    assert (page.kind, page.facts.url) == (Kind.PAGE, url) and software in (page.facts.software or "")
    assert page.place.matched is True and page.facts.claimed_instant is not None
    assert find(page, sentence), lines(page.text)[:5]


def test_an_archive_of_the_older_kind_is_shown() -> None:
    found = read(SNAPSHOTS / "warc-real" / "example.arc.gz")
    assert not isinstance(found, str)
    page = found[0].captures[0]
    assert (page.kind, page.facts.url, page.facts.ip) == (Kind.PAGE, "http://example.com/", "93.184.216.119")
    assert page.facts.claimed_time == "2014-02-16T05:02:21Z" and page.place.matched is None
    assert find(page, "illustrative examples"), lines(page.text)[:5]


@pytest.mark.parametrize(("name", "sentence"), [("testim_example.com.mhtml", "illustrative examples"), ("generated_chromium156_page.mhtml", "权利人作品")])
def test_pages_saved_by_a_browser_are_shown_at_their_bytes(name: str, sentence: str) -> None:
    found = read(SNAPSHOTS / "mhtml" / name)
    assert not isinstance(found, str)
    page = found[0].captures[0]
    assert page.kind is Kind.PAGE and page.facts.claimed_instant is not None
    (hit, *_) = find(page, sentence)
    assert hit.exact and page.place.record_offset


def test_screenshots_and_printed_pages_of_a_recorder_are_drawn() -> None:
    found = read(SNAPSHOTS / "wacz-real" / "warcbench_before.wacz")
    assert not isinstance(found, str)
    kinds = {v.kind for v in found[0].views}
    assert kinds == {ViewKind.SCREENSHOT, ViewKind.PAGE_IMAGE, ViewKind.SAFE_HTML}
