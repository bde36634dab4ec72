"""The safe view that the reader makes: nothing in it acts or asks, whatever the page; what the file holds is shown."""

import base64
import hashlib
import io
import re
import time
from html.parser import HTMLParser

import pytest
from PIL import Image

from evidence.captures.reading import safe_css, safe_html, safe_tree
from evidence.captures.reading.collected import Collected
from evidence.captures.reading.held import Held, key
from evidence.captures.reading.safe_rules import KEPT
from tests.evidence.captures import hostile_page

ATTACKER = "http://attacker.example"
WORDS = frozenset(("title", "data-address", "alt", "value", "placeholder", "data-u"))
"""Attributes that hold words: an address in them is text."""


class Written(HTMLParser):
    """An independent reading of what was written: elements, attributes that could act, style sheets."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.acting: list[tuple[str, str, str]] = []
        self.styles: list[str] = []
        self.comments = 0
        self._in_style = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self._in_style = tag == "style"
        self.acting += [(tag, name, value or "") for name, value in attrs if name not in WORDS]
        self.styles += [value or "" for name, value in attrs if name == "style"]

    def handle_endtag(self, tag: str) -> None:
        self._in_style = False

    def handle_data(self, data: str) -> None:
        if self._in_style:
            self.styles.append(data)

    def handle_comment(self, data: str) -> None:
        self.comments += 1


def view(text: str, held: Held | None = None, base: str | None = "http://site.example/dir/page.html") -> safe_html.View:
    return safe_html.Pages(held or Held()).view(text, base=base, at=None)


def inert(text: str) -> Written:
    """Raises where something written could act or ask."""
    found = Written(text)
    assert found.tags <= KEPT | {"html", "head", "meta", "title", "style"}, found.tags
    assert not found.comments
    for tag, name, value in found.acting:
        assert not name.startswith("on") and name not in ("href", "srcset", "action", "ping", "srcdoc", "is", "slot"), (tag, name)
        if name in ("src", "background"):
            assert re.fullmatch(r"data:(?:,|image/(?:png|jpeg);base64,[A-Za-z0-9+/=]+)", value), (tag, name, value)
        elif name != "style":
            assert ATTACKER not in value, (tag, name, value)
    for style in found.styles:
        assert re.sub(r'url\("data:(?:,|image/(?:png|jpeg);base64,[A-Za-z0-9+/=]+)"\)', "", style).count("url(") == 0, style
        assert not re.search(r"(?i)@import|image-set|font-face|expression|behavior|binding|</|<!", style), style
    return found


@pytest.mark.parametrize("kind", hostile_page.PIECES)
def test_no_way_out_is_written(kind: str) -> None:
    """To see it fail: put `object` into KEPT, or write style sheets as they came."""
    made = view(hostile_page.page(ATTACKER, kinds=(kind,)))
    assert made.html is not None and "可见的字" in made.html
    inert(made.html)


def test_all_ways_out_on_one_page() -> None:
    made = view(hostile_page.page(ATTACKER))
    assert made.html is not None
    inert(made.html)
    counted = dict(n.split(":") for n in made.notes)
    assert int(counted["SAFE_SCRIPTS"]) > 10 and int(counted["SAFE_FRAMES"]) > 5 and counted["SAFE_REFRESH"] == "1"


def test_what_is_written_is_written_the_same_again() -> None:
    """Read and written once more it is the same but for the sheet of our own: no second meaning hides in it."""
    once = view(hostile_page.page(ATTACKER)).html
    assert once is not None
    twice = view(once).html
    assert twice is not None
    inert(twice)
    assert Written(once).tags == Written(twice).tags


def test_same_page_same_bytes() -> None:
    text = hostile_page.page(ATTACKER)
    digests = {hashlib.sha256((view(text).html or "").encode()).hexdigest() for _ in range(3)}
    assert len(digests) == 1


def picture(form: str = "PNG", size: tuple[int, int] = (8, 6)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "red").save(out, form)
    return out.getvalue()


def test_pictures_and_sheets_come_from_the_file() -> None:
    held = Held()
    held.keep("http://site.example/dir/a.png", "image/png", picture())
    held.keep("http://site.example/b.gif", "image/gif", picture("GIF"))
    held.keep("http://site.example/dir/%E5%9B%BE.jpg", "image/jpeg", picture("JPEG"))
    held.keep("http://cdn.example/s.css", "text/css", b"@import 'more.css' print;p{background:url(../b.gif)}h1{background:url(bg.png)}")
    held.keep("http://cdn.example/more.css", "text/css", b"i{color:blue}")
    held.keep("http://cdn.example/bg.png", "image/png", picture(size=(3, 3)))
    held.lead("http://site.example/moved.png", "/dir/a.png")
    text = (
        "<!doctype html><link rel=stylesheet href=//cdn.example/s.css><body background=a.png><img src=a.png#x><img src='图.jpg'>"
        "<img src=/moved.png width=80><img src=gone.png alt=没有><img data-src=a.png><video poster=a.png></video>"
        "<img srcset='a-1x.png 1x, a.png 2x'><p style='background:url(/b.gif)'>x</p><input type=image src=a.png>"
    )
    made = view(text, held)
    assert made.html is not None
    found = inert(made.html)
    pictures = [v for _tag, name, v in found.acting if name == "src"]
    assert [v != "data:," for v in pictures] == [True, True, True, False, True, True, True, True]
    assert sum("jpeg" in v for v in pictures) == 1
    for v in pictures:
        if v != "data:,":
            assert Image.open(io.BytesIO(base64.b64decode(v.partition(",")[2]))).size == (8, 6)
    sheet = "".join(found.styles)
    assert "@media print{i{color:blue}}" in sheet and sheet.count('url("data:image/png') == 2
    assert {"SAFE_ABSENT:2", "SAFE_LATE:1", "SAFE_MEDIA:1"} <= set(made.notes)


def test_of_two_captures_the_nearest_to_the_page_is_shown() -> None:
    from datetime import UTC, datetime

    held = Held()
    for day, colour in ((1, "red"), (5, "blue"), (9, "green")):
        out = io.BytesIO()
        Image.new("RGB", (1, 1), colour).save(out, "PNG")
        held.keep("http://s.example/a.png", "image/png", out.getvalue(), at=datetime(2026, 1, day, tzinfo=UTC))
    made = safe_html.Pages(held).view("<img src=a.png>", base="http://s.example/", at=datetime(2026, 1, 6, tzinfo=UTC))
    shown = re.search(r'base64,([^"]+)"', made.html or "")
    assert shown and Image.open(io.BytesIO(base64.b64decode(shown[1]))).getpixel((0, 0)) == (0, 0, 255)


def test_an_error_page_is_no_picture_and_a_script_is_no_sheet() -> None:
    held = Held()
    held.keep("http://s.example/a.png", "image/png", picture(), status=404)
    held.keep("http://s.example/a.css", "application/javascript", b"alert(1)")
    held.keep("http://s.example/b", "text/html", b"<script>")
    assert held.find("http://s.example/a.png", near=None) is None and held.find("http://s.example/b", near=None) is None


def test_pictures_are_drawn_anew() -> None:
    """Not a byte of the party's file: what hides behind or inside a picture does not come along."""
    hidden = picture() + b"<script>alert(1)</script>"
    made = view(f'<img src="data:image/png;base64,{base64.b64encode(hidden).decode()}">').html or ""
    found = re.search(r'src="data:image/png;base64,([^"]+)"', made)
    assert found and b"script" not in base64.b64decode(found[1])
    svg = view("<img src=\"data:image/svg+xml,<svg onload=alert(1)>\"><img src=data:text/html,x>")
    assert "svg" not in (svg.html or "").replace("SVG", "") and "SAFE_VECTORS:1" in svg.notes and "SAFE_UNREAD:1" in svg.notes


