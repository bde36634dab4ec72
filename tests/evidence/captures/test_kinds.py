"""What a judge sees of each kind of file a party may bring: HAR, packages with recordings and logs, pictures and PDF with what they
say of themselves, the machine of a Scoop capture. No secret among it, and nothing of it claimed by us."""

import base64
import io
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from evidence.captures import card
from evidence.captures.capture import Facts, Kind, Reading, ReadingFault, ViewKind, lines, unpack
from evidence.captures.finding import find
from evidence.captures.kept import Shown
from evidence.captures.reading import exchanges, read, recordings
from evidence.captures.reading.http import MASKED
from tests.evidence.captures.test_working import png
from tests.evidence.verification.snapshot_exhibits import members, record
from tests.evidence.verification.test_har import archive, entry
from tests.evidence.verification.test_hashlist import CHECK_LOG, package
from tests.evidence.verification.test_zipstrict import Plan, built

SECRETS = ("sesame-4711", "hunter2", "Bearer abc")


def reading(tmp_path: Path, name: str, data: bytes) -> Reading:
    path = tmp_path / name
    path.write_bytes(data)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        found, _blobs = unpack(read([(name, descriptor)], "", ""))
    finally:
        os.close(descriptor)
    return found


def page(**changes: Any) -> dict[str, Any]:
    body = "<meta charset=gbk><title>侵权页</title><p>涉案作品第一段<img src=/p.png>"
    one = entry(text=body, size=len(body))
    one["response"] |= {"headers": [{"name": "Set-Cookie", "value": SECRETS[0]}, {"name": "server", "value": "nginx"}], "httpVersion": "h2"}
    one["request"] |= {"headers": [{"name": "User-Agent", "value": "Mozilla/5.0 x"}, {"name": "Authorization", "value": SECRETS[2]}]}
    return {**one, **changes}


# ── HAR ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_page_of_an_http_archive_with_its_facts(tmp_path: Path) -> None:
    first = {
        "startedDateTime": "2026-11-22T15:35:23+08:00",
        "request": {"method": "POST", "url": f"http://u:hunter2@example.com/in?token={SECRETS[0]}&x=1", "postData": {"text": SECRETS[0]}},
        "response": {"status": 302, "redirectURL": "https://example.com/page?sid=hunter2", "content": {}},
    }
    second = page()
    second["request"]["url"] = "https://example.com/page?sid=hunter2"
    picture = entry(text=base64.b64encode(png()).decode(), encoding="base64", mimeType="image/png")
    picture["request"]["url"] = "https://example.com/p.png"
    found = reading(tmp_path, "x.har", archive(first, second, picture, browser={"name": "Firefox", "version": "140"}))
    (one,) = found.captures
    facts = one.facts
    assert (facts.title, facts.status, facts.ip, facts.protocol, facts.user_agent) == ("侵权页", 200, "192.0.2.1", "h2", "Mozilla/5.0 x")
    assert facts.software == "WebInspector 537.36 · Firefox 140"
    assert facts.url == f"http://{MASKED}@example.com/in?token={MASKED}&x=1"
    assert facts.final_url == f"https://example.com/page?sid={MASKED}"
    assert facts.claimed_instant and facts.claimed_instant.hour == 7
    assert lines(one.text) == ["涉案作品第一段"], "text in JSON is no GBK, whatever the page says"
    assert [h for h in find(one, "涉案作品") if h.exact]
    assert [r.url for r in one.resources] == [facts.final_url, "https://example.com/p.png"]
    assert ViewKind.SAFE_HTML in {v.kind for v in one.views}
    assert "CREDENTIALS:3" in found.notes
    shown = found.to_bytes().decode() + "".join(line.value for line in card.lines(one, None))
    assert not [s for s in SECRETS if s in shown]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://a.example/?access_token=x&b=1", f"https://a.example/?access_token={MASKED}&b=1"),
        ("https://a.example/#id_token=x", f"https://a.example/#id_token={MASKED}"),
        ("https://a.example/;jsessionid=x", f"https://a.example/;jsessionid={MASKED}"),
        ("ftp://user:pw@a.example/", f"ftp://{MASKED}@a.example/"),
        ("https://a.example/@name?q=mail@b.example", "https://a.example/@name?q=mail@b.example"),
        ("https://a.example/?page=2", "https://a.example/?page=2"),
    ],
)
def test_what_opens_an_account_is_masked_in_addresses(url: str, shown: str) -> None:
    assert exchanges.legible_url(url) == shown


