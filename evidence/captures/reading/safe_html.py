"""A page as one inert document: what it looked like, with nothing in it that acts or asks.

The page is parsed as a browser would parse it (`safe_tree`) and written anew from a list of what may stand in it: elements
and attributes that are not on the list are not written. Nothing of SVG or MathML, no raw text but style sheets of our own writing
(`safe_css`), pictures drawn anew (`safe_pictures`) from the file itself (`held`): a browser that reads the result finds nothing
but plain elements, however it repairs them. What was left out is counted.

Written so that it would be safe to look at by itself; it is served under headers that would make the page safe as it came (`display`).
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from xml.etree.ElementTree import Element

import tinycss2.bytes

from . import safe_css, safe_tree
from .held import Held, is_vector, join
from .safe_data import read as read_data
from .safe_pictures import Drawn
from .safe_rules import (
    ADDRESSES,
    CONTROLS,
    DROPPED,
    FRAMES,
    INPUTS,
    KEPT,
    LOST,
    MEDIA,
    OWN,
    RENAMED,
    SHARED,
    VOID,
)
from .safe_tree import Effort, TooMuch

PAGE_MAX = 8 << 20
"""Bytes of a page that is made into a view."""
HTML_MAX = 15 << 20
"""Characters of a view, below what one blob may hold: nearly all of it is pictures."""
VALUE_MAX = 4_000
DATA_VALUE_MAX = 200
STYLE_OF_OUR_OWN = (
    ":where(a[data-address]){color:#00e;text-decoration:underline}"
    "a[data-address]:hover::after,a[data-address]:focus::after{content:attr(data-address);position:fixed;left:0;right:0;bottom:0;"
    "z-index:2147483647;padding:6px 10px;background:#fff;color:#000;border-top:2px solid #000;font:14px/1.4 monospace;"
    "text-align:left;white-space:normal;word-break:break-all;text-indent:0;text-transform:none;letter-spacing:0}"
    ":where(.mj-left-out){display:inline-block;padding:2px 6px;border:1px dashed #777;color:#555;background:#fff;font:12px/1.4 sans-serif}"
)
_DESCRIBING = re.compile(r"(?:aria|data)-[a-z0-9-]{1,60}")
"""Attributes that style sheets choose by and nothing acts on."""


@dataclass(slots=True)
class View:
    """`html` None: no view could be made, and `notes` says why."""

    html: str | None
    notes: tuple[str, ...]


@dataclass(slots=True)
class Pages:
    """Makes the views of one file; what they may cost is shared by all its pages."""

    held: Held
    effort: Effort = field(default_factory=Effort)
    drawn: Drawn = field(default_factory=Drawn)
    css_left: int = safe_css.CSS_MAX

    def view(self, text: str, *, base: str | None, at: datetime | None) -> View:
        """`base`: the address of the page; `at`: when it was captured, for what was captured more than once."""
        try:
            tree = safe_tree.parse(text, effort=self.effort)
            return _Page(self, base, at).written(tree)
        except TooMuch:
            return View(None, ("SAFE_TOO_MUCH",))
        except (ArithmeticError, AssertionError, AttributeError, LookupError, RecursionError, TypeError, ValueError):
            # A page has led one of the parsers astray: they are no part of ours, and the page is shown as text alone.
            return View(None, ("SAFE_UNREADABLE",))


class _Page:
    def __init__(self, pages: Pages, base: str | None, at: datetime | None) -> None:
        self._pages, self._base, self._at = pages, base, at
        self._counted: Counter[str] = Counter()
        self._styles = safe_css.Styles(self._picture, self._sheet, left=pages.css_left)
        self._size = 0

    def written(self, tree: safe_tree.Tree) -> View:
        for element in tree.root.iter("base"):
            self._base = join(self._base, element.get("href") or "") or self._base
            break
        head, body = tree.root.find("head"), tree.root.find("body")
        title = " ".join("".join(tree.root.findtext("head/title") or "").split())[:300]
        styles = "".join(self._head(head)) if head is not None else ""
        out = [_doctype(tree.mode), "<html", *self._attributes(tree.root, "html"), '><head><meta charset="utf-8"><title>']
        out += [html.escape(title), "</title><style>", STYLE_OF_OUR_OWN, "</style>", styles, "</head>"]
        if body is not None:
            out += self._body(body)
        else:
            self._counted["SAFE_FRAMES"] += sum(1 for _ in tree.root.iter("frame"))
            out.append(f"<body>{LOST['frame']}</body>")
        out.append("</html>\n")
        self._pages.css_left = self._styles.left
        self._counted["SAFE_FONTS"] = self._styles.fonts
        notes = tuple(f"{code}:{n}" for code, n in sorted(self._counted.items()) if n)
        return View("".join(out), notes)

    def _head(self, head: Element) -> Iterator[str]:
        """Style sheets stand in the head, or anywhere; nothing else of a head is shown."""
        for element in head.iter():
            if isinstance(element.tag, str):
                if element.tag in ("style", "link"):
                    yield self._style(element)
                else:
                    self._gone(element)

    def _body(self, body: Element) -> Iterator[str]:
        """Every element in order, none of them by recursion."""
        yield "<body"
        yield from self._attributes(body, "body")
        yield ">"
        stack: list[tuple[Iterator[Element], str, str]] = [(iter(body), "</body>", "")]
        yield _text(body.text)
        while stack:
            children, closing, tail = stack[-1]
            element = next(children, None)
            if element is None:
                stack.pop()
                yield closing
                yield _text(tail)
                continue
            opening, end, inside = self._element(element)
            self._spend(len(opening))
            yield opening
            if inside:
                yield _text(element.text)
                stack.append((iter(element), end, element.tail or ""))
            else:
                yield _text(element.tail)

    def _element(self, element: Element) -> tuple[str, str, bool]:
        """(what is written for its beginning, for its end, whether what it holds is written between the two)"""
        name = element.tag
        if not isinstance(name, str):
            return "", "", False
        if name in ("style", "link"):
            return self._style(element), "", False
        if name in ("img", "video") or (name == "input" and (element.get("type") or "").lower() == "image"):
            return self._image(element), "", False
        if name == "picture":
            self._chosen(element)
            return "<span>", "</span>", True
        if name.startswith("{") or name in DROPPED:
            self._gone(element)
            left = LOST.get("vector" if name.startswith("{") else name)
            return (f'<span class="mj-left-out">{left}</span>' if left else ""), "", False
        if name == "input" and (element.get("type") or "text").lower() not in INPUTS:
            return "", "", False
        self._counted["SAFE_FORMS"] += name == "form"
        self._handlers(element)
        own = RENAMED.get(name, name if name in KEPT else "span")
        attributes = "".join(self._attributes(element, name))
        if name in VOID:
            return f"<{own}{attributes}>", "", False
        # A line feed that begins one of these is no part of it.
        return f"<{own}{attributes}>" + ("\n" if own in ("pre", "textarea") else ""), f"</{own}>", True

    # ── attributes ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _attributes(self, element: Element, name: str) -> Iterator[str]:
        own = OWN.get(name, frozenset())
        for attribute, value in element.attrib.items():
            if attribute == "style":
                if style := self._styles.declarations(value, self._base):
                    yield _attribute("style", style)
            elif attribute == "background":
                if shown := self._picture(value, self._base):
                    yield _attribute("background", shown)
            elif attribute in SHARED or attribute in own:
                yield _attribute(attribute, value[:VALUE_MAX])
            elif _DESCRIBING.fullmatch(attribute) and attribute != "data-address" and len(value) <= DATA_VALUE_MAX:
                yield _attribute(attribute, value)
        if name in CONTROLS:
            yield " disabled"
        for attribute in ADDRESSES.get(name, ()):
            if element.get(attribute):
                self._counted["SAFE_LINKS"] += 1
                address = (join(self._base, element.get(attribute) or "") or element.get(attribute) or "")[:1_000]
                yield f"{_attribute('title', address)}{_attribute('data-address', address)} tabindex=\"0\""
                break

    def _handlers(self, element: Element) -> None:
        self._counted["SAFE_HANDLERS"] += sum(1 for a in element.attrib if a.startswith("on"))

    def _gone(self, element: Element) -> None:
        """Count what is left out with all that it holds."""
        name = element.tag
        self._handlers(element)
        self._counted["SAFE_SCRIPTS"] += name == "script"
        self._counted["SAFE_FRAMES"] += name in FRAMES
        self._counted["SAFE_MEDIA"] += name in MEDIA
        self._counted["SAFE_VECTORS"] += name == "{http://www.w3.org/2000/svg}svg"
        self._counted["SAFE_REFRESH"] += name == "meta" and (element.get("http-equiv") or "").strip().lower() == "refresh"

    # ── pictures and style sheets ─────────────────────────────────────────────────────────────────────────────────────

    def _image(self, element: Element) -> str:
        self._handlers(element)
        if element.tag == "video":
            self._counted["SAFE_MEDIA"] += 1
            tried = [element.get("poster") or ""]
        else:
            tried = [element.get("src") or "", *_candidates(element.get("srcset"))]
        shown = next((s for t in tried if t and (s := self._picture(t, self._base, count=False))), None)
        if shown is None or shown == "data:,":
            # Pages that load their pictures late name them here until their script has run.
            late = [element.get(n) or "" for n in ("data-src", "data-original", "data-lazy-src")]
            late += _candidates(element.get("data-srcset"))
            later = next((s for t in late if t and (s := self._picture(t, self._base, count=False))), None)
            self._counted["SAFE_LATE"] += later is not None
            shown = later or shown
        if shown is None and any(tried):
            self._picture(next(t for t in tried if t), self._base)
        attributes = "".join(self._attributes(element, "img"))
        if shown is None and element.tag == "video":
            return f'<span class="mj-left-out">{LOST["video"]}</span>'
        return f'<img src="{shown or "data:,"}"{attributes}>'

    def _chosen(self, picture: Element) -> None:
        """The picture that a browser had chosen among several is the one in the file: offer all to the `img`."""
        image = picture.find("img")
        if image is not None:
            more = [s.get("srcset") or "" for s in picture.findall("source")]
            image.set("srcset", ", ".join(t for t in (image.get("srcset") or "", *more) if t))

    def _picture(self, address: str, base: str | None, count: bool = True) -> str | None:
        """The `data:` address of a picture of the file; None where the file has none, or none that can be drawn."""
        address = address.strip("\t\n\f\r ")
        if not address:
            return None
        if address[:5].lower() == "data:":
            given = read_data(address)
            payload, told = given if given else (b"", "")
        else:
            thing = self._pages.held.find(join(base, address) or "", near=self._at)
            if thing is None:
                self._counted["SAFE_ABSENT"] += count
                return None
            payload, told = thing.payload, thing.content_type
        shown = self._pages.drawn.address(payload) if payload else None
        if shown is None and payload:
            self._counted["SAFE_VECTORS" if is_vector(told, payload) else "SAFE_UNREAD"] += count
        if shown:
            self._spend(len(shown))
        return shown

    def _style(self, element: Element) -> str:
        media = element.get("media") or ""
        if element.tag == "style":
            kind = (element.get("type") or "text/css").strip().lower()
            found = (element.text or "", self._base) if kind == "text/css" else None
        else:
            rel = (element.get("rel") or "").lower().split()
            address = element.get("href") or ""
            if "stylesheet" not in rel or "alternate" in rel or not address:
                self._counted["SAFE_HINTS"] += bool(address)
                return ""
            found = self._sheet(address, self._base)
        if found is None:
            return ""
        text = self._styles.written(*found)
        self._spend(len(text))
        return f"<style{_attribute('media', media[:VALUE_MAX]) if media else ''}>{text}</style>"

    def _sheet(self, address: str, base: str | None) -> tuple[str, str | None] | None:
        address = address.strip("\t\n\f\r ")
        if address[:5].lower() == "data:":
            given = read_data(address)
            if given is None or given[1].partition(";")[0].strip().lower() != "text/css":
                return None
            payload, told, where = *given, base
        else:
            thing = self._pages.held.find(join(base, address) or "", near=self._at)
            if thing is None:
                self._counted["SAFE_ABSENT"] += 1
                return None
            payload, told, where = thing.payload, thing.content_type, thing.url
        charset = told.lower().partition("charset=")[2].strip("\"' ;") or None
        text, _encoding = tinycss2.bytes.decode_stylesheet_bytes(payload, protocol_encoding=charset)
        return text, where

    def _spend(self, size: int) -> None:
        self._size += size
        if self._size > HTML_MAX:
            raise TooMuch("HTML_MAX")


def _candidates(srcset: str | None) -> list[str]:
    """Addresses of a `srcset`, the largest pictures last as pages usually list them; a `data:` address may hold a comma."""
    found = []
    for part in (srcset or "")[:4 * VALUE_MAX].split(", "):
        words = part.split()
        if words:
            found.append(words[0].rstrip(","))
    return found[:20]


def _attribute(name: str, value: str) -> str:
    value = value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
    return f' {name}="{html.escape(value)}"'


def _text(text: str | None) -> str:
    return html.escape(text, quote=False) if text else ""


def _doctype(mode: str) -> str:
    """A page without one is laid out by other rules, and so is its view."""
    if mode == "quirks":
        return ""
    return '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "">' if mode == "limited quirks" else "<!DOCTYPE html>"