def test_links_are_words() -> None:
    made = view('<a href="../x?a=1&b=2#c" onclick=x() target=_blank>去</a><a name=n>no link</a>').html or ""
    assert 'title="http://site.example/x?a=1&amp;b=2#c"' in made and "href=" not in made and made.count("tabindex") == 1


def test_forms_are_shown_and_dead() -> None:
    made = view('<form action=/x><input name=q value=词><input type=password value=geheim><input type=hidden value=h><button>送</button></form>')
    html = made.html or ""
    assert "词" in html and "geheim" not in html and "hidden" not in html.split("<body")[1] and html.count(" disabled") == 2
    assert "<form" not in html and "SAFE_FORMS:1" in made.notes


@pytest.mark.parametrize(
    "text",
    [
        "<div>" * 200_000,
        "<a " + " ".join(f"a{i}" for i in range(200_000)) + ">",
        '<a b="' + "&amp;" * 1_000_000 + '">',
        "<" * 4_000_000,
        "\0" * 4_000_000,
        "<script></" + "a" * 4_000_000,
        "<svg><![CDATA[" + "\0" * 4_000_000 + "]]>",
        "<table>" + "<b></b>" * 500_000,
        "".join(f"<p><font color={i}>x</p>" for i in range(50_000)),
        "<p></p>" * 500_000,
        "<style>" + "(" * 1_000_000,
        "<style>" + "a{b:c}" * 1_000_000,
        "<p style='" + "[" * 100_000 + "'>",
        "<style>" + "@import 'a.css';" * 100_000,
    ],
    ids=lambda text: text[:12].replace("\0", "0"),
)
def test_no_page_takes_more_than_it_may(text: str) -> None:
    """Bounds of work, not of time: 20 s is far above what any of them takes, far below what they would without."""
    began = time.process_time()
    made = view(text)
    assert made.html is None and made.notes in (("SAFE_TOO_MUCH",), ("SAFE_UNREADABLE",)) or made.html is not None
    assert time.process_time() - began < 20


