"""Script text that asks whether it runs in a web archive: a note, for what such scripts look like, and not for what merely names one."""

import time
from pathlib import Path

import pytest

from evidence.captures import card
from evidence.captures.reading import archive_aware
from tests.evidence.captures.test_kinds import reading
from tests.evidence.verification.snapshot_exhibits import members, record

ASKING = [
    b"if (window._wb_wombat) { hide() }",
    b"var w = window.__WB_pmw ? 1 : 0",
    b"top._WB_wombat_location.href",
    b"if(location.hostname==='web.archive.org')document.body.innerHTML=''",
    b"if (/web\\.archive\\.org|perma\\.cc/.test(document.referrer)) x()",
    b"['archive.today','archive.ph'].some(h => location.host.includes(h))",
    b"if (window.location.href.indexOf('https://replayweb.page/') > -1) {}",
]
NOT_ASKING = [
    b"if (window.self !== window.top) top.location = self.location",
    b"var sources = ['https://web.archive.org/web/2019/https://example.com/']",
    b"track(location.href)",
    b"wombats = ['marsupial']; archive.push(1)",
    b"location.hostname === 'example.com'",
    b"",
]


@pytest.mark.parametrize("script", ASKING)
def test_a_script_that_asks(script: bytes) -> None:
    assert archive_aware.asks(script)
    assert archive_aware.in_page(b"<!doctype html><p>x<SCRIPT type='text/javascript'>" + script + b"</SCRIPT ><script>1</script>") == 1


@pytest.mark.parametrize("script", NOT_ASKING)
def test_a_script_that_does_not(script: bytes) -> None:
    assert not archive_aware.asks(script)


def test_only_scripts_count() -> None:
    """Neither the text of a page, nor its links, nor data that stands in a script element."""
    asking = ASKING[3]
    for page in (
        b"<p>" + asking,
        b"<a href=\"https://web.archive.org/\">location.hostname===</a>",
        b"<script type=application/json>" + asking + b"</script>",
        b'<script type="application/ld+json">' + asking + b"</script>",
        b"<scripts>" + asking + b"</scripts>",
    ):
        assert archive_aware.in_page(page) == 0, page
    assert archive_aware.in_page(b"<script>" + asking) == 1


@pytest.mark.parametrize(
    "unit", [b"<script>", b"<script ", b"perma.cc", b"location.", b"_wb_wombat"[:-1], b"_", b"<script>perma.cc location</script>", b"type=" * 3]
)
def test_hostile_pages_cost_no_more_than_long_ones(unit: bytes) -> None:
    page = b"<script>" + unit * (4_000_000 // len(unit))
    began = time.process_time()
    archive_aware.in_page(page)
    archive_aware.asks(page)
    assert time.process_time() - began < 6


def test_the_note_is_of_the_page_and_the_text_stands_beside(tmp_path: Path) -> None:
    page = b"<!doctype html><title>t</title><p>shown<script>" + ASKING[3] + b"</script>"
    html = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + page
    script = b"HTTP/1.1 200 OK\r\nContent-Type: application/javascript\r\n\r\n" + ASKING[0]
    found = reading(tmp_path, "x.warc.gz", members(record(html), record(script, number=2, uri="https://example.com/a.js")))
    (one,) = found.captures
    assert "ARCHIVE_AWARE:1" in one.notes and "ARCHIVE_AWARE_FILES:1" in found.notes
    assert "shown" in "".join(r.text for r in one.text)
    assert card.note("ARCHIVE_AWARE:1").endswith("1") and "可能有误" in card.note("ARCHIVE_AWARE_FILES:2")


def test_a_page_that_does_not_ask_has_no_note(tmp_path: Path) -> None:
    found = reading(tmp_path, "x.html", b"<!doctype html><p>shown<script>" + NOT_ASKING[0] + b"</script>")
    assert not any(n.startswith("ARCHIVE_AWARE") for n in (*found.notes, *found.captures[0].notes))


def test_codes_without_a_sentence_are_called_what_they_are() -> None:
    """A code that names no bound does not say that a bound was reached."""
    assert "上限" in card.note("ROWS_MAX") and "上限" not in card.note("SAFE_HINTS:2") and "SAFE_HINTS:2" in card.note("SAFE_HINTS:2")