@pytest.mark.parametrize(
    ("data", "note"),
    [
        (archive(entry(), version="9"), "HAR_UNREADABLE"),
        (archive(entry())[:-9], "HAR_UNREADABLE"),
        (archive(entry(text=None)), "HAR_WITHOUT_PAGE"),
        (archive(), "HAR_WITHOUT_PAGE"),
        (archive(entry(text="Q*Q", encoding="base64")), "HAR_UNREADABLE"),
    ],
)
def test_archives_that_show_nothing_say_so(tmp_path: Path, data: bytes, note: str) -> None:
    found = reading(tmp_path, "x.har", data)
    assert note in found.notes and not found.captures
    assert not card.note(note).startswith(str(card.LIMIT_REACHED))


def test_a_hostile_archive_is_read_in_bounds(tmp_path: Path) -> None:
    loop = {"startedDateTime": "x", "request": {"url": "http://[bad"}, "response": {"status": 302, "redirectURL": "http://[bad", "content": {}}}
    odd = page(pageref=5, serverIPAddress=5, _securityDetails=5)
    odd["response"] |= {"httpVersion": {}, "headers": [1, {"name": 1}, {"name": "x" * 9000, "value": "y" * 9000}] * 200, "status": 10**9}
    odd["response"]["content"]["mimeType"] = ["text/html"]
    found = reading(tmp_path, "x.har", archive(loop, odd, *[page()] * 60, pages=[1, {"id": "p", "title": 5}], browser=7))
    assert len(found.captures) <= exchanges.PAGES_MAX and any(n.startswith("CAPTURES_LEFT_OUT") for n in found.notes)


# ── packages ──────────────────────────────────────────────────────────────────────────────────────────────────────────

MP4 = b"\x00\x00\x00\x18ftypisom" + bytes(500)
MTS = b"".join(b"\x00\x00\x00\x00\x47" + bytes(187) for _ in range(9))


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (MP4, "video/mp4"),
        (b"\x00\x00\x00\x14ftypqt  ", "video/quicktime"),
        (b"RIFF\x00\x00\x00\x00AVI LIST", "video/x-msvideo"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", "audio/wav"),
        (b"\x1a\x45\xdf\xa3", "video/x-matroska"),
        (MTS, "video/mp2t"),
        (b"".join(b"\x47" + bytes(187) for _ in range(6)), "video/mp2t"),
        (b"XXXX\x00\x00\x00\x00AVI ", None),
        (b"G" * 100, None),
        (b"%PDF-1.4", None),
        (b"", None),
    ],
)
def test_recordings_are_told_by_their_bytes(head: bytes, kind: str | None) -> None:
    assert recordings.kind_of(head[:1024]) == kind


def test_a_package_in_the_order_a_judge_looks_at_it(tmp_path: Path) -> None:
    data = package(**{"录屏.mp4": MP4, "摄像.MTS": MTS, "说明.docx": b"PK\3\4", "内层.zip": b"PK\3\4"})
    found = reading(tmp_path, "取证包.zip", data)
    assert [(c.kind, c.place.member) for c in found.captures] == [
        (Kind.PAGE, "网页源码.html"), (Kind.IMAGE, "网页截图.png"), (Kind.OTHER, "录屏.mp4"), (Kind.OTHER, "摄像.MTS"),
        (Kind.OTHER, "自清洁检查日志.txt"), (Kind.OTHER, "取证操作日志.json"), (Kind.OTHER, "文件哈希清单.txt"),
    ]  # fmt: skip
    film = next(c for c in found.captures if c.place.member == "录屏.mp4")
    assert film.notes == (recordings.NOT_SHOWN,) and film.place.payload_size == len(MP4) and not film.views
    assert str(card.kind(film)) == "录像"
    listed = {r.url for r in found.captures[0].resources}
    assert {"说明.docx", "内层.zip", "录屏.mp4", "文件哈希清单.txt"} <= listed, "everything in the package is named with its digest"


