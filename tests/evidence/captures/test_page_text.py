"""Visible text and its bytes, from pages written out by hand; and pages made to cost time, hide text or lie about places."""

import time

import pytest

from evidence.captures.capture import Run, lines
from evidence.captures.reading import http, page_text


def read(payload: bytes, content_type: str = "", **bounds: int) -> page_text.PageText:
    return page_text.read(payload, content_type=content_type, **{"runs_max": 40_000, "text_max": 1 << 21, **bounds})


def shown(payload: bytes, content_type: str = "") -> list[str]:
    return lines(read(payload, content_type).runs)


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("<p>a<b>b</b>c<p>d", ["abc", "d"]),
        ("<p>a\n   b</p>", ["a b"]),
        ("x<br>y", ["x", "y"]),
        ("<title>t</title><p>&lt;b&gt; &amp; &#20316;&#x54C1; &nope; &copy", ["<b> & 作品 &nope; ©"]),
        ("<script>if (a<b) {'</p>'}</script>a<style>p{}</style>b<!-- <p>c -->d", ["abd"]),
        ("<textarea>in a <b>box</textarea>", ["in a <b>box"]),
        ("<p title='a>b' x=\"c>d\">e</p>", ["e"]),
        ("<p a=b'c>d</p><p>e", ["d", "e"]),
        ("<div hidden>no<div>no</div>no</div>yes", ["yes"]),
        ("<li style='DISPLAY : none'>no<li>yes", ["yes"]),
        ("<div hidden><script>'</div>'</script>no</div>yes", ["yes"]),
        ("<input hidden>yes", ["yes"]),
        ("1 < 2 <3 and a<1", ["1 < 2 <3 and a<1"]),
        ("<p>a</p><script>never closed <p>b", ["a"]),
        ("a<!-- never closed", ["a"]),
        ("a<b never closed", ["a"]),
        ("a</ >b<!x>c<?y>d", ["abcd"]),
        ("<noscript>without</noscript>a", ["a"]),
    ],
)
def test_what_a_reader_of_the_page_would_see(page: str, expected: list[str]) -> None:
    """To see it fail: change any rule of the tokenizer."""
    assert shown(page.encode()) == expected


@pytest.mark.parametrize(
    ("encoding", "content_type", "meta"),
    [
        ("utf-8", "", ""),
        ("utf-8", "text/html; charset=UTF-8", ""),
        ("gb18030", "text/html;charset=gb2312", ""),
        ("gbk", "", "<meta charset='gbk'>"),
        ("big5", "text/html; charset=big5", ""),
        ("gb18030", "", ""),
        ("shift_jis", "", "<meta http-equiv=Content-Type content='text/html; charset=Shift_JIS'>"),
        ("utf-8-sig", "text/html; charset=gbk", ""),
        ("utf-16", "", ""),
    ],
)
def test_places_are_bytes_of_the_payload(encoding: str, content_type: str, meta: str) -> None:
    """Every run is found at its place, byte for byte. To see it fail: count characters."""
    payload = f"{meta}<p>作品一<b>第二</b>&nbsp;中文 x</p>".encode(encoding)
    found = read(payload, content_type)
    assert "".join(r.text for r in found.runs if r.length) == "作品一第二\N{NO-BREAK SPACE}中文 x"
    for run in found.runs:
        raw = payload[run.at : run.at + run.length].decode(found.encoding or "")
        assert raw == run.text or raw == "&nbsp;" or not run.length


def test_bytes_that_are_no_text_move_no_place() -> None:
    payload = b"<p>\xff\xfe\x80ab\xc3</p><p>\xe4\xbd\x9c</p>"
    found = read(payload, "text/html; charset=utf-8")
    last = [r for r in found.runs if r.length][-1]
    assert (last.text, payload[last.at : last.at + last.length]) == ("作", "作".encode())
    assert all("\ud800" > c or c > "\udfff" for r in found.runs for c in r.text)


def test_what_cannot_be_placed_spans_the_whole() -> None:
    payload = "<p>作品</p>".encode("iso2022_jp")
    found = read(payload, "text/html; charset=iso-2022-jp")
    assert (found.encoding is None) == any(r.length == len(payload) for r in found.runs)


@pytest.mark.parametrize(
    "page",
    [
        "<a" * 400_000,
        "<!--" * 200_000,
        "<div>" * 300_000,
        "<p hidden>" * 100_000,
        "<script>" * 100_000,
        "</" * 400_000,
        "<a ='" * 200_000,
        '<a ="' * 200_000,
        "<a x=" * 200_000,
        "&" * 800_000,
        "&amp;" * 200_000,
        "<title>" * 100_000,
        "<!" * 400_000,
        "<p style='" + "display:" * 100_000 + "'>",
        "<p " + "none " * 200_000 + ">x",
        "\u202e" * 300_000,
        "<meta charset=" + "x" * 100_000,
    ],
    ids=range(17),
)
def test_a_page_made_to_cost_time_ends(page: str) -> None:
    """About a megabyte each; a quadratic rule takes minutes. The bound is wide because machines are shared."""
    began = time.process_time()
    found = read(page.encode())
    assert time.process_time() - began < 8
    assert len(found.runs) <= 40_000 and sum(len(r.text.encode()) for r in found.runs) <= 1 << 21


def test_the_bounds_are_said() -> None:
    assert read(b"<p>a" * 100, runs_max=50).stopped and not read(b"<p>a" * 10, runs_max=50).stopped
    assert read(b"a" * 100, text_max=50).stopped
    assert read(b"<p hidden>a").hidden == 1


def test_a_run_without_bytes_is_a_break() -> None:
    assert lines((Run("a", 0, 1), Run("\n", 1, 0), Run("  b \n c", 1, 7))) == ["a", "b c"]


# ── messages ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_secrets_are_masked_and_codings_removed() -> None:
    import gzip

    import brotli

    for coding, body in (("gzip", gzip.compress(b"page")), ("br", brotli.compress(b"page")), ("identity", b"page")):
        chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        block = b"HTTP/1.1 200 OK\r\nSet-Cookie: id=1\r\nX-Api-Key: k\r\nServer: s\r\nTransfer-Encoding: chunked\r\nContent-Encoding: %s\r\n\r\n%s"
        found = http.message(block % (coding.encode(), chunked))
        assert found is not None and (found.status, found.payload, found.plain) == (200, b"page", body)
        assert dict(found.headers)["Set-Cookie"] == dict(found.headers)["X-Api-Key"] == http.MASKED
        assert dict(found.headers)["Server"] == "s"


def test_a_coding_that_is_not_read_or_grows_is_said() -> None:
    import gzip

    import brotli

    assert http.decoded(b"x", "zstd") == (None, "CONTENT_CODING_UNREAD")
    assert http.decoded(b"plain", "gzip") == (b"plain", "CONTENT_CODING_ABSENT")
    assert http.decoded(gzip.compress(b"\0" * (40 << 20)), "gzip") == (None, "PAYLOAD_MAX")
    assert http.decoded(brotli.compress(b"\0" * (40 << 20), quality=1), "br") == (None, "PAYLOAD_MAX")