def test_the_bounds_say_that_they_were_reached() -> None:
    assert view("<div>" * 2_000).notes == ("SAFE_TOO_MUCH",)
    effort = safe_tree.Effort(steps=10)
    with pytest.raises(safe_tree.TooMuch, match="STEPS_MAX"):
        safe_tree.parse("<p>a<p>b<p>c<p>d", effort=effort)
    styles = safe_css.Styles(lambda a, b: None, lambda a, b: None)
    with pytest.raises(safe_css.TooMuch, match="CSS_DEPTH_MAX"):
        styles.written("(" * 100, None)
    loop = safe_css.Styles(lambda a, b: None, lambda a, b: ("@import 'a.css';p{color:red}", None))
    assert loop.written("@import 'a.css';", None).count("red") == safe_css.IMPORTS_MAX


def test_sheets_keep_what_is_harmless() -> None:
    styles = safe_css.Styles(lambda a, b: None, lambda a, b: None)
    same = "@media (width < 600px){.a>b~c+d:not([x=\"y\"])::after{content:\"\\201C\";width:calc(100% - 2*var(--g))!important}}"
    wanted = same.replace("< ", "<  ").replace("\\201C", "\N{LEFT DOUBLE QUOTATION MARK}")
    assert styles.written(same, None) == wanted
    assert styles.written("a::before{content:\"</style><!--\"}", None) == 'a::before{content:"\\3c /style>\\3c !--"}'


def test_addresses_as_a_browser_asks() -> None:
    assert key("HTTP://Site.Example:80/a b/图?q=词#frag") == "http://site.example/a%20b/%E5%9B%BE?q=%E8%AF%8D"
    assert key("https://site.example") == "https://site.example/" and key("cid:a%40b") == "cid:a@b"
    for nothing in ("", "javascript:alert(1)", "data:,x", "http://[", "http://x:y/", "x" * 5_000, "relative"):
        assert key(nothing) is None, nothing


def test_views_of_a_file_are_blobs_with_notes() -> None:
    from evidence.captures.capture import Facts, Kind, Place, ViewKind, pack, unpack

    collected = Collected()
    payload = b"<!doctype html><script>x</script><p>words</p>"
    collected.add("file", Kind.PAGE, Facts(), Place("0" * 64, "1" * 64, len(payload)), payload)
    reading, blobs = unpack(pack(collected.reading(), collected.blobs))
    (one,) = reading.captures
    (shown,) = one.views
    assert shown.kind is ViewKind.SAFE_HTML and b"<p>words</p>" in blobs[shown.sha256] and one.notes == ("SAFE_SCRIPTS:1",)