def test_logs_are_shown_line_by_line_at_their_bytes(tmp_path: Path) -> None:
    for encoding in ("utf-8", "utf-8-sig", "gb18030", "utf-16"):
        data = built(Plan("自清洁日志.txt".encode("gb18030"), CHECK_LOG.replace("\n", "\r\n").encode(encoding)))
        (log,) = reading(tmp_path, "x.zip", data).captures
        assert lines(log.text) == CHECK_LOG.splitlines() and str(card.kind(log)) == "文本"
        raw = CHECK_LOG.replace("\n", "\r\n").encode(encoding)
        for run in (r for r in log.text if r.length):
            plain = "utf-16-le" if encoding == "utf-16" else encoding.removesuffix("-sig")
            assert raw[run.at : run.at + run.length].decode(plain) == run.text
        (hit,) = find(log, "病毒木马扫描")
        assert hit.exact


def test_a_text_that_is_none_is_shown_as_far_as_it_goes(tmp_path: Path) -> None:
    (log,) = reading(tmp_path, "x.zip", built(Plan(b"a.log", b"\x80\x80\x00one\n\xfftwo"))).captures
    assert log.encoding is None and "one" in "".join(lines(log.text))


def test_a_recording_that_stands_alone_is_named_and_not_shown(tmp_path: Path) -> None:
    (one,) = reading(tmp_path, "录屏.mp4", MP4).captures
    assert one.place.payload_sha256 == one.place.file_sha256 and one.facts.content_type == "video/mp4"
    assert [line.label for line in card.lines(one, None)] == ["声称的抓取时间", "已证明的时间", "内容类型"], "no server of a film"


# ── what a file says of itself ────────────────────────────────────────────────────────────────────────────────────────


def test_words_in_a_picture_are_shown_as_its_own(tmp_path: Path) -> None:
    told, out = PngImagePlugin.PngInfo(), io.BytesIO()
    told.add_text("Software", "Capture\u202eTool <script>")
    Image.new("RGB", (30, 20)).save(out, "PNG", pnginfo=told)
    (one,) = reading(tmp_path, "x.png", out.getvalue()).captures
    assert dict(one.facts.more) == {"PIXELS": "30 × 20", "WRITTEN_BY": "Capture\u202eTool <script>"}
    exif = Image.Exif()
    exif[0x0110] = "Camera X"
    exif[0x0132] = "2019:01:01 00:00:00"
    out = io.BytesIO()
    Image.new("RGB", (3, 2)).save(out, "JPEG", exif=exif)
    (one,) = reading(tmp_path, "x.jpg", out.getvalue()).captures
    assert dict(one.facts.more) == {"PIXELS": "3 × 2", "CAMERA_MODEL": "Camera X", "CHANGED_AT": "2019:01:01 00:00:00"}
    assert one.facts.claimed_instant is None, "what a camera wrote is no time of a capture"


def test_words_in_a_pdf(tmp_path: Path) -> None:
    out = io.BytesIO()
    Image.new("RGB", (30, 20)).save(out, "PDF", title="标题", producer="x" * 9000)
    (one,) = reading(tmp_path, "x.pdf", out.getvalue()).captures
    said = dict(one.facts.more)
    assert said["PAGES"] == "1" and said["TITLE"] == "标题" and len(said["PDF_PRODUCER"]) <= 300


def test_the_machine_of_a_scoop_capture(tmp_path: Path) -> None:
    provenance = {
        "osType": "Linux", "osName": "Debian", "osVersion": "12", "captureIp": "192.0.2.9", "ytDlpHash": "sha256:aa", "cripHash": "sha256:bb",
        "certificates": [{"host": "example.com"}, {"host": "cdn.example"}], "blockedRequests": [], "noArchiveUrls": ["https://n.example/"],
        "options": {"screenshot": True, "blocklist": [1, 2], "apiToken": SECRETS[0], "nested": {"a": 1}},
    }  # fmt: skip
    manifest = {"created": "2026-11-22T07:00:00Z", "extras": {"provenanceInfo": provenance}, "resources": []}
    out = io.BytesIO()
    record = (
        b"WARC/1.1\r\nWARC-Type: resource\r\nWARC-Record-ID: <urn:uuid:1>\r\nWARC-Date: 2026-11-22T07:00:00Z\r\n"
        b"WARC-Target-URI: http://example.com/\r\nContent-Type: text/html\r\nContent-Length: 9\r\n\r\n<p>text\r\n\r\n\r\n"
    )
    with zipfile.ZipFile(out, "w") as zipped:
        zipped.writestr("datapackage.json", json.dumps(manifest))
        zipped.writestr("archive/data.warc", record)
    (one, *_) = reading(tmp_path, "x.wacz", out.getvalue()).captures
    said = dict(one.facts.more)
    assert said["SYSTEM"] == "Linux Debian 12" and said["CERTIFICATES"] == "2 · example.com · cdn.example"
    assert (said["BLOCKED"], said["NOT_ARCHIVED"], said["YT_DLP"]) == ("0", "1 · https://n.example/", "sha256:aa")
    assert said["OPTIONS"] == f"screenshot=True; blocklist=[2]; apiToken={MASKED}; nested=[1]"
    assert {"取证方的操作系统", "取证软件的设置"} <= {line.label for line in card.lines(one, None)}


def test_every_code_of_the_readers_has_a_label() -> None:
    root = Path(exchanges.__file__).parent
    source = "".join((root / f"{m}.py").read_text() for m in ("metadata", "package", "exchanges"))
    for code in ("PIXELS", "PAGES", "EXCHANGES", "SYSTEM", "CERTIFICATES", "BLOCKED", "NOT_ARCHIVED", "YT_DLP", "CRIP", "OPTIONS"):
        assert f'"{code}"' in source and code in card.MORE


@pytest.mark.parametrize("more", [[["lower", "x"]], [["A" * 41, "x"]], [["PIXELS"]], [["PIXELS", "x" * 2001]], [["PIXELS", "x"]] * 41, []])
def test_more_of_a_reading_keeps_to_its_form(tmp_path: Path, more: list[Any]) -> None:
    good = reading(tmp_path, "x.png", png())
    document = json.loads(good.to_bytes())
    document["captures"][0]["facts"]["more"] = more
    with pytest.raises(ReadingFault):
        Reading.from_bytes(json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode())


def test_a_reading_of_before_is_still_one(tmp_path: Path) -> None:
    document = json.loads(reading(tmp_path, "x.html", b"<!doctype html><p>x").to_bytes())
    assert "more" not in document["captures"][0]["facts"]
    document["reader"] = "mingjian-reader/1"
    old = Reading.from_bytes(json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode())
    assert old.captures[0].facts == Facts(content_type="text/html")


def test_what_stands_for_a_file_shows_something(tmp_path: Path) -> None:
    """A recorder may begin with the empty frame of a widget. To see it fail: take the first capture whatever it is."""
    html = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<!doctype html><body>%s"
    frame, shown = (record(html % text, number=n, uri=f"https://example.com/{n}") for n, text in ((1, b"<p> </p>"), (2, b"<p>x</p>")))
    found = reading(tmp_path, "x.warc.gz", members(frame, shown))
    assert [c.has_words for c in found.captures] == [False, True]

    class Of(Shown):
        captures = found.captures  # type: ignore[assignment]

    assert Of(None, None).main == found.captures[1]  # type: ignore[arg-type]
